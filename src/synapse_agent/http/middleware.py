"""The outermost middleware: request ids, and failures of handlers turned into JSON answers."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from ..errors import ApiError
from .current import RequestInfo, start_request

__all__ = ["error_middleware"]

_log = logging.getLogger("synapse_agent")


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with a JSON body; write the traceback to the agent's log only."""
    info = start_request(request)
    try:
        return await handler(request)
    except ApiError as error:
        return _answer(info, error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return _answer(info, ApiError(error.status, _words(request, error), headers=headers))
    except ConnectionError:
        return web.Response(status=400)  # the client closed the connection, so nobody reads this
    except web.RequestPayloadError as error:
        return _answer(info, ApiError(400, f"the body can't be read: {error}"))
    except Exception:  # noqa: BLE001 - the client gets JSON, and the agent goes on
        _log.exception("%s %s failed", request.method, request.rel_url.raw_path)
        detail = f"internal error; the agent's log has the details, see request {info.id}"
        return _answer(info, ApiError(500, detail))
    finally:
        info.end()


def _answer(info: RequestInfo, error: ApiError) -> web.Response:
    info.error = error.detail
    return error.response()


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
