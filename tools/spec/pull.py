"""Take over what a running agent's OpenAPI document says, change by change, into spec/openapi.yaml.

    python -m tools.spec.pull http://127.0.0.1:8000/                  show what is another there
    python -m tools.spec.pull http://127.0.0.1:8000/ --take "1 3"     take over those two
    python -m tools.spec.pull http://127.0.0.1:8000/ --take all       all, but what was edited by hand

The document comes from `openapi.json` below the URL, with the token in SYNAPSE_AGENT_TOKEN; it is
untrusted. It is brought into our form (`normalised`), with the names of spec/operation-ids.yaml, and
spec/overlay.yaml is laid over it. Then its operations, schemas, fields and parameters are compared with
ours; texts, examples, tags and extensions are ours and stay. spec/upstream.yaml keeps what was taken last:
what differs here, and is there as it was then, was edited by hand and is not offered. What is here and not
there is listed until it is taken. `x-renamed-schemas` in the overlay says which schema of theirs is which of
ours.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .document import Document, SpecError, pointer, read, resolve, shown
from .fetch import fetch, is_url
from .offers import Offer, chosen_of, key_of, lines_of, offers, renames
from .overlay import apply
from .units import put, units
from .walk import METHODS

__all__ = ["main", "normalised"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
SINGLE = re.compile(r'(?<=: )\[([\w$]+: (?:"[^"\n]*"|\[\]|[\w./-]+))\]$')
FASTAPI_ERRORS = frozenset({"HTTPValidationError", "ValidationError"})
# The values of these are data, not OpenAPI.
DATA = frozenset({"const", "default", "enum", "example", "examples"})


def normalised(
    document: Document,
    ours: Document,
    names: Mapping[str, str],
    schemas_called: Mapping[str, str] | None = None,
) -> Document:
    """Bring an agent's document into our form.

    Operations get our operationIds: by the file of names, by method and path where we have the operation, or
    else by what FastAPI made an id from. Schemas get the names of `schemas_called`. Servers, titles, the
    spelling of null and of files, and the order are ours.
    """
    result = _renamed(copy.deepcopy(document), schemas_called or {})
    result["openapi"] = ours["openapi"]
    result["info"] = copy.deepcopy(ours["info"])
    result["servers"] = copy.deepcopy(ours.get("servers", []))
    for path, item in result.get("paths", {}).items():
        for method in METHODS:
            if not isinstance(item, dict) or method not in item:
                continue
            operation = item[method]
            if not isinstance(operation, dict):
                raise SpecError(f"{shown(pointer('paths', path, method))}: no object")
            operation_id = str(operation.get("operationId", ""))
            known = ours.get("paths", {}).get(path, {}).get(method, {}).get("operationId")
            operation["operationId"] = (
                names.get(f"{method.upper()} {path}")
                or names.get(operation_id)
                or known
                or _of_fastapi(operation_id, path, method)
            )
            _without_fastapi_errors(operation, ours)
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    if "HTTPValidationError" in schemas:
        for name in FASTAPI_ERRORS - set(ours["components"]["schemas"]):
            schemas.pop(name, None)
    result["paths"] = _ordered(result.get("paths", {}), ours.get("paths", {}))
    components["schemas"] = _ordered(schemas, ours["components"]["schemas"])
    respelt: Document = _respelt(result)
    return respelt


def _renamed(document: Document, called: Mapping[str, str]) -> Document:
    """Call their schemas as ours are called."""
    schemas = document.get("components", {}).get("schemas", {})
    for theirs, ours in called.items():
        if theirs in schemas and ours not in schemas:
            schemas[ours] = schemas.pop(theirs)
    prefix = "#/components/schemas/"
    for node in _references([document]):
        name = node["$ref"].removeprefix(prefix)
        if name in called:
            node["$ref"] = prefix + called[name]
    return document


def _references(todo: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield every object with a reference; what is added to `todo` meanwhile is walked as well."""
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            todo += node.values()
            if isinstance(node.get("$ref"), str):
                yield node


def _of_fastapi(operation_id: str, path: str, method: str) -> str:
    """FastAPI makes an id of the function's name, the path and the method."""
    return operation_id.removesuffix(re.sub(r"\W", "_", path) + f"_{method}")


def _without_fastapi_errors(operation: Document, ours: Document) -> None:
    """FastAPI describes a refused body by schemas of its own; ours has one answer for it."""
    responses = operation.get("responses", {})
    if "HTTPValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]
        if "UnprocessableContent" in ours["components"].get("responses", {}):
            responses["422"] = {"$ref": "#/components/responses/UnprocessableContent"}


