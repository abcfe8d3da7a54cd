"""Answers that drip, have no end, or set what can't be sent back."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from http.cookiejar import Cookie, CookieJar
from typing import Any

import httpx
import pytest
from tables import each_row

from synapse_sdk._http._clients import open_client
from synapse_sdk._http._requests import send
from synapse_sdk.clients.exceptions import ClientTimeoutError, NotFoundError

from .conftest import Use
from .scripted_server import Server, json_answer

JOB = {"type": "SUBMISSION", "status": "RUNNING", "entrypoint": "x"}


@each_row("drips", ["headers", "body"])
def test_an_answer_that_drips_ends_at_the_deadline(use: Use, drips: str) -> None:
    def drip(connection: socket.socket, request: Any) -> None:
        if drips == "body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.02)

    def steps(client: Any) -> Any:
        yield client.get_job("j")  # so that the next call is on a connection that is kept
        with pytest.raises(ClientTimeoutError, match=r"no whole answer within 0\.5 s"):
            yield client.get_job("j")

    with Server(json_answer(200, JOB), drip) as server:
        use(steps, server.url, "t", timeout={"read": 5, "deadline": 0.5})
    assert len(server.requests) == 2


def test_an_error_body_is_read_to_a_bound(use: Use) -> None:
    def endless(connection: socket.socket, request: Any) -> None:
        connection.sendall(b"HTTP/1.1 404 X\r\nContent-Type: text/plain\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                connection.sendall(b"x" * 65_536)
                sent.append(65_536)
        raise ConnectionAbortedError

    sent: list[int] = []

    def steps(client: Any) -> Any:
        with pytest.raises(NotFoundError, match="xxx"):
            yield client.get_job("j")

    with Server(endless) as server:
        use(steps, server.url, "t")
        server.wait_until_gone()
    assert sum(sent) < 100_000_000


def test_a_cookie_that_can_not_be_sent_is_dropped(use: Use) -> None:
    def steps(client: Any) -> Any:
        for _ in range(3):
            yield client.get_job("j")

    bad = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=\xe4; Path=/\r\nSet-Cookie: b=1; Path=/\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    with Server(bad) as server:
        use(steps, server.url, "t")
    assert [request.all("cookie") for request in server.requests] == [[], ["b=1"], ["b=1"]]


BAD_COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=\xe4; Path=/\r\nContent-Length: 0\r\n\r\n"


def test_other_threads_never_meet_a_cookie_that_can_not_be_sent() -> None:
    # A hook runs between the response and what this thread does with it, as another thread may.
    with Server(BAD_COOKIE) as server:
        url = httpx.URL(server.url)
        with open_client(url, httpx.Timeout(5), verify=True, proxy=None) as http:
            http.event_hooks["response"] = [lambda _: built.append(http.build_request("GET", url))]
            built: list[httpx.Request] = []
            send(http, http.build_request("GET", url)).close()
    assert ["cookie" in request.headers for request in built] == [False]


def test_another_thread_may_drop_the_same_cookie() -> None:
    class Emptied(CookieJar):
        def __iter__(self) -> Iterator[Cookie]:
            found = list(super().__iter__())
            self.clear()
            return iter(found)

    with Server(BAD_COOKIE) as server, httpx.Client(cookies=Emptied(), timeout=5) as http:
        send(http, http.build_request("GET", server.url)).close()
