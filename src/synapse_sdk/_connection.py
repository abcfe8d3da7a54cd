"""How an agent is reached: checked once, immutable, and shared by REST calls and both log streams."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

import httpx

from ._defaults import DEFAULT_MAX_RETRIES
from ._errors import error_from_response
from ._http._family import is_a
from ._secret import Secret, is_header_value
from .clients.exceptions import ClientError, ValidationError
from .utils.network import path_text, validate_resource_id

__all__ = ["Connection", "Timeout", "Token", "bounded", "encode_path"]

Timeout = Mapping[str, float] | float | httpx.Timeout | None
Token = str | Callable[[], str]

_CONNECT = 3.0
_READ = 10.0
_WRITE = 10.0
# Above this the operating system's calls overflow; it is eleven days.
_MAX_TIMEOUT = 1_000_000.0
_MAX_RETRIES = 100
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIALS = frozenset({"authorization", "synapse-tenant", "synapse-user"})
# What the request and its body decide, and what a WebSocket handshake is made of.
_OURS = frozenset({"connection", "content-length", "content-type", "transfer-encoding", "upgrade"})
# Where there is no HTTP, requests are still made as if; no name server knows this host.
_LONG_POLL = httpx.URL("http://long-poll.invalid/")
# Characters of a URL that is worth being kept parsed.
_MAX_REMEMBERED = 1_000
_ZONE = re.compile(r"[A-Za-z0-9_.~-]{1,64}")
# What DNS allows for a host name and for each of its parts.
_MAX_NAME = 253
_MAX_LABEL = 63
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Connection:
    """Where the agent is, who asks, and how patiently.

    Args:
        base_url: Absolute http or https URL; a path prefix is kept. No userinfo, query or fragment. The host
            may be international, an IPv6 address in brackets may have a zone (`%25eth0` or `%eth0`), and a
            trailing dot is left out, since certificates have none.
        agent_token: Sent as it is in `Authorization`.
        user_token: Sent as `SYNAPSE-User: Token ...`, if given and not empty.
        tenant: Sent as `SYNAPSE-Tenant: Token ...`, if given and not empty.
        timeout: `{"connect": seconds, "read": seconds, "deadline": seconds}`, each of which may be left out,
            one number for all but `deadline`, or a `Timeout` of httpx or httpx2.
        max_retries: Tries after the first one.
        headers: Further headers of every request. They may not replace the credentials, nor what describes
            the message itself (`Content-Type`, `Connection`, ...).
        long_poll: Whether a long-poll handler takes the place of HTTP, so that there is no `base_url`.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
    """

    __slots__ = (
        "_agent_token",
        "_base",
        "_extra",
        "_host",
        "_tenant",
        "_user_token",
        "agent",
        "base_url",
        "deadline",
        "long_poll",
        "max_retries",
        "timeout",
    )

    base_url: httpx.URL
    """The agent's URL; its path ends with a slash."""
    agent: str
    """The same, for people to read."""
    timeout: httpx.Timeout
    deadline: float | None
    """Seconds from sending a request to the end of its answer; None where only each phase is bounded."""
    max_retries: int
    long_poll: bool
    """Whether requests go through a long-poll handler, so that there is no origin and no stream."""

    def __init__(
        self,
        base_url: str | None,
        agent_token: Token,
        *,
        user_token: Token | None = None,
        tenant: str | None = None,
        timeout: Timeout = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        headers: Mapping[str, str] | None = None,
        long_poll: bool = False,
    ) -> None:
        if long_poll and base_url is not None:
            raise ValidationError(
                400, "base_url must be None with a long_poll_handler, which is used instead"
            )
        self.long_poll = long_poll
        self.base_url = _LONG_POLL if long_poll else _base_url(base_url)
        self._base = str(self.base_url)
        self._host = _host_header(self.base_url)
        self.agent = "the end of the long poll" if long_poll else self._base
        self._agent_token = Secret(agent_token, "agent_token")
        self._user_token = _optional(user_token, "user_token")
        if callable(tenant):
            raise ValidationError(400, "tenant must be a string")
        self._tenant = _optional(tenant, "tenant")
        self.timeout, self.deadline = _timeout(timeout)
        self.max_retries = _max_retries(max_retries)
        self._extra = _headers(headers)

    def with_options(
        self,
        *,
        timeout: Timeout = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Connection:
        """Make a copy with what is given in place of its own; headers are added to those it has."""
        other = object.__new__(type(self))
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        if timeout is not None:
            other.timeout, other.deadline = _timeout(timeout)
        if max_retries is not None:
            other.max_retries = _max_retries(max_retries)
        if headers is not None:
            added = _headers(headers)
            taken = {name.lower() for name in added}
            kept = {name: value for name, value in self._extra.items() if name.lower() not in taken}
            other._extra = {**kept, **added}
        return other

    def url(self, path: str) -> httpx.URL:
        """Give back the URL of an encoded path below the base URL ("jobs/1/").

        Raises:
            ValidationError: 400, if it gets too long.
        """
        text = f"{self._base}{path}"
        try:
            return _parsed(text) if len(text) <= _MAX_REMEMBERED else httpx.URL(text)
        except httpx.InvalidURL as exc:
            raise ValidationError(400, "the URL is too long", agent=self.agent) from exc

    def same_origin(self, url: httpx.URL) -> bool:
        """Return whether credentials may go to `url`."""
        mine = (self.base_url.scheme, _without_zone(self.base_url), _port(self.base_url))
        # Userinfo would replace the Authorization header.
        return mine == (url.scheme, _without_zone(url), _port(url)) and not url.userinfo

    def with_zone(self, url: httpx.URL) -> httpx.URL:
        """Return a URL that the agent gave, with the zone by which its address is reached from here."""
        return url if self._host is None else url.copy_with(host=self.base_url.host)

    def headers(self) -> dict[str, str]:
        """Give back the headers of a request to send now; callables are asked for their tokens.

        Values may hold Latin-1, so hand them to httpx with `request_headers`.

        Raises:
            AuthenticationError: 401, if a token callable failed; the cause says why.
            ValidationError: 400, if what it returned can't be sent.
        """
        try:
            headers = {**self._extra, "Authorization": self._agent_token.reveal()}
            if self._host is not None and not any(name.lower() == "host" for name in self._extra):
                headers["Host"] = self._host
            if self._user_token is not None:
                headers["SYNAPSE-User"] = f"Token {self._user_token.reveal()}"
            if self._tenant is not None:
                headers["SYNAPSE-Tenant"] = f"Token {self._tenant.reveal()}"
        except ClientError as error:
            error.agent = self.agent
            raise
        return headers

    def request_headers(self, extra: Mapping[str, str] | None = None) -> list[tuple[bytes, bytes]]:
        """Return `headers()`, on top of `extra`, in the form that httpx sends as it is."""
        own = self.headers()
        taken = {name.lower() for name in own}
        pairs = [(name, value) for name, value in (extra or {}).items() if name.lower() not in taken]
        # Latin-1, as it was checked: httpx alone would take nothing but ASCII.
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in (*pairs, *own.items())]

    def redact(self, text: str) -> str:
        """Take the tokens out of a text that the agent sent."""
        for secret in (self._agent_token, self._user_token, self._tenant):
            if secret is not None:
                text = secret.redact(text)
        return text

    def error_from_response(
        self, status: int, headers: Mapping[str, str], body: bytes, *, operation: str
    ) -> ClientError:
        """Make the error for an answer of this agent, without the tokens it may echo."""
        return error_from_response(
            status, headers, body, operation=operation, agent=self.agent, redact=self.redact
        )

    def __repr__(self) -> str:
        return f"Connection({self.agent!r})"


