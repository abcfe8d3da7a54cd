"""Find what of a new document breaks agents and clients of the old one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..document import shown
from ..walk import as_mapping
from .api import Api, Operation, Parameter, Requirement, Response
from .changes import Change
from .schemas import Direction, Finding, SchemaComparison, within_name

__all__ = ["ClientBreak", "wire_changes"]

Raw = Mapping[str, Any]


class ClientBreak(NamedTuple):
    """A break that a user of the generated client runs into, though no type of it may show that.

    Attributes:
        operation: The operation that it is in.
        subject: What to say it of.
        name: The parameter, or the attribute of a model.
        words: What breaks.
    """

    operation: str
    subject: str
    name: str
    words: str


def wire_changes(old: Api, new: Api) -> tuple[list[Change], list[ClientBreak]]:
    """Return the changes on the wire, and those of them that users of a generated client run into."""
    comparison = _Comparison(old, new)
    found = list(comparison.changes())
    found += _written_otherwise(old, new, {change.subject for change in found})
    return found, comparison.client_breaks


def _paired(old: Api, new: Api) -> Iterator[tuple[Operation | None, Operation | None]]:
    """Pair the operations: by method and path, whatever parameters are called, or else by operationId."""
    gone = {op.id: op for key, op in old.operations.items() if key not in new.operations and op.id}
    moved: set[str | None] = set()
    for key, operation in new.operations.items():
        was = old.operations.get(key)
        if was is None and operation.id in gone:
            was = gone[operation.id]
            moved.add(operation.id)
        yield was, operation
    for key, operation in old.operations.items():
        if key not in new.operations and (operation.id is None or operation.id not in moved):
            yield operation, None


class _Comparison:
    def __init__(self, old: Api, new: Api) -> None:
        self.old = old
        self.new = new
        self.client_breaks: list[ClientBreak] = []
        self.schemas: dict[Direction, SchemaComparison] = {
            "request": SchemaComparison(old.shapes, new.shapes, "request"),
            "response": SchemaComparison(old.shapes, new.shapes, "response"),
        }

    def changes(self) -> Iterator[Change]:
        for old, new in _paired(self.old, self.new):
            if new is None and old is not None:
                yield Change(old.name, "wire", True, f"`{shown(old.line)}` is gone")
            elif old is None and new is not None:
                yield Change(new.name, "wire", False, f"`{shown(new.line)}` is new", new=True)
            elif old is not None and new is not None:
                yield from self._operation(old, new)
        yield from _named(self.old, self.new, "securitySchemes", "security scheme")
        yield from _named(self.old, self.new, "schemas", "schema")
        webhooks = [api.canonical_parts(api.document.get("webhooks")) for api in (self.old, self.new)]
        for key, word, breaks in _parts(*webhooks):
            yield Change(key, "wire", breaks, f"the webhook {word}", new=word == "is new")

    def _operation(self, old: Operation, new: Operation) -> Iterator[Change]:
        name = new.name
        if old.key != new.key:
            yield Change(name, "wire", True, f"`{shown(old.line)}` is `{shown(new.line)}` now")
        if old.id != new.id:
            words = f"operationId is {shown(repr(new.id))}, not {shown(repr(old.id))}"
            yield Change(name, "wire", False, words)
        if old.raw.get("deprecated") is not True and new.raw.get("deprecated") is True:
            yield Change(name, "wire", False, "is deprecated")
        yield from self._parameters(old, new)
        yield from self._body(old, new)
        yield from self._responses(old, new)
        yield from _security(name, old.security, new.security)
        for key, word, breaks in _parts(old.callbacks, new.callbacks):
            words = f"the callback `{shown(key)}` {word}"
            yield Change(name, "wire", breaks, words, new=word == "is new")

    def _said(
        self, operation: Operation, direction: Direction, found: list[Finding], *, error: bool = False
    ) -> Iterator[Change]:
        where = "" if direction == "response" else "in requests, "
        for finding in found:
            subject = finding.schema or operation.name
            yield Change(subject, "wire", finding.breaking, f"{where}{finding}", finding.new)
            if not finding.breaking or finding.typed:
                continue
            name = re.split(r"[.\[{]", finding.place)[0]
            what = f"`{shown(finding.schema)}`: {finding}" if finding.schema else str(finding)
            if direction == "request":
                words = f"`{shown(operation.name)}()`: {what}"
                self.client_breaks.append(ClientBreak(operation.name, operation.name, name, words))
            elif not error:
                name = f"{subject}.{name}" if name else ""
                self.client_breaks.append(ClientBreak(operation.name, subject, name, what))

    def _parameters(self, old: Operation, new: Operation) -> Iterator[Change]:
        for key in dict.fromkeys([*old.parameters, *new.parameters]):
            was, now = old.parameters.get(key), new.parameters.get(key)
            found: list[Finding] = []
            if now is None and was is not None:
                found = [Finding(None, "", f"is not taken {_where(was)} any more", True)]
            elif was is None and now is not None:
                words = f"is {'required' if now.required else 'taken'} {_where(now)} as well"
                found = [Finding(None, "", words, now.required, new=True)]
            elif was is not None and now is not None:
                needs = was.required, now.required
                schema = self._item(now) if now.repeated and not was.repeated else now.schema
                one = schema is not now.schema
                found = self.schemas["request"].value(was.schema, schema, required=needs)
                if one:
                    found = [*found, Finding(None, "", "may be repeated", False, new=True)]
                if was.required != now.required:
                    words = f"is {'required' if now.required else 'optional'}"
                    found = [*found, Finding(None, "", words, now.required)]
                if was.sent != now.sent and not one:
                    found = [*found, Finding(None, "", f"is sent {now.sent}, not {was.sent}", True)]
            parameter = now or was
            assert parameter is not None
            yield from self._said(new, "request", within_name(parameter.name, found))

    def _item(self, parameter: Parameter) -> Any:
        """Return the schema of a list's items if one of them is written like a value, else that of all."""
        branches = self.new.shapes.branches(parameter.schema)
        one = len(branches) == 1 and branches[0].type == "array" and "minItems" not in branches[0].limits
        return branches[0].items if one and branches[0].items is not None else parameter.schema

    def _body(self, old: Operation, new: Operation) -> Iterator[Change]:
        name, was, now = new.name, old.body, new.body
        if was is None or now is None:
            if was is not None:
                yield from self._said(new, "request", [Finding(None, "", "takes no body any more", True)])
            elif now is not None:
                words = f"a body is {'required' if now.required else 'taken as well'}"
                yield Change(name, "wire", now.required, words, new=True)
            return
        if was.required != now.required:
            words = f"the body is {'required' if now.required else 'optional'}"
            yield Change(name, "wire", now.required, words)
        for kind, (schema, encoding) in was.content.items():
            other = now.content.get(kind, now.content.get("*/*"))
            if other is None:
                yield Change(name, "wire", True, f"{shown(kind)} is not taken any more")
                continue
            needs = was.required, now.required
            yield from self._said(
                new, "request", self.schemas["request"].value(schema, other[0], required=needs)
            )
            if encoding != other[1]:
                yield Change(name, "wire", True, f"the encoding of {shown(kind)} is another")
        for kind in now.content:
            if kind not in was.content:
                yield Change(name, "wire", False, f"{shown(kind)} is taken as well", new=True)

    def _responses(self, old: Operation, new: Operation) -> Iterator[Change]:
        name = new.name
        successes = [[status for status in op.responses if status[0] == "2"] for op in (old, new)]
        for status, response in new.responses.items():
            counterpart = _counterpart(status, old.responses)
            if counterpart is not None:
                yield from self._response(new, status, old.responses[counterpart], response)
            elif status[0] == "2" and successes[0]:
                yield Change(name, "wire", True, f"may answer {shown(status)}", new=True)
            else:
                yield Change(name, "wire", False, f"may answer {shown(status)}", new=True)
        covered = {_counterpart(status, old.responses) for status in new.responses}
        for status in old.responses:
            if status in covered:
                continue
            # An answer may come less often, but not the only one there was.
            breaks = status in successes[0] and not covered & set(successes[0]) and bool(successes[1])
            lost = status in successes[0] and not successes[1]
            yield Change(name, "wire", breaks or lost, f"does not answer {shown(status)} any more")

    def _response(self, operation: Operation, status: str, old: Response, new: Response) -> Iterator[Change]:
        name = operation.name
        comparison = self.schemas["response"]
        kinds = [kind for kind in new.content if kind in old.content]
        for kind in kinds:
            found = comparison.value(old.content[kind], new.content[kind], required=(True, True))
            yield from self._said(operation, "response", found, error=status[0] != "2")
        if set(old.content) != set(new.content):
            each = [shown(" or ".join(sorted(side.content)) or "nothing") for side in (new, old)]
            breaks = not set(old.content) <= set(new.content)
            yield Change(name, "wire", breaks, f"{shown(status)} has {each[0]}, not {each[1]}")
        for header, (required, schema) in old.headers.items():
            if header not in new.headers:
                words = f"{shown(status)} has no header {shown(header)} any more"
                yield Change(name, "wire", True, words)
                continue
            needs = required, new.headers[header][0]
            found = comparison.value(schema, new.headers[header][1], required=needs)
            if needs[0] != needs[1]:
                found = [*found, Finding(None, "", "may be missing" if needs[0] else "is required", needs[0])]
            # A generated client shows headers only in raw responses.
            yield from self._said(operation, "response", within_name(header, found), error=True)
        for header in new.headers:
            if header not in old.headers:
                words = f"{shown(status)} has the header {shown(header)}"
                yield Change(name, "wire", False, words, new=True)
        if old.error_class != new.error_class:
            each = [
                f"`{shown(side.error_class)}`" if side.error_class else "the status's own error"
                for side in (new, old)
            ]
            words = f"`{shown(name)}()` raises {each[0]} for {shown(status)}, not {each[1]}"
            yield Change(name, "python", True, words)


