from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, as_models, decode_when_read
from .container import Container

__all__ = ["ContainerPage"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ContainerPage(Model):
    """A page of containers.

    Attributes:
        count: How many there are on all pages.
        next: The URL of the next page, absolute or relative to this page; null on the last.
        previous: The URL of the page before, absolute or relative to this page; null on the first.
        results: The containers of this page.
    """

    count: int
    next: str | None
    previous: str | None
    results: list[Container]

    _names: ClassVar[Mapping[str, str]] = {
        "count": "count",
        "next": "next",
        "previous": "previous",
        "results": "results",
    }
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {
        "results": lambda value: as_models(value, Container)
    }
