# SPDX-License-Identifier: Apache-2.0
"""The kept cases and what bootdiag says of them."""
import dataclasses
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "fixtures" / "cases"

# From this confidence on a verdict is confident: nine in ten of those must be right.
CONFIDENT = 0.8


def share(hits, of):
    return hits / of if of else 1.0


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A kept record and the truth about it."""

    path: pathlib.Path
    truth: dict

    @property
    def name(self):
        return self.path.name

    @property
    def cause(self):
        return self.truth["cause"]

    @property
    def is_good(self):
        return self.cause is None

    @property
    def guest(self):
        return self.truth.get("guest") or "unknown"

    @property
    def network(self):
        boot = self.path / "boot.json"
        if not boot.exists():
            return "unknown"
        return json.loads(boot.read_text()).get("probe", {}).get("network") or "none"

    @property
    def layer(self):
        return self.cause.split(".")[0] if self.cause else "good"

    @property
    def visible_in_console(self):
        return self.truth.get("visible_in_console", False)

    @property
    def console(self):
        """The file of the console alone; None: the guest never ran."""
        for name in ("console.log", "console.log.zst"):
            if (self.path / name).exists():
                return self.path / name
        return None

    def accepts(self, cause):
        return cause == self.cause or cause in self.truth.get("accept", [])


def load_cases(folder=CASES):
    cases = [Case(path.parent, json.loads(path.read_text())) for path in folder.glob("*/case.json")]
    if not cases:
        raise SystemExit(f"{folder}: no cases")
    return sorted(cases, key=lambda case: case.name)


def console_bytes(case):
    if case.console.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", str(case.console)], stdout=subprocess.PIPE,
                              check=True).stdout
    return case.console.read_bytes()


class Answer:
    """What bootdiag says of one boot."""

    def __init__(self, document):
        self.document = document
        self.outcome = document["outcome"]
        verdict = document["verdict"] or {}
        self.cause = verdict.get("cause")
        self.confidence = verdict.get("confidence", 0.0)
        # A boot that came up has no verdict: what is wrong with it stands beside.
        if self.outcome == "ready" and document["contributing"]:
            self.cause = document["contributing"][0]["cause"]

    @property
    def ranked(self):
        """The verdict's cause, then the others as bootdiag orders them."""
        others = self.document["contributing"] + self.document["alternatives"]
        return [self.cause] + [other["cause"] for other in others]

    @property
    def reported_lines(self):
        """What the comparison with good boots shows first: the divergence, then novel and missing lines
        in turn."""
        diff = self.document["diff"] or {}
        divergence = diff.get("first_divergence") or {}
        lines = [divergence.get("seen"), divergence.get("expected")]
        novel = [line["text"] for line in diff.get("novel", [])]
        missing = [line["text"] for line in diff.get("missing", [])]
        for i in range(max(len(novel), len(missing))):
            lines += novel[i:i + 1] + missing[i:i + 1]
        return [line for line in lines if line]


def analyze(program, paths, *options):
    """The answers to all paths, each a record or a console, in their order."""
    answers = []
    for at in range(0, len(paths), 200):  # below the kernel's limit for arguments
        command = [program, "analyze", "--json", *options, "--", *map(str, paths[at:at + 200])]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"{program} analyze: exit status {done.returncode}: "
                             f"{done.stderr.decode(errors='replace')}")
        answers += [Answer(json.loads(line)) for line in done.stdout.splitlines()]
    if len(answers) != len(paths):
        raise SystemExit(f"{program} analyze: {len(answers)} answers to {len(paths)} boots")
    return answers
