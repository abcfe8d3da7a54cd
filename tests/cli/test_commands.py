"""The commands but for logs, against an agent that answers by script."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import Any

from checkout import environment
from streaming.scripted import Agent, Peer
from tables import each_row

JOBS = [
    {
        "submission_id": "old",
        "status": "SUCCEEDED",
        "start_time": 1_000_000,
        "end_time": 1_065_000,
        "entrypoint": "a",
    },
    {"submission_id": "new", "status": "RUNNING", "start_time": 2_000_000, "entrypoint": "b " * 200},
    {"submission_id": "waiting", "status": "PENDING", "entrypoint": "[red]c[/red]", "future": float("nan")},
]


def answers(*values: object, status: int = 200) -> Agent:
    agent = Agent(lambda peer: None)
    for value in values:
        body = json.dumps(value).encode()
        agent.status_answers.append(lambda peer, body=body: peer.answer(status, body))
    return agent


def test_a_table_in_a_pipe_is_neither_cut_nor_coloured(synapse: Any, at: Any) -> None:
    with answers(JOBS) as agent:
        at(agent)
        result = synapse("jobs", "list")
    head, *rows = result.out.splitlines()
    assert head.split() == ["JOB", "STATUS", "STARTED", "RAN", "ENTRYPOINT"]
    assert [row.split()[:2] for row in rows] == [
        ["waiting", "PENDING"],
        ["new", "RUNNING"],
        ["old", "SUCCEEDED"],
    ]
    assert rows[0].endswith("[red]c[/red]")
    assert rows[1].endswith(("b " * 200).strip())
    assert "1m5s" in rows[2]
    assert "\x1b" not in result.out


def test_a_table_in_a_terminal_keeps_ids_whole(terminal: Any, at: Any) -> None:
    with answers(JOBS) as agent:
        at(agent)
        screen = terminal("jobs", "list", columns=60)
        assert screen.exit_code() == 0
    assert "waiting" in screen.text
    assert "[red]c[/red]" in screen.text
    assert "…" in screen.text
    assert b"\x1b[36mRUNNING" in screen.raw


def test_a_table_that_has_no_room_for_ids_lets_lines_be_long(terminal: Any, at: Any) -> None:
    job_id = "an-id-of-some-length-" * 4
    with answers([{"submission_id": job_id, "status": "RUNNING", "entrypoint": "x"}]) as agent:
        at(agent)
        screen = terminal("jobs", "list", columns=60)
        assert screen.exit_code() == 0
    assert job_id.encode() in screen.raw


def test_a_table_without_colour(terminal: Any, at: Any) -> None:
    with answers(JOBS) as agent:
        at(agent)
        screen = terminal("jobs", "list", env={"NO_COLOR": "1"})
        assert screen.exit_code() == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", screen.raw)


def test_filters(synapse: Any, at: Any) -> None:
    with answers(JOBS, JOBS) as agent:
        at(agent)
        running = synapse("jobs", "list", "-s", "running", "-s", "PENDING", "--json")
        newest = synapse("jobs", "list", "-n", "1", "--json")
    assert [job["submission_id"] for job in json.loads(running.out)] == ["waiting", "new"]
    assert [job["submission_id"] for job in json.loads(newest.out)] == ["waiting"]


def test_json_is_what_the_agent_sent_and_valid(synapse: Any, at: Any) -> None:
    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    with answers(JOBS, JOBS[0], []) as agent:
        at(agent)
        many = json.loads(synapse("jobs", "list", "--json").out, parse_constant=refused)
        one = json.loads(synapse("jobs", "get", "old", "--json").out)
        none = synapse("jobs", "list", "--json")
    assert one == JOBS[0]
    assert {job["submission_id"]: job for job in many}["waiting"]["future"] is None
    assert (none.out, none.err) == ("[]\n", "")


def test_details_for_people(synapse: Any, at: Any) -> None:
    job = {**JOBS[0], "message": "first\nsecond \x1b[2J", "metadata": {"a": "b"}, "newer_field": 3}
    with answers(job) as agent:
        at(agent)
        out = synapse("jobs", "get", "old").out
    assert re.search(r"^status: +SUCCEEDED$", out, re.MULTILINE)
    assert "\n    first\n    second ^[[2J\n" in out
    assert re.search(r'^metadata: +\{"a": "b"\}$', out, re.MULTILINE)
    assert re.search(r"^newer_field: +3$", out, re.MULTILINE)
    assert re.search(r"^start_time: +1970-01-01 ", out, re.MULTILINE)


def test_watch_redraws_until_ctrl_c(terminal: Any, at: Any) -> None:
    with answers(JOBS[:1], JOBS[:2]) as agent:
        agent.status_answers += [lambda peer: peer.answer(503, b"{}")] * 3
        agent.status_answers += [
            lambda peer: peer.answer(200, json.dumps(JOBS).encode()) for _ in range(1000)
        ]
        at(agent)
        screen = terminal("jobs", "list", "--watch", "--interval", "0.2")
        screen.wait_for("1 in all")
        screen.wait_for("2 in all")
        screen.wait_for("503")
        assert "old" in screen.text  # what was known stays
        screen.wait_for("3 in all")
        assert screen.text.count("old") == 1
        screen.interrupt()
        assert screen.exit_code() == 130
    assert "Traceback" not in screen.text


def test_watch_needs_a_terminal(synapse: Any, at: Any) -> None:
    with answers(JOBS) as agent:
        at(agent)
        assert synapse("jobs", "list", "--watch").code == 2


def test_stop(synapse: Any, at: Any) -> None:
    with answers({"stopped": True}, {"stopped": False}) as agent:
        at(agent)
        result = synapse("jobs", "stop", "a", "b", "--json")
    assert json.loads(result.out) == [{"job_id": "a", "stopped": True}, {"job_id": "b", "stopped": False}]


@each_row(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("STOPPED", 1)])
def test_wait(synapse: Any, at: Any, status: str, code: int) -> None:
    over = {**JOBS[0], "status": status}
    with answers(JOBS[2], over, JOBS[0]) as agent:
        at(agent)
        result = synapse("jobs", "wait", "job", "other", "--interval", "0.1", "--json")
    assert result.code == code
    assert [job["status"] for job in json.loads(result.out)] == [status, "SUCCEEDED"]


def test_wait_gives_up(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        result = synapse("jobs", "wait", "job", "--timeout", "0.3", "--interval", "0.1")
    assert result.code == 3
    assert "408" in result.err


def test_wait_interrupted(child: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        process = child("jobs", "wait", "job")
        while not agent.requests:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].strip() == "synapse jobs wait job"


# --- runs


class RunAgent(Agent):
    """Accepts a run; its job is pending at first."""

    def __init__(self, log: Any, status: str) -> None:
        super().__init__(log)
        job = {"submission_id": "run-1", "type": "SUBMISSION", "message": "it broke, last available logs: x"}
        for value in (
            {"job_id": "run-1", "status": "PENDING"},
            {**job, "status": "PENDING", "message": "installing things"},
            {**job, "status": "RUNNING"},
            {**job, "status": status},
            {**job, "status": status},
        ):
            code = 202 if "job_id" in value else 200
            body = json.dumps(value).encode()
            self.status_answers.append(lambda peer, code=code, body=body: peer.answer(code, body))


def run_log(status: str) -> Any:
    def log(peer: Peer) -> None:
        peer.lines("hello", "bye")
        peer.complete(status)

    return log


@each_row(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("STOPPED", 1)])
def test_run_follows_and_ends_as_the_job_does(synapse: Any, at: Any, status: str, code: int) -> None:
    with RunAgent(run_log(status), status) as agent:
        at(agent)
        result = synapse("plugins", "run", "p@1", "train", "-p", "n=3")
    assert (result.code, result.out) == (code, "hello\nbye\n")
    assert result.err.startswith("synapse: job run-1 is submitted\n")
    last = result.err.splitlines()[-1]
    assert re.fullmatch(rf"synapse: job run-1 {status} after [\d.]+s(: it broke)?", last)
    assert ("it broke" in last) == (status == "FAILED")


def test_run_as_json_lines(synapse: Any, at: Any) -> None:
    with RunAgent(run_log("SUCCEEDED"), "SUCCEEDED") as agent:
        at(agent)
        result = synapse("plugins", "run", "p@1", "train", "--json")
    objects = [json.loads(line) for line in result.out.splitlines()]
    assert objects[0] == {"job_id": "run-1", "status": "PENDING"}
    assert [value["line"] for value in objects[1:-1]] == ["hello", "bye"]
    assert (objects[-1]["job_id"], objects[-1]["status"]) == ("run-1", "SUCCEEDED")
    assert result.err == ""


def test_run_shows_progress_in_a_terminal(terminal: Any, at: Any) -> None:
    with RunAgent(run_log("SUCCEEDED"), "SUCCEEDED") as agent:
        at(agent)
        screen = terminal("plugins", "run", "p@1", "train")
        screen.wait_for("job run-1 PENDING")
        assert screen.exit_code() == 0
    assert b"installing things" in screen.raw
    # The progress is gone, and the log is left.
    assert "PENDING" not in screen.text
    assert screen.text.split("\n")[1:3] == ["hello", "bye"]


def test_run_detached_prints_the_id_alone(synapse: Any, at: Any) -> None:
    with answers({"job_id": "run-1", "status": "PENDING"}, status=202) as agent:
        at(agent)
        result = synapse("plugins", "run", "p@1", "train", "-d")
    assert (result.code, result.out) == (0, "run-1\n")
    assert "synapse jobs logs run-1 --follow" in result.err


def test_run_of_a_serve_action_prints_its_answer(synapse: Any, at: Any) -> None:
    with answers({"boxes": [1, 2]}) as agent:
        at(agent)
        result = synapse("plugins", "run", "p@1", "detect")
    assert (result.code, json.loads(result.out)) == (0, {"boxes": [1, 2]})


@each_row(
    ("options", "words"),
    [
        (["--params", "{"], "--params is not JSON"),
        (["--params", "[1]"], "must be a JSON object"),
        (["--params", "@/no/such/file"], "/no/such/file can't be read"),
        (["-p", "novalue"], "is not name=value"),
    ],
)
def test_bad_parameters_are_named(synapse: Any, at: Any, options: list[str], words: str) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        result = synapse("plugins", "run", "p@1", "train", *options)
        assert agent.requests == []
    assert result.code == 2
    assert words in result.err


def test_create_needs_a_version(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        result = synapse("plugins", "create", "detector")
    assert result.code == 2
    assert "PLUGIN@VERSION" in result.err


def test_policy_knows_its_limits(synapse: Any, at: Any) -> None:
    with Agent(lambda peer: None) as agent:
        at(agent)
        result = synapse("resources", "policy", "max_jobs=3")
        assert agent.requests == []
    assert result.code == 2
    assert "max_concurrent_jobs" in result.err


def test_check_exits_as_the_answer_is(synapse: Any, at: Any) -> None:
    with answers(
        {"allowed": False, "reasons": ["gpu"], "messages": ["no GPU is free"]}, {"allowed": True}
    ) as agent:
        at(agent)
        refused = synapse("resources", "check", "--gpus", "1", "--memory", "8GiB")
        assert synapse("resources", "check").code == 0
    assert refused.code == 1
    assert "no GPU is free" in refused.out


@each_row(("ray", "code"), [(True, 0), (False, 1)])
def test_health(synapse: Any, at: Any, ray: bool, code: int) -> None:
    with answers({"status": "ok", "ray_available": ray}) as agent:
        at(agent)
        assert synapse("health").code == code


def test_agent_serve_hands_over(synapse: Any) -> None:
    result = synapse("agent", "serve", "--help")
    assert result.code == 0
    assert "--ray URL" in result.out


def test_agent_serve_without_its_extra(tmp_path: Any) -> None:
    (tmp_path / "aiohttp.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'aiohttp'\", name='aiohttp')"
    )
    # Before the checkout's packages and the environment's.
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from synapse_sdk.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "agent", "serve"],
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "synapse-sdk[agent]" in done.stderr
    assert "Traceback" not in done.stderr
