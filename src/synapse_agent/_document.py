"""The agent's own OpenAPI document, which is the spec that its client is generated from."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

__all__ = ["get_document"]

_FILE = Path(__file__).with_name("openapi.json")


async def get_document(request: web.Request) -> web.Response:
    del request
    text = await asyncio.to_thread(_FILE.read_text, encoding="utf-8")
    return web.json_response(text=text)
