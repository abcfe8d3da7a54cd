"""The parts of the agent's logs that need no Ray: windows, arrival times, the spool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tables import each_row
from yarl import URL

from synapse_agent.__main__ import _parser
from synapse_agent.errors import ApiError
from synapse_agent.logs import follow, registry, state_file
from synapse_agent.logs import tail as tails
from synapse_agent.logs.arrivals import Arrivals
from synapse_agent.logs.follow import FollowedLog
from synapse_agent.logs.locate import Locator
from synapse_agent.logs.registry import Logs
from synapse_agent.logs.sources import InterruptedReadError, LogLostError, NodeFile
from synapse_agent.logs.spool import Spool
from synapse_agent.logs.state_file import StateFile
from synapse_agent.logs.tail import Tail
from synapse_agent.logs.windows import Window, last_lines
from synapse_agent.ray.client import RayClient, RayUnreachableError

JOB: dict[str, Any] = {
    "submission_id": "job",
    "status": "RUNNING",
    "start_time": 1,
    "driver_node_id": "node",
    "driver_agent_http_address": None,
}
TEXT = st.text(st.sampled_from("ab\né🚀"), max_size=200)


class Short:
    """Reads of a log that give fewer bytes than asked for, as any may."""

    def __init__(self, raw: bytes, most: int) -> None:
        self.raw = raw
        self.most = most
        self.bytes = 0

    async def read(self, position: int, limit: int) -> bytes:
        data = self.raw[position : position + min(limit, self.most)]
        self.bytes += len(data)
        return data


# -- windows


@given(TEXT, st.integers(0, 12), st.integers(0, 30), st.integers(1, 50))
def test_the_last_lines(text: str, count: int, floor: int, most: int) -> None:
    raw = text.encode()
    floor = min(floor, len(raw))
    start = asyncio.run(last_lines(Short(raw, most).read, len(raw), count, floor=floor))
    lines = raw.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
        lines = [line + b"\n" for line in lines]
    else:
        lines = [line + b"\n" for line in lines[:-1]] + [lines[-1]]
    expected = len(raw) - sum(map(len, lines[max(0, len(lines) - count) :]))
    assert start == max(floor, expected)


def test_the_last_lines_of_a_large_log_cost_little() -> None:
    log = Short(b"x" * 99 + b"\n" * 1, 1 << 20)
    log.raw *= 1_000_000
    assert asyncio.run(last_lines(log.read, len(log.raw), 10)) == len(log.raw) - 1_000
    assert log.bytes <= 64 << 10


@given(TEXT, st.integers(0, 60), st.none() | st.integers(0, 5), st.none() | st.integers(1, 20))
def test_the_bounds_of_a_window(text: str, offset: int, tail: int | None, limit: int | None) -> None:
    raw = text.encode()
    # Offsets that clients have are those of whole messages.
    offset = len(text[:offset].encode())
    start, end = asyncio.run(Window(offset, tail, limit).bounds(Short(raw, 7).read, len(raw)))
    assert offset <= start <= end <= len(raw)
    assert limit is None or end - start <= limit
    if limit is None or limit >= 4:
        raw[start:end].decode()  # no character is cut
    if tail is None:
        assert start == offset
        assert end > start or start == len(raw)
    else:
        assert end == len(raw)
        assert raw[start:].count(b"\n") <= tail


# -- times


def test_only_bytes_that_came_between_two_close_looks_have_a_time() -> None:
    arrivals = Arrivals(100, 10.0)
    arrivals.look(150, 10.5)
    arrivals.look(150, 14.0)
    arrivals.look(160, 14.2)
    arrivals.look(170, 20.0)
    assert [arrivals.of(end) for end in (1, 100)] == [None, None]
    assert [arrivals.of(end) for end in (101, 150)] == [10.5, 10.5]
    assert [arrivals.of(end) for end in (151, 160)] == [14.2, 14.2]
    assert [arrivals.of(end) for end in (161, 171)] == [None, None]


def test_many_looks_take_bounded_memory() -> None:
    arrivals = Arrivals(0, 0.0)
    for size in range(1, 100_000):
        arrivals.look(size, size / 100)
    assert len(arrivals._ends) <= 40_000
    assert arrivals.of(1) is None
    assert arrivals.of(99_999) == 999.99


# -- the spool


def test_what_is_spooled_without_a_gap_is_read_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    log = spool.open(JOB)
    log.add(3, b"later")
    assert (log.size, log.read(0, 10)) == (0, b"")
    log.add(0, b"abcdef")
    log.add(4, b"efgh")
    log.add(0, b"abc")
    again = Spool(tmp_path, 1 << 20).open(JOB)
    assert (again.read(2, 3), again.read(0, 100), again.final) == (b"cde", b"abcdefgh", False)
    again.finish(JOB | {"status": "SUCCEEDED"}, 9)
    assert not again.final
    again.finish(JOB | {"status": "SUCCEEDED"}, 8)
    assert spool.open(JOB).final
    kept = spool.job("job")
    assert kept is not None
    assert kept["status"] == "SUCCEEDED"
    assert spool.job("other") is None


def test_another_job_of_the_same_id_has_another_log(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    first = spool.open(JOB | {"runtime_env": {"env_vars": {"TOKEN": "secret"}}})
    assert not any("secret" in path.read_text() for path in tmp_path.iterdir())
    first.add(0, b"first")
    first.finish(JOB, 5)
    second = spool.open(JOB | {"start_time": 2})
    assert (second.size, second.final) == (0, False)


def test_the_spool_has_a_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    for number in range(20):
        log = spool.open(JOB | {"submission_id": f"j{number}"})
        log.add(0, b"x" * 300)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.log")) <= 1_000
    assert log.size == 300
    log.add(300, b"y" * 2_000)  # no room, whatever is removed
    assert log.size == 300
    assert log.read(0, 1_000) == b"x" * 300


def test_a_temporary_spool_goes_with_the_agent() -> None:
    spool = Spool(None)
    spool.open(JOB).add(0, b"data")
    assert spool.directory.exists()
    spool.close()
    assert not spool.directory.exists()


# -- sources


@asynccontextmanager
async def serving(handler: Any) -> AsyncIterator[URL]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield URL(f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def node_file(handler: Any) -> AsyncIterator[NodeFile]:
    async with serving(handler) as url, aiohttp.ClientSession() as session:
        yield NodeFile(session, url / "logs" / "x.log", None)


def from_node(handler: Any, position: int = 5, limit: int = 10) -> bytes:
    async def run() -> bytes:
        async with node_file(handler) as file:
            return await file.read(position, limit)

    return asyncio.run(run())


def size_at_node(handler: Any) -> int:
    async def run() -> int:
        async with node_file(handler) as file:
            return await file.size()

    return asyncio.run(run())


def test_parts_of_a_nodes_file(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"0123456789")

    async def file(request: web.Request) -> web.StreamResponse:
        # Something between answers HEAD by itself, which must not pass for the end of the log.
        return web.Response() if request.method == "HEAD" else web.FileResponse(path)

    assert size_at_node(file) == 10
    assert from_node(file) == b"56789"
    assert from_node(file, 2, 3) == b"234"
    assert from_node(file, 10) == b""
    with pytest.raises(LogLostError, match="shrank to 10 bytes"):
        from_node(file, 11)
    path.write_bytes(b"")
    assert size_at_node(file) == 0
    assert from_node(file, 0) == b""


@each_row(
    ("status", "headers", "body"),
    [
        (200, {}, b"0123456789"),
        (206, {"Content-Range": "bytes 0-4/10"}, b"01234"),
        (206, {"Content-Range": "bytes 5-9/10"}, b"x" * 5_000),
        (206, {}, b"56789"),
        (404, {}, b""),
        (401, {}, b""),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (500, {}, b""),
        (416, {}, b""),
        (416, {"Content-Range": "bytes */x"}, b""),
        (416, {"Content-Range": "bytes */10"}, b""),
        (206, {"Content-Range": "bytes 5-9/*"}, b"56789"),
        (206, {"Content-Range": "bytes 5-9/7"}, b"56789"),
        (206, {"Content-Range": f"bytes 5-9/{'9' * 5_000}"}, b"56789"),
    ],
)
def test_whatever_else_a_node_answers_is_no_log(status: int, headers: dict[str, str], body: bytes) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, body=body)

    with pytest.raises(InterruptedReadError):
        from_node(answer)


OLD = [b"1first li", b"1ne\n1 is in the log\n"]


@each_row(
    ("disposition", "chunks", "log"),
    [
        (False, OLD, b"first line\n1 is in the log\n"),
        (True, [b"1first", b"1"], b"1first1"),
        (True, [], b""),
        (False, [], b""),
    ],
)
def test_the_framing_of_every_ray(disposition: bool, chunks: list[bytes], log: bytes) -> None:
    assert asyncio.run(copied(disposition, chunks)) == log


async def copied(disposition: bool, chunks: list[bytes]) -> bytes:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v0/logs":
            return web.json_response({"data": {"result": {"driver": ["x.log"]}}})
        assert request.query["timeout"] == "3600"
        response = web.StreamResponse()
        if disposition:
            response.headers["Content-Disposition"] = "attachment"
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
        return response

    async with serving(answer) as url:
        ray = RayClient(str(url), None)
        try:
            file = StateFile(ray, asyncio.Semaphore(1), "node", "x.log")
            return await file.read(0, await file.size() or 1)
        finally:
            await ray.close()


def test_an_answer_that_fails_half_way_is_no_log() -> None:
    chunks = [b"1some of it", b"0Closing HTTP stream due to internal server error.\ngone"]
    with pytest.raises(InterruptedReadError, match="gone"):
        asyncio.run(copied(False, chunks))


class Cluster:
    """A dashboard and the agent of a node behind one address, and the log of a job."""

    def __init__(self, log: bytes | None) -> None:
        self.log = log
        # Whether the node's agent answers, and how often it or Ray was asked for the log.
        self.node_answers = True
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.job: dict[str, Any] = JOB | {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/api/jobs/"):
            return web.json_response(self.job)
        if request.path == "/api/v0/logs":
            names = [] if self.log is None else [request.query["glob"]]
            return web.json_response({"data": {"result": {"driver": names}}})
        if request.path == "/api/v0/logs/file":
            self.asked.append("Ray")
            if self.log is None:
                if self.asked.count("Ray") % 2:  # as Ray does for a missing file, now and then
                    return web.Response(headers={"Content-Disposition": "attachment"})
                return web.Response(status=500, text="job-driver-job.log not found")
            lines = int(request.query["lines"])
            kept = self.log.splitlines(keepends=True)
            body = self.log if lines == -1 else b"".join(kept[-lines:])
            return web.Response(body=body, headers={"Content-Disposition": "attachment"})
        self.asked.append("node")
        self.tokens.add(request.headers.get("Authorization"))
        if not self.node_answers:
            return web.Response(status=401)
        if self.log is None:
            return web.Response(status=404)
        part = self.log[request.http_range]
        start = request.http_range.start
        if not part:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.log)}"})
        where = f"bytes {start}-{start + len(part) - 1}/{len(self.log)}"
        return web.Response(status=206, body=part, headers={"Content-Range": where})

    @asynccontextmanager
    async def logs(self, scheme: str = "http") -> AsyncIterator[Logs]:
        async with serving(self.handle) as url:
            self.job["driver_agent_http_address"] = str(url)
            ray = RayClient(str(url), "token")
            # A dashboard behind TLS, as far as the nodes are concerned.
            ray.url = ray.url.with_scheme(scheme)
            logs = Logs(ray, Locator(ray, log_dir=None, token="token"), None)
            try:
                yield logs
            finally:
                await logs.close()
                await ray.close()


@pytest.mark.parametrize(("scheme", "token"), [("http", "Bearer token"), ("https", None)])
def test_the_nodes_get_no_token_where_the_dashboard_is_behind_tls(scheme: str, token: str | None) -> None:
    async def run() -> None:
        async with cluster.logs(scheme) as logs, logs.opened(cluster.job) as log:
            assert await log.size() == 6

    cluster = Cluster(b"a\nb\nc\n")
    asyncio.run(run())
    assert cluster.tokens == {token}


def test_the_last_lines_by_the_state_api_are_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(count: int) -> bytes | None:
        async with cluster.logs() as logs, logs.opened(cluster.job) as log:
            return await log.last_lines(count)

    cluster = Cluster(b"".join(b"%d\n" % number for number in range(1_000)))
    assert asyncio.run(run(2)) is None  # the node can say where they are
    cluster.node_answers = False
    got = asyncio.run(run(2))
    assert got is not None
    assert len(got) < 20
    assert got.endswith(b"998\n999\n")
    assert asyncio.run(run(10**9)) is None
    monkeypatch.setattr(state_file, "_MOST_HELD", 10)
    assert asyncio.run(run(10)) is None
    cluster.log = None
    assert asyncio.run(run(2)) is None


def test_a_log_that_is_not_there_yet_is_looked_for_at_its_node_again() -> None:
    async def run() -> bytes:
        async with asyncio.timeout(30), cluster.logs() as logs:
            task = asyncio.ensure_future(tail_to_end(logs, Window(), **cluster.job))
            while "Ray" not in cluster.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            cluster.log = b"one\n"
            while cluster.asked[-3:] != ["node"] * 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            cluster.job["status"] = "SUCCEEDED"
            return await task

    cluster = Cluster(None)
    assert asyncio.run(run()) == b"one\n"


@pytest.mark.parametrize("log", [b"", None])
def test_nothing_from_ray_is_an_empty_log_only_where_there_is_a_file(
    log: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray answers for a missing file as for an empty one."""
    monkeypatch.setattr(follow, "_MISSING_PATIENCE", 0.2)

    async def run() -> bytes:
        async with cluster.logs() as logs:
            return await tail_to_end(logs, Window(), **cluster.job)

    cluster = Cluster(log)
    cluster.node_answers = False
    cluster.job["status"] = "SUCCEEDED"
    if log is not None:
        assert asyncio.run(run()) == b""
    else:
        with pytest.raises(ApiError, match="the rest is lost or out of reach") as caught:
            asyncio.run(run())
        assert caught.value.status == 503


