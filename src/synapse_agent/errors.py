"""Errors, and the answers that clients get for them."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

__all__ = ["MAX_ERRORS", "ApiError", "FieldError", "InvalidBodyError", "StartupError"]

# Field errors of one answer.
MAX_ERRORS = 100
_MAX_SHOWN = 100


class StartupError(Exception):
    """The agent can't serve; the text is one sentence for the operator."""


class ApiError(Exception):
    """Answer with `status` and `{"detail": detail}`, or with `body` where one is given."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.body: Mapping[str, object] = {"detail": detail} if body is None else body
        self.headers = dict(headers or {})

    @classmethod
    def typed(cls, status: int, message: str, error_type: str) -> ApiError:
        """Return an error that programs recognise by its `error_type`."""
        return cls(status, message, body={"message": message, "error_type": error_type})

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status, headers=self.headers)


class FieldError(Exception):
    """One field of a request is invalid."""

    def __init__(self, loc: tuple[str | int, ...], msg: str, type_: str, value: object) -> None:
        super().__init__(msg)
        self.entry = {"loc": list(loc), "msg": msg, "type": type_, "input": _shown(value)}


def _shown(value: object) -> object:
    """Return a short value as it is, and None for what would send much of the body back."""
    if isinstance(value, str):
        return value if len(value) <= _MAX_SHOWN else None
    if isinstance(value, int):  # they may have any length
        return value if abs(value) < 2**63 else None
    return value if isinstance(value, float) else None


class InvalidBodyError(ApiError):
    """422 with one entry per field, and at most 100 of them."""

    def __init__(self, errors: list[FieldError]) -> None:
        entries = [error.entry for error in errors[:MAX_ERRORS]]
        super().__init__(422, "invalid body", body={"detail": entries})
