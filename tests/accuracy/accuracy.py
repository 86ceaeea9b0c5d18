#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often bootdiag names the true cause of the kept cases: accuracy.py [--gate] [--verbose] PROGRAM

Each case is analysed as a whole record and as a bare console, the record also beside the good boots of
its guest. With --gate the exit status is 1 if a number of the table GATES is missed.
"""
import argparse
import collections
import sys

import lab

# What must be reached. Shares are of the cases counted; false alarms are a number.
GATES = {
    "top-1": 0.95,
    "top-3": 0.99,
    "top-1 of each guest": 0.95,
    "top-1 of bare consoles": 0.90,
    "top-1 beside good boots": 0.95,
    "confident and right": 0.90,
    "false alarms": 0,
}


def counts(cases, answers, key):
    """{key: [hits, of]} over failed boots."""
    table = collections.defaultdict(lambda: [0, 0])
    for case, answer in zip(cases, answers):
        table[key(case)][0] += case.accepts(answer.cause)
        table[key(case)][1] += 1
    return dict(sorted(table.items()))


def print_table(title, table):
    print(f"\n{title}")
    for name, (hits, of) in table.items():
        print(f"  {name:<24} {hits:>4} of {of:<4} {lab.share(hits, of):7.1%}")


def print_calibration(cases, answers):
    print("\nconfidence of the verdict, and how often it was right")
    bins = collections.defaultdict(lambda: [0, 0])
    for case, answer in zip(cases, answers):
        low = min(int(answer.confidence * 10 + 1e-9), 9)
        bins[low][0] += case.accepts(answer.cause)
        bins[low][1] += 1
    for low, (hits, of) in sorted(bins.items(), reverse=True):
        print(f"  {low / 10:.1f} to {low / 10 + 0.1:.1f}{'':14} {hits:>4} of {of:<4} {lab.share(hits, of):7.1%}")


def print_wrong(title, cases, answers):
    wrong = [(case, answer) for case, answer in zip(cases, answers) if not case.accepts(answer.cause)]
    if wrong:
        print(f"\n{title}")
    for case, answer in wrong:
        print(f"  {case.name:<44} {case.cause or 'good'} -> {answer.cause or answer.outcome} "
              f"({answer.confidence:.2f})")


class Measure:
    """All answers, and the numbers made of them."""

    def __init__(self, program, cases):
        self.failed = [case for case in cases if not case.is_good]
        self.good = [case for case in cases if case.is_good]
        self.visible = [case for case in self.failed if case.visible_in_console and case.console]
        self.whole = lab.analyze(program, [case.path for case in self.failed])
        self.bare = lab.analyze(program, [case.console for case in self.visible])
        self.compared = self.compare(program, cases)
        self.good_whole = lab.analyze(program, [case.path for case in self.good])
        self.good_bare = lab.analyze(program, [case.console for case in self.good])

    @staticmethod
    def compare(program, cases):
        """{case: answer} beside the good boots of the same guest and network, a good boot beside the
        others. Another target (memory, deadline) is wanted here, hence the force."""
        answers = {}
        good = [case for case in cases if case.is_good]
        for case in cases:
            options = []
            for peer in good:
                if (peer.guest, peer.network) == (case.guest, case.network) and peer != case:
                    options += ["--baseline", str(peer.path)]
            if options:
                answers[case] = lab.analyze(program, [case.path], "--force-baseline", *options)[0]
        return answers

    def false_alarms(self):
        """(case, how it was looked at, answer) of good boots that got a verdict."""
        compared = [(case, self.compared[case]) for case in self.good if case in self.compared]
        ways = (("record", list(zip(self.good, self.good_whole))),
                ("bare console", list(zip(self.good, self.good_bare))),
                ("beside good boots", compared))
        return [(case, way, answer) for way, pairs in ways for case, answer in pairs if answer.cause]

    def numbers(self):
        confident = [case.accepts(answer.cause) for case, answer in zip(self.failed, self.whole)
                     if answer.confidence >= 0.9]
        guests = counts(self.failed, self.whole, lambda case: case.guest)
        return {
            "top-1": lab.share(sum(c.accepts(a.cause) for c, a in zip(self.failed, self.whole)),
                           len(self.failed)),
            "top-3": lab.share(sum(any(c.accepts(cause) for cause in a.ranked[:3])
                               for c, a in zip(self.failed, self.whole)), len(self.failed)),
            "top-1 of each guest": min((lab.share(*row) for row in guests.values()), default=1.0),
            "top-1 of bare consoles": lab.share(
                sum(c.accepts(a.cause) for c, a in zip(self.visible, self.bare)), len(self.visible)),
            "top-1 beside good boots": lab.share(
                sum(c.accepts(a.cause) for c, a in self.compared.items() if not c.is_good),
                sum(not c.is_good for c in self.compared)),
            "confident and right": lab.share(sum(confident), len(confident)),
            "false alarms": len(self.false_alarms()),
        }

    def divergence_hits(self):
        """[hits, of]: a text that shows the fault is among the first ten lines reported. Counted are cases
        whose console holds one."""
        hits, of = 0, 0
        for case, answer in self.compared.items():
            console = lab.console_bytes(case).decode(errors="replace") if case.console else ""
            texts = [text for text in case.truth.get("shows", []) if text in console]
            if case.is_good or not texts:
                continue
            of += 1
            hits += any(text in line for text in texts for line in answer.reported_lines[:10])
        return [hits, of]


def missed(numbers):
    return [name for name, limit in GATES.items()
            if (numbers[name] > limit if name == "false alarms" else numbers[name] < limit)]


def print_numbers(measure, numbers):
    print(f"{len(measure.failed)} failed boots, {len(measure.good)} good ones; "
          f"{len({case.cause for case in measure.failed})} causes")
    for name, value in numbers.items():
        limit = GATES[name]
        if name == "false alarms":
            print(f"  {name:<24} {value:>7}        wanted {limit}")
        else:
            print(f"  {name:<24} {value:7.1%}   wanted {limit:.0%}")


def print_all(measure, numbers, verbose):
    print_numbers(measure, numbers)
    print_table("by guest", counts(measure.failed, measure.whole, lambda case: case.guest))
    print_table("by network", counts(measure.failed, measure.whole, lambda case: case.network))
    print_table("by layer", counts(measure.failed, measure.whole, lambda case: case.layer))
    if verbose:
        print_table("by cause", counts(measure.failed, measure.whole, lambda case: case.cause))
    print_table("the fault's line is among the first ten that differ from good boots",
                {"": measure.divergence_hits()})
    print_calibration(measure.failed, measure.whole)
    print_wrong("named wrong, whole records", measure.failed, measure.whole)
    beside = {case: answer for case, answer in measure.compared.items() if not case.is_good}
    print_wrong("named wrong, beside good boots", beside.keys(), beside.values())
    print_wrong("named wrong, bare consoles", measure.visible, measure.bare)
    for case, way, answer in measure.false_alarms():
        print(f"false alarm: {case.name} ({way}): {answer.cause} ({answer.confidence:.2f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a number is missed")
    parser.add_argument("--verbose", action="store_true", help="also the table by cause")
    parser.add_argument("--cases", default=lab.CASES, type=lab.pathlib.Path, help="another folder")
    parser.add_argument("program")
    arguments = parser.parse_args()
    measure = Measure(arguments.program, lab.load_cases(arguments.cases))
    numbers = measure.numbers()
    print_all(measure, numbers, arguments.verbose)
    for name in missed(numbers):
        print(f"missed: {name}")
    return 1 if arguments.gate and missed(numbers) else 0


if __name__ == "__main__":
    sys.exit(main())
