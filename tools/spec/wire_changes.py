"""What of a new spec breaks agents and clients of the old one: Redocly's findings, and what it misses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import redocly
from .changes import Change
from .document import SpecError, resolve, shown
from .walk import METHODS, operations

__all__ = ["wire_changes"]

Raw = Mapping[str, Any]

# Said by ours instead, or no matter on the wire.
LEFT_OUT = frozenset({"operation-id-changed", "security-requirement-changed"})
# The contract: an enum may gain values, and clients read them.
ALLOWED = frozenset({"enum-values-added"})
TEXTS = frozenset({"description", "example", "examples", "externalDocs", "summary", "title"})


def wire_changes(old: Raw, new: Raw, folder: Path) -> list[Change]:
    """Compare two documents that `tools.spec.document` has read.

    Args:
        old: The old one.
        new: The new one.
        folder: A folder to put them in for Redocly. One outside this repository: with the `extends:
            [recommended]` of redocly.yaml it rates every change a patch.

    Raises:
        SpecError: Redocly failed.
    """
    return [*_of_redocly(old, new, folder), *_ours(old, new)]


def _of_redocly(old: Raw, new: Raw, folder: Path) -> Iterator[Change]:
    for name, document in (("base.json", old), ("revision.json", new)):
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    try:
        done = redocly.run(
            "diff", "base.json", "revision.json", "--format=json", "--fail-on=none", cwd=folder
        )
        report = json.loads(done.stdout[done.stdout.index("{") :])
    except (ValueError, TimeoutError) as error:
        said = "npm's registry can't be reached" if isinstance(error, ValueError) and done.missing else error
        raise SpecError(f"{redocly.REDOCLY} diff: {said}") from None
    texts: dict[str, dict[str, None]] = {}
    for change in report["changes"]:
        subject, rest = _subject(old if change["kind"] == "removed" else new, change["path"])
        rules = {verdict["ruleId"] for verdict in change["verdicts"]}
        if rules & LEFT_OUT or "/security/" in change["path"]:
            continue
        if rest[:1] == ["parameters"] and not change["verdicts"]:
            # Ours tell which.
            continue
        if change["verdicts"]:
            for verdict in change["verdicts"]:
                breaking = verdict["impact"] == "major" and verdict["ruleId"] not in ALLOWED
                added = verdict["ruleId"] in ALLOWED
                yield Change(subject, "wire", breaking, _lower(shown(verdict["message"], 300)), new=added)
            continue
        what = str(change.get("property") or "")
        last = rest[-1] if rest else ""
        if what in TEXTS or last in TEXTS:
            texts.setdefault(subject, {})[what or last] = None
        elif change["kind"] == "added":
            yield Change(subject, "wire", False, f"{_named(rest, change)} is new", new=True)
        elif change["kind"] == "removed" and not last.startswith("x-"):
            yield Change(subject, "wire", False, f"{_named(rest, change)} is gone")
        elif what and not what.startswith("x-") and what not in ("default", "operationId", "tags"):
            yield Change(subject, "wire", False, f"{_named(rest, change)}: `{shown(what)}` is another")
    for subject, names in texts.items():
        yield Change(subject, "wire", False, f"said otherwise: {', '.join(map(shown, names))}")


def _lower(text: str) -> str:
    first = text[:1]
    return (first.lower() + text[1:] if not text[1:2].isupper() else text).rstrip(".")


def _named(rest: list[str], change: Raw) -> str:
    # The last name says most: a property's, a status, a media type.
    left_out = ("properties", "content", "schema", "responses", "requestBody")
    told = [part for part in rest if part not in left_out]
    if told:
        return f"`{shown('.'.join(told))}`"
    return {"PathItem": "the path", "SecurityScheme": "the security scheme"}.get(
        change["typeName"], f"the {str(change['typeName']).lower()}"
    )


def _subject(document: Raw, path: str) -> tuple[str, list[str]]:
    """The schema or the operation that a pointer leads through last, and what is left of it."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("#/").split("/")]
    subject, rest = "the document", parts
    node: Any = document
    for number, part in enumerate(parts):
        node = (
            node[int(part)]
            if isinstance(node, list) and part.isdecimal() and int(part) < len(node)
            else (node.get(part) if isinstance(node, Mapping) else None)
        )
        if number == 2 and parts[0] == "paths" and part in METHODS and isinstance(node, Mapping):
            subject, rest = str(node.get("operationId", f"{part} {parts[1]}")), parts[3:]
        elif number == 1 and parts[0] == "paths":
            named = [item.get("operationId") for m, item in (node or {}).items() if m in METHODS]
            subject, rest = " and ".join(map(str, named)) or parts[1], parts[2:]
        elif number == 2 and parts[0] == "components":
            subject, rest = part, parts[3:]
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            # What is said of a property is said of the schema that has it.
            its_own = number == len(parts) - 1 and parts[-2] == "properties"
            if reference.startswith("#/components/schemas/") and not its_own:
                subject, rest = reference.rpartition("/")[2], parts[number + 1 :]
            node = resolve(document, reference)
    return shown(subject), [part for part in rest if part != "$ref"]