def test_both_ways_are_named_where_none_works() -> None:
    async def run() -> None:
        async with cluster.logs() as logs, logs.opened(cluster.job) as log:
            await log.size()

    cluster = Cluster(None)
    cluster.node_answers = False
    with pytest.raises(InterruptedReadError, match=r"refused this agent's Ray token, and Ray "):
        asyncio.run(run())


# -- following


class World:
    """A cluster of one job, which is over or not, away or not, and its log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.job_now = JOB | {}
        self.away = False
        self.deleted = False
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.url = URL("http://ray")
        self.address = "http://ray"

    async def job(self, job_id: str) -> dict[str, Any]:
        self.asked += 1
        await self.answers.wait()
        if self.deleted:
            raise ApiError(404, "there is no job job")
        if self.away:
            raise RayUnreachableError("Ray is unreachable at http://ray", maybe_sent=False)
        return self.job_now

    async def until_asked(self, times: int) -> None:
        while self.asked < times:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def nodes(self) -> list[dict[str, Any]]:
        return [{"node_id": "node", "is_head_node": True, "state": "ALIVE"}]


async def tail_to_end(logs: Logs, window: Window, **job: Any) -> bytes:
    async with logs.opened(JOB | job) as log:
        tail = Tail(log, window)
        while await tail.begin() is None:
            pass
        got = b""
        while (data := await tail.next()) is not None:
            got += data
        await tail.close()
    return got


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "job-driver-job.log")


def logs_of(world: World, spool: Spool | None = None) -> Logs:
    ray = cast("RayClient", world)
    return Logs(ray, Locator(ray, log_dir=world.path.parent, token=None), spool)


def test_ray_that_is_away_for_a_moment_ends_nothing(world: World) -> None:
    async def run() -> bytes:
        world.path.write_bytes(b"one\n")
        task = asyncio.ensure_future(tail_to_end(logs_of(world), Window()))
        world.away = True
        await world.until_asked(3)
        with world.path.open("ab") as file:
            file.write(b"two\n")
        world.job_now = JOB | {"status": "SUCCEEDED"}
        world.away = False
        return await task

    assert asyncio.run(run()) == b"one\ntwo\n"


def test_ray_that_does_not_answer_holds_no_line_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_STATUS_TIMEOUT", 3_600)

    async def run() -> None:
        world.path.write_bytes(b"one\n")
        async with asyncio.timeout(30), logs_of(world).opened(JOB) as log:
            tail = Tail(log, Window())
            world.answers.clear()
            assert await tail.next() in (b"", b"one\n")
            await world.until_asked(1)
            got = 0
            for number in range(2, 5):
                with world.path.open("ab") as file:
                    file.write(b"%d\n" % number)
                while got < number - 1:
                    got += (await tail.next() or b"").count(b"\n")
            assert world.asked == 1
            world.job_now = JOB | {"status": "SUCCEEDED"}
            world.answers.set()
            while await tail.next() is not None:
                pass
            assert tail.status == "SUCCEEDED"

    asyncio.run(run())


def test_ray_that_stays_away_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_CLUSTER_PATIENCE", 0.5)
    world.path.write_bytes(b"one\n")
    world.away = True
    with pytest.raises(ApiError, match=r"read up to byte 4, .*Ray is unreachable at http://ray") as caught:
        asyncio.run(tail_to_end(logs_of(world), Window()))
    assert caught.value.status == 503


def test_a_job_that_is_deleted_is_a_404_behind_its_lines(world: World) -> None:
    async def run() -> None:
        world.path.write_bytes(b"one\n")
        async with logs_of(world).opened(JOB) as log:
            tail = Tail(log, Window())
            while not await tail.next():
                pass
            world.deleted = True
            while await tail.next() is not None:
                pass

    with pytest.raises(ApiError, match=r"Ray does not know job job any more.*up to byte 4") as caught:
        asyncio.run(run())
    assert caught.value.status == 404


def test_a_job_that_was_submitted_again_is_another(world: World) -> None:
    world.path.write_bytes(b"one\n")
    world.job_now = JOB | {"start_time": 2, "status": "SUCCEEDED"}
    with pytest.raises(ApiError, match="does not know job job any more") as caught:
        asyncio.run(tail_to_end(logs_of(world), Window()))
    assert caught.value.status == 404


def test_a_log_that_vanishes_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_MISSING_PATIENCE", 0.2)
    world.path.write_bytes(b"one\n")

    async def run() -> None:
        task = asyncio.ensure_future(tail_to_end(logs_of(world), Window()))
        await world.until_asked(1)
        world.path.unlink()
        world.job_now = JOB | {"status": "SUCCEEDED"}
        await task

    with pytest.raises(ApiError, match="does not exist"):
        asyncio.run(run())


def test_a_log_that_vanishes_before_it_was_sent_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_MISSING_PATIENCE", 0.2)
    world.path.write_bytes(b"line\n" * 100_000)

    async def run() -> None:
        async with logs_of(world).opened(JOB) as log:
            tail = Tail(log, Window())
            while not await tail.next():
                pass
            world.path.unlink()
            world.job_now = JOB | {"status": "SUCCEEDED"}
            while await tail.next() is not None:
                pass

    with pytest.raises(ApiError, match="does not exist") as caught:
        asyncio.run(run())
    assert caught.value.status == 503


class Moving:
    """A log that takes its time to be found, then is a local file, and then has to be found again."""

    def __init__(self) -> None:
        self.raw = b"0123456789"
        self.end = 10
        self.final = self.remote = True
        self.failure = self.arrivals = None
        self.status = "SUCCEEDED"
        self.found = asyncio.Event()

    def follow(self) -> None:
        pass

    async def read(self, position: int, limit: int) -> bytes:
        if self.remote:
            await self.found.wait()
        return self.raw[position : position + min(limit, 4)]


def test_a_read_that_was_slow_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "_PATIENCE", 0.01)

    async def run() -> bytes:
        log = Moving()
        tail = Tail(cast("FollowedLog", log), Window())
        assert await tail.next() == b""  # under way
        log.remote = False
        log.found.set()
        got = await tail.next() or b""
        log.remote = True
        while (data := await tail.next()) is not None:
            got += data
        return got

    assert asyncio.run(run()) == b"0123456789"


def test_many_who_read_a_log_are_one_to_the_cluster(world: World) -> None:
    async def run() -> None:
        world.path.write_bytes(b"line\n" * 1_000)
        logs = logs_of(world)
        tails = [asyncio.ensure_future(tail_to_end(logs, Window())) for _ in range(50)]
        await world.until_asked(5)
        before, started = world.asked, time.monotonic()
        await asyncio.sleep(0.5)
        assert world.asked - before <= 2 + (time.monotonic() - started) / 0.1
        world.job_now = JOB | {"status": "SUCCEEDED"}
        for got in await asyncio.gather(*tails):
            assert len(got) == 5_000
        assert logs._followed == {}

    asyncio.run(run())


def test_a_log_that_was_kept_is_read_without_its_cluster(world: World, tmp_path: Path) -> None:
    async def run() -> None:
        world.path.write_bytes(b"one\ntwo\n")
        world.job_now = JOB | {"status": "SUCCEEDED"}
        assert await tail_to_end(logs_of(world, Spool(tmp_path / "kept", 1 << 20)), Window()) == b"one\ntwo\n"
        world.path.unlink()
        world.away = True
        logs = logs_of(world, Spool(tmp_path / "kept", 1 << 20))
        job = logs.spooled_job("job")
        assert job is not None
        for window, expected in ((Window(), b"one\ntwo\n"), (Window(tail=1), b"two\n"), (Window(8), b"")):
            assert await tail_to_end(logs, window, **job) == expected
        async with logs.opened(job) as log:
            assert await log.size() == 8
            assert await log.read(4) == b"two\n"

    asyncio.run(run())


@each_row(("text", "size"), [("1", 1), ("500M", 500 << 20), ("2g", 2 << 30)])
def test_sizes(text: str, size: int) -> None:
    assert _parser().parse_args(["serve", "--keep-logs", text]).keep_logs == size


@pytest.mark.parametrize("text", ["0", "-1", "2GB", "G", "", "1.5G", "\u0661"])
def test_sizes_that_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _parser().parse_args(["serve", f"--keep-logs={text}"])
    assert "not a size such as" in capsys.readouterr().err
