"""The benchmarks' own machinery: the replay server, the verdicts and the table. Nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from checkout import ROOT
from tables import each_row

sys.path.insert(0, str(ROOT))

from benchmarks._payloads import log_named
from benchmarks._picture import picture
from benchmarks._replay_server import ReplayServer
from benchmarks._report import judged, report
from benchmarks._rows import OURS, ROWS, Row
from benchmarks._runner import turns
from synapse_sdk.clients.agent import AgentClient

pytestmark = pytest.mark.slow

ROW = {row.key: row for row in ROWS}


@pytest.fixture
def url() -> Iterator[str]:
    server = ReplayServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/"
    server.close()
    thread.join()


@pytest.mark.parametrize("protocol", ["websocket", "http"])
@pytest.mark.parametrize("name", ["lines130-5000", "lines10-300", "lines5000-70", "packets130-20"])
def test_a_replayed_log_is_read_whole(url: str, name: str, protocol: Any) -> None:
    log = log_named(name)
    with AgentClient(url, "token") as client:
        stream = client.tail_job_logs(name, protocol=protocol)
        assert list(stream) == [log.line(number) for number in range(log.count)]
    assert stream.reconnects == 0
    assert {len(log.line(number)) for number in range(log.count)} == {log.size}


def test_a_paced_log_carries_the_moment_of_its_writing(url: str) -> None:
    with AgentClient(url, "token") as client:
        moments = [int(line.split(" ")[0]) for line in client.tail_job_logs("paced130-20")]
    assert len(moments) == 20
    assert moments == sorted(moments)


def test_rest_answers_fit_the_spec(url: str) -> None:
    with AgentClient(url, "token") as client:
        assert client.get_job("raysubmit_1").status == "RUNNING"
        assert len(client.list_jobs()) == 1_000
        tasks = client.list_tasks()
        assert len(tasks) == 10_000
        assert {task.type for task in tasks} == {"NORMAL_TASK"}


def test_an_unknown_log_is_refused() -> None:
    with pytest.raises(ValueError, match="no log 'words10-5'"):
        log_named("words10-5")


def test_each_round_has_everybody_and_another_one_first() -> None:
    contenders = ROW["ws"].contenders
    orders = [turns(contenders, number) for number in range(len(contenders))]
    assert all(set(order) == set(contenders) for order in orders)
    assert len({order[0].name for order in orders}) > len(contenders) // 2


def test_keys_and_contenders_are_unique() -> None:
    assert len(ROW) == len(ROWS)
    for row in ROWS:
        names = [who.name for who in row.contenders]
        assert names[0] == OURS
        assert len(set(names)) == len(names)
        assert all((ROOT / "benchmarks" / "workers" / who.program).exists() for who in row.contenders)


def result(row: Row, rounds: list[dict[str, float]], **absent: str) -> dict[str, Any]:
    """Samples with these values for the metric that the row compares."""
    metric = row.metrics[0]
    samples = [{name: {metric: value} for name, value in taken.items()} for taken in rounds]
    return {"items": row.items, "rounds": samples, "absent": absent}


def test_ratios_are_taken_within_rounds() -> None:
    # The machine is three times slower in the second round, which no ratio shows.
    row = ROW["http"]
    (verdict,) = judged(row, result(row, [{OURS: 1, "requests": 2.1}, {OURS: 3, "requests": 6.3}]))
    assert verdict.met is True
    assert verdict.reached.startswith("2.10 (2.10..2.10) ")


def test_a_target_is_missed_by_the_median() -> None:
    row = ROW["http"]
    rounds = [{OURS: 1, "requests": value} for value in (1.8, 1.9, 2.5)]
    (verdict,) = judged(row, result(row, rounds))
    assert verdict.met is False
    assert verdict.reached.startswith("1.90 (1.80..2.50) ")


def test_ahead_of_all_is_decided_by_the_nearest_peer_and_not_by_a_bound() -> None:
    row = ROW["5k-ws"]
    taken = {OURS: 1.0, "bare socket + json": 0.5, "aiohttp": 1.2, "websockets": 4.0}
    (ahead,) = judged(row, result(row, [taken]))
    assert ahead.met is True
    assert ahead.reached.startswith("nearest: aiohttp takes 1.20")
    assert "not measured: httpx-ws" in ahead.reached
    (behind,) = judged(row, result(row, [taken | {"aiohttp": 0.9}]))
    assert behind.met is False


def test_what_was_not_measured_is_not_met() -> None:
    row = ROW["http"]
    (verdict,) = judged(row, result(row, [{OURS: 1}], requests="requests is not installed"))
    assert verdict.met is None
    assert verdict.reached == "not measured: requests is not installed"


@each_row(("rate", "met"), [(150_000, True), (149_000, False)])
def test_an_absolute_target(rate: float, met: bool) -> None:
    row = ROW["agent-finished-ws"]
    (verdict,) = judged(row, result(row, [{OURS: rate}]))
    assert (verdict.met, verdict.target) == (met, "≥ 150,000 lines/s")


@pytest.fixture
def stored() -> dict[str, Any]:
    rows = {
        row.key: result(row, [{who.name: 0.001 * place for place, who in enumerate(row.contenders, 1)}])
        for row in ROWS
    }
    return {"machine": "a <machine>", "python": "3.12.1", "date": "2026-11-25", "rows": rows}


def test_the_table_has_every_row(stored: dict[str, Any]) -> None:
    text = report(ROWS, stored)
    for row in ROWS:
        assert f"\n{row.title}  " in text
    assert "a <machine>; Python 3.12.1" in text


def test_the_picture_is_well_formed_and_says_in_words_what_it_shows(stored: dict[str, Any]) -> None:
    svg = picture(ROWS, stored)
    root = ET.fromstring(svg)
    described = root.find("{http://www.w3.org/2000/svg}desc")
    assert described is not None
    assert described.text is not None
    for row in ROWS:
        assert (row.title in described.text) == row.picture
    assert "prefers-color-scheme: dark" in svg


def test_the_command_names_its_rows() -> None:
    command = [sys.executable, "-m", "benchmarks", "--list"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(ROW)


def test_a_row_that_does_not_exist_is_an_error() -> None:
    command = [sys.executable, "-m", "benchmarks", "--rows", "no-such-row"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no row is called 'no-such-row'" in done.stderr