def bounded(connection: Connection, seconds: float, patient: bool) -> Connection:
    """Make a copy for one request that must be through by then.

    Args:
        connection: What to copy.
        seconds: For how long each phase may last.
        patient: Whether an answer may take all of it, although the connection would wait for less, and a
            request that never got there is repeated; otherwise whoever asks will ask again.
    """
    own, deadline = connection.timeout, connection.deadline

    def least(value: float | None) -> float:
        return seconds if value is None else min(value, seconds)

    timeout = httpx.Timeout(
        connect=least(own.connect),
        read=seconds if patient else least(own.read),
        write=least(own.write),
        pool=least(own.pool),
    )
    copy = connection.with_options(timeout=timeout, max_retries=None if patient else 0)
    copy.deadline = deadline
    return copy


def encode_path(template: str, values: Mapping[str, str | int]) -> str:
    """Fill the placeholders of a path.

    `{..._id}` takes an id of letters, digits, `-` and `_`; any other name takes text, to be percent-encoded.

    Args:
        template: Such as "jobs/{job_id}/".
        values: What to put in.

    Raises:
        ValidationError: 400, for a value that is empty, longer than 100, or not fit for its place.
    """

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        value = values[name]
        if name.endswith("_id"):
            return validate_resource_id(value, name.removesuffix("_id").replace("_", " "))
        return _encoded(value, name)

    return _PLACEHOLDER.sub(filled, template)


