"""The responses of the fake agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import attrs

from synapse_agent_api.types import Model, encode

__all__ = ["Deferred", "ApiError", "Reply", "shape"]


@dataclass(frozen=True)
class Reply:
    """A response."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> Reply:
        content = json.dumps(encode(value)).encode()
        return cls(status, content, {"content-type": "application/json"} | dict(headers or {}))


@dataclass(frozen=True)
class Deferred:
    """A response that the test's code makes; it may block or call the agent."""

    status: int
    make: Callable[[], object]


class ApiError(Exception):
    """Responds with an error."""

    def __init__(self, status: int, detail: object, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, object] = {"detail": detail}
        self.headers = headers

    @classmethod
    def typed(cls, status: int, message: str, error_type: str) -> ApiError:
        """Return an error with an `error_type`."""
        error = cls(status, message)
        error.body = {"message": message, "error_type": error_type}
        return error

    @classmethod
    def fields(cls, errors: Iterable[Mapping[str, object]]) -> ApiError:
        """Return a 422 with an entry for each wrong field."""
        return cls(422, list(errors))

    def reply(self) -> Reply:
        return Reply.json(self.status, self.body, self.headers)


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
            from ._examples import example_field

            fields[item.name] = example_field(model.__name__, names[item.name])
    made = model(**fields).to_dict()
    return made | {names[name]: None for name, value in fields.items() if value is None}
