"""The list of rules, and the check that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..walk import Raw

__all__ = ["RULES", "Finding", "Said", "check", "rule"]


class Finding(NamedTuple):
    """One place that breaks a rule."""

    rule: str
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.mend} [{self.rule}]"


Said = Iterator[tuple[str, str, str]]
Rule = Callable[[Raw], Said]
RULES: dict[str, tuple[Rule, bool]] = {}


def rule(name: str, *, sound: bool) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[name] = (function, sound)
        return function

    return register


def check(document: Raw, *, sound_only: bool = False) -> list[Finding]:
    """Find what breaks the rules.

    Args:
        document: What `tools.spec.document.read` gave.
        sound_only: Leave out the rules that are for authors only.
    """
    found: list[Finding] = []
    # The sound ones first: the others rely on the structure that those check.
    for name, (function, sound) in sorted(RULES.items(), key=lambda item: not item[1][1]):
        if sound or not sound_only:
            try:
                found += [Finding(name, *said) for said in function(document)]
            except (AttributeError, KeyError, TypeError) as error:
                # A value is of a type that OpenAPI rules out; the rule for that comes first and has found it.
                if not found:
                    found.append(
                        Finding(name, "#/", f"can't be read ({error})", "make it what OpenAPI 3.1 says")
                    )
    return found
