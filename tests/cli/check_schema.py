#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks JSON documents against our JSON Schemas: check_schema.py [--lines] SCHEMA FILE|-...

SCHEMA is a file, or the name of one in reports/schema ("report"). References between our schemas
are resolved among the files beside it; nothing is fetched. With --lines each line is a document.
Prints what is wrong and exits with 1; a document or schema that cannot be read at all is 2.
"""
import argparse
import json
import pathlib
import sys

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "reports" / "schema"


class Unreadable(Exception):
    pass


def refuse_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in an object")
    return members


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text, name):
    try:
        return json.loads(text, object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as why:
        raise Unreadable(f"{name}: {why}") from why


def read(path):
    try:
        data = sys.stdin.buffer.read() if path == "-" else pathlib.Path(path).read_bytes()
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise Unreadable(f"{path}: {why}") from why


def localise(schema, file, known):
    """A copy whose references point into one document: our schemas by their files' names."""
    if isinstance(schema, list):
        return [localise(item, file, known) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {key: localise(value, file, known) for key, value in schema.items()}
    if isinstance(schema.get("$ref"), str):
        name, _, rest = schema["$ref"].partition("#")
        if (name or file) not in known:
            raise Unreadable(f"{file}: \"{name}\" is not one of our schemas")
        copy["$ref"] = f"#/$defs/{name or file}{rest}"
    return copy


def make_validator(name):
    path = pathlib.Path(name)
    if not path.suffix:
        path = SCHEMAS / f"{name}.json"
    files = [*path.resolve().parent.glob("*.json"), path]
    known = {file.name: parse(read(file), file) for file in files}
    for schema in known.values():
        jsonschema.Draft202012Validator.check_schema(schema)
        schema.pop("$id", None)
    bundle = {file: localise(schema, file, known) for file, schema in known.items()}
    return jsonschema.Draft202012Validator({"$defs": bundle, "$ref": f"#/$defs/{path.name}"})


def documents(path, lines):
    text = read(path)
    if not lines:
        return [(path, parse(text, path))]
    numbered = enumerate(text.split("\n"), 1)
    found = [(f"{path}:{n}", parse(line, f"{path}:{n}")) for n, line in numbered if line]
    if not found:
        raise Unreadable(f"{path}: holds no document")
    return found


def check(validator, name, document):
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.path)))
    for error in errors:
        where = "/".join(str(step) for step in error.absolute_path) or "."
        print(f"{name}: {where}: {error.message[:400]}", file=sys.stderr)
        for inner in sorted(error.context or [], key=jsonschema.exceptions.relevance)[:3]:
            where = "/".join(str(step) for step in inner.absolute_path)
            print(f"    {where}: {inner.message[:200]}", file=sys.stderr)
    return not errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", action="store_true", help="JSON Lines: one document per line")
    parser.add_argument("schema")
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()
    try:
        validator = make_validator(args.schema)
        results = [
            check(validator, name, document)
            for path in args.files
            for name, document in documents(path, args.lines)
        ]
    except Unreadable as why:
        print(why, file=sys.stderr)
        return 2
    except jsonschema.SchemaError as why:
        print(f"{args.schema}: {why.message}", file=sys.stderr)
        return 2
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
