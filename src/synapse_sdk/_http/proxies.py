"""The proxy between here and the agent: which one the environment names, and errors that name it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.request import getproxies

import httpx

from .._exceptions import ValidationError
from .._family import chain
from ._errors import PROXY_NOTE

__all__ = ["AsyncProxyTransport", "ProxyTransport", "bypasses_proxy", "environment_proxy", "without_password"]

_SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}


def environment_proxy(url: httpx.URL) -> str | None:
    """Return the URL of the proxy that the environment names for `url`, as curl would find it.

    `NO_PROXY` comes first. Otherwise it is `HTTP_PROXY` or `HTTPS_PROXY` by the scheme of `url`, or else
    `ALL_PROXY`; lower case names go before upper case ones.

    Raises:
        ValidationError: 400, if that is not the URL of a proxy.
    """
    proxies = getproxies()
    if bypasses_proxy(url, proxies.get("no", "")):
        return None
    found = next((name for name in (url.scheme, "all") if proxies.get(name)), None)
    if found is None:
        return None
    proxy = proxies[found] if "://" in proxies[found] else f"http://{proxies[found]}"
    scheme = proxy.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        raise ValidationError(
            400,
            f"{found.upper()}_PROXY of the environment has the scheme {scheme[:20]!r}",
            hint=f"the schemes are {', '.join(_SCHEMES)}; NO_PROXY names hosts that need no proxy",
        )
    return proxy


def bypasses_proxy(url: httpx.URL, no_proxy: str) -> bool:
    """Check whether a value of `NO_PROXY` names the host of `url`.

    Its entries are separated by commas or spaces: a domain, which stands for its subdomains too, with or
    without a leading dot; an IP address or a network in CIDR notation, with or without brackets; each with a
    port or without; or `*` for every host.
    """
    # An international name may be written either way.
    hosts = {_plain(url.host), _plain(url.raw_host.decode("ascii"))}
    port = url.port or _PORTS.get(url.scheme)
    addresses = _addresses(_plain(url.host))
    for entry in no_proxy.replace(",", " ").split():
        scheme, separator, name = entry.rpartition("://")
        if separator and scheme.lower() not in (url.scheme, "all"):
            continue
        name, entry_port = _split_port(name)
        if entry_port is not None and entry_port != port:
            continue
        if name == "*":
            return True
        if addresses:
            network = _network(name)
            if network is not None and any(address in network for address in addresses):
                return True
            continue
        domain = _plain(name).lstrip(".")
        if domain and any(host == domain or host.endswith(f".{domain}") for host in hosts):
            return True
    return False


def without_password(proxy: httpx.URL | httpx.Proxy | str) -> str:
    """Return the URL of a proxy that may be shown: its scheme, host and port."""
    url = (
        httpx.URL(proxy) if isinstance(proxy, str) else proxy.url if isinstance(proxy, httpx.Proxy) else proxy
    )
    return str(httpx.URL(scheme=url.scheme, host=url.host, port=url.port))


class ProxyTransport(httpx.HTTPTransport):
    """Sends through a proxy, and notes its name on errors that may be its own.

    Args:
        proxy: The proxy, with its password if it has one.
        options: Further arguments of `httpx.HTTPTransport`.
    """

    def __init__(self, proxy: httpx.URL | httpx.Proxy | str, **options: Any) -> None:
        super().__init__(proxy=proxy, **options)
        self._shown = without_password(proxy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _naming(self._shown):
            return super().handle_request(request)


class AsyncProxyTransport(httpx.AsyncHTTPTransport):
    """The asynchronous `ProxyTransport`."""

    def __init__(self, proxy: httpx.URL | httpx.Proxy | str, **options: Any) -> None:
        super().__init__(proxy=proxy, **options)
        self._shown = without_password(proxy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _naming(self._shown):
            return await super().handle_async_request(request)


@contextmanager
def _naming(proxy: str) -> Generator[None]:
    try:
        yield
    except httpx.TransportError as exc:
        # TLS is spoken with the agent, through a proxy of plain HTTP.
        if proxy.startswith("https:") or not any(_is_tls(link) for link in chain(exc)):
            exc.add_note(f"{PROXY_NOTE}{proxy}")
        raise


def _is_tls(exc: BaseException) -> bool:
    # By name, because ssl need not be there to be imported.
    return any(kind.__name__ == "SSLError" for kind in type(exc).__mro__)


def _plain(host: str) -> str:
    """Return a host as it is compared: in lower case, without brackets, zone and trailing dot."""
    return host.lower().strip("[]").partition("%")[0].rstrip(".")


def _split_port(entry: str) -> tuple[str, int | None]:
    # An IPv6 address has colons of its own, so its port stands behind brackets.
    name, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and port.isascii() and (":" not in name or name.endswith("]")):
        return name, int(port)
    return entry, None


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return the IP address that a host is, with the IPv4 address in it; none for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            # Short forms, such as 127.1, which the operating system connects to.
            return [ipaddress.IPv4Address(socket.inet_aton(host))]
        except (OSError, ValueError):
            return []
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return [address] if mapped is None else [address, mapped]


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    address, slash, length = entry.partition("/")
    try:
        return ipaddress.ip_network(f"{_plain(address)}{slash}{length.rstrip(']')}", strict=False)
    except ValueError:
        return None
