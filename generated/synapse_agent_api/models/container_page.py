from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, as_models, bind_setattr, decode_object, new
from .container import Container

__all__ = ["ContainerPage"]


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class ContainerPage(Model):
    """A page of containers.

    Attributes:
        count: How many there are on all pages.
        next: The URL of the next page; null on the last.
        previous: The URL of the page before; null on the first.
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

    @classmethod
    def from_dict(cls, data: object, /) -> ContainerPage:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "ContainerPage")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("count", get("count"))
        put("next", get("next"))
        put("previous", get("previous"))
        value = get("results")
        put("results", as_models(value, Container))
        return self
