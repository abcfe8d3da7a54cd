"""Plugin releases over the agent's HTTP, where no Ray is needed; and Ray Serve, where it must fail."""

from __future__ import annotations

import asyncio
import functools
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from synapse_agent.app import make_app
from synapse_agent.context import AgentContext
from synapse_agent.database import Database
from synapse_agent.logs.locate import Locator
from synapse_agent.logs.registry import Logs
from synapse_agent.ray.client import RayClient
from synapse_agent.runs import serve as _serve_calls

CONFIG = "code: {}\nversion: '1'\nactions: {{go: {{entrypoint: m}}, ask: {{method: serve}}}}\n"
NOWHERE = "http://127.0.0.1:1"


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def agent(directory: Path, ray: str = NOWHERE) -> AsyncIterator[httpx.AsyncClient]:
    """An agent whose source and data lie in `directory`."""
    client_of_ray = RayClient(ray, None)
    context = AgentContext(
        client_of_ray,
        "token",
        Database(directory / "data" / "index.sqlite3"),
        plugins=directory / "source",
    )
    logs = Logs(client_of_ray, Locator(client_of_ray, log_dir=None, token=None), None)
    async with (
        served(make_app(context, logs)) as url,
        httpx.AsyncClient(base_url=url, headers={"Authorization": "token"}) as client,
    ):
        yield client


def plugin(directory: Path, code: str) -> None:
    path = directory / "source" / code
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(CONFIG.format(code))


async def create(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post("/plugin_releases/", json={"plugin": code, "version": "1"})


def asynchronous(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))  # type: ignore[arg-type]

    return run