def _where(parameter: Parameter) -> str:
    return {"path": "in the path", "query": "in the query", "header": "as a header"}.get(
        parameter.place, f"as a {parameter.place}"
    )


def _counterpart(status: str, responses: Mapping[str, Response]) -> str | None:
    """Find what the other document says of a status: by itself, of its class, or of all."""
    for name in (status, f"{status[0]}XX", "DEFAULT"):
        if name in responses:
            return name
    return None


def _security(
    name: str, old: tuple[tuple[str, Requirement], ...], new: tuple[tuple[str, Requirement], ...]
) -> Iterator[Change]:
    def satisfies(held: Requirement, needed: Requirement) -> bool:
        return all(scheme in held and scopes <= held[scheme] for scheme, scopes in needed.items())

    if [held for _, held in old] == [needed for _, needed in new]:
        return
    each = [shown("; ".join(sorted(words for words, _ in side)), 200) for side in (old, new)]
    # What satisfied an old requirement has to satisfy a new one.
    shut = any(not any(satisfies(held, needed) for _, needed in new) for _, held in old)
    words = f"security was {each[0]}, and is {each[1]}"
    if each[0] == each[1]:
        words = f"a scheme of its security is another: {each[1]}"
    yield Change(name, "wire", shut, words)
    if shut:
        yield Change(name, "python", True, f"`{shown(name)}()` is refused without {each[1]}")


