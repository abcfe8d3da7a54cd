"""Failures of handlers, turned into JSON answers."""

from __future__ import annotations

import json
import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from ..errors import ApiError

__all__ = ["error_middleware"]

_log = logging.getLogger("synapse_agent")


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with a JSON body; write the traceback to the agent's log only."""
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
        return web.Response(status=400)  # the client closed the connection, so nobody reads this
    except json.JSONDecodeError as error:
        return ApiError(400, f"the body is not JSON: {error}").response()
    except Exception:  # noqa: BLE001 - the client gets JSON, and the agent goes on
        _log.exception("%s %s failed", request.method, request.path)
        return ApiError(500, "internal error; the agent's log has the details").response()


def _words(request: web.Request, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"there is no {request.path}"
        case 405:
            return f"{request.method} is not allowed on {request.path}"
        case 413:
            return "the body is larger than this agent accepts"
        case _:
            return error.reason