@asynchronous
async def test_a_release_survives_a_restart(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    async with agent(tmp_path) as client:
        response = await create(client, "a")
        assert response.status_code == 201
    async with agent(tmp_path) as client:
        assert (await client.get("/plugin_releases/a@1")).json() == response.json()
        assert (await client.delete("/plugin_releases/1")).status_code == 204
    assert list((tmp_path / "data" / "releases").iterdir()) == []
    async with agent(tmp_path) as client:
        assert (await client.get("/plugin_releases/a@1")).status_code == 404
        assert (await create(client, "a")).json()["id"] == 2


@asynchronous
async def test_a_deletion_that_fails_at_its_end_loses_nothing(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    async with agent(tmp_path) as client:
        assert (await create(client, "a")).status_code == 201
        index = tmp_path / "data" / "index.sqlite3"
        with sqlite3.connect(index) as connection:
            reference = "REFERENCES plugin_release (id) DEFERRABLE INITIALLY DEFERRED"
            connection.execute(f"CREATE TABLE user (release INTEGER {reference})")
            connection.execute("INSERT INTO user VALUES (1)")
        connection.close()
        assert (await client.delete("/plugin_releases/a@1")).status_code == 500, "the commit fails"
        assert (await client.get("/plugin_releases/a@1")).status_code == 200
        assert len(list((tmp_path / "data" / "releases").iterdir())) == 1
        with sqlite3.connect(index) as connection:
            connection.execute("DELETE FROM user")
        connection.close()
        (tmp_path / "data" / "releases" / ".left").write_text("by an agent that was killed")
        assert (await client.delete("/plugin_releases/a@1")).status_code == 204
        assert list((tmp_path / "data" / "releases").iterdir()) == []


@asynchronous
async def test_of_two_who_create_the_same_one_does(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    async with agent(tmp_path) as one, agent(tmp_path) as two:
        answers = await asyncio.gather(*(create(client, "a") for client in (one, two, one, two)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@asynchronous
async def test_pages(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        plugin(tmp_path, name)
    async with agent(tmp_path) as client:
        for name in names:
            assert (await create(client, name)).status_code == 201
        seen: list[list[str]] = []
        url: str | None = "/plugin_releases/?page_size=2"
        previous: list[str | None] = []
        while url:
            page = (await client.get(url)).json()
            assert (page["count"], list(page)) == (5, ["count", "next", "previous", "results"])
            seen.append([release["plugin"] for release in page["results"]])
            previous.append(page["previous"])
            url = page["next"]
            assert url is None or url.startswith("?")
            url = url and f"/plugin_releases/{url}"
        assert seen == [["a", "b"], ["c", "d"], ["e"]]
        assert previous[0] is None
        assert [
            r["plugin"] for r in (await client.get(f"/plugin_releases/{previous[2]}")).json()["results"]
        ] == ["c", "d"]
        for number in (4, 10**30):
            response = await client.get(f"/plugin_releases/?page_size=2&page={number}")
            assert (response.status_code, "the last one is 3" in response.text) == (404, True)


@asynchronous
async def test_the_default_and_the_limit_of_a_page(tmp_path: Path) -> None:
    database = Database(tmp_path / "data" / "index.sqlite3")

    def fill(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO plugin_release (plugin, version, config, checksum, created)"
            " VALUES (?, '1', '{}', '', 0)",
            [(f"p{number}",) for number in range(1001)],
        )

    await database.run(fill)
    await database.close()
    async with agent(tmp_path) as client:
        for query, size in (("", 100), ("?page_size=1000", 1000), ("?page=2&page_size=1000", 1)):
            page = (await client.get(f"/plugin_releases/{query}")).json()
            assert (page["count"], len(page["results"])) == (1001, size)


@pytest.mark.parametrize("word", ["0", "-1", "x", "", "1.5", "%2b", "²", "9" * 101, "1001"])
def test_pages_that_are_none(tmp_path: Path, word: str) -> None:
    async def main() -> None:
        async with agent(tmp_path) as client:
            for name in ("page", "page_size") if word != "1001" else ("page_size",):
                response = await client.get(f"/plugin_releases/?{name}={word}")
                assert response.status_code == 422, name
                assert response.json()["detail"][0]["loc"] == ["query", name]

    asyncio.run(main())


@pytest.mark.parametrize("harm", ["lost", "changed"])
def test_an_archive_that_is_not_what_it_was_is_not_run(tmp_path: Path, harm: str) -> None:
    plugin(tmp_path, "a")

    async def main() -> None:
        async with agent(tmp_path) as client:
            await create(client, "a")
            (archive,) = (tmp_path / "data" / "releases").iterdir()
            archive.unlink() if harm == "lost" else archive.write_bytes(archive.read_bytes() + b"x")
            response = await client.post("/plugin_releases/a@1/run/", json={"action": "go"})
            assert (response.status_code, "create it again" in response.text) == (500, True)
            assert (await client.delete("/plugin_releases/a@1")).status_code == 204
            assert (await create(client, "a")).status_code == 201

    asyncio.run(main())


@asynchronous
async def test_without_room_for_the_archive_there_is_no_release(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "releases").write_text("in the way")
    async with agent(tmp_path) as client:
        response = await create(client, "a")
        assert response.status_code == 500
        assert "--data" in response.json()["detail"]
        assert (await client.get("/plugin_releases/")).json()["count"] == 0


@asynchronous
async def test_a_run_while_ray_is_unreachable(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    async with agent(tmp_path) as client:
        await create(client, "a")
        for action in ("go", "ask"):
            response = await client.post("/plugin_releases/a@1/run/", json={"action": action})
            assert (response.status_code, "Ray is unreachable" in response.text) == (503, True)


@asynchronous
async def test_bodies_and_headers_that_are_refused_before_anything_is_done(tmp_path: Path) -> None:
    plugin(tmp_path, "a")
    async with agent(tmp_path) as client:
        await create(client, "a")
        for body in (b'{"action": "go", "params": {"x": NaN}}', b'{"action": "go", "params": [Infinity]}'):
            response = await client.post("/plugin_releases/a@1/run/", content=body)
            assert (response.status_code, "is not JSON" in response.text) == (400, True)
        for language in ("", "e\u0000n", "\ud800"):
            body = b'{"action": "go", "language": "%b"}' % json.dumps(language).encode()[1:-1]
            response = await client.post("/plugin_releases/a@1/run/", content=body)
            assert response.json()["detail"][0]["loc"] == ["body", "language"]


@asynchronous
async def test_requirements_are_handed_to_ray(tmp_path: Path) -> None:
    # Not run for real: Ray copies the whole environment that it runs in for them, which takes minutes.
    submitted: list[dict[str, Any]] = []

    async def submit(request: web.Request) -> web.Response:
        submitted.append(await request.json())
        return web.json_response({})

    async def answer(request: web.Request) -> web.Response:
        return web.json_response([])

    dashboard = web.Application()
    dashboard.router.add_get("/api/jobs/", answer)
    dashboard.router.add_post("/api/jobs/", submit)
    dashboard.router.add_get("/api/packages/gcs/{name}", answer)
    plugin(tmp_path, "a")
    async with served(dashboard) as ray, agent(tmp_path, ray) as client:
        await create(client, "a")
        for requirements in ([], ["numpy>=2", "pandas"]):
            body = {"action": "go", "requirements": requirements}
            response = await client.post("/plugin_releases/a@1/run/", json=body)
            assert response.status_code == 202, response.text
    assert [job["runtime_env"].get("pip") for job in submitted] == [None, ["numpy>=2", "pandas"]]
    ids = {job["submission_id"] for job in submitted}
    assert len(ids) == 2, "each run without a job_id gets one of its own"


# -- Ray Serve in states that a real one is not in for long


async def asked(
    directory: Path,
    application: dict[str, Any] | None = None,
    *,
    headers: dict[str, bytes] | None = None,
    http: dict[str, Any] | None = None,
    proxies: Any = None,
) -> httpx.Response:
    """The answer for the action `ask`, while Ray Serve tells this."""
    document = {
        "applications": {
            "a@1": {"status": "RUNNING", "route_prefix": "/", "message": ""} | (application or {})
        },
        "http_options": http,
        "proxies": {"node": {"status": "HEALTHY", "node_ip": "127.0.0.1"}} if proxies is None else proxies,
    }

    async def tell(request: web.Request) -> web.Response:
        return web.json_response(document)

    dashboard = web.Application()
    dashboard.router.add_get("/api/serve/applications/", tell)
    plugin(directory, "a")
    async with served(dashboard) as ray, agent(directory, ray) as client:
        await create(client, "a")
        return await client.post("/plugin_releases/a@1/run/", json={"action": "ask"}, headers=headers)


@pytest.mark.parametrize(
    ("application", "proxies", "words"),
    [
        ({"status": "DEPLOYING"}, None, "a@1 is DEPLOYING, not RUNNING"),
        ({"status": "DEPLOY_FAILED", "message": "no GPU"}, None, "not RUNNING: no GPU"),
        ({"route_prefix": None}, None, "not served over HTTP"),
        ({}, {}, "not served over HTTP"),
        ({}, {"node": {"status": "UNHEALTHY", "node_ip": "127.0.0.1"}}, "not served over HTTP"),
    ],
)
def test_an_application_that_can_not_be_called(
    tmp_path: Path, application: dict[str, Any], proxies: Any, words: str
) -> None:
    response = asyncio.run(asked(tmp_path, application, http={"port": 1}, proxies=proxies))
    assert (response.status_code, words in response.json()["detail"]) == (409, True)


@asynchronous
async def test_a_user_that_is_no_text(tmp_path: Path) -> None:
    response = await asked(tmp_path, http={"port": 1}, headers={"SYNAPSE-User": b"Token \xff"})
    assert (response.status_code, "SYNAPSE-User must be a text" in response.text) == (400, True)


@asynchronous
async def test_an_application_that_is_not_reached(tmp_path: Path) -> None:
    response = await asked(tmp_path, http={"host": "127.0.0.1", "port": 1})
    assert (response.status_code, "unreachable" in response.text) == (503, True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "broke before its response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1", "broke before its response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nNaN", "invalid JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"[" * 50_000, "invalid JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b" " * 70_000, "more than"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "answered 503: no reason given"),
        (b"nonsense\r\n\r\n", "broke before its response"),
        (None, "did not answer within 0 s"),
    ],
    ids=["cut", "cut inside", "no JSON", "too deep", "too long", "busy", "no HTTP", "silent"],
)
def test_a_call_that_may_have_run_is_a_500(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes | None, words: str
) -> None:
    monkeypatch.setattr(_serve_calls, "_MAX_ANSWER", 60_000)
    if said is None:
        monkeypatch.setattr(_serve_calls, "_TIMEOUT", _serve_calls.aiohttp.ClientTimeout(total=0.3))

    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if said is None:
                await reader.read()  # until the other side gives up
            else:
                writer.write(said)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            response = await asked(tmp_path, http={"host": "0.0.0.0", "port": port})
        assert (response.status_code, words in response.json()["detail"]) == (500, True), response.text

    asyncio.run(main())
