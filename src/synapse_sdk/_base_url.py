"""The URL of an agent: checked, normalised and compared."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket

import httpx

from ._exceptions import ValidationError

__all__ = ["checked_base_url", "host_header", "is_same_origin", "origin"]

_ZONE = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
# The limits of DNS for a host name and for each of its labels.
_MAX_NAME = 253
_MAX_LABEL = 63


def checked_base_url(base_url: object) -> httpx.URL:
    """Return the URL with a final slash and a host that can be connected to.

    Raises:
        ValidationError: 400, without the URL itself, which may hold a password.
    """
    if not isinstance(base_url, (str, httpx.URL)) or not base_url:
        raise ValidationError(400, "base_url must be an http or https URL", hint="http://localhost:8000/")
    if any(c.isspace() for c in str(base_url)):
        raise ValidationError(400, "base_url must not have white space")
    try:
        url = httpx.URL(base_url)
        host = url.host  # decoded, which fails for some that begin with "xn--"
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise ValidationError(400, f"base_url is not a URL: {_reason(exc)}") from exc
    if url.scheme not in ("http", "https") or not host:
        raise ValidationError(
            400, "base_url must start with http:// or https:// and a host", hint="http://localhost:8000/"
        )
    if url.userinfo:
        raise ValidationError(400, "base_url must not have a user name or password", hint="use agent_token")
    if "?" in str(base_url) or "#" in str(base_url):
        raise ValidationError(400, "base_url must not have a query or fragment")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValidationError(400, f"base_url has an impossible port: {url.port}")
    text = str(url.copy_with(host=_host(url.raw_host.decode("ascii"))))
    return httpx.URL(text if text.endswith("/") else f"{text}/")


def _host(host: str) -> str:
    """Return the host to connect to: an address with its zone, or a name without a final dot."""
    if ":" in host:
        address, percent, zone = host.partition("%")
        # A URL writes the percent sign as %25, but many people leave it bare.
        zone = zone.removeprefix("25")
        if percent and not _ZONE.fullmatch(zone):
            raise ValidationError(400, "base_url has an impossible zone in its IPv6 address")
        if zone and not ipaddress.IPv6Address(address).is_link_local:
            # Resolvers know the zones of other addresses by number only.
            with contextlib.suppress(OSError):
                zone = str(socket.if_nametoindex(zone))
        return f"{address}{percent}{zone}"
    name = host.removesuffix(".")
    if len(name) > _MAX_NAME or not all(0 < len(label) <= _MAX_LABEL for label in name.split(".")):
        raise ValidationError(
            400,
            f"base_url has an impossible host name: {name[:60]!a}",
            hint=f"a label has 1 to {_MAX_LABEL} characters, the whole name at most {_MAX_NAME}",
        )
    return name


def is_same_origin(url: httpx.URL, other: httpx.URL) -> bool:
    """Return whether two URLs have the same scheme, host and port; the zone of an address does not count."""
    return (url.scheme, _without_zone(url), _port(url)) == (other.scheme, _without_zone(other), _port(other))


def origin(url: httpx.URL) -> str:
    """Return the origin of a URL for a message, without parts that may hold a secret."""
    port = f":{url.port}" if url.port is not None else ""
    # Not decoded, because not every host that begins with "xn--" can be.
    host = url.raw_host.decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{host}{port}"


def _without_zone(url: httpx.URL) -> bytes:
    return url.raw_host.partition(b"%")[0] if b":" in url.raw_host else url.raw_host


def host_header(url: httpx.URL) -> str | None:
    """Return the Host header for an IPv6 address with a zone, which is meaningful only on this machine.

    None for all other hosts, for which httpx sets the right one.
    """
    if ":" not in url.host or "%" not in url.host:
        return None
    return url.copy_with(host=_without_zone(url).decode("ascii")).netloc.decode("ascii")


def _reason(exc: Exception) -> str:
    text = str(exc)
    return "it is too long" if "too long" in text else text if "@" not in text else "it can't be read"


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
