"""Lists that page: one typed page, and walks over all of them."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from tables import each_row

from synapse_agent_api.models import Container, ContainerPage, PluginRelease, PluginReleasePage
from synapse_sdk.clients.agent import AgentClient, AsyncAgentClient
from synapse_sdk.clients.exceptions import ClientConnectionError, NotFoundError, ServerError

from .conftest import Use
from .scripted_server import Server, json_answer

WALKS = [
    ("iter_plugin_releases", "plugin_releases", PluginRelease),
    ("iter_containers", "containers", Container),
]


def page(ids: list[int], following: object = None) -> bytes:
    results = [{"id": number, "plugin": "p", "status": "running"} for number in ids]
    return json_answer(200, {"count": 5, "next": following, "previous": None, "results": results})


def paths(server: Server) -> list[str]:
    return [request.target for request in server.requests]


@each_row(
    ("method", "path", "model"),
    [
        ("list_plugin_releases", "plugin_releases", PluginReleasePage),
        ("list_containers", "containers", ContainerPage),
    ],
)
def test_one_page_is_typed(ask: Use, method: str, path: str, model: type) -> None:
    with Server(page([3, 4], "http://elsewhere/")) as server:
        got = ask(server.url, method, page=2, page_size=2)
    assert isinstance(got, model)
    assert (got.count, got.next, got.previous) == (5, "http://elsewhere/", None)  # type: ignore[attr-defined]
    assert [item.id for item in got.results] == [3, 4]  # type: ignore[attr-defined]
    assert paths(server) == [f"/{path}/?page=2&page_size=2"]


@each_row(("method", "path", "model"), WALKS)
def test_a_walk_goes_over_all_pages(ask: Use, method: str, path: str, model: type) -> None:
    # As agents say it: a whole URL, a path, a query; and a query of their own making.
    steps: list[bytes] = []
    with Server() as server:
        steps += [page([1, 2], f"{server.url}{path}/?page=2&page_size=2")]
        steps += [page([3], f"/{path}/?cursor=a%2Fb%3D"), page([4], "?page=4"), page([5], "")]
        server.steps = tuple(steps)
        items = ask(server.url, method, page_size=2)
    assert all(isinstance(item, model) for item in items)
    assert [item.id for item in items] == [1, 2, 3, 4, 5]
    queries = ["page_size=2", "page=2&page_size=2", "cursor=a%2Fb%3D", "page=4"]
    assert paths(server) == [f"/{path}/?{query}" for query in queries]
    assert {request.header("authorization") for request in server.requests} == {"S3CRET-token"}


def test_a_walk_below_a_path_prefix(ask: Use) -> None:
    with Server() as server:
        server.steps = (page([1], f"{server.url}a/7/containers/?page=2"), page([2]))
        assert len(ask(f"{server.url}a/7", "iter_containers")) == 2
    assert paths(server) == ["/a/7/containers/?page_size=100", "/a/7/containers/?page=2"]


def test_a_walk_is_lazy() -> None:
    with Server(page([1, 2], "?page=2"), page([3])) as server, AgentClient(server.url, "t") as client:
        walk = client.iter_containers()
        assert server.requests == []
        assert [next(walk).id, next(walk).id] == [1, 2]
        assert len(server.requests) == 1
        assert next(walk).id == 3
        assert len(server.requests) == 2


@each_row("backend", ["asyncio", "trio"])
def test_an_async_walk_is_lazy_and_may_be_left(backend: str) -> None:
    async def main() -> None:
        async with AsyncAgentClient(server.url, "t") as client:
            walk: Any = client.iter_containers()
            async for item in walk:
                assert item.id == 1
                break
            await walk.aclose()

    with Server(page([1, 2], "?page=2"), page([3])) as server:
        anyio.run(main, backend=backend)
    assert len(server.requests) == 1


@each_row(
    "elsewhere",
    [
        "http://127.0.0.2:9/containers/",
        "https://{host}/containers/?page=2",
        "//evil.example/containers/",
        "http://S3CRET-user@{host}/containers/",
        "http:////evil.example/",
        "file:///etc/passwd",
    ],
)
def test_a_page_of_another_origin_is_refused_after_what_came_before(use: Use, elsewhere: str) -> None:
    def steps(client: Any) -> Any:
        with pytest.raises(ServerError) as caught:
            yield client.iter_containers()
        return caught.value

    with Server() as server:
        server.steps = (page([1], elsewhere.format(host=server.url[7:-1])),)
        error = use(steps, server.url, "t")
        # What was there before is given first.
        with AgentClient(server.url, "t") as client:
            walk = client.iter_containers()
            assert next(walk).id == 1
            with pytest.raises(ServerError):
                next(walk)
    assert error.status_code == 200
    assert str(error).startswith(f"list containers at {server.url}: 200 the page can't be used: ")
    # "http:////evil.example/" is a URL to newer versions of httpx only.
    assert "which is not followed" in str(error) or elsewhere.startswith("http:////")
    assert "S3CRET" not in str(error)
    assert len(server.requests) == 2


@each_row("following", ["", "?page_size=100", "?page=2"])
def test_pages_in_a_circle_are_an_error(ask: Use, following: str) -> None:
    with Server() as server:
        server.steps = (page([1], "?page=2"), page([2], following or f"{server.url}containers/?page=2"))
        with pytest.raises(ServerError, match="in a circle"):
            ask(server.url, "iter_containers")
    assert len(server.requests) == 2


def test_empty_pages_without_an_end_are_an_error(ask: Use) -> None:
    def empty(connection: Any, request: Any) -> None:
        connection.sendall(page([], f"?page={len(server.requests) + 1}"))

    with Server(empty) as server, pytest.raises(ServerError, match="100 pages"):
        ask(server.url, "iter_containers")
    assert len(server.requests) == 100


@each_row(
    ("body", "told"),
    [
        ({"next": 5, "results": []}, "`next` is a int"),
        ({"next": "http://host:port/", "results": []}, "`next` is not a URL"),
        ({"next": None, "results": {"a": 1}}, "`results` are a dict"),
    ],
)
def test_a_page_that_is_none(ask: Use, body: object, told: str) -> None:
    with Server(json_answer(200, body)) as server, pytest.raises(ServerError) as caught:
        ask(server.url, "iter_containers")
    assert told in str(caught.value)


@each_row("body", [{}, {"results": None}, {"results": [], "next": None}])
def test_nothing_to_walk(ask: Use, body: object) -> None:
    with Server(json_answer(200, body)) as server:
        assert ask(server.url, "iter_plugin_releases") == []


def test_an_error_on_the_way_is_raised(ask: Use) -> None:
    missing = json_answer(404, {"detail": "no such page"})
    with Server(page([1], "?page=2"), missing) as server, pytest.raises(NotFoundError, match="no such page"):
        ask(server.url, "iter_plugin_releases")


def test_a_page_is_asked_for_again_like_anything_else(ask: Use) -> None:
    again = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    with Server(page([1], "?page=2"), again, page([2])) as server:
        assert len(ask(server.url, "iter_containers")) == 2
    assert paths(server)[1:] == ["/containers/?page=2"] * 2


def test_a_walk_of_a_closed_client() -> None:
    with Server(page([1], "?page=2")) as server:
        client = AgentClient(server.url, "t")
        walk = client.iter_containers()
        next(walk)
        client.close()
        with pytest.raises(ClientConnectionError, match="closed"):
            next(walk)
