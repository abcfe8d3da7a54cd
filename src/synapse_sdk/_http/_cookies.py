"""The cookies of a client, without those with which no further request could be sent."""

from __future__ import annotations

import contextlib
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.request import Request

if TYPE_CHECKING:
    import httpx

__all__ = ["cookie_jar", "forget_unsendable_cookies", "renew_cookies"]


class _SendableCookies(DefaultCookiePolicy):
    """Accepts only cookies that can be sent, so that the jar never has another one."""

    def set_ok(self, cookie: Cookie, request: Request) -> bool:
        return _is_sendable(cookie) and super().set_ok(cookie, request)


def cookie_jar() -> CookieJar:
    """Return an empty jar for a client of ours."""
    return CookieJar(_SendableCookies())


def renew_cookies(http: httpx.Client | httpx.AsyncClient) -> None:
    """Copy the cookies into a new jar: a thread of the parent process may hold the lock of the old one."""
    jar = cookie_jar()
    for cookie in http.cookies.jar:
        jar.set_cookie(cookie)
    http.cookies = jar  # pyright: ignore[reportAttributeAccessIssue] - its setter takes more than its getter gives


def forget_unsendable_cookies(http: httpx.Client | httpx.AsyncClient, response: httpx.Response) -> None:
    """Take cookies that can't be sent out of the jar of an injected client."""
    if "set-cookie" not in response.headers:
        return
    # Another thread may change the jar meanwhile, and drop the same cookie.
    with contextlib.suppress(RuntimeError):
        for cookie in list(http.cookies.jar):
            if not _is_sendable(cookie):
                with contextlib.suppress(KeyError):
                    http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


def _is_sendable(cookie: Cookie) -> bool:
    return f"{cookie.name}={cookie.value}".isascii()
