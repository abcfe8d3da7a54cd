"""Compare two schemas for one direction: a request may accept more, a response may promise more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ..document import shown
from .shapes import Branch, Shapes

__all__ = ["Direction", "Finding", "SchemaComparison", "quoted", "same_value", "within_name"]

Direction = Literal["request", "response"]
Node = Any

NOTHING = object()
# One object, since pairs are known by their ids.
ANYTHING: Mapping[str, Any] = {}


class Finding(NamedTuple):
    """One difference between two schemas.

    Attributes:
        schema: The schema of components that it is in; None where it is in the one that was compared.
        place: The property that it is about, such as `items[].size`; empty for the whole.
        words: What differs there.
        breaking: Whether somebody who relied on the old schema fails with the new one.
        new: Whether it adds something.
        typed: Whether the types of a generated client show it, or that client copes with it.
    """

    schema: str | None
    place: str
    words: str
    breaking: bool
    new: bool = False
    typed: bool = False

    def __str__(self) -> str:
        return f"`{shown(self.place)}` {self.words}" if self.place else self.words


def within_name(name: str, findings: Sequence[Finding]) -> list[Finding]:
    """Move findings into what a property, a parameter or an item is called."""
    return [
        finding
        if finding.schema is not None
        else finding._replace(place=f"{name}{'' if finding.place[:1] in ('', '[') else '.'}{finding.place}")
        for finding in findings
    ]


def quoted(values: object) -> str:
    """Write a value of a document for a reader."""
    return "nothing" if values is NOTHING else shown(json.dumps(values, ensure_ascii=False), 60)


def same_value(old: object, new: object) -> bool:
    """Return whether two values are the same in JSON, which knows 1.0 as 1, and true as something else."""
    return old == new and isinstance(old, bool) == isinstance(new, bool)


class SchemaComparison:
    """Compares schemas of two documents, each pair once."""

    def __init__(self, old: Shapes, new: Shapes, direction: Direction) -> None:
        self.old = old
        self.new = new
        self.request = direction == "request"
        self._known: dict[tuple[int, int], tuple[Node, Node, list[Finding]]] = {}

    def compare(self, old: Node, new: Node) -> list[Finding]:
        """Return how two schemas differ.

        A pair that is being compared already counts as equal: what differs in it is found there.
        """
        key = (id(old), id(new))
        if key not in self._known:
            self._known[key] = old, new, []
            found = self._branches(self.old.branches(old), self.new.branches(new))
            self._known[key] = old, new, found
        return self._known[key][2]

    def value(self, old: Node, new: Node, *, required: tuple[bool, bool]) -> list[Finding]:
        """Compare the schemas of a value that may be left out, and what is taken for it then."""
        found = list(self.compare(old, new))
        defaults = [
            NOTHING if (default := shapes.annotation(node, "default")) is None else default
            for shapes, node in ((self.old, old), (self.new, new))
        ]
        if not same_value(*defaults):
            # A request that leaves it out; a response that does so, to a program that knows the old default.
            matters = not required[0] if self.request else not required[1] and defaults[0] is not NOTHING
            words = f"has the default {quoted(defaults[1])}, not {quoted(defaults[0])}"
            found.append(Finding(None, "", words, matters))
        return found

    def _branches(self, old: Sequence[Branch], new: Sequence[Branch]) -> list[Finding]:
        narrow, wide = (old, new) if self.request else (new, old)
        found: list[Finding] = []
        missing: list[Branch] = []
        for branch in narrow:
            candidates = [other for other in wide if _same_type(branch, other)]
            if not candidates:
                missing.append(branch)
                continue
            results = [
                (other, self._named(*((branch, other) if self.request else (other, branch))))
                for other in candidates
            ]
            alike = [result for other, result in results if other.name and other.name == branch.name]
            best = min(
                (result for _, result in results),
                key=lambda result: sum(finding.breaking for finding in result),
            )
            one = len(candidates) == 1 and sum(_same_type(other, branch) for other in narrow) == 1
            if one or not any(finding.breaking for finding in best):
                found += best
            elif alike:
                found += alike[0]
            else:
                kind = f"`{branch.name}`" if branch.name else f"another {branch.type}"
                words = f"is {kind} no more" if self.request else f"may be {kind} now"
                found.append(Finding(None, "", words, True, typed=not self.request))
        types = [_types(side) for side in (old, new)]
        if missing or types[0] != types[1]:
            # Base64 is a text like others there.
            typed = not self.request and "byte" not in " ".join(types)
            found.append(Finding(None, "", f"is {types[1]}, not {types[0]}", bool(missing), typed=typed))
        return found

    def _named(self, old: Branch, new: Branch) -> list[Finding]:
        name = old.name or new.name
        found = list(self._branch(old, new))
        return [f if f.schema is not None or name is None else f._replace(schema=name) for f in found]

    def _branch(self, old: Branch, new: Branch) -> Iterator[Finding]:
        yield from self._values(old, new)
        narrow, wide = (old, new) if self.request else (new, old)
        for key in sorted({*old.limits, *new.limits}):
            if old.limits.get(key) != new.limits.get(key):
                each = [_limit(side.limits.get(key)) for side in (new, old)]
                held = key not in wide.limits or _keeps(narrow, key, wide.limits[key])
                yield Finding(None, "", f"has the {key} {each[0]}, not {each[1]}", not held)
        if old.rules != new.rules:
            each = ["; ".join(sorted(side.rules)) or "nothing" for side in (new, old)]
            words = f"has to fulfil {shown(each[0], 90)}; before: {shown(each[1], 90)}"
            # Python's integers have no size.
            typed = not self.request and wide.rules - narrow.rules <= {"format int32"}
            yield Finding(None, "", words, not wide.rules <= narrow.rules, typed=typed)
        if old.type == "array":
            items = [ANYTHING if side.items is None else side.items for side in (old, new)]
            if items != [ANYTHING, ANYTHING]:
                yield from within_name("[]", self.value(items[0], items[1], required=(True, True)))
        if old.type == "object":
            yield from self._properties(old, new)
            yield from self._additional(old, new)

    def _values(self, old: Branch, new: Branch) -> Iterator[Finding]:
        if old.values == new.values:
            return
        if old.values is None or new.values is None:
            narrow, wide = (old, new) if self.request else (new, old)
            words = "has no values of its own any more" if new.values is None else "has only these values: "
            listed = "" if new.values is None else ", ".join(sorted(new.values))
            yield Finding(
                None, "", f"{words}{shown(listed)}", wide.values is not None and narrow.values is None
            )
            return
        gained, lost = sorted(new.values - old.values), sorted(old.values - new.values)
        # The contract: values may be added to an enum, and clients read them. One that takes another's place
        # is what old programs wait for in vain.
        if gained and lost:
            words = f"has {shown(', '.join(gained))} in place of {shown(', '.join(lost))}"
            yield Finding(None, "", words, True)
        elif gained:
            yield Finding(None, "", f"gained {shown(', '.join(gained))}", False, new=True)
        else:
            yield Finding(None, "", f"lost {shown(', '.join(lost))}", self.request)

    def _properties(self, old: Branch, new: Branch) -> Iterator[Finding]:
        hidden = "readOnly" if self.request else "writeOnly"
        sides = [
            {
                name: node
                for name, node in branch.properties.items()
                if shapes.annotation(node, hidden) is not True
            }
            for shapes, branch in ((self.old, old), (self.new, new))
        ]
        for name in dict.fromkeys([*sides[0], *sides[1], *sorted(old.required | new.required)]):
            if (
                name in old.properties
                and name in new.properties
                and not (name in sides[0] or name in sides[1])
            ):
                continue
            needs = name in old.required, name in new.required
            was, now = sides[0].get(name), sides[1].get(name)
            found: list[Finding] = []
            if was is not None and now is None:
                found = self._gone(was, new)
            elif was is None and now is not None:
                found = self._added(now, old, needs)
            elif was is not None and now is not None:
                found = self.value(was, now, required=needs)
            if needs[0] != needs[1] and (was is None) == (now is None):
                breaks = needs[1] if self.request else needs[0]
                words = "is required" if needs[1] else "may be missing"
                found = [*found, Finding(None, "", words, breaks, typed=not self.request)]
            yield from within_name(name, found)

    def _gone(self, was: Node, new: Branch) -> list[Finding]:
        if self.request and not new.properties and new.additional in (None, True):
            return [Finding(None, "", "is not named any more", False)]
        if self.request and isinstance(new.additional, Mapping):
            found = self.compare(was, new.additional)
            if not any(finding.breaking for finding in found):
                return [Finding(None, "", "is one of the other properties now", False)]
        return [Finding(None, "", "is not taken any more" if self.request else "is gone", True)]

    def _added(self, now: Node, old: Branch, needs: tuple[bool, bool]) -> list[Finding]:
        if self.request and needs[1]:
            return [Finding(None, "", "is new and required", True, new=True)]
        # A map, or an object of anything, had this property before if somebody put it there.
        free = not old.properties and old.additional in (None, True)
        if isinstance(old.additional, Mapping) or (free and self.request):
            found = self.compare(old.additional if isinstance(old.additional, Mapping) else ANYTHING, now)
            if any(finding.breaking for finding in found):
                return found
        return [Finding(None, "", "is taken as well" if self.request else "is new", False, new=True)]

    def _additional(self, old: Branch, new: Branch) -> Iterator[Finding]:
        was, now = old.additional, new.additional
        if was == now and not isinstance(was, Mapping):
            return
        if was is False or now is False:
            if (was is False) != (now is False):
                words = "takes other properties" if was is False else "takes no other properties"
                breaks = self.request and now is False
                # A method's parameters, and the attributes of a model, are those that are named.
                yield Finding(None, "", words, breaks, typed=bool(old.properties))
            return
        if isinstance(was, Mapping) or isinstance(now, Mapping):
            pair = [side if isinstance(side, Mapping) else ANYTHING for side in (was, now)]
            yield from within_name("{}", self.value(pair[0], pair[1], required=(True, True)))


def _same_type(narrow: Branch, wide: Branch) -> bool:
    return narrow.type == wide.type or (narrow.type == "integer" and wide.type == "number")


def _keeps(branch: Branch, key: str, bound: tuple[float, int]) -> bool:
    """Return whether all values of a branch are within a bound."""
    if key in branch.limits:
        own = branch.limits[key]
        return own >= bound if key.startswith("min") else own <= bound
    if branch.values is None:
        return False
    sizes = [json.loads(value) for value in branch.values]
    numbers = [(len(size) if isinstance(size, str | list | dict) else size, 0) for size in sizes]
    return all(n >= bound if key.startswith("min") else n <= bound for n in numbers)


def _limit(bound: tuple[float, int] | None) -> str:
    return "none" if bound is None else f"{bound[0]}{' itself excluded' if bound[1] else ''}"


def _types(branches: Sequence[Branch]) -> str:
    return (
        " or ".join(dict.fromkeys(sorted((b.type for b in branches), key=lambda t: (t == "null", t))))
        or "nothing"
    )
