"""What the commands for nodes, tasks, applications, releases, resources and the agent itself show and do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.testing import FakeAgent

from .test_start import complete

GIB = 1024**3


@pytest.fixture
def agent(at: Any) -> Iterator[FakeAgent]:
    """An agent that the environment points at."""
    with FakeAgent() as agent:
        agent.serve()
        at(agent, agent.token)
        yield agent


def rows(out: str) -> list[list[str]]:
    """A table's rows, without the head."""
    return [re.split(r" {2,}", line.strip()) for line in out.splitlines()[1:]]


def facts(out: str) -> dict[str, str]:
    """What is printed about one thing."""
    pairs = (line.partition(":") for line in out.split("\n\n")[0].splitlines() if not line.startswith(" "))
    return {name: value.strip() for name, _, value in pairs}


# --- nodes


def test_nodes(synapse: Any, agent: FakeAgent) -> None:
    agent.add_node("n1", resources_total={"CPU": 4.0, "GPU": 0.5, "memory": 1.5 * GIB}, node_ip="10.1.1.1")
    agent.add_node("n2", alive=False)
    by_id = {row[0]: row for row in rows(synapse("nodes", "list").out)}
    assert by_id["head"][1:3] == ["ALIVE", "head"]
    assert by_id["n1"][1:-1] == ["ALIVE", "-", "10.1.1.1", "4", "0.5", "1.5 GiB"]
    assert re.fullmatch(r"[\d.]+s", by_id["n1"][-1])
    assert by_id["n2"][1] == "DEAD"
    assert {node["node_id"] for node in json.loads(synapse("nodes", "list", "--json").out)} == set(by_id)


def test_a_node(synapse: Any, agent: FakeAgent) -> None:
    agent.add_node(
        "n1",
        resources_total={"CPU": 4.0, "GPU": 0.5},
        labels={"zone": "a"},
        start_time_ms=1_000_000,
        memory_total_bytes=512,
    )
    told = facts(synapse("nodes", "get", "n1").out)
    assert told["resources_total"] == "CPU=4, GPU=0.5"
    assert told["labels"] == "zone=a"
    assert told["memory_total_bytes"] == "512 B"
    assert told["start_time_ms"].startswith("1970-01-01 ")
    assert json.loads(synapse("nodes", "get", "n1", "--json").out)["start_time_ms"] == 1_000_000
    result = synapse("nodes", "get", "gone")
    assert (result.code, result.out) == (1, "")
    assert "gone" in result.err


def test_gpus(synapse: Any, agent: FakeAgent) -> None:
    agent.set_gpus([{"utilization_gpu": 97.0, "memory_used": 1024}, {"utilization_gpu": None}])
    first, second = rows(synapse("nodes", "gpus").out)
    assert first == ["0", "NVIDIA A100", "97%", "1024 of 40960 MB", "GPU-0000"]
    assert second == ["1", "NVIDIA A100", "-", "0 of 40960 MB", "GPU-0001"]
    assert len(json.loads(synapse("nodes", "gpus", "--json").out)["gpus"]) == 2
    agent.set_gpus(None)
    result = synapse("nodes", "gpus")
    assert result.code == 1
    assert "this node has no GPUs" in result.err


# --- tasks


def test_tasks(synapse: Any, agent: FakeAgent) -> None:
    agent.add_task(
        "done",
        task_id="t1",
        state="FINISHED",
        creation_time_ms=1_000,
        start_time_ms=2_000,
        end_time_ms=95_000,
    )
    agent.add_task(
        "broke", task_id="t2", state="FAILED", creation_time_ms=3_000, error_type="WORKER_DIED", job_id="02"
    )
    agent.add_task("runs", task_id="t3", creation_time_ms=2_000, start_time_ms=90_000_000_000)
    newest = rows(synapse("tasks", "list").out)
    assert [row[0] for row in newest] == ["t2", "t3", "t1"]
    assert newest[0][1:] == ["FAILED", "02", "-", "broke", "WORKER_DIED"]
    assert newest[2][1:] == ["FINISHED", "01000000", "1m33s", "done", "-"]
    assert re.fullmatch(r"\d+d(\d+h)?", newest[1][3])

    def listed(*options: str) -> list[str]:
        return [task["task_id"] for task in json.loads(synapse("tasks", "list", "--json", *options).out)]

    assert listed("--state", "failed", "--state", "RUNNING") == ["t2", "t3"]
    assert listed("--job", "02") == ["t2"]
    assert listed("--limit", "2") == ["t2", "t3"]
    assert "there are no such tasks" in synapse("tasks", "list", "--job", "99").err


