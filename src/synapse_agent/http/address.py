"""The address of the client that sent a request, also behind proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from aiohttp import web

__all__ = ["TRUSTED_PROXIES", "Network", "TrustedProxies", "client_address", "read_network"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """Proxies whose `X-Forwarded-For` is believed.

    Args:
        networks: Their addresses. A Unix socket has none, and always counts as trusted.
    """

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def client(self, peer: str | None, forwarded: Iterable[str]) -> str:
        """Return the client's address: the last one that no trusted proxy has.

        Args:
            peer: Address of the connection's other end; None or empty for a Unix socket.
            forwarded: Values of the header, in the order of its lines.
        """
        address = peer or "unix"
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        while hops and self._trusts(address):
            hop = hops.pop()
            try:
                address = str(ipaddress.ip_address(hop.strip("[]")))
            except ValueError:  # not an address, so nothing before it can be believed
                break
        return address

    def _trusts(self, address: str) -> bool:
        if address == "unix":
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


TRUSTED_PROXIES: web.AppKey[TrustedProxies] = web.AppKey("trusted_proxies", TrustedProxies)


def read_network(text: str) -> Network:
    """Return an address or a network such as 10.0.0.0/8. Raises ValueError."""
    return ipaddress.ip_network(text)


def client_address(request: web.BaseRequest) -> str:
    """Return the address of the client that sent a request."""
    if not isinstance(request, web.Request):
        return request.remote or "unix"
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return request.app[TRUSTED_PROXIES].client(request.remote, forwarded)