def _encoded(value: str | int, name: str) -> str:
    text = path_text(value, name)
    # Servers and proxies walk up the path for these, percent-encoded or not.
    if text in (".", ".."):
        raise ValidationError(400, f"{name} must not be {text!r}")
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise ValidationError(400, f"{name} must not have control characters")
    try:
        return quote(text, safe="@")
    except UnicodeEncodeError as exc:
        raise ValidationError(400, f"{name} has a character that can't be sent") from exc


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL once for all calls to it: that takes httpx as long as sending a request."""
    return httpx.URL(url)


def _base_url(base_url: object) -> httpx.URL:
    # The URL itself stays out of the messages: it may have a password in it.
    if not isinstance(base_url, (str, httpx.URL)) or not base_url:
        raise ValidationError(400, "base_url must be an http or https URL", hint="http://localhost:8000/")
    if any(c.isspace() for c in str(base_url)):
        raise ValidationError(400, "base_url must not have white space")
    try:
        url = httpx.URL(base_url)
        host = url.host  # decoded, which fails for some that begin with "xn--"
    except (httpx.InvalidURL, UnicodeError) as exc:
        raise ValidationError(400, f"base_url is no URL: {_reason(exc)}") from exc
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
    """Return a host as it can be connected to."""
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
            hint=f"between two dots stand 1 to {_MAX_LABEL} characters, and {_MAX_NAME} in all at most",
        )
    return name


def _without_zone(url: httpx.URL) -> bytes:
    return url.raw_host.partition(b"%")[0] if b":" in url.raw_host else url.raw_host


def _host_header(url: httpx.URL) -> str | None:
    """Return the Host header of an address with a zone, which means nothing to the agent; None for others."""
    if ":" not in url.host or "%" not in url.host:
        return None
    return url.copy_with(host=_without_zone(url).decode("ascii")).netloc.decode("ascii")


def _reason(exc: Exception) -> str:
    text = str(exc)
    return "it is too long" if "too long" in text else text if "@" not in text else "it can't be read"


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _optional(value: Token | None, name: str) -> Secret | None:
    return None if value is None or value == "" else Secret(value, name)


def _timeout(timeout: Any) -> tuple[httpx.Timeout, float | None]:
    """Return the seconds of each phase, and those of the whole."""
    if timeout is None:
        return httpx.Timeout(connect=_CONNECT, read=_READ, write=_WRITE, pool=_CONNECT), None
    if is_a(timeout, "Timeout"):
        phases: dict[str, float | None] = timeout.as_dict()
        for part, seconds in phases.items():
            if seconds is not None:
                _seconds(seconds, f"timeout's {part}")
        return httpx.Timeout(**phases), None
    if not isinstance(timeout, Mapping):
        return httpx.Timeout(_seconds(timeout, "timeout")), None
    parts = cast("Mapping[object, object]", timeout)
    unknown = [key for key in parts if key not in ("connect", "read", "deadline")]
    if unknown:
        raise ValidationError(
            400,
            f"timeout has the unknown key {ascii(unknown[0])[:40]}",
            hint="the keys are 'connect', 'read' and 'deadline'",
        )
    connect = _seconds(parts.get("connect", _CONNECT), "timeout's connect")
    read = _seconds(parts.get("read", _READ), "timeout's read")
    deadline = None if parts.get("deadline") is None else _seconds(parts["deadline"], "timeout's deadline")
    return httpx.Timeout(connect=connect, read=read, write=read, pool=connect), deadline


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValidationError(400, f"{name} must be a number of seconds", hint="such as 10.0")
    # A NaN is in no range.
    if not 0 < value <= _MAX_TIMEOUT:
        raise ValidationError(
            400,
            f"{name} must be above 0 and at most {_MAX_TIMEOUT:.0f} seconds",
            hint="httpx.Timeout(None) waits for ever",
        )
    return float(value)


def _max_retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_RETRIES:
        raise ValidationError(400, f"max_retries must be an integer from 0 to {_MAX_RETRIES}")
    return value


def _headers(headers: object) -> dict[str, str]:
    if headers is None:
        return {}
    if not isinstance(headers, Mapping):
        raise ValidationError(400, "headers must be a mapping of names to values")
    checked: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValidationError(400, f"headers has an impossible name: {ascii(name)[:60]}")
        lowered = name.lower()
        if lowered in _CREDENTIALS:
            raise ValidationError(
                400, f"headers must not set {name}", hint="use agent_token, user_token and tenant"
            )
        if lowered in _OURS or lowered.startswith("sec-websocket-"):
            raise ValidationError(400, f"headers must not set {name}: the client does")
        # A value may be a secret too, so it is not shown.
        if not isinstance(value, str) or not (value == "" or is_header_value(value)):
            raise ValidationError(400, f"the header {name} has a value that can't be sent")
        checked[name] = value
    return checked
