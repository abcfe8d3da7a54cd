"""Log streams over a real cluster: every byte accounted for, over either transport."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from running_agent import RunningAgent, dashboard, ray_token, running_agent
from stopwatch import Stopwatch
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from synapse_agent.logs.lines import PIECE

pytestmark = pytest.mark.ray

Event = dict[str, Any]
Read = Callable[[RunningAgent, str, int], list[Event]]

ODD = b"".join(
    (
        "héllo 🎉\n".encode(),
        b"crlf\r\n",
        b"10%\r20%\r30%\r\n",
        b"\n\n \n",
        b"bad \xff\xfe\xf0\x9f bytes\n",
        "one\u2028line\x85still\x0b\x0c\x1c\x00here\n".encode(),
        b"\x1b[31mred\x1b[0m\n",
        b"x" * PIECE + b"\n",
        ("é" * PIECE + "🎉" * PIECE).encode() + b"\n",
        b"the end has no newline",
    )
)


def websocket(agent: RunningAgent, job_id: str, offset: int = 0) -> list[Event]:
    url = f"{agent.ws_url}/jobs/{job_id}/logs/" + (f"?offset={offset}" if offset else "")
    with connect(url, additional_headers=agent.headers, compression=None) as ws:
        events = [json.loads(message) for message in ws]
        assert ws.protocol.close_code == 1000
    return events


def sse_events(response: httpx.Response) -> Iterator[Event]:
    """Parsed to the letter: what is not as our contract has it fails."""
    pending = b""
    for chunk in response.iter_raw():
        *events, pending = (pending + chunk).split(b"\n\n")
        for event in events:
            lines = event.decode("ascii").split("\n")
            data = json.loads(lines.pop().removeprefix("data: "))
            assert lines == ([f"id: {data['offset']}"] if "offset" in data else [])
            yield data
    assert pending == b""


def http(agent: RunningAgent, job_id: str, offset: int = 0) -> list[Event]:
    headers = {"Last-Event-ID": str(offset)} if offset else {}
    with agent.http.stream("GET", f"jobs/{job_id}/logs/stream/", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        return list(sse_events(response))


BOTH = pytest.mark.parametrize("read", [websocket, http])


def check(raw: bytes, events: list[Event], start: int, status: str = "SUCCEEDED") -> None:
    """The events are the log from `start` on, line by line."""
    assert events[0] == {"type": "connected", "offset": start}
    assert events[-1] == {"type": "complete", "status": status}
    position = start
    for event in events[1:-1]:
        if event["type"] == "heartbeat":
            continue
        assert event.keys() - {"time"} == {"type", "message", "offset"}
        part = raw[position : event["offset"]]
        assert b"\n" not in part[:-1]
        if part.endswith(b"\n"):
            assert event["message"] == part[:-1].decode("utf-8", "replace")
        else:
            assert event["message"] == part.decode("utf-8", "replace")
            assert event["offset"] == len(raw) or PIECE - 3 <= len(part) <= PIECE
        position = event["offset"]
    assert position == len(raw)


@pytest.fixture(scope="module")
def odd_job(agent: RunningAgent) -> str:
    """A finished job whose log ends with ODD."""
    source = "sys.stdout.buffer.write(bytes.fromhex(p['hex']))\nsys.stdout.buffer.flush()"
    job_id = agent.submit(source, params={"hex": ODD.hex()})
    assert agent.wait(job_id)["status"] == "SUCCEEDED"
    assert agent.raw_log(job_id).endswith(ODD)
    return job_id


@BOTH
def test_whole_log_after_the_end(agent: RunningAgent, odd_job: str, read: Read) -> None:
    check(agent.raw_log(odd_job), read(agent, odd_job, 0), 0)


@BOTH
def test_from_any_offset(agent: RunningAgent, odd_job: str, read: Read) -> None:
    raw = agent.raw_log(odd_job)
    odd = len(raw) - len(ODD)
    long = raw.index(b"x" * 100)
    offsets = [1, *range(odd - 2, odd + 60), long + 5, long + PIECE, long + PIECE + 1, len(raw) - PIECE]
    for offset in [*offsets, len(raw) - 1, len(raw)]:
        check(raw, read(agent, odd_job, offset), offset)


def test_the_log_as_one_string(agent: RunningAgent, odd_job: str) -> None:
    response = agent.http.get(f"jobs/{odd_job}/logs/")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == agent.raw_log(odd_job).decode("utf-8", "replace")


def test_http_takes_the_offset_as_a_parameter_too(agent: RunningAgent, odd_job: str) -> None:
    end = len(agent.raw_log(odd_job))
    path = f"jobs/{odd_job}/logs/stream/?offset={end - 4}"
    for headers, messages in (({}, ["line"]), ({"Last-Event-ID": str(end)}, [])):
        with agent.http.stream("GET", path, headers=headers) as response:
            assert [e["message"] for e in sse_events(response) if e["type"] == "log"] == messages


def test_a_client_that_does_not_ask_for_events_gets_no_ids(agent: RunningAgent, odd_job: str) -> None:
    path = f"jobs/{odd_job}/logs/stream/"
    with agent.http.stream("GET", path, headers={"Accept": "*/*"}) as response:
        lines = b"".join(response.iter_raw()).split(b"\n")
    assert {line[:6] for line in lines} == {b"data: ", b""}


def test_offsets_that_are_refused(agent: RunningAgent, odd_job: str) -> None:
    beyond = str(len(agent.raw_log(odd_job)) + 1)
    for offset, status in (
        (beyond, 416),
        ("-1", 400),
        ("x", 400),
        ("1.5", 400),
        ("9" * 30, 400),
        ("\u0661", 400),
    ):
        stream = f"jobs/{odd_job}/logs/stream/"
        response = agent.http.get(stream, params={"offset": offset})
        assert (response.status_code, list(response.json())) == (status, ["detail"])
        assert agent.http.get(stream, headers={"Last-Event-ID": offset.encode()}).status_code == status
        with pytest.raises(InvalidStatus) as refused:
            connect(f"{agent.ws_url}/jobs/{odd_job}/logs/?offset={offset}", additional_headers=agent.headers)
        assert refused.value.response.status_code == status
        assert b"detail" in refused.value.response.body


def test_unknown_jobs_and_wrong_tokens_are_refused_before_the_upgrade(agent: RunningAgent) -> None:
    for token, job_id, status in (
        (agent.token, "none", 404),
        ("wrong", "none", 401),
        (agent.token, "a.b", 400),
    ):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"{agent.ws_url}/jobs/{job_id}/logs/", additional_headers={"Authorization": token})
        assert refused.value.response.status_code == status
        response = agent.http.get(f"jobs/{job_id}/logs/stream/", headers={"Authorization": token})
        assert response.status_code == status


def test_attached_before_the_start_each_line_comes_as_it_is_written(agent: RunningAgent) -> None:
    source = "for i in range(12):\n    print(i, time.time(), flush=True)\n    time.sleep(0.1)"
    watch = Stopwatch(agent.pid)
    job_id = agent.submit(source)
    events: dict[str, list[Event]] = {}
    threads = [
        threading.Thread(target=lambda read=read: events.update({read.__name__: read(agent, job_id, 0)}))
        for read in (websocket, http)
    ]
    late: list[float] = []
    url = f"{agent.ws_url}/jobs/{job_id}/logs/"
    with connect(url, additional_headers=agent.headers) as ws:
        for thread in threads:
            thread.start()
        for message in ws:
            event = json.loads(message)
            words = event.get("message", "").split(" ")
            if len(words) == 2 and words[0].isdecimal():
                late.append(time.time() - float(words[1]))
        ended = time.time()
    for thread in threads:
        thread.join()
    raw = agent.raw_log(job_id)
    for got in events.values():
        check(raw, got, 0)
    assert len(late) == 12
    # What the machine kept from agent and test, the job's own process not counted, is nobody's delay.
    stalled = time.monotonic() - watch.started - watch.seconds()
    assert sorted(late)[6] < 0.25 + stalled
    assert ended - agent.http.get(f"jobs/{job_id}/").json()["end_time"] / 1000 < 2 + stalled


def test_a_quiet_job(agent: RunningAgent) -> None:
    """It shows life, it notices clients that go, and it tells when the job was stopped."""
    job_id = agent.submit("print('quiet now', flush=True)\ntime.sleep(120)")
    agent.wait(job_id, "RUNNING")
    before = open_sockets(agent)
    with (
        raw_websocket(agent, job_id) as sock,
        agent.http.stream("GET", f"jobs/{job_id}/logs/stream/", timeout=20) as response,
        connect(f"{agent.ws_url}/jobs/{job_id}/logs/", additional_headers=agent.headers) as ws,
    ):
        got = b""
        while b"\x89\x00" not in got:  # an empty ping
            got += sock.recv(4096) or pytest.fail("closed")
        sock.sendall(bytes((0x89, 0x81, 0, 0, 0, 0)) + b"p")
        while b"\x8a\x01p" not in got:  # answered at once, in the silence
            got += sock.recv(4096) or pytest.fail("closed")
        events = sse_events(response)
        while next(events)["type"] != "heartbeat":
            pass
        assert ws.ping().wait(60)
        busy = open_sockets(agent)
        assert busy > before
        for _ in range(10):  # clients that come and go in every way
            raw_websocket(agent, job_id).close()
            with connect(f"{agent.ws_url}/jobs/{job_id}/logs/", additional_headers=agent.headers) as other:
                other.recv()
            with httpx.stream(
                "GET", f"{agent.url}/jobs/{job_id}/logs/stream/", headers=agent.headers
            ) as gone:
                next(gone.iter_raw())
        deadline = time.monotonic() + 60
        while open_sockets(agent) > busy:
            assert time.monotonic() < deadline, "streams without a client are still open"
            time.sleep(0.05)
        assert agent.http.post(f"jobs/{job_id}/stop/").json() == {"stopped": True}
        complete = {"type": "complete", "status": "STOPPED"}
        assert [json.loads(message) for message in ws][-1] == complete
        assert list(events)[-1] == complete


def test_a_client_that_pauses_holds_nothing_up(agent: RunningAgent) -> None:
    """Its stream waits, in bounded memory, and goes on where it was."""
    source = "line = '.' * 999 + '\\n'\nfor _ in range(60):\n    sys.stdout.write(line * 1000)"
    job_id = agent.submit(source)
    agent.wait(job_id)
    before = memory(agent)
    url = f"{agent.ws_url}/jobs/{job_id}/logs/"
    with connect(url, additional_headers=agent.headers, compression=None, max_queue=1) as slow:
        time.sleep(1.5)
        assert memory(agent) - before < 30 << 20
        watch = Stopwatch(agent.pid)
        assert agent.http.get("health/").status_code == 200
        assert watch.seconds() < 1
        assert sum(1 for _ in slow) == 60_000 + 2 + 2
    check(agent.raw_log(job_id), http(agent, job_id, 0), 0)
    assert len(agent.http.get(f"jobs/{job_id}/logs/").content) > 60_000_000
    assert memory(agent) - before < 60 << 20


def test_over_a_cluster_that_is_not_ours(agent: RunningAgent, odd_job: str) -> None:
    """The same streams, through Ray's dashboard instead of the file."""
    raw = agent.raw_log(odd_job)
    with running_agent("--ray", dashboard(agent), RAY_AUTH_TOKEN=ray_token(agent)) as other:
        assert other.http.get("health/").json()["ray_available"] is True
        for read in (websocket, http):
            for offset in (0, len(raw) - len(ODD) + 7, len(raw) - 200_001, len(raw)):
                check(raw, read(other, odd_job, offset), offset)
        assert other.http.get(f"jobs/{odd_job}/logs/").json() == raw.decode("utf-8", "replace")
        response = other.http.get(f"jobs/{odd_job}/logs/stream/?offset={len(raw) + 1}")
        assert '"status_code": 416' in response.text
        live = other.submit(
            "for i in range(20):\n    print(i, flush=True)\n    time.sleep(0.05)\nprint(end='end')"
        )
        for read in (websocket, http):
            check(agent.raw_log(live), read(other, live, 0), 0) if read is http else None
            if read is websocket:
                events = read(other, live, 0)
                check(agent.raw_log(live), events, 0)
        assert other.stderr == ""


