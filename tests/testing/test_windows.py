"""Parts of logs, and filters and pages of lists: of an agent that knows them, and of one that doesn't."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientError, HTTPError, NotFoundError, ValidationError
from synapse_sdk.long_poll import LongPollRequest, LongPollResponse
from synapse_sdk.long_poll._forward import Forwarder
from synapse_sdk.testing import FakeAgent

from .ways import Way, each_way

LOG = "".join(f"line {number} é🚀\n" for number in range(1, 41)) + "unfinished"
WINDOWS: list[dict[str, int]] = [
    {},
    {"tail": 0},
    {"tail": 1},
    {"tail": 3},
    {"tail": 1000},
    {"offset": 0},
    {"offset": 31},
    {"offset": len(LOG.encode())},
    {"limit_bytes": 0},
    {"limit_bytes": 10},
    {"limit_bytes": 1_000_000},
    {"offset": 31, "limit_bytes": 12},
    {"offset": len(LOG.encode()) - 11, "tail": 5},
    {"offset": 100, "tail": 5, "limit_bytes": 47},
]


def part_of(log: bytes, window: dict[str, int]) -> str:
    """What a window has, said in another way than the code has it."""
    start = window.get("offset", 0)
    if "tail" in window:
        lines = log.splitlines(keepends=True)
        start = max(start, len(b"".join(lines[: max(0, len(lines) - window["tail"])])))
    data = log[start:]
    limit = window.get("limit_bytes", len(data))
    # What is left of a character at either end is left out.
    return (
        data[-limit or len(data) :].decode(errors="ignore")
        if "tail" in window
        else (data[:limit].decode(errors="ignore"))
    )


@each_way
@pytest.mark.parametrize("windows", [True, False], ids=["new agent", "old agent"])
def test_a_part_of_a_log(agent: FakeAgent, way: Way, windows: bool) -> None:
    agent.windows = windows
    agent.add_job("train").write(LOG)
    for window in WINDOWS:
        assert way.call(agent, "get_job_logs", "train", **window) == part_of(LOG.encode(), window), window


def test_the_answer_tells_which_bytes_it_has(agent: FakeAgent) -> None:
    agent.add_job("train", logs=["one", "two é", "three"])
    client = agent.client()
    collected, position = "", 0
    while True:
        answer = client.with_raw_response.get_job_logs("train", offset=position, limit_bytes=9)
        assert int(answer.headers["Synapse-Log-Offset"]) == position
        position = int(answer.headers["Synapse-Log-Next"])
        if not answer.parsed:
            break
        collected += answer.parsed
    assert (collected, position) == ("one\ntwo é\nthree\n", 17)


def test_windows_go_on_even_if_a_character_is_larger(agent: FakeAgent) -> None:
    agent.add_job("train").write("🚀")
    answers = agent.client().with_raw_response
    nexts = [
        answers.get_job_logs("train", offset=at, limit_bytes=1).headers["Synapse-Log-Next"] for at in range(4)
    ]
    assert nexts == ["1", "2", "3", "4"]


@pytest.mark.parametrize("windows", [True, False], ids=["new agent", "old agent"])
def test_bad_windows(agent: FakeAgent, windows: bool) -> None:
    agent.windows = windows
    agent.add_job("train", logs=["one"])
    client = agent.client()
    for name in ("tail", "offset", "limit_bytes"):
        with pytest.raises(ValidationError, match=name):
            client.get_job_logs("train", **{name: -1})
    assert not agent.requests
    with pytest.raises(HTTPError, match="fewer than 5 bytes") as caught:
        client.get_job_logs("train", offset=5)
    assert (caught.value.status_code, caught.value.operation) == (416, "get job logs")
    with pytest.raises(NotFoundError):
        client.get_job_logs("none", tail=1)


@pytest.mark.parametrize("query", ["tail=-1", "tail=x", "offset=1e3", "limit_bytes=-1", f"offset={10**18}"])
@pytest.mark.parametrize("path", ["jobs/train/logs/", "jobs/train/logs/stream/"])
def test_an_agent_refuses_bad_windows(agent: FakeAgent, path: str, query: str) -> None:
    agent.add_job("train", logs=["one"])
    with pytest.raises(ValidationError, match=query.partition("=")[0]) as caught:
        agent.client().request("GET", f"{path}?{query}")
    assert caught.value.status_code == 400


def test_a_part_of_a_log_without_a_newer_agent_takes_little_memory(agent: FakeAgent) -> None:
    agent.windows = False
    job = agent.add_job("train")
    for _ in range(20):
        job.write("a line of a log, as long as they are\n" * 30_000)
    client = agent.client(timeout=60)
    client.get_job("train")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        assert client.get_job_logs("train", tail=2).count("\n") == 2
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    # The fake agent is in this process, and makes one JSON of the 22 MB.
    assert peak < 3 * len(job.text) + 5_000_000


def test_a_raw_answer_is_the_agents(agent: FakeAgent) -> None:
    agent.windows = False
    agent.add_job("train", logs=["one", "two"])
    answer = agent.client().with_raw_response.get_job_logs("train", tail=1)
    assert answer.parsed == "one\ntwo\n"
    assert "Synapse-Log-Offset" not in answer.headers


class Handler:
    """A long-poll handler that passes on no headers, as those in the field."""

    def __init__(self, agent: FakeAgent) -> None:
        self._forwarder = Forwarder(agent.serve())
        self._answers: dict[str, LongPollResponse] = {}

    def set_request(self, request: LongPollRequest) -> str:
        answer: dict[str, Any] = dict(self._forwarder.answer(request))
        del answer["headers"]
        self._answers["1"] = answer  # type: ignore[assignment]
        return "1"

    def get_response(self, request_id: str, timeout_seconds: float | None = None) -> LongPollResponse:
        return self._answers[request_id]

    def close(self) -> None:
        self._forwarder.close()


@pytest.mark.parametrize("windows", [True, False], ids=["new agent", "old agent"])
def test_over_long_polls_nothing_is_lost(agent: FakeAgent, windows: bool) -> None:
    agent.windows = windows
    agent.add_job("train").write(LOG)
    for number in range(7):
        agent.add_job(f"job-{number}")
    handler = Handler(agent)
    with AgentClient(None, agent.token, long_poll_handler=handler) as client:
        for window in WINDOWS:
            assert client.get_job_logs("train", **window) == part_of(LOG.encode(), window), window
        assert len(list(client.iter_jobs(page_size=2))) == 8
    handler.close()


# -- lists


def some_jobs(agent: FakeAgent) -> None:
    for number in range(1, 8):
        team = "vision" if number % 2 else "speech"
        agent.add_job(
            f"job-{number}",
            status="FAILED" if number % 3 == 0 else "RUNNING",
            extra={"metadata": {"team": team, "n=": "a=b"}} if number < 7 else {"metadata": None},
        )


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [7, 6, 5, 4, 3, 2, 1]),
    ({"status": "FAILED"}, [6, 3]),
    ({"status": "SUCCEEDED"}, []),
    ({"metadata": ["team=vision"]}, [5, 3, 1]),
    ({"metadata": {"team": "vision", "n=": "a=b"}}, []),
    ({"metadata": {"team": "speech"}}, [6, 4, 2]),
    ({"metadata": ["team"]}, [6, 5, 4, 3, 2, 1]),
    ({"metadata": ["team=vision", "n"]}, []),
    ({"metadata": ["team="]}, []),
    ({"status": "RUNNING", "metadata": ["team=speech"]}, [4, 2]),
]


@each_way
@pytest.mark.parametrize("windows", [True, False], ids=["new agent", "old agent"])
def test_jobs_are_walked(agent: FakeAgent, way: Way, windows: bool) -> None:
    agent.windows = windows
    some_jobs(agent)
    for filters, numbers in FILTERS:
        for size in (1, 2, 7, 100):
            found = way.call(agent, "iter_jobs", page_size=size, **filters)
            assert [job.submission_id for job in found] == [f"job-{number}" for number in numbers], filters


@each_way
def test_jobs_are_filtered_and_paged(agent: FakeAgent, way: Way) -> None:
    some_jobs(agent)
    for filters, numbers in FILTERS:
        found = way.call(agent, "list_jobs", **filters)
        assert [job.submission_id for job in found] == [f"job-{number}" for number in numbers], filters
    first = agent.client().with_raw_response.list_jobs(limit=3)
    assert len(first.parsed) == 3
    rest = agent.client().with_raw_response.list_jobs(cursor=first.headers["Synapse-Next-Cursor"])
    assert [job.submission_id for job in rest.parsed] == ["job-4", "job-3", "job-2", "job-1"]
    assert "Synapse-Next-Cursor" not in rest.headers


def test_a_list_without_parameters_is_as_ever(agent: FakeAgent) -> None:
    some_jobs(agent)
    answer = agent.client().with_raw_response.list_jobs()
    assert len(answer.parsed) == 7
    assert "Synapse-Next-Cursor" not in answer.headers


def test_jobs_that_come_and_go_while_they_are_walked(agent: FakeAgent) -> None:
    some_jobs(agent)
    client = agent.client()
    walk = client.iter_jobs(page_size=2)
    seen = [next(walk).submission_id, next(walk).submission_id]
    client.stop_job("job-5")
    client.delete_job("job-6")
    client.delete_job("job-5")
    agent.add_job("job-8")
    seen += [job.submission_id for job in walk]
    assert seen == ["job-7", "job-6", "job-4", "job-3", "job-2", "job-1"]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"cursor": "nonsense"}, 400),
        ({"cursor": ""}, 422),
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"status": "LOST"}, 422),
        ({"metadata": [""]}, 422),
    ],
)
def test_bad_parameters_of_a_list(agent: FakeAgent, parameters: dict[str, Any], status: int) -> None:
    with pytest.raises(ClientError, match=next(iter(parameters))) as caught:
        agent.client().list_jobs(**parameters)
    assert caught.value.status_code == status


@each_way
def test_a_job_is_deleted_once_it_is_over(agent: FakeAgent, way: Way) -> None:
    job = agent.add_job("train")
    with pytest.raises(HTTPError, match="stop it") as caught:
        way.call(agent, "delete_job", "train")
    assert caught.value.status_code == 409
    job.succeed()
    assert way.call(agent, "delete_job", "train") is None
    with pytest.raises(NotFoundError):
        way.call(agent, "get_job", "train")
    with pytest.raises(NotFoundError):
        way.call(agent, "delete_job", "train")


@each_way
def test_tasks_are_filtered(agent: FakeAgent, way: Way) -> None:
    agent.add_job("train")
    ray_id = agent.client().get_job("train").job_id
    agent.add_task("a", job_id=ray_id, state="FAILED")
    agent.add_task("b", job_id=ray_id)
    agent.add_task("c", job_id="ff000000", state="FAILED")

    def names(**filters: Any) -> list[str]:
        return [task.name for task in way.call(agent, "list_tasks", **filters)]

    assert names() == ["a", "b", "c"]
    assert names(job_id="train") == names(job_id=ray_id) == ["a", "b"]
    assert names(job_id="other") == []
    assert names(state="FAILED") == ["a", "c"]
    assert names(state="FAILED", job_id="train") == ["a"]
    assert names(limit=2) == ["a", "b"]
    agent.windows = False
    assert names(limit=2, state="FAILED") == ["a", "b", "c"]


def test_ten_thousand_jobs_take_the_memory_of_a_page(agent: FakeAgent) -> None:
    for number in range(10_000):
        agent.add_job(f"job-{number}")
    client = agent.client()
    next(client.iter_jobs())
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        count = sum(1 for _ in client.iter_jobs(page_size=500))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert len([request for request in agent.requests if request.operation == "list_jobs"]) == 21
    # A page of 500 jobs is 0.2 MB of JSON, which the agent in this process has as well.
    assert peak - before < 8_000_000
    assert held - before < 4_000_000