def test_a_task(synapse: Any, agent: FakeAgent) -> None:
    agent.add_task("runs", task_id="t1", start_time_ms=1_000_000, required_resources={"CPU": 1.0})
    told = facts(synapse("tasks", "get", "t1").out)
    assert (told["name"], told["required_resources"]) == ("runs", "CPU=1")
    assert told["start_time_ms"].startswith("1970-01-01 ")
    assert json.loads(synapse("tasks", "get", "t1", "--json").out)["task_id"] == "t1"


# --- applications


def test_applications(synapse: Any, agent: FakeAgent) -> None:
    assert "there are no serve applications" in synapse("serve", "list").err
    agent.add_serve_application("detector@1", replicas=2)
    agent.add_serve_application(
        "new@1", status="DEPLOYING", last_deployed_time_s=0.0, message="pulling", deployments={}
    )
    by_name = {row[0]: row[1:] for row in rows(synapse("serve", "list").out)}
    assert by_name["detector@1"][:2] == ["RUNNING", "/detector"]
    assert re.fullmatch(r"[\d.]+s ago", by_name["detector@1"][2])
    assert by_name["detector@1"][3] == "Deployment HEALTHY (2)"
    assert by_name["new@1"] == ["DEPLOYING", "/new", "-", "-", "pulling"]
    assert facts(synapse("serve", "get", "detector@1").out)["deployments"] == "Deployment HEALTHY (2)"
    assert json.loads(synapse("serve", "get", "new@1", "--json").out)["deployments"] == {}


