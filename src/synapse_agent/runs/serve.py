"""Call the serve actions of a deployed application.

Running the action `predict` of the release `code@version` sends a POST with the parameters as JSON
to `predict` below the route of the application named `code@version`. The agent doesn't deploy
applications; a job action of the plugin does: it calls `serve.run(…, name=…)` with the name in
SYNAPSE_PLUGIN_RELEASE_CODE.
"""

from __future__ import annotations

import json
from typing import NoReturn, cast
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

from ..context import AgentContext, context_of
from ..errors import ApiError
from ..http.validation import identity_headers
from ..ray.client import JsonObject, child
from ..ray.embedded import free_port

__all__ = ["call_serve_action", "prepare_serve"]

# Seconds. A model may take long to answer.
_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=5)
_MAX_ANSWER = 64 * 1024 * 1024
_ALL_ADDRESSES = ("", "0.0.0.0", "::")


async def prepare_serve(context: AgentContext) -> None:
    """Start Ray Serve of the embedded cluster on a free port, if it is not running.

    Ray Serve would otherwise use port 8000, the default port of this agent.
    """
    if context.log_dir is None:
        return
    if not child(await context.ray.serve(), "controller_info"):
        await context.ray.start_serve(free_port())


async def call_serve_action(
    request: web.Request, application: str, action: str, params: str, language: str
) -> web.Response:
    """Call the action and return the application's response.

    409 while the application is not running. Its 422 and 429 are passed on and any other 4xx becomes
    400. 500 if it fails or may have run; 503 only if it was not reached.
    """
    url = _url(await context_of(request).ray.serve(), application, action)
    # The application gets the user's token and tenant, as a job does, but not the agent's token.
    headers = {
        "Accept": "application/json",
        "Accept-Language": language,
        "Content-Type": "application/json",
        **identity_headers(request),
    }
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(url, data=params.encode(), headers=headers, allow_redirects=False) as response,
        ):
            return _answer(application, response, await _body(application, response))
    except aiohttp.ClientConnectorError:
        raise ApiError(503, f"Ray Serve is unreachable at {url.origin()}") from None
    except TimeoutError:
        raise ApiError(500, f"{application} did not answer within {_TIMEOUT.total:.0f} s") from None
    except aiohttp.ClientError:
        raise ApiError(
            500, f"the connection to {application} broke before its response was complete"
        ) from None


def _url(serve: JsonObject, application: str, action: str) -> URL:
    details = child(serve, "applications").get(application)
    if details is None:
        raise ApiError(
            409,
            f"{application} is not deployed, so {action} can't be called: first run its job action that"
            f" calls serve.run(…, name={application!r})",
        )
    status, route = details.get("status"), details.get("route_prefix")
    if status != "RUNNING":
        why = f": {details['message']}" if details.get("message") else ""
        raise ApiError(409, f"the application {application} is {status}, not RUNNING{why}"[:500])
    options = child(serve, "http_options")
    proxies = [p for p in child(serve, "proxies").values() if p.get("status") == "HEALTHY"]
    if route is None or not proxies or not options.get("port"):
        raise ApiError(409, f"the application {application} is not served over HTTP, so it can't be called")
    host = options.get("host") or ""
    if host in _ALL_ADDRESSES:
        host = proxies[0]["node_ip"]
    path = f"{options.get('root_path') or ''}{route}".rstrip("/")
    origin = URL.build(scheme="http", host=host, port=options["port"])
    return URL(f"{origin}{quote(path)}/{quote(action, safe='')}", encoded=True)


async def _body(application: str, response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _MAX_ANSWER:
            raise ApiError(500, f"{application} answered with more than {_MAX_ANSWER >> 20} MiB")
    return bytes(content)


def _answer(application: str, response: aiohttp.ClientResponse, content: bytes) -> web.Response:
    if response.status >= 300:
        _refuse(application, response, content)
    if not content:
        return web.json_response(None)
    if response.content_type == "text/plain":  # Ray Serve sends a str like this
        return web.json_response(content.decode("utf-8", "replace"))
    try:
        _parse(content)
    except (ValueError, RecursionError):
        raise ApiError(500, f"{application} answered with invalid JSON") from None
    return web.Response(body=content, content_type="application/json")


def _refuse(application: str, response: aiohttp.ClientResponse, content: bytes) -> NoReturn:
    detail = f"{application} answered {response.status}: {_words(content)}"
    match response.status:
        case 422 if body := _field_errors(content):
            raise ApiError(422, detail, body=body)
        case 429:
            wait = response.headers.get("Retry-After")
            raise ApiError(429, detail, headers={"Retry-After": wait} if wait else None)
        # A client would take the application's 401 or 404 for one of this agent.
        case status if 400 <= status < 500:
            raise ApiError(400, detail)
        case _:
            raise ApiError(500, detail)


def _words(content: bytes) -> str:
    try:
        value = _parse(content)
    except (ValueError, RecursionError):
        value = content.decode("utf-8", "replace")
    if isinstance(value, dict):
        body = cast("JsonObject", value)
        value = body.get("detail") or body.get("message") or body
    text = value if isinstance(value, str) else json.dumps(value)
    return " ".join(text.split())[:300] or "no reason given"


def _field_errors(content: bytes) -> JsonObject | None:
    """Return the body if it has the form of our own 422 responses."""
    try:
        value = _parse(content)
    except (ValueError, RecursionError):
        return None
    errors: object = cast("JsonObject", value).get("detail") if isinstance(value, dict) else None
    if not isinstance(errors, list):
        return None
    for error in cast("list[object]", errors):
        if not isinstance(error, dict) or not {"loc", "msg", "type"} <= cast("JsonObject", error).keys():
            return None
    return {"detail": errors}


def _parse(content: bytes) -> object:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    value: object = json.loads(content, parse_constant=refuse)
    return value
