"""Bodies of requests, read and parsed without letting one client slow down or crowd out the others."""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import NoReturn

from aiohttp import web

from ..errors import ApiError
from .current import current_request
from .route import route_of

__all__ = ["BODY_BUDGET", "BodyBudget", "parse_json", "read_json"]

# Of one JSON text. Each value takes up to 200 bytes once it is parsed.
_MAX_VALUES = 500_000
_MAX_DEPTH = 100

# Estimates of what a body takes in memory: its bytes and their copy as text, and its values.
_PER_BYTE, _PER_VALUE = 2, 128

# Smaller ones are parsed at once, which takes less than a millisecond.
_INLINE = 8 * 1024

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{,]|[\]}]', re.DOTALL)


class BodyBudget:
    """Memory for the bodies of all requests under way.

    Args:
        size: The budget in bytes.
        timeout: Seconds in which a whole body must arrive.
    """

    def __init__(self, size: int, timeout: float) -> None:
        self.size = size
        self.timeout = timeout
        self._used = 0
        self.refusals = 0
        # One large body at a time: the parser keeps other Python code from running.
        self.parsing = asyncio.Lock()

    def take(self, cost: int) -> None:
        """Reserve memory until the current request is answered; raise 503 if there is none left."""
        if self._used + cost > self.size:
            self.refusals += 1
            raise ApiError(
                503,
                "the agent is busy with the bodies of other requests; try again",
                headers={"Retry-After": "1"},
            )
        self._used += cost
        info = current_request()
        assert info is not None
        info.on_end(lambda: self._release(cost))

    def _release(self, cost: int) -> None:
        self._used -= cost


BODY_BUDGET: web.AppKey[BodyBudget] = web.AppKey("body_budget", BodyBudget)


async def read_json(request: web.Request) -> object:
    """Return the request's body, parsed.

    Raises:
        ApiError: 400, it is not JSON; 408, it does not arrive in time; 413, it is larger than the
            operation accepts; 503, the bodies of other requests take all the memory there is.
    """
    route = route_of(request)
    budget = request.app[BODY_BUDGET]
    limit = route.max_body if route is not None else 0
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(budget.timeout):
            async for chunk in request.content.iter_any():
                # The length after decompression, which the header does not have.
                if len(body) + len(chunk) > limit:
                    raise _too_large(limit)
                budget.take(_PER_BYTE * len(chunk))
                body += chunk
    except TimeoutError:
        raise ApiError(408, f"the body did not arrive within {budget.timeout:g} s") from None
    budget.take(_PER_VALUE * min(_separators(body), _MAX_VALUES))
    return await parse_json(request, bytes(body))


async def parse_json(request: web.Request, raw: bytes) -> object:
    """Return a JSON text from a request, parsed; a large one in a thread. Raises ApiError 400 or 413."""
    if len(raw) <= _INLINE:
        return _parse(raw)
    async with request.app[BODY_BUDGET].parsing:
        return await asyncio.to_thread(_parse, raw)


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"the body is larger than the {limit >> 10} KiB that this operation accepts")


def _separators(raw: bytes | bytearray) -> int:
    """Return at least the number of values."""
    return 1 + raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _parse(raw: bytes) -> object:
    _check_structure(raw)
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
    except ValueError as error:
        raise ApiError(400, f"the body is not JSON: {error}") from None


def _check_structure(raw: bytes) -> None:
    """Refuse what would take too much time or memory to parse; stop looking as soon as that is known."""
    if _separators(raw) <= _MAX_VALUES and raw.count(b"[") + raw.count(b"{") <= _MAX_DEPTH:
        return
    values = depth = 0
    for found in _TOKEN.finditer(raw):
        character = raw[found.start()]
        if character in b"[{":
            depth += 1
            if depth > _MAX_DEPTH:
                raise ApiError(400, f"the JSON body is nested more than {_MAX_DEPTH} levels deep")
        elif character in b"]}":
            depth -= 1
        if character not in b"]}":
            values += 1
            if values > 2 * _MAX_VALUES:  # strings and separators
                raise ApiError(413, f"the JSON body has more than {_MAX_VALUES} values")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is out of range")
    return number
