"""Models as the fake agent sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from synapse_agent_api.types import Model

from ._examples import example_field

__all__ = ["shape"]


def shape(
    model: type[Model], own: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a model's fields as an agent sends them, null where they are None.

    Args:
        model: The model.
        own: What this agent says. A field that the spec has no more is left out; one that it newly requires
            has the spec's example.
        given: What the test says.

    Raises:
        TypeError: The test gives a field that the model has not.
    """
    names = model._names  # pyright: ignore[reportPrivateUsage]
    fields = {name: value for name, value in own.items() if name in names} | dict(given or {})
    for item in attrs.fields(cast("Any", model)):
        if item.default is attrs.NOTHING and item.name not in fields:
            fields[item.name] = example_field(model.__name__, names[item.name])
    made = model(**fields).to_dict()
    return made | {names[name]: None for name, value in fields.items() if value is None}
