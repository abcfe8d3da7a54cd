"""Errors, and the answers that clients get for them."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

__all__ = ["ApiError", "FieldError", "InvalidBodyError", "StartupError"]


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
        self.entry = {"loc": list(loc), "msg": msg, "type": type_, "input": value}


class InvalidBodyError(ApiError):
    """422 with one entry per field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(422, "invalid body", body={"detail": [error.entry for error in errors]})
