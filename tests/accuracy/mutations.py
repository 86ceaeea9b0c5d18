#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kept cases changed in ways whose answer is known by construction: mutations.py [--gate] PROGRAM

Nothing made here is kept: each changed record is synthetic and lives in a temporary folder. A wrong
answer is an alarm if it is confident; cutting a console may make an answer less certain, never wrong.
"""
import argparse
import json
import pathlib
import random
import re
import sys
import tempfile

import lab

SEED = 20251106  # the same changes in every run
CUTS = 12        # places where each console is cut

# Share of alarms that is allowed, by kind; of others one in a hundred. A console that is cut says less,
# and must say nothing else.
ALLOWED = {"cut": 0}

# What may be said of a boot that stops right before a milestone, by layer.
STOPPED_BEFORE = {
    "root-mounted": ("kernel", "rootfs"),
    "init-started": ("kernel", "rootfs"),
    "address-acquired": ("network", "host", "init"),
    "unit-started": ("init", "rootfs"),
    "supervisor-started": ("supervisor", "init"),
    "agent-started": ("supervisor", "agent"),  # the script's line before says that it starts the agent
    "agent-listening": ("agent",),
}


class Boot:
    """A record in memory, whose console can be changed without losing its arrival times."""

    def __init__(self, case):
        self.case = case
        self.console = lab.console_bytes(case)
        times = case.path / "console.times"
        rows = times.read_text().splitlines() if times.exists() else []
        self.times = [tuple(map(int, row.split())) for row in rows]
        boot = case.path / "boot.json"
        self.facts = json.loads(boot.read_text()) if boot.exists() else None

    def line_starts(self):
        return [0] + [match.end() for match in re.finditer(rb"\n", self.console)][:-1]

    def insert(self, at, text):
        self.console = self.console[:at] + text + self.console[at:]
        self.times = [(offset if offset < at else offset + len(text), ms) for offset, ms in self.times]

    def cut(self, at):
        self.console = self.console[:at]
        self.times = [row for row in self.times if row[0] < at]

    def save(self, folder):
        folder.mkdir()
        (folder / "console.log").write_bytes(self.console)
        if self.times:
            (folder / "console.times").write_text("".join(f"{at} {ms}\n" for at, ms in self.times))
        if self.facts is not None:
            (folder / "boot.json").write_text(json.dumps(self.facts))
        for name in ("vmm.log", "net.pcap"):
            if (self.case.path / name).exists():
                (folder / name).write_bytes((self.case.path / name).read_bytes())
        return folder


# ---- changes: each takes a Boot and a source of randomness, and changes the console -----------------


def interleave(boot, rng):
    """Another writer's kernel line breaks into 20 lines."""
    for start in sorted(rng.sample(boot.line_starts(), min(20, len(boot.line_starts()))), reverse=True):
        end = boot.console.find(b"\n", start)
        stamps = re.findall(rb"\[ *(\d+\.\d{6})\]", boot.console[:start])
        if end - start > 8 and stamps:
            at = rng.randrange(start + 4, end)
            boot.insert(at, b"[%12s] random: crng reseeded on system resumption\r\n" % stamps[-1])