def test_an_application_is_deleted_only_by_who_means_it(
    synapse: Any, terminal: Any, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.add_serve_application("detector@1")
    with open("/dev/null") as nothing:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", nothing)
        result = synapse("serve", "delete", "detector@1")
    assert result.code == 2
    assert "--yes goes on without" in result.err

    screen = terminal("serve", "delete", "detector@1")
    screen.wait_for("Delete the serve application detector@1?")
    screen.type("n\n")
    assert screen.exit_code() == 1
    assert "nothing was done" in screen.text
    assert not agent.requests_of("delete_serve_application")

    result = synapse("serve", "delete", "detector@1", "--yes")
    assert (result.code, result.err) == (0, "synapse: serve application detector@1 is deleted\n")
    assert synapse("serve", "get", "detector@1").code == 1


# --- plugin releases


def test_releases(synapse: Any, agent: FakeAgent) -> None:
    assert "there are no plugin releases" in synapse("plugins", "list").err
    result = synapse("plugins", "create", "detector@1.0.0")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("synapse: detector@1.0.0 is there")
    agent.add_plugin_release("painter@2", actions=["train", "serve"])
    listed = {row[0]: row[1:] for row in rows(synapse("plugins", "list").out)}
    assert set(listed) == {"detector@1.0.0", "painter@2"}
    assert listed["painter@2"][1] == "train, serve"
    assert facts(synapse("plugins", "get", "painter@2").out)["plugin"] == "painter"
    assert json.loads(synapse("plugins", "create", "other@1", "--json").out)["plugin"] == "other"
    result = synapse("plugins", "delete", "painter@2", "--yes")
    assert (result.code, result.err) == (0, "synapse: plugin release painter@2 is deleted\n")
    plugins = [release["plugin"] for release in json.loads(synapse("plugins", "list", "--json").out)]
    assert sorted(plugins) == ["detector", "other"]


def test_run_debug_sends_what_it_was_given(synapse: Any, agent: FakeAgent, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text("def main(): ...\n")
    (tmp_path / "params.json").write_text('{"epochs": 1, "name": "first"}')
    result = synapse(
        *("plugins", "run-debug", "hello"),
        *("--module", str(tmp_path / "hello.py")),
        *("--module", f"app.util={tmp_path / 'hello.py'}"),
        *("--config", '{"code": "p"}'),
        *("--params", f"@{tmp_path / 'params.json'}", "-p", "epochs=2"),
        *("-r", "numpy", "--job-id", "mine", "--language", "ko", "--detach", "--quiet"),
    )
    assert (result.code, result.out) == (0, "mine\n"), result.err
    (request,) = agent.requests_of("run_debug_plugin_release")
    sent = json.loads(request.content)
    assert sent["action"] == "hello"
    assert sent["params"] == {"epochs": 2, "name": "first"}
    assert sent["modules"] == {"hello": "def main(): ...\n", "app.util": "def main(): ...\n"}
    assert sent["config"] == {"code": "p"}
    assert (sent["requirements"], sent["job_id"], sent["language"]) == (["numpy"], "mine", "ko")


# --- what Tab offers


def test_names_are_completed(child: Any, agent: FakeAgent) -> None:
    agent.add_node("node-1")
    agent.add_serve_application("detector@1")
    agent.add_plugin_release("painter@2")
    assert complete(child, "nodes", "get", "no") == ["node-1"]
    assert complete(child, "serve", "get", "de") == ["detector@1"]
    assert complete(child, "plugins", "run", "pa") == ["painter@2"]
    assert complete(child, "plugins", "run", "de") == []


# --- resources


def test_what_the_cluster_has(synapse: Any, agent: FakeAgent) -> None:
    agent.add_node("n1", resources_total={"CPU": 4.0, "memory": 2.0 * GIB})
    agent.add_node("n2", alive=False)
    out = synapse("resources", "show", "--fresh").out
    told = facts(out)
    assert told["nodes"] == "2 alive, 1 dead"
    assert re.fullmatch(r"0 of \d+", told["cpu"])
    assert re.fullmatch(r"0 B of [\d.]+ GiB", told["memory"])
    table = {row[0]: row for row in rows(out.split("\n\n")[1])}
    assert "0 of 4" in table["n1"]
    assert "0 B of 2.0 GiB" in table["n1"]
    assert json.loads(synapse("resources", "show", "--json").out)["node_counts"]["alive"] == 2


def test_whether_it_would_fit(synapse: Any, agent: FakeAgent) -> None:
    result = synapse("resources", "check", "--memory", "8GiB", "--cpus", "0.5")
    assert result.code == 0
    assert facts(result.out)["allowed"] == "yes"
    result = synapse("resources", "check", "--gpus", "1", "--memory", "1.5G", "--replicas", "2")
    assert result.code == 1
    assert facts(result.out)["why not"] == "2 don't fit, 0 would"
    *_, request = agent.requests_of("check_feasibility")
    assert json.loads(request.content)["memory_bytes"] == 1_500_000_000
    for size in ("8 bananas", "1.2.3G", ""):
        result = synapse("resources", "check", "--memory", size)
        assert result.code == 2, size
        assert "512MiB or 8G" in result.err


def test_the_limits(synapse: Any, agent: FakeAgent) -> None:
    assert facts(synapse("resources", "policy").out)["max_concurrent_jobs"] == "3"
    result = synapse("resources", "policy", "max_concurrent_jobs=8", "gatekeeping_enabled=false")
    told = facts(result.out)
    assert (told["max_concurrent_jobs"], told["gatekeeping_enabled"]) == ("8", "false")
    assert agent.policy.max_concurrent_jobs == 8


# --- the agent's own deployment


def test_the_state_of_the_agent(synapse: Any, agent: FakeAgent) -> None:
    assert facts(synapse("system", "status").out)["in_progress"] in ("False", "false", "no")
    assert json.loads(synapse("system", "status", "--json").out) == {"in_progress": False}
    assert synapse("system", "config").code == 0


def test_an_update(synapse: Any, agent: FakeAgent) -> None:
    agent.hold_system = True
    result = synapse("system", "update", "--api-tag", "2", "--worker-tag", "3", "--yes", "--json")
    assert (result.code, json.loads(result.out)["status"]) == (0, "in_progress")
    told = facts(synapse("system", "status").out)
    assert (told["operation"], told["api_tag"], told["worker_tag"]) == ("update", "2", "3")
    refused = synapse("system", "restart", "--yes")
    assert refused.code == 1
    assert "update is under way" in refused.err
    late = synapse("system", "status")
    assert re.match(r"\d{4}-\d\d-\d\d ", facts(late.out)["started_at"])


def test_a_restart_is_waited_for(synapse: Any, agent: FakeAgent) -> None:
    result = synapse("system", "restart", "--yes", "--wait", "30")
    assert result.code == 0
    assert "the agent serves again" in result.err
    assert facts(result.out)["status"] == "success"
