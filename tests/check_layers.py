#!/usr/bin/env python3
"""Who may include whom (CONTRIBUTING.md): fails on every #include that crosses a layer the wrong way."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The command layer prints and joins everything; nothing else may include it.
COMMANDS = re.compile(
    r"harness/(main|cmd_\w+|command|output|plan|progress|eyes|baselines|diagnose|version)\.[ch]$")
# What analyzers and reports share with the harness.
SHARED = re.compile(r"harness/(record|record_json|record_net|service|target|target_check|image|archive|capture|arrivals)\.[ch]$")
# What reports may see of the analyzers.
FOR_REPORTS = re.compile(r"analyzers/(alignment|analysis|finding|verdict|causes|stage|normalize|line|spectrum)\.h$")


def layer(path):
    if COMMANDS.match(path):
        return "command"
    if path.startswith("harness/base/"):
        return "base"
    if SHARED.match(path):
        return "shared"
    return path.split("/")[0]


ALLOWED = {
    "command": {"command", "harness", "analyzers", "reports", "shared", "base"},
    "harness": {"harness", "shared", "base"},
    "analyzers": {"analyzers", "shared", "base"},
    "reports": {"reports", "shared", "base"},
    "shared": {"shared", "base"},
    "base": {"base"},
}


def is_allowed(source, included):
    if included == "harness/base/say.h" and layer(source) not in ("command", "base"):
        return False
    if layer(source) == "reports" and FOR_REPORTS.match(included):
        return True
    return layer(included) in ALLOWED[layer(source)]


def main():
    errors = []
    files = [p for d in ("harness", "analyzers", "reports") for p in sorted((ROOT / d).rglob("*.[ch]"))]
    for path in files:
        source = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'#include "([^"]+)"', line)
            if not match:
                continue
            if not (ROOT / match[1]).exists():
                errors.append(f"{source}:{number}: {match[1]}: includes are written from the top")
            elif not is_allowed(source, match[1]):
                errors.append(f"{source}:{number}: {layer(source)} may not include {match[1]}")
    print("\n".join(errors) if errors else f"layers: ok ({len(files)} files)")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