def repeat(boot, rng):
    """An early line comes 10,000 times."""
    starts = boot.line_starts()
    start = rng.choice(starts[:max(1, len(starts) // 3)])
    line = boot.console[start:boot.console.find(b"\n", start) + 1]
    boot.insert(start, line * 10000)


def escape(boot, rng):
    """Colours, erasures and titles between words."""
    sequences = (b"\x1b[0m", b"\x1b[1;31m", b"\x1b[0;1;38:5:185m", b"\x1b[K", b"\x1b]0;x\x07", b"\x1b[?7h")
    spaces = [match.end() for match in re.finditer(rb" +", boot.console)]
    for at in sorted(rng.sample(spaces, min(200, len(spaces))), reverse=True):
        boot.insert(at, rng.choice(sequences))


def stall(boot, rng):
    """Nothing comes for 3 s; all that follows is 3 s later."""
    if not boot.times or boot.facts is None:
        return
    at = rng.randrange(len(boot.times))
    boot.times = [(offset, ms + 3000 * (i >= at)) for i, (offset, ms) in enumerate(boot.times)]
    for name in ("ended_ms", "ready_ms", "deadline_ms"):
        if boot.facts.get(name) is not None:
            boot.facts[name] += 3000
    runs = boot.facts.get("probe", {}).get("classes", [])
    if runs:
        runs[-1]["to_ms"] += 3000


CHANGES = (interleave, repeat, escape, stall)


# ---- what is asked, and what must be answered ------------------------------------------------------


class Question:
    """A changed record, and whether an answer to it is right."""

    def __init__(self, kind, name, path, is_right, may_be_unsure=True):
        self.kind = kind
        self.name = name
        self.path = path
        self.is_right = is_right
        self.may_be_unsure = may_be_unsure

    def is_alarm(self, answer):
        return (answer.cause is not None and answer.confidence >= lab.CONFIDENT and
                answer.cause != "unknown" and not self.is_right(answer.cause))


def same_as(case, answer):
    """As before the change, or the truth."""
    return lambda cause: cause == answer.cause or case.accepts(cause) or cause in case.truth.get("also", [])


def cuts(case, answer, folder, rng):
    console = lab.console_bytes(case)
    for i in range(CUTS):
        path = folder / f"{case.name}.cut-{i}.log"
        path.write_bytes(console[:rng.randrange(len(console) + 1)])
        yield Question("cut", f"{case.name}, first {path.stat().st_size} bytes", path,
                       same_as(case, answer))


def changes(case, answer, folder, rng):
    for change in CHANGES:
        boot = Boot(case)
        change(boot, rng)
        path = boot.save(folder / f"{case.name}.{change.__name__}")
        yield Question(change.__name__, case.name, path, same_as(case, answer), may_be_unsure=False)


def stops(case, answer, folder):
    """A good boot that falls silent right before a milestone and is watched until the deadline."""
    for milestone in answer.document["milestones"]:
        layers = STOPPED_BEFORE.get(milestone["id"])
        offset = (milestone.get("evidence") or {}).get("offset")
        if layers is None or not offset:
            continue
        boot = Boot(case)
        if boot.facts is None or boot.facts.get("probe", {}).get("network") != "user":
            continue
        has_address = milestone["id"] not in ("root-mounted", "init-started", "address-acquired")
        boot.cut(offset)
        boot.facts.update(end="deadline", ready_ms=None, ended_ms=boot.facts["deadline_ms"])
        boot.facts["probe"]["classes"] = [{
            "class": "reset" if has_address else "no-answer", "from_ms": 1000,
            "to_ms": boot.facts["deadline_ms"], "count": 300, "http_status": None, "neighbour": "none"}]
        path = boot.save(folder / f"{case.name}.stop-{milestone['id']}")
        yield Question("stop", f"{case.name} before {milestone['id']}", path,
                       lambda cause, layers=layers: cause is not None and cause.split(".")[0] in layers)


def ask(program, cases, folder):
    rng = random.Random(SEED)
    ran = [case for case in cases if case.console]
    whole = lab.analyze(program, [case.path for case in ran])
    bare = lab.analyze(program, [case.console for case in ran])
    for case, answer, bare_answer in zip(ran, whole, bare):
        yield from cuts(case, bare_answer, folder, rng)
        yield from changes(case, answer, folder, rng)
        if case.is_good:
            yield from stops(case, answer, folder)


def print_row(kind, pairs):
    right = sum(question.is_right(answer.cause) for question, answer in pairs)
    alarms = [(question, answer) for question, answer in pairs if question.is_alarm(answer)]
    print(f"  {kind:<12} {len(pairs):>5} boots, named right {lab.share(right, len(pairs)):6.1%}, "
          f"confident and wrong {len(alarms)}")
    for question, answer in alarms:
        print(f"    {question.name}: {answer.cause} ({answer.confidence:.2f})")
    return len(alarms)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gate", action="store_true", help="exit with 1 on more confident wrong answers than allowed")
    parser.add_argument("--cases", default=lab.CASES, type=pathlib.Path, help="another folder")
    parser.add_argument("program")
    arguments = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="bootdiag-mutations-") as folder:
        questions = list(ask(arguments.program, lab.load_cases(arguments.cases), pathlib.Path(folder)))
        answers = lab.analyze(arguments.program, [question.path for question in questions])
        for kind in dict.fromkeys(question.kind for question in questions):
            pairs = [(q, a) for q, a in zip(questions, answers) if q.kind == kind]
            missed |= print_row(kind, pairs) > ALLOWED.get(kind, 0.01) * len(pairs)
    return 1 if arguments.gate and missed else 0


if __name__ == "__main__":
    sys.exit(main())
