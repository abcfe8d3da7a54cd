"""The agent's OpenAPI document, and an HTML page of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiohttp import web

from .document_page import page

__all__ = ["get_document", "get_document_page"]

_FILE = Path(__file__).parent.with_name("openapi.json")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def get_document(request: web.Request) -> web.Response:
    del request
    text = await asyncio.to_thread(_FILE.read_text, encoding="utf-8")
    return web.json_response(text=text)


async def get_document_page(request: web.Request) -> web.Response:
    """Answer with the HTML page of the document.

    It needs no token, because a browser can't send one, and it says nothing about this agent.
    """
    del request
    text = await asyncio.to_thread(_page)
    return web.Response(text=text, content_type="text/html", headers=_HEADERS)


def _page() -> str:
    return page(json.loads(_FILE.read_text(encoding="utf-8")))