def _parts(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    """Compare named parts, each as a whole: what changed, how, and whether it breaks."""
    for key in dict.fromkeys([*was, *now]):
        if key not in now:
            yield key, "is gone", True
        elif key not in was:
            yield key, "is new", False
        elif was[key] != now[key]:
            yield key, "is another", True


def _named(old: Api, new: Api, kind: str, word: str) -> Iterator[Change]:
    was, now = (as_mapping(as_mapping(api.document.get("components")).get(kind)) for api in (old, new))
    for name in now:
        if name not in was:
            yield Change(name, "wire", False, f"the {word} is new", new=True)
    for name in was:
        if name not in now:
            yield Change(name, "wire", False, f"the {word} is gone")


def _written_otherwise(old: Api, new: Api, known: set[str]) -> Iterator[Change]:
    """Report every other difference, so that no change is missed."""
    for was, now in _paired(old, new):
        if (
            was is not None
            and now is not None
            and now.name not in known
            and _plain(was.raw) != _plain(now.raw)
        ):
            yield Change(now.name, "wire", False, "is written otherwise")
    components = [as_mapping(as_mapping(api.document.get("components")).get("schemas")) for api in (old, new)]
    for name, schema in components[1].items():
        if name in components[0] and name not in known and schema != components[0][name]:
            yield Change(name, "wire", False, "is written otherwise")


def _plain(raw: Raw) -> dict[str, Any]:
    """Return an operation without extensions, which are for generators."""
    return {key: value for key, value in raw.items() if not key.startswith("x-")}
