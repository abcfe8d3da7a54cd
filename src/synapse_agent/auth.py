"""Authentication and authorization: every request sends a token, whose role allows the operation."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections import OrderedDict

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .errors import ApiError
from .http.address import client_address
from .http.current import current_request
from .http.route import Role, route_of
from .tokens import Tokens

__all__ = ["FailedTries", "auth_middleware"]

_log = logging.getLogger("synapse_agent.auth")

# Failed tries of one address in a minute before each is answered late, and how late, in seconds.
_TRIES, _WINDOW, _DELAY = 10, 60.0, 1.0

# Addresses that are remembered, and answers that wait, at most.
_MAX_ADDRESSES, _MAX_DELAYED = 10_000, 200


class FailedTries:
    """Failed tries by address, over the last minute."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._delayed = 0
        # All tries with a wrong token.
        self.count = 0

    async def failed(self, address: str) -> None:
        """Count a failed try, log it, and wait if there were many of them."""
        self.count += 1
        key = _network(address)
        now = time.monotonic()
        since, tries = self._tries.pop(key, (now, 0))
        if now - since > _WINDOW:
            since, tries = now, 0
        tries += 1
        self._tries[key] = since, tries
        if len(self._tries) > _MAX_ADDRESSES:
            self._tries.popitem(last=False)
        # The first, the tenth, the hundredth: nobody may fill the log.
        if tries == 10 ** (len(str(tries)) - 1):
            fields = {"address": address, "tries": tries}
            _log.warning("wrong token", extra={"fields": fields})
        if tries > _TRIES and self._delayed < _MAX_DELAYED:
            self._delayed += 1
            try:
                await asyncio.sleep(_DELAY)
            finally:
                self._delayed -= 1


def _network(address: str) -> str:
    """Return the address, or of IPv6 the part that is one customer's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))


def auth_middleware(tokens: Tokens, tries: FailedTries) -> Middleware:
    """Refuse requests without a token of these, sent as `Authorization: <token>` or `Bearer <token>`.

    Every path is guarded, unknown paths and streams included, except the routes that are public.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        route = route_of(request)
        if route is not None and route.public:
            return await handler(request)
        given = request.headers.get("Authorization")
        if given is None:
            raise ApiError(401, "no credentials: send the agent's token as the Authorization header")
        token = tokens.find(_bare(given))
        if token is None:
            await tries.failed(client_address(request))
            raise ApiError(401, "the token is not this agent's")
        if info := current_request():
            info.user = token.name
        needed = Role.READ if route is None else route.role
        if token.role < needed:
            raise ApiError(
                403,
                f"the token {token.name} has the role {token.role.name.lower()},"
                f" and this needs {needed.name.lower()}",
            )
        return await handler(request)

    return check


def _bare(credentials: str) -> str:
    """Return the token of `<token>` or `Bearer <token>`."""
    scheme, blank, token = credentials.partition(" ")
    return token.strip() if blank and scheme.lower() == "bearer" else credentials
