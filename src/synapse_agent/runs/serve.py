"""Serve actions: calls to the application that was deployed from a release.

An action `predict` of the release `code@version` is a POST of its parameters, as JSON, to `predict`
below the route of the application that is named `code@version`. The agent deploys no applications: a
plugin does, by a job action that calls `serve.run(…, name=…)` with the name that it finds in
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

# Seconds; a model that is asked may take its time.
_TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=5)
_MAX_ANSWER = 64 * 1024 * 1024
_EVERYWHERE = ("", "0.0.0.0", "::")


async def prepare_serve(context: AgentContext) -> None:
    """On a cluster of our own, start Ray Serve on a free port unless it runs already.

    By itself it would take port 8000, which is this agent's by default.
    """
    if context.log_dir is None:
        return
    if not child(await context.ray.serve(), "controller_info"):
        await context.ray.start_serve(free_port())


async def call_serve_action(
    request: web.Request, application: str, action: str, params: object, language: str
) -> web.Response:
    """What the application answers.

    409 while it is not running; 400, 422 and 429 as it says itself, any other refusal of its as 400;
    500 when it fails, or when it can't be known whether it ran; 503 only when it was not reached.
    """
    url = _url(await context_of(request).ray.serve(), application, action)
    # Whom it works for is the application's business, as it is a job's; the agent's token is not.
    headers = {"Accept": "application/json", "Accept-Language": language, **identity_headers(request)}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(url, json=params, headers=headers, allow_redirects=False) as response,
        ):
            return _answer(application, response, await _body(application, response))
    except aiohttp.ClientConnectorError:
        raise ApiError(503, f"Ray Serve is unreachable at {url.origin()}") from None
    except TimeoutError:
        raise ApiError(500, f"{application} did not answer within {_TIMEOUT.total:.0f} s") from None
    except aiohttp.ClientError:
        raise ApiError(500, f"the connection to {application} broke before it had answered") from None


def _url(serve: JsonObject, application: str, action: str) -> URL:
    details = child(serve, "applications").get(application)
    if details is None:
        raise ApiError(
            409,
            f"{application} is not deployed, so {action} can't be called: first run the job action of it"
            f" that calls serve.run(…, name={application!r})",
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
    if host in _EVERYWHERE:
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
    if response.content_type == "text/plain":  # so Ray Serve sends a str
        return web.json_response(content.decode("utf-8", "replace"))
    try:
        _parse(content)
    except (ValueError, RecursionError):
        raise ApiError(500, f"{application} answered with something else than JSON") from None
    return web.Response(body=content, content_type="application/json")


def _refuse(application: str, response: aiohttp.ClientResponse, content: bytes) -> NoReturn:
    detail = f"{application} answered {response.status}: {_words(content)}"
    match response.status:
        case 422 if body := _field_errors(content):
            raise ApiError(422, detail, body=body)
        case 429:
            wait = response.headers.get("Retry-After")
            raise ApiError(429, detail, headers={"Retry-After": wait} if wait else None)
        # A client must not take the application's 401 or 404 for this agent's.
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
    """The body, if it lists errors by field as ours do."""
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
