"""Get an OpenAPI document from a running agent, which is untrusted."""

from __future__ import annotations

import os
import time

import httpx

from .document import MAX_BYTES, Document, SpecError, parse, shown

__all__ = ["TOKEN_VARIABLE", "document_url", "fetch", "is_url"]

TOKEN_VARIABLE = "SYNAPSE_AGENT_TOKEN"
SECONDS = 30.0
REDIRECTS = 5


def is_url(text: str) -> bool:
    """Return whether a text is a URL, not a file or a git ref."""
    return text.startswith(("http://", "https://"))


def document_url(url: str) -> httpx.URL:
    """Return the document's URL, from that or from its agent's.

    Raises:
        SpecError: It can't be the URL of an agent.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise SpecError("URL: not a URL; write http://host:port/") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise SpecError("URL: http or https is needed; write http://host:port/")
    if parsed.userinfo:
        raise SpecError(f"URL: no user or password in it; the token comes from {TOKEN_VARIABLE}")
    if parsed.path.endswith((".json", ".yaml", ".yml")):
        return parsed
    return parsed.copy_with(path=f"{parsed.path.rstrip('/')}/openapi.json")


def fetch(url: str, *, seconds: float = SECONDS, strict: bool = True) -> Document:
    """Get a document and check it.

    The token in `SYNAPSE_AGENT_TOKEN`, if there is one, goes to the URL's own origin and nowhere else; a
    redirect to another one is not followed.

    Args:
        url: Of the document, or of the agent that has it at `openapi.json`.
        seconds: How long all of it may take.
        strict: As in `read`.

    Raises:
        SpecError: It can't be had, or is not what can be used.
    """
    target = document_url(url)
    # A compressed one could be small on the wire and large here.
    headers = {"Accept": "application/json, application/yaml", "Accept-Encoding": "identity"}
    if token := os.environ.get(TOKEN_VARIABLE):
        if not token.isascii() or not token.isprintable():
            raise SpecError(f"{TOKEN_VARIABLE}: a token has printable ASCII characters only")
        headers["Authorization"] = token
    origin = (target.scheme, target.host, target.port)
    until = time.monotonic() + seconds
    try:
        with httpx.Client(timeout=min(10.0, seconds), follow_redirects=False) as http:
            for _ in range(REDIRECTS + 1):
                with http.stream("GET", target, headers=headers) as response:
                    if response.next_request is None:
                        return _read(response, str(target), until, strict=strict)
                    target = response.next_request.url
                if (target.scheme, target.host, target.port) != origin:
                    raise SpecError(f"{url}: redirected to another origin, which is not followed")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SpecError(f"{shown(target)}: {type(error).__name__}: {shown(error)}") from None
    raise SpecError(f"{url}: redirected more than {REDIRECTS} times")


def _read(response: httpx.Response, name: str, until: float, *, strict: bool) -> Document:
    if response.status_code != 200:
        hint = f"; is {TOKEN_VARIABLE} set?" if response.status_code in (401, 403) else ""
        raise SpecError(f"{shown(name)}: answered {response.status_code}{hint}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise SpecError(f"{shown(name)}: compressed, which was not asked for")
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise SpecError(f"{shown(name)}: larger than {MAX_BYTES} bytes")
        if time.monotonic() > until:
            raise SpecError(f"{shown(name)}: takes too long")
    return parse(bytes(content), shown(name), is_json=content.lstrip()[:1] == b"{", strict=strict)
