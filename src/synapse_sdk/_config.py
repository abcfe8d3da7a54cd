"""The settings of a client: checked once, immutable, shared by REST calls and log streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import httpx

from ._base_url import checked_base_url, host_header, is_same_origin
from ._exceptions import ClientError, ValidationError
from ._family import HttpTimeout, is_a
from ._redaction import Secret
from ._retry import DEFAULT_MAX_RETRIES
from ._validation import checked_headers, checked_retries, checked_seconds

__all__ = ["ClientConfig", "Timeout", "Token"]

Timeout = Mapping[str, float] | float | HttpTimeout | None
Token = str | Callable[[], str]

_CONNECT = 3.0
_READ = 10.0
_WRITE = 10.0
# A placeholder: httpx builds requests with it, and the long-poll handler leaves the host out.
_LONG_POLL_URL = httpx.URL("http://long-poll.invalid/")
# Characters of a URL, above which its parsed form is not cached.
_MAX_CACHED_URL = 1_000


class ClientConfig:
    """The agent's URL, the credentials, timeouts and retries of a client.

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
        "_static_headers",
        "_tenant",
        "_user_token",
        "agent",
        "base_url",
        "deadline",
        "extensions",
        "long_poll",
        "max_retries",
        "timeout",
    )

    base_url: httpx.URL
    """The agent's URL; its path ends with a slash."""
    agent: str
    """The same as text, for messages."""
    timeout: httpx.Timeout
    deadline: float | None
    """Seconds from sending a request to the end of its response; None where only each phase is limited."""
    max_retries: int
    extensions: dict[str, str]
    """Extensions of each request: a certificate is checked without the zone of an IPv6 address."""
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
        self.base_url = _LONG_POLL_URL if long_poll else checked_base_url(base_url)
        self._base = str(self.base_url)
        self._host = host_header(self.base_url)
        self.extensions = {} if self._host is None else {"sni_hostname": self.base_url.host.partition("%")[0]}
        self.agent = "the end of the long poll" if long_poll else self._base
        self._agent_token = Secret(agent_token, "agent_token")
        self._user_token = _optional_secret(user_token, "user_token")
        if callable(tenant):
            raise ValidationError(400, "tenant must be a string")
        self._tenant = _optional_secret(tenant, "tenant")
        self.timeout, self.deadline = _checked_timeout(timeout)
        self.max_retries = checked_retries(max_retries)
        self._extra = checked_headers(headers)
        self._set_static_headers()

    def with_options(
        self,
        *,
        timeout: Timeout = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ClientConfig:
        """Return a copy with these options; headers are added to those that are set."""
        other = self._copy()
        if timeout is not None:
            other.timeout, other.deadline = _checked_timeout(timeout)
        if max_retries is not None:
            other.max_retries = checked_retries(max_retries)
        if headers is not None:
            added = checked_headers(headers)
            replaced = {name.lower() for name in added}
            kept = {name: value for name, value in self._extra.items() if name.lower() not in replaced}
            other._extra = {**kept, **added}
            other._set_static_headers()
        return other

    def with_deadline(self, seconds: float, *, extend: bool = False) -> ClientConfig:
        """Return a copy for one request that must end within a time.

        Args:
            seconds: Maximum of each phase of the request.
            extend: Whether the response may take all of `seconds` even if the read timeout is shorter, and
                failed requests are retried. Without it there are no retries.
        """

        def shorter(value: float | None) -> float:
            return seconds if value is None else min(value, seconds)

        own, other = self.timeout, self._copy()
        other.timeout = httpx.Timeout(
            connect=shorter(own.connect),
            read=seconds if extend else shorter(own.read),
            write=shorter(own.write),
            pool=shorter(own.pool),
        )
        if not extend:
            other.max_retries = 0
        return other

    def url(self, path: str) -> httpx.URL:
        """Return the URL of an encoded path below the base URL ("jobs/1/").

        Raises:
            ValidationError: 400, if it gets too long.
        """
        text = f"{self._base}{path}"
        try:
            return _parsed(text) if len(text) <= _MAX_CACHED_URL else httpx.URL(text)
        except httpx.InvalidURL as exc:
            raise ValidationError(400, "the URL is too long", agent=self.agent) from exc

    def same_origin(self, url: httpx.URL) -> bool:
        """Return whether credentials may be sent to `url`."""
        # Userinfo would replace the Authorization header.
        return is_same_origin(self.base_url, url) and not url.userinfo

    def with_zone(self, url: httpx.URL) -> httpx.URL:
        """Return a URL from the agent with the zone of its IPv6 address, which the agent does not know."""
        return url if self._host is None else url.copy_with(host=self.base_url.host)

    def headers(self) -> dict[str, str]:
        """Return the headers of a request to send now; token callables are called.

        Values may hold Latin-1, so pass them to httpx with `request_headers`.

        Raises:
            AuthenticationError: 401, if a token callable failed; its exception is the cause.
            ValidationError: 400, if what it returned can't be sent.
        """
        if self._static_headers is not None:
            return dict(self._static_headers)
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
        """Return `headers()`, which replace those in `extra`, as the bytes that httpx sends unchanged."""
        own = self.headers()
        replaced = {name.lower() for name in own}
        pairs = [(name, value) for name, value in (extra or {}).items() if name.lower() not in replaced]
        # httpx encodes text as ASCII only; the values were checked to be Latin-1.
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in (*pairs, *own.items())]

    def redact(self, text: str) -> str:
        """Return a text from the agent without the tokens of this client."""
        for secret in (self._agent_token, self._user_token, self._tenant):
            if secret is not None:
                text = secret.redact(text)
        return text

    def __repr__(self) -> str:
        return f"ClientConfig({self.agent!r})"

    def _copy(self) -> ClientConfig:
        other = object.__new__(type(self))
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def _set_static_headers(self) -> None:
        """Build the headers once where no token comes from a callable."""
        secrets = (self._agent_token, self._user_token, self._tenant)
        self._static_headers: dict[str, str] | None = None
        if not any(secret is not None and secret.is_callable for secret in secrets):
            self._static_headers = self.headers()


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL once for all calls, because parsing takes httpx as long as sending a request."""
    return httpx.URL(url)


def _optional_secret(value: Token | None, name: str) -> Secret | None:
    return None if value is None or value == "" else Secret(value, name)


def _checked_timeout(timeout: Any) -> tuple[httpx.Timeout, float | None]:
    """Return the timeout of each phase, and the deadline of the whole request."""
    if timeout is None:
        return httpx.Timeout(connect=_CONNECT, read=_READ, write=_WRITE, pool=_CONNECT), None
    if is_a(timeout, "Timeout"):
        phases: dict[str, float | None] = timeout.as_dict()
        for part, seconds in phases.items():
            if seconds is not None:
                checked_seconds(seconds, f"timeout's {part}")
        return httpx.Timeout(**phases), None
    if not isinstance(timeout, Mapping):
        return httpx.Timeout(checked_seconds(timeout, "timeout")), None
    parts = cast("Mapping[object, object]", timeout)
    unknown = [key for key in parts if key not in ("connect", "read", "deadline")]
    if unknown:
        raise ValidationError(
            400,
            f"timeout has the unknown key {ascii(unknown[0])[:40]}",
            hint="the keys are 'connect', 'read' and 'deadline'",
        )
    connect = checked_seconds(parts.get("connect", _CONNECT), "timeout's connect")
    read = checked_seconds(parts.get("read", _READ), "timeout's read")
    whole = parts.get("deadline")
    deadline = None if whole is None else checked_seconds(whole, "timeout's deadline")
    return httpx.Timeout(connect=connect, read=read, write=read, pool=connect), deadline
