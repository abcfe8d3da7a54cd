"""What goes wrong, and how it is told to the client."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

__all__ = ["ApiError", "FieldError", "InvalidBodyError", "StartupError", "error_middleware"]

_log = logging.getLogger("synapse_agent")


class StartupError(Exception):
    """The agent can't serve; the text is one sentence for whoever started it."""


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
        """An error that programs tell by its `error_type`."""
        return cls(status, message, body={"message": message, "error_type": error_type})

    def response(self) -> web.Response:
        return web.json_response(self.body, status=self.status, headers=self.headers)


class FieldError(Exception):
    """One field of a request is not what it should be."""

    def __init__(self, loc: tuple[str | int, ...], msg: str, type_: str, value: object) -> None:
        super().__init__(msg)
        self.entry = {"loc": list(loc), "msg": msg, "type": type_, "input": value}


class InvalidBodyError(ApiError):
    """422 with one entry per field."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(422, "invalid body", body={"detail": [error.entry for error in errors]})


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into a JSON body; a traceback goes to our log, never to the client."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return ApiError(error.status, _words(request, error), headers=headers).response()
    except ConnectionError:
        return web.Response(status=400)  # the client went away, so nobody reads it
    except json.JSONDecodeError as error:
        return ApiError(400, f"the body is not JSON: {error}").response()
    except Exception:  # noqa: BLE001  whatever it is, the client gets JSON and we go on
        _log.exception("%s %s failed", request.method, request.path)
        return ApiError(500, "internal error; the agent's log says more").response()


def _words(request: web.Request, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"there is no {request.path}"
        case 405:
            return f"{request.method} is not allowed on {request.path}"
        case 413:
            return "the body is larger than this agent takes"
        case _:
            return error.reason
