"""List the changes that can be taken over from an agent's document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .document import Document, SpecError, shown
from .units import GAINED, Unit, units

__all__ = ["Line", "Offer", "chosen_of", "key_of", "lines_of", "offers", "renames"]

# More things than these that are here and not there are shown as one.
MAX_GONE = 5
SCHEMA_KINDS = frozenset({"field", "required", "enum"})


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
        if self.there is not None and self.unit.kind in ("required", "enum", "errors"):
            here, verbs = (
                self.here or [],
                ("gain", "lose") if self.unit.kind == "errors" else ("gains", "loses"),
            )
            changes = (
                [value for value in self.there if value not in here],
                [value for value in here if value not in self.there],
            )
            each = zip(verbs, changes, strict=True)
            words = " and ".join(f"{verb} {_short(values)[1:-1]}" for verb, values in each if values)
        elif self.here is None:
            words = "is new"
        elif self.there is None:
            words = "is gone"
        else:
            words = f"is {_short(self.there)}, and here {_short(self.here)}"
        mark = f" ({'' if self.known else 'perhaps '}edited by hand here)" if self.edited else ""
        return f"{shown(self.unit)} {words}{mark}"


def _short(value: Any) -> str:
    return shown(json.dumps(value, ensure_ascii=False), 90)


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
        # Whether something was ever there, nobody knows without a record.
        known = taken is not None and (key_of(unit) in taken or old is None)
        before = (taken or {}).get(key_of(unit))
        if unit.kind in GAINED:
            gained = (
                new if old is None or not isinstance(new, list) else [item for item in new if item not in old]
            )
            if not gained or (taken is not None and before == new):
                continue
        elif taken is not None and before == new and new is not None:
            continue
        found.append(Offer(unit, old, new, old is not None and not (known and before == old), known=known))
    return found


def _owner_is_offered(unit: Unit, here: Mapping[Unit, Any], there: Mapping[Unit, Any]) -> bool:
    kind = "schema" if unit.kind in SCHEMA_KINDS else "operation"
    owner = Unit(kind, unit.owner)
    return unit != owner and ((owner in here) != (owner in there))


def key_of(unit: Unit) -> str:
    """Name a unit in spec/upstream.yaml."""
    return " | ".join(part for part in unit if part)


class Line(NamedTuple):
    """One line of the list: changes that are taken over together."""

    text: str
    offers: Sequence[Offer]

    def __str__(self) -> str:
        return self.text


def lines_of(found: Sequence[Offer]) -> list[Line]:
    """Return what to show: one line for each, but only one for all that an agent lacks if that is much."""
    gone = [offer for offer in found if offer.there is None and offer.edited]
    if len(gone) <= MAX_GONE:
        return [Line(str(offer), [offer]) for offer in found]
    counts: dict[str, int] = {}
    for offer in gone:
        counts[offer.unit.kind] = counts.get(offer.unit.kind, 0) + 1
    many = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in sorted(counts.items()))
    names = ", ".join(dict.fromkeys(offer.unit.owner for offer in gone))
    text = f"{many} that are here are not there (perhaps edited by hand here): {shown(names, 200)}"
    return [Line(text, gone), *(Line(str(offer), [offer]) for offer in found if offer not in gone)]


def _plural(kind: str, count: int) -> str:
    return kind if count == 1 else {"body": "bodies"}.get(kind, f"{kind}s")


def renames(found: Sequence[Offer], ours: Document, theirs: Document) -> Iterator[str]:
    """Name the new schemas that look like ones that are gone."""
    new = [offer.unit.owner for offer in found if offer.unit.kind == "schema" and offer.here is None]
    gone = [offer.unit.owner for offer in found if offer.unit.kind == "schema" and offer.there is None]
    for their in new:
        for our in gone:
            if _fields(theirs, their) == _fields(ours, our) != set():
                line = f"x-renamed-schemas: {{{shown(their)}: {shown(our)}}}"
                advice = f"if it is that, write {line} into spec/overlay.yaml"
                yield f"{shown(their)} has the fields of our {shown(our)}; {advice}"


def _fields(document: Document, name: str) -> set[str]:
    return set(document["components"]["schemas"].get(name, {}).get("properties", {}))


def chosen_of(text: str, lines: Sequence[Line]) -> list[Offer]:
    """Return what was chosen: by the numbers of the lines, or all that was not edited by hand."""
    if text == "all":
        return [offer for line in lines for offer in line.offers if not offer.edited]
    try:
        numbers = [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        numbers = [0]
    if not numbers or not all(1 <= number <= len(lines) for number in numbers):
        raise SpecError(f"TAKE={shown(text)}: numbers from 1 to {len(lines)}, or all")
    return [offer for number in numbers for offer in lines[number - 1].offers]