def open_sockets(agent: RunningAgent) -> int:
    """Count what streams may hold: sockets, to their clients and to Ray, and the log where it is kept open.

    Idle connections to Ray are closed after some seconds.
    """
    links: list[str] = []
    for entry in Path(f"/proc/{agent.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            links.append(str(entry.readlink()))
    return sum(link.startswith("socket:") or "job-driver" in link for link in links)


def memory(agent: RunningAgent) -> int:
    resident = Path(f"/proc/{agent.pid}/statm").read_text().split()[1]
    return int(resident) * os.sysconf("SC_PAGE_SIZE")


def raw_websocket(agent: RunningAgent, job_id: str) -> socket.socket:
    url = httpx.URL(agent.url)
    sock = socket.create_connection((url.host, url.port), timeout=20)
    sock.sendall(
        f"GET /jobs/{job_id}/logs/ HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: {agent.token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    return sock


def test_shutdown_is_told(agent: RunningAgent) -> None:
    """A stopping agent says 1001 on its WebSockets and cuts its HTTP streams, so that clients come again."""
    job_id = agent.submit("time.sleep(60)")
    agent.wait(job_id, "RUNNING")
    with running_agent("--ray", dashboard(agent), RAY_AUTH_TOKEN=ray_token(agent)) as other:
        with connect(f"{other.ws_url}/jobs/{job_id}/logs/", additional_headers=other.headers) as ws:
            ws.recv()
            with other.http.stream("GET", f"jobs/{job_id}/logs/stream/") as response:
                chunks = response.iter_raw()
                next(chunks)
                other.process.terminate()
                with pytest.raises(ConnectionClosed) as closed:
                    list(iter(ws.recv, None))
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1001
                with pytest.raises(httpx.RemoteProtocolError):
                    list(chunks)
        assert other.process.wait(60) == 0
        assert other.stderr == ""
    agent.http.post(f"jobs/{job_id}/stop/")