def _ordered(what: dict[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    order = list(like)
    return dict(
        sorted(what.items(), key=lambda pair: (order.index(pair[0]) if pair[0] in like else len(order), pair))
    )


def _respelt(node: Any, *, names: bool = False) -> Any:
    """Without titles, and with null as we write it. `names`: the keys are names, and no keywords."""
    if isinstance(node, list):
        return [_respelt(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {
        key: value
        if key in DATA and not names
        else _respelt(value, names=key in ("properties", "schemas", "paths", "responses") and not names)
        for key, value in node.items()
        if names or key != "title" or not isinstance(value, str) or "version" in node
    }
    if not names and inner.get("contentMediaType") == "application/octet-stream":
        # How FastAPI describes a file.
        del inner["contentMediaType"]
        inner["format"] = "binary"
    choices = inner.get("anyOf")
    if not names and isinstance(choices, list) and {"type": "null"} in choices and len(choices) == 2:
        (other,) = [choice for choice in choices if choice != {"type": "null"}] or [{}]
        rest = {key: value for key, value in inner.items() if key != "anyOf"}
        if "$ref" in other:
            return {**rest, "oneOf": [other, {"type": "null"}]}
        if isinstance(other.get("type"), str) and "enum" not in other and "properties" not in other:
            return {**other, **rest, "type": [other["type"], "null"]}
    return inner


def _load(path: Path) -> Any:
    """Return one of the files beside the spec, None if it doesn't exist."""
    if not path.exists():
        return None
    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError, ValueError) as error:
        raise SpecError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(found, Mapping):
        raise SpecError(f"{path}: no mapping")
    return found


def _complete(document: Any, theirs: Document) -> None:
    """Take over the components that what was taken over refers to, and theirs in turn."""
    todo: list[Any] = [document["paths"], document["components"]]
    for node in _references(todo):
        reference = node["$ref"]
        if resolve(document, reference) is None:
            _, _, kind, name = reference.split("/")
            added = copy.deepcopy(resolve(theirs, reference))
            document["components"].setdefault(kind, {})[name] = added
            todo.append(added)


def _with_schemes(document: Any, theirs: Document) -> None:
    """Take over the security schemes that operations ask for and we lack."""
    known = theirs.get("components", {}).get("securitySchemes", {})
    for item in document["paths"].values():
        for method in METHODS:
            for asked in item.get(method, {}).get("security", []) if method in item else []:
                for name in asked:
                    schemes = document["components"].setdefault("securitySchemes", {})
                    if name in known and name not in schemes:
                        schemes[name] = copy.deepcopy(known[name])


def _take(chosen: Sequence[Offer], theirs: Document, spec: Path) -> str:
    """Return the spec's text with the changes in it, and the rest of it unchanged."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = spec.read_text(encoding="utf-8")
    document = yaml.load(text)
    for offer in chosen:
        put(offer.unit, theirs, document)
    _complete(document, theirs)
    _with_schemes(document, theirs)
    out = io.StringIO()
    yaml.dump(document, out)
    # It drops the braces of `[{$ref: …}]`, which is right, and hard to read.
    was = set(text.splitlines())
    lines = out.getvalue().splitlines()
    return "\n".join([*(line if line in was else SINGLE.sub(r"[{\1}]", line) for line in lines), ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Take over what a running agent's OpenAPI document says.")
    parser.add_argument("url", help="the agent's URL, its document's, or a file")
    parser.add_argument("--take", default="", help="the numbers of the changes to take over, or all")
    parser.add_argument("--spec", type=Path, default=SPEC, help="our document")
    options = parser.parse_args(argv)
    try:
        return pull(options.url, options.take.strip(), options.spec)
    except SpecError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def pull(url: str, take: str, spec: Path) -> int:
    """Show, and take over if that is asked for."""
    ours = read(spec)
    folder = spec.parent
    upstream = folder / "upstream.yaml"
    names = _load(folder / "operation-ids.yaml") or {}
    overlay = _load(folder / "overlay.yaml")
    called = (overlay or {}).get("x-renamed-schemas") or {}
    document = fetch(url) if is_url(url) else read(Path(url))
    theirs = normalised(document, ours, names.get("operations") or {}, called)
    missing: list[str] = []
    if overlay is not None:
        theirs, missing = apply(theirs, overlay)
    found = offers(ours, theirs, _load(upstream))
    lines = lines_of(found)
    for target in missing:
        print(f"overlay: nothing there at {shown(target)}")
    print(f"{shown(url)}: {len(found)} change{'' if len(found) == 1 else 's'}")
    for number, line in enumerate(lines, 1):
        print(f"{number:4}  {line}")
    for advice in renames(found, ours, theirs):
        print(advice)
    if not found or not take:
        if found:
            print('nothing is taken over; TAKE="1 2" takes those, TAKE=all all that were not edited by hand')
        return 0
    chosen = chosen_of(take, lines)
    spec.write_text(_take(chosen, theirs, spec), encoding="utf-8")
    there, taken = units(theirs), dict(_load(upstream) or {})
    known = {key_of(unit): value for unit, value in there.items()}
    if upstream.exists():
        for offer in chosen:
            taken.pop(key_of(offer.unit), None)
        # With an operation or a schema come its parts.
        owners = {offer.unit.owner for offer in chosen if offer.unit.kind in ("operation", "schema")}
        taken |= {key_of(o.unit): known[key_of(o.unit)] for o in chosen if key_of(o.unit) in known}
        taken |= {key_of(unit): value for unit, value in there.items() if unit.owner in owners}
    else:
        offered = {key_of(offer.unit) for offer in found} - {key_of(offer.unit) for offer in chosen}
        taken = {key: value for key, value in known.items() if key not in offered}
    yaml = YAML(typ="safe")
    yaml.default_flow_style = None
    yaml.width = 100
    with upstream.open("w", encoding="utf-8") as file:
        file.write("# What was taken over last by `make spec-pull`, which writes this; by what it is of.\n")
        yaml.dump(dict(sorted(taken.items())), file)
    print(f"taken over: {len(chosen)}; see it with `git diff`, then run `make spec-lint`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
