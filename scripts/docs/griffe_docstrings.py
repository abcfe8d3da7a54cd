"""For mkdocstrings: reads our docstrings as they are meant.

An `Example:` is a section of code, also in the singular; and a method of an async class, which gets its
docstring from the sync one when it is imported, has it without being imported, too.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^Example:$", re.MULTILINE)
_DIRECTIVE = re.compile(r"  # doctest: \+SKIP$", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Changes docstrings when they are loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Turn the singular into the section."""
        if obj.docstring is not None:
            obj.docstring.value = _DIRECTIVE.sub("", _EXAMPLE.sub("Examples:", obj.docstring.value))

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Lend the async methods the docstrings of the sync ones."""
        self._lend(pkg)

    def _lend(self, module: griffe.Module) -> None:
        for member in list(module.members.values()):
            if isinstance(member, griffe.Module):
                self._lend(member)
            elif isinstance(member, griffe.Class) and member.name.startswith("Async"):
                sync = module.members.get(member.name.removeprefix("Async"))
                if isinstance(sync, griffe.Class):
                    for name, method in member.members.items():
                        other = sync.members.get(name)
                        if method.is_alias or other is None or other.is_alias:
                            continue
                        if method.docstring is None:
                            method.docstring = other.docstring
