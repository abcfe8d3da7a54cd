"""Open the httpx clients that every request goes through, and check those that are injected."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .. import __version__
from .._exceptions import ClientError, ServerError, ValidationError
from .._family import is_a, types
from ._cookies import cookie_jar, renew_cookies
from ._pool import call_in_child
from .proxies import AsyncProxyTransport, ProxyTransport, environment_proxy
from .trust import default_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["Proxy", "Verify", "open_async_client", "open_client", "refuse_http_client", "user_agent"]

if TYPE_CHECKING:
    Verify = bool | str | os.PathLike[str] | ssl.SSLContext
    Proxy = str | httpx.URL | httpx.Proxy
else:
    Verify = Proxy = object

T = TypeVar("T")

# Each transport has one connection; the pool decides how long it is kept open.
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)


def open_client(url: httpx.URL, timeout: httpx.Timeout, verify: Verify, proxy: Proxy | None) -> httpx.Client:
    """Open the client for an agent.

    Args:
        url: Where all requests go.
        timeout: Of requests that have none of their own.
        verify: As `AgentClient` takes it.
        proxy: As `AgentClient` takes it.

    Raises:
        ClientError: 400 or 500, if an option can't be used.
    """
    try:
        from ._sync import PooledTransport

        make = _transports(url, verify, proxy, httpx.HTTPTransport, ProxyTransport)
        make().close()
        http = httpx.Client(
            transport=PooledTransport(make),
            headers=user_agent(),
            cookies=cookie_jar(),
            timeout=timeout,
            trust_env=False,
        )
    except Exception as exc:
        raise _refusal(exc) from exc
    call_in_child(http, renew_cookies)
    return http


def open_async_client(
    url: httpx.URL, timeout: httpx.Timeout, verify: Verify, proxy: Proxy | None
) -> httpx.AsyncClient:
    """Open the asynchronous client for an agent; see `open_client`.

    Raises:
        ClientError: 400 or 500, if an option can't be used.
    """
    try:
        from ._async import AsyncPooledTransport

        make = _transports(url, verify, proxy, httpx.AsyncHTTPTransport, AsyncProxyTransport)
        make()
        http = httpx.AsyncClient(
            transport=AsyncPooledTransport(make),
            headers=user_agent(),
            cookies=cookie_jar(),
            timeout=timeout,
            trust_env=False,
        )
    except Exception as exc:
        raise _refusal(exc) from exc
    call_in_child(http, renew_cookies)
    return http


def user_agent() -> dict[str, str]:
    """Return the header that names this SDK."""
    return {"User-Agent": f"synapse-sdk/{__version__} python-httpx/{httpx.__version__}"}


def refuse_http_client(http_client: object, kind: str, verify: object, proxy: object) -> None:
    """Refuse an injected client of the wrong kind, or one beside options that only a client of ours can have.

    Raises:
        ValidationError: 400.
    """
    if not isinstance(http_client, types(kind)):
        name = type(http_client).__name__
        given = f"an httpx.{name}" if is_a(http_client, "Client", "AsyncClient") else f"a {name}"
        client = "AgentClient" if kind == "Client" else "AsyncAgentClient"
        raise ValidationError(400, f"http_client of {client} must be an httpx.{kind}, not {given}")
    if verify is not True or proxy is not None:
        raise ValidationError(400, "verify and proxy have no effect on an http_client: set them on it")


def _transports(
    url: httpx.URL, verify: Verify, proxy: object, direct: Callable[..., T], proxied: Callable[..., T]
) -> Callable[[], T]:
    """Return what makes a transport, with or without a proxy in between."""
    through = _proxy_between(url, proxy)
    options = _transport_options(url, verify)
    if through is None:
        return functools.partial(direct, **options)
    return functools.partial(proxied, through, **options)


def _proxy_between(url: httpx.URL, proxy: object) -> Proxy | None:
    """Return the proxy that requests go through: the one that was given, or that of the environment."""
    if proxy is None:
        return environment_proxy(url)
    if not isinstance(proxy, (str, httpx.URL, httpx.Proxy)):
        raise ValidationError(400, "proxy must be a URL or an httpx.Proxy")
    return proxy


def _transport_options(url: httpx.URL, verify: Verify) -> dict[str, Any]:
    import ssl

    # Loading the certificates takes 25 ms; a path that can't be read is an error anyway.
    if url.scheme != "https" and verify is True:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = _verification(verify)
    return {"verify": context, "limits": _ONE_CONNECTION, "trust_env": False}


def _verification(verify: Verify) -> ssl.SSLContext:
    if verify is True:
        return default_context()
    if verify is False:
        return httpx.create_ssl_context(verify=False)
    import ssl

    if isinstance(verify, ssl.SSLContext):
        return verify
    if not isinstance(verify, (str, os.PathLike)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(400, "verify must be a bool, a path of CA certificates or an ssl.SSLContext")
    path = os.fspath(verify)
    try:
        if os.path.isdir(path):  # noqa: PTH112 - os.fspath took care of Path already
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as exc:
        raise ValidationError(400, f"verify: no certificates can be read from {path!r}: {exc}") from exc


def _refusal(exc: Exception) -> ClientError:
    """Return the error for options that httpx refused, without the proxy's URL and its password."""
    if isinstance(exc, ClientError):
        return exc
    if isinstance(exc, ImportError):
        return ServerError(
            500, "a library for this proxy is missing", hint="pip install 'httpx[socks]' for a SOCKS proxy"
        )
    return ValidationError(
        400,
        f"the HTTP client can't be made: {type(exc).__name__}",
        hint="check proxy, verify, and the proxy variables of the environment",
    )
