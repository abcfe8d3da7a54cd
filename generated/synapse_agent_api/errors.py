"""The one error that generated code raises."""

from __future__ import annotations

from typing import Any

__all__ = ["DecodeError"]

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "a boolean",
    type(None): "nothing",
}


class DecodeError(ValueError):
    """An answer is not what the spec says.

    The value itself is not kept: the transport has the body and decides how much of it to show.

    Attributes:
        expected: What was due, such as `Job`.
        got: What kind of value came instead.

    Example:
        >>> str(DecodeError("Job", [1]))
        'expected Job, got an array'
    """

    expected: str
    got: str

    def __init__(self, expected: str, value: object) -> None:
        self.expected = expected
        self.got = _KINDS.get(type(value), type(value).__name__)
        super().__init__(f"expected {expected}, got {self.got}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.expected, self.got)


def _restore(expected: str, got: str) -> DecodeError:
    error = DecodeError(expected, None)
    error.got = got
    error.args = (f"expected {expected}, got {got}",)
    return error
