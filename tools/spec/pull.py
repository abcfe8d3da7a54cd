"""Take over what a running agent's OpenAPI document says, change by change, into spec/openapi.yaml.

    python -m tools.spec.pull http://127.0.0.1:8000/                  show what is another there
    python -m tools.spec.pull http://127.0.0.1:8000/ --take "1 3"     take over those two
    python -m tools.spec.pull http://127.0.0.1:8000/ --take all       all, but what was edited by hand

The document comes from `openapi.json` below the URL, with the token in SYNAPSE_AGENT_TOKEN; it is
untrusted. It is brought into our form (`normalised`), with the names of spec/operation-ids.yaml, and
spec/overlay.yaml is laid over it. Then its operations, schemas, fields and parameters are compared with
ours; texts, examples, tags and extensions are ours and stay. spec/upstream.yaml keeps what was taken last:
what differs here, and is there as it was then, was edited by hand and is not offered.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .document import Document, SpecError, pointer, read, resolve, shown
from .fetch import fetch, is_url
from .overlay import apply
from .units import Unit, put, units
from .walk import METHODS

__all__ = ["Offer", "main", "normalised", "offers"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
SINGLE = re.compile(r'(?<=: )\[([\w$]+: (?:"[^"\n]*"|\[\]|[\w./-]+))\]$')
FASTAPI_ERRORS = frozenset({"HTTPValidationError", "ValidationError"})
# The values of these are data, not OpenAPI.
DATA = frozenset({"const", "default", "enum", "example", "examples"})


class Offer(NamedTuple):
    """A change that can be taken over."""

    unit: Unit
    here: Any
    there: Any
    edited: bool
    """Whether taking it would overwrite what was edited by hand, as far as that is known."""
    known: bool = True
    """Whether that is known."""

    def __str__(self) -> str:
        if self.here is None:
            words = "is new"
        elif self.there is None:
            words = "is gone"
        elif self.unit.kind in ("required", "enum"):
            gains = [value for value in self.there if value not in self.here]
            loses = [value for value in self.here if value not in self.there]
            parts = (
                f"{word} {_short(values)[1:-1]}"
                for word, values in (("gains", gains), ("loses", loses))
                if values
            )
            words = " and ".join(parts)
        else:
            words = f"is {_short(self.there)}, and here {_short(self.here)}"
        mark = f" ({'' if self.known else 'perhaps '}edited by hand here)" if self.edited else ""
        return f"{shown(self.unit)} {words}{mark}"


def _short(value: Any) -> str:
    return shown(json.dumps(value, ensure_ascii=False), 90)


def normalised(document: Document, ours: Document, names: Mapping[str, str]) -> Document:
    """Bring an agent's document into our form.

    Operations get our operationIds: by the file of names, by method and path where we have the operation, or
    else by what FastAPI made an id from. Servers, titles, the spelling of null and the order are ours.
    """
    result = copy.deepcopy(document)
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
    choices = inner.get("anyOf")
    if not names and isinstance(choices, list) and {"type": "null"} in choices and len(choices) == 2:
        (other,) = [choice for choice in choices if choice != {"type": "null"}] or [{}]
        rest = {key: value for key, value in inner.items() if key != "anyOf"}
        if "$ref" in other:
            return {**rest, "oneOf": [other, {"type": "null"}]}
        if isinstance(other.get("type"), str) and "enum" not in other and "properties" not in other:
            return {**other, **rest, "type": [other["type"], "null"]}
    return inner


def offers(ours: Document, theirs: Document, taken: Mapping[str, Any] | None) -> list[Offer]:
    """Return what differs there.

    Args:
        ours: The spec.
        theirs: The agent's, normalised.
        taken: What it was when it was taken last, by the unit's text; None where it never was.
    """
    here, there = units(ours), units(theirs)
    found: list[Offer] = []
    for unit in [*here, *(unit for unit in there if unit not in here)]:
        old, new = here.get(unit), there.get(unit)
        if old == new or _owner_is_offered(unit, here, there):
            continue
        if taken is None:
            # Whether it was ever there, nobody knows.
            found.append(Offer(unit, old, new, old is not None, known=False))
        elif taken.get(_key(unit)) != new:
            found.append(Offer(unit, old, new, taken.get(_key(unit)) != old))
    return found


def _owner_is_offered(unit: Unit, here: Mapping[Unit, Any], there: Mapping[Unit, Any]) -> bool:
    kind = "schema" if unit.kind in ("field", "required", "enum") else "operation"
    owner = Unit(kind, unit.owner)
    return unit != owner and ((owner in here) != (owner in there))


def _key(unit: Unit) -> str:
    return " | ".join(part for part in unit if part)


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
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, Mapping):
            todo += node.values()
            reference = node.get("$ref")
            if isinstance(reference, str) and resolve(document, reference) is None:
                _, _, kind, name = reference.split("/")
                added = copy.deepcopy(resolve(theirs, reference))
                document["components"].setdefault(kind, {})[name] = added
                todo.append(added)


def _chosen(text: str, found: Sequence[Offer]) -> list[Offer]:
    if text == "all":
        return [offer for offer in found if not offer.edited]
    try:
        numbers = [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        numbers = [0]
    if not numbers or not all(1 <= number <= len(found) for number in numbers):
        raise SpecError(f"TAKE={shown(text)}: numbers from 1 to {len(found)}, or all")
    return [found[number - 1] for number in numbers]


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
    theirs = normalised(fetch(url) if is_url(url) else read(Path(url)), ours, names.get("operations") or {})
    overlay = _load(folder / "overlay.yaml")
    missing: list[str] = []
    if overlay is not None:
        theirs, missing = apply(theirs, overlay)
    found = offers(ours, theirs, _load(upstream))
    for target in missing:
        print(f"overlay: nothing there at {shown(target)}")
    print(f"{shown(url)}: {len(found)} change{'' if len(found) == 1 else 's'}")
    for number, offer in enumerate(found, 1):
        print(f"{number:4}  {offer}")
    if not found or not take:
        if found:
            print('nothing is taken over; TAKE="1 2" takes those, TAKE=all all that were not edited by hand')
        return 0
    chosen = _chosen(take, found)
    spec.write_text(_take(chosen, theirs, spec), encoding="utf-8")
    there, taken = units(theirs), dict(_load(upstream) or {})
    known = {_key(unit): value for unit, value in there.items()}
    if upstream.exists():
        for offer in chosen:
            taken.pop(_key(offer.unit), None)
        # With an operation or a schema come its parts.
        owners = {offer.unit.owner for offer in chosen if offer.unit.kind in ("operation", "schema")}
        taken |= {_key(o.unit): known[_key(o.unit)] for o in chosen if _key(o.unit) in known}
        taken |= {_key(unit): value for unit, value in there.items() if unit.owner in owners}
    else:
        offered = {_key(offer.unit) for offer in found} - {_key(offer.unit) for offer in chosen}
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