# Ours


def _ours(old: Raw, new: Raw) -> Iterator[Change]:
    before = {(place.method, place.path): place.raw for place in operations(old)}
    for place in operations(new):
        was = before.get((place.method, place.path))
        if was is None:
            continue
        now, name = place.raw, str(place.raw.get("operationId"))
        if was.get("operationId") != name:
            yield Change(name, "wire", False, f"operationId was {shown(was.get('operationId'))}")
        if was.get("tags") != now.get("tags"):
            tags = [shown(", ".join(map(str, raw.get("tags", [])))) for raw in (was, now)]
            yield Change(name, "wire", False, f"the tag was {tags[0]}, and is {tags[1]}")
        yield from _security(name, _requirements(old, was), _requirements(new, now))
        yield from _inputs(name, _inputs_of(old, was), _inputs_of(new, now))
        yield from _errors(name, old, was, new, now)
    schemas = [_schemas(document) for document in (old, new)]
    for name in schemas[0].keys() & schemas[1].keys():
        gone = [
            value
            for value in schemas[0][name].get("enum", [])
            if value not in schemas[1][name].get("enum", [])
        ]
        if gone and "enum" in schemas[1][name]:
            yield Change(
                name, "wire", True, f"the value {', '.join(shown(repr(value)) for value in gone)} is gone"
            )


def _schemas(document: Raw) -> dict[str, Any]:
    return {name: item for name, item in document.get("components", {}).get("schemas", {}).items() if item}


def _requirements(document: Raw, operation: Raw) -> set[frozenset[str]]:
    told = operation.get("security", document.get("security", []))
    return {frozenset(requirement) for requirement in told} or {frozenset()}


def _security(name: str, old: set[frozenset[str]], new: set[frozenset[str]]) -> Iterator[Change]:
    if old == new:
        return
    # Whoever was let in has to be so still, with what it brings.
    shut = [requirement for requirement in old if not any(other <= requirement for other in new)]
    each = ["; ".join(sorted(" + ".join(sorted(r)) or "nothing" for r in side)) for side in (old, new)]
    words = f"security was {shown(each[0], 200)}, and is {shown(each[1], 200)}"
    yield Change(name, "wire", bool(shut), words)
    if shut:
        yield Change(name, "python", True, f"`{shown(name)}()` is refused without {shown(each[1], 200)}")


def _inputs_of(document: Raw, operation: Raw) -> dict[str, Any]:
    """What of a request's body has a name, with its schema."""
    found: dict[str, Any] = {}

    def take(schema: Any) -> None:
        while isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str):
            schema = resolve(document, schema["$ref"])
        if isinstance(schema, Mapping):
            found.update(schema.get("properties", {}))
            for word in ("allOf", "anyOf", "oneOf"):
                for part in schema.get(word, []):
                    take(part)

    for media in operation.get("requestBody", {}).get("content", {}).values():
        take(media.get("schema"))
    for parameter in operation.get("parameters", []):
        whole = resolve(document, parameter["$ref"]) if "$ref" in parameter else parameter
        if isinstance(whole, Mapping) and whole.get("in") == "query":
            found[f"?{whole.get('name')}"] = whole.get("schema", {})
    return found


def _inputs(name: str, old: Raw, new: Raw) -> Iterator[Change]:
    for field, schema in old.items():
        if field not in new:
            # Of a parameter Redocly tells.
            if not field.startswith("?"):
                yield Change(name, "wire", True, f"the body's `{shown(field)}` is taken no more")
        elif schema.get("default") != new[field].get("default"):
            each = [
                shown(repr(side[field]["default"]), 40) if "default" in side[field] else "not said"
                for side in (old, new)
            ]
            words = f"the default of `{shown(field.lstrip('?'))}` was {each[0]}, and is {each[1]}"
            yield Change(name, "wire", True, words)
    for field in new:
        if field not in old:
            yield Change(name, "wire", False, f"`{shown(field.lstrip('?'))}` is taken as well", new=True)


def _errors(name: str, old: Raw, was: Raw, new: Raw, now: Raw) -> Iterator[Change]:
    """An error's class in Python is an extension, of which no tool knows."""
    for status, response in now.get("responses", {}).items():
        before = was.get("responses", {}).get(status)
        if before is None:
            continue
        each = [
            (resolve(document, item["$ref"]) if "$ref" in item else item).get("x-error-class")
            for document, item in ((old, before), (new, response))
        ]
        if each[0] != each[1]:
            names = [f"`{shown(item)}`" if item else "the status's own error" for item in each]
            yield Change(
                name, "python", True, f"`{shown(name)}()` raises {names[1]} for {status}, not {names[0]}"
            )
