"""What the agent has, as clients see it, and what clients do to it, as the test sees it."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest

from synapse_agent_api import api
from synapse_sdk.clients.exceptions import (
    ClientError,
    ClientTimeoutError,
    GpuUnavailableError,
    NotFoundError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from synapse_sdk.testing import FakeAgent, FakeJob
from synapse_sdk.testing._operations import ANSWERS, table

from .ways import Way, each_way

# -- jobs


def test_each_look_sees_the_next_status(agent: FakeAgent) -> None:
    job = agent.add_job("train", status=["PENDING", "RUNNING", "SUCCEEDED"])
    client = agent.client()
    assert [client.get_job("train").status for _ in range(4)] == [
        "PENDING",
        "RUNNING",
        "SUCCEEDED",
        "SUCCEEDED",
    ]
    assert job.over
    assert client.get_job("train").end_time is not None


@each_way
def test_waiting_for_a_job_takes_no_time(agent: FakeAgent, way: Way) -> None:
    agent.add_job("train", status=["PENDING", "RUNNING", "FAILED"])
    assert way.call(agent, "wait_for_job", "train", poll_interval=0.01).status == "FAILED"


def test_a_wait_may_be_in_vain(agent: FakeAgent) -> None:
    agent.add_job("train")
    with pytest.raises(ClientTimeoutError, match="RUNNING"):
        agent.client().wait_for_job("train", timeout=0.5, poll_interval=0.01)


def test_a_job_ends_in_each_way(agent: FakeAgent) -> None:
    client = agent.client()
    done, failed, stopped = (agent.add_job(name) for name in ("done", "failed", "stopped"))
    done.succeed()
    failed.fail("no runtime", error_type="RUNTIME_ENV_SETUP_FAILURE", exit_code=None)
    assert client.stop_job("stopped").stopped
    assert not client.stop_job("stopped").stopped
    assert stopped.status == "STOPPED"
    assert [(job.submission_id, job.status, job.driver_exit_code) for job in client.list_jobs()] == [
        ("stopped", "STOPPED", None),
        ("failed", "FAILED", None),
        ("done", "SUCCEEDED", 0),
    ]
    assert client.get_job("failed").error_type == "RUNTIME_ENV_SETUP_FAILURE"
    for change in (done.succeed, done.start, failed.fail, lambda: stopped.log("more")):
        with pytest.raises(RuntimeError, match="is over"):
            change()


def test_a_job_may_take_its_time_to_stop(agent: FakeAgent) -> None:
    job, client = agent.add_job("train"), agent.client()
    job.hold_stop = True
    assert client.stop_job("train").stopped
    assert client.get_job("train").status == "RUNNING"
    job.log("cleaning up")
    assert job.stop()
    assert not client.stop_job("train").stopped
    assert client.get_job("train").status == "STOPPED"


def test_fields_of_a_newer_agent(agent: FakeAgent) -> None:
    agent.add_job("train", extra={"priority": 7, "entrypoint": None})
    job = agent.client().get_job("train")
    assert (job["priority"], job.entrypoint) == (7, None)


def test_a_status_of_a_newer_agent(agent: FakeAgent) -> None:
    agent.add_job("train", status="PAUSED")
    assert agent.client().get_job("train").status == "PAUSED"


def test_a_job_that_can_not_be_is_refused(agent: FakeAgent) -> None:
    agent.add_job("train")
    with pytest.raises(ValueError, match="there is a job train already"):
        agent.add_job("train")
    with pytest.raises(ValidationError):
        agent.add_job("no id")
    with pytest.raises(ValueError, match="needs a status"):
        agent.add_job("other", status=[])


# -- runs


def test_a_run_succeeds_unless_the_test_says_more(agent: FakeAgent) -> None:
    agent.add_plugin_release("detector@1.0.0", actions=["train"])
    client = agent.client()
    run = client.run_plugin_release("detector@1.0.0", "train", {"epochs": 3}, job_id="mine")
    assert (run.job_id, run.status) == ("mine", "PENDING")
    assert list(client.tail_job_logs("mine")) == ["train: started", "train: done"]
    assert client.wait_for_job("mine").status == "SUCCEEDED"
    job = agent.jobs["mine"]
    assert (job.action, job.params) == ("train", {"epochs": 3})
    assert agent.requests_of("run_plugin_release")[0].json == job.request


def test_a_run_with_lines_and_a_status(agent: FakeAgent) -> None:
    agent.on_run(None, lines=["one"], status="FAILED")
    client = agent.client()
    run = client.run_debug_plugin_release("any")
    assert list(client.tail_job_logs(run.job_id)) == ["one"]
    assert client.get_job(run.job_id).status == "FAILED"


def test_a_run_that_a_function_does(agent: FakeAgent) -> None:
    def train(job: FakeJob) -> None:
        for epoch in range(job.params["epochs"]):
            job.log(f"epoch {epoch}")

    agent.on_run("train", train)
    client = agent.client()
    run = client.run_debug_plugin_release("train", {"epochs": 3})
    assert list(client.tail_job_logs(run.job_id)) == ["epoch 0", "epoch 1", "epoch 2"]
    assert client.get_job(run.job_id).status == "SUCCEEDED"


def test_a_function_that_raises_fails_its_job(agent: FakeAgent) -> None:
    def train(job: FakeJob) -> None:
        job.log("begun")
        raise KeyError("label")

    agent.on_run("train", train)
    client = agent.client()
    lines = list(client.tail_job_logs(client.run_debug_plugin_release("train").job_id))
    assert (lines[0], lines[-1]) == ("begun", "KeyError: 'label'")
    (job,) = client.list_jobs()
    assert (job.status, job.message) == ("FAILED", "KeyError: 'label'")


def test_a_function_may_end_its_job_and_call_the_agent(agent: FakeAgent) -> None:
    def train(job: FakeJob) -> None:
        job.log(agent.client().get_job(job.id).status)
        job.fail("as it wants")

    agent.on_run("train", train)
    client = agent.client()
    run = client.run_debug_plugin_release("train")
    assert list(client.tail_job_logs(run.job_id)) == ["RUNNING"]
    assert client.get_job(run.job_id).message == "as it wants"


def test_a_function_ends_when_a_client_stops_its_job(agent: FakeAgent) -> None:
    ended = threading.Event()

    def train(job: FakeJob) -> None:
        try:
            for n in itertools.count():
                job.log(f"step {n}")
        finally:
            ended.set()

    agent.on_run("train", train)
    client = agent.client()
    run = client.run_debug_plugin_release("train")
    with client.tail_job_logs(run.job_id) as stream:
        next(stream)
        client.stop_job(run.job_id)
    assert ended.wait(60)
    assert client.get_job(run.job_id).status == "STOPPED"


def test_a_run_that_is_held_is_scripted_by_the_test(agent: FakeAgent) -> None:
    agent.on_run("train", hold=True)
    client = agent.client()
    run = client.run_debug_plugin_release("train")
    assert client.get_job(run.job_id).status == "PENDING"
    job = agent.jobs[run.job_id]
    job.start()
    assert client.get_job(run.job_id).status == "RUNNING"
    job.succeed()
    job.wait_for_end()


def test_a_serve_action_is_a_call(agent: FakeAgent) -> None:
    agent.add_plugin_release("detector@1.0.0", actions={"detect": "serve", "other": "restapi"})
    agent.on_call("detect", lambda params: {"boxes": [params["image"]]})
    client = agent.client(max_retries=0)
    assert client.run_plugin_release("detector@1.0.0", "detect", {"image": "a"}) == {"boxes": ["a"]}
    assert client.run_plugin_release("detector@1.0.0", "other") == {}
    with pytest.raises(ServerError, match="KeyError"):
        client.run_plugin_release("detector@1.0.0", "detect")
    assert agent.jobs == {}


def test_runs_keep_to_the_policy(agent: FakeAgent) -> None:
    agent.on_run(None, hold=True)
    client = agent.client(max_retries=0)
    for _ in range(3):
        client.run_debug_plugin_release("train")
    assert client.check_feasibility("job").reasons == ["max_concurrent_jobs"]
    with pytest.raises(RateLimitError):
        client.run_debug_plugin_release("train")
    client.update_runtime_policy(max_concurrent_jobs=4)
    assert agent.policy.max_concurrent_jobs == 4
    client.run_debug_plugin_release("train")
    agent.set_policy(gatekeeping_enabled=False)
    client.run_debug_plugin_release("train")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "action"), ({"action": ""}, "action"), ({"action": "a", "params": []}, "params"), ([], "body")],
)
def test_bodies_are_checked_against_the_spec(agent: FakeAgent, body: object, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        agent.client().request("POST", "plugin_releases/run_debug/", json=body)
    assert caught.value.status_code == 422
    assert field in caught.value.field_errors[0]["loc"]
    with pytest.raises(ValidationError) as caught:
        agent.client().request("POST", "plugin_releases/run_debug/", content="{")
    assert caught.value.status_code == 400


# -- releases


def test_releases_are_made_found_and_removed(agent: FakeAgent) -> None:
    client = agent.client()
    made = client.create_plugin_release("detector", "1.0.0")
    assert client.get_plugin_release("detector@1.0.0") == client.get_plugin_release(str(made.id)) == made
    with pytest.raises(ClientError) as caught:
        client.create_plugin_release("detector", "1.0.0")
    assert caught.value.status_code == 409
    client.delete_plugin_release("detector@1.0.0")
    with pytest.raises(NotFoundError):
        client.get_plugin_release("detector@1.0.0")


def test_an_action_that_a_release_has_not(agent: FakeAgent) -> None:
    agent.add_plugin_release("detector@1.0.0", actions=["train"])
    with pytest.raises(NotFoundError, match="its actions: train"):
        agent.client().run_plugin_release("detector@1.0.0", "test")


@each_way
def test_lists_come_in_pages(agent: FakeAgent, way: Way) -> None:
    for n in range(5):
        agent.add_plugin_release(f"plugin{n}@1")
    page = way.call(agent, "list_plugin_releases", page=2, page_size=2)
    assert ([item.plugin for item in page.results], page.count) == (["plugin2", "plugin3"], 5)
    with pytest.raises(NotFoundError, match="the last one is 3"):
        way.call(agent, "list_plugin_releases", page=4, page_size=2)


def test_all_pages_are_walked(agent: FakeAgent) -> None:
    for n in range(5):
        agent.add_plugin_release(f"plugin{n}@1")
        agent.add_container()
    client = agent.client()
    assert [item.plugin for item in client.iter_plugin_releases(page_size=2)] == [
        f"plugin{n}" for n in range(5)
    ]
    assert len(list(client.iter_containers(page_size=2))) == 5


@pytest.mark.parametrize("lookup", ["", "detector", "@1", "detector@"])
def test_what_is_no_lookup_is_refused(agent: FakeAgent, lookup: str) -> None:
    with pytest.raises(ValueError, match="code@version"):
        agent.add_plugin_release(lookup)


# -- the cluster


def test_nodes_gpus_tasks_and_applications(agent: FakeAgent) -> None:
    client = agent.client(max_retries=0)
    with pytest.raises(GpuUnavailableError):
        client.get_gpu_status()
    agent.add_node("gpu-1", resources_total={"CPU": 4, "GPU": 2})
    agent.add_node("gone", state="DEAD")
    agent.set_gpus([{"memory_used": 1024, "processes_pids": [1]}, {}])
    agent.add_task("double", task_id="t1", state="FAILED", error_type="X")
    agent.add_serve_application("detector@1.0.0", replicas=2)
    assert [(node.node_id, node.alive) for node in client.list_nodes()] == [
        ("head", True),
        ("gpu-1", True),
        ("gone", False),
    ]
    assert client.get_node("gpu-1").resources_total == {"CPU": 4, "GPU": 2}
    assert client.get_gpu_status().summary.available_gpus == 1
    assert client.get_task("t1").error_type == "X"
    snapshot = client.get_cluster_resources()
    assert (snapshot.cpu.total, snapshot.node_counts.dead, snapshot.total_serve_replicas) == (12, 1, 2)
    assert client.check_feasibility("job", num_gpus=1).feasible_replicas == 2
    assert client.check_feasibility("serve", replicas=16).reasons[0] == "max_concurrent_serve_replicas"
    assert client.get_serve_application("detector@1.0.0").status == "RUNNING"
    client.delete_serve_application("detector@1.0.0")
    assert client.list_serve_applications() == []


def test_a_field_that_the_spec_has_not_is_refused(agent: FakeAgent) -> None:
    for add in (
        lambda: agent.add_node(colour="red"),
        lambda: agent.add_task("t", colour="red"),
        lambda: agent.add_serve_application("a", colour="red"),
        lambda: agent.add_container(colour="red"),
        lambda: agent.set_policy(colour="red"),
        lambda: agent.set_health(colour="red"),
    ):
        with pytest.raises(TypeError, match="colour"):
            add()


# -- containers


def test_a_container_is_built_at_once(agent: FakeAgent, tmp_path: Path) -> None:
    agent.add_plugin_release("detector@1.0.0")
    client = agent.client()
    made = client.create_container(plugin_release="detector@1.0.0", params={"a": 1}, wait=True)
    assert (made.status, made.params, made.plugin_release) == ("running", {"a": 1}, "detector@1.0.0")
    archive = tmp_path / "plugin.zip"
    archive.write_bytes(b"PK\r\n\x00\xff")
    uploaded = client.create_container(file=archive, model=3, labels={"team": "vision"}, wait=True)
    assert (uploaded.model, uploaded.labels) == (3, {"team": "vision"})
    assert client.update_container(made.id, "stopped").status == "stopped"
    assert client.start_docker_container(made.container_id).status == "running"
    assert client.stop_docker_container(made.container_id).status == "stopped"
    client.delete_container(made.id)
    client.delete_docker_container(uploaded.container_id)
    assert client.list_docker_containers() == []
    with pytest.raises(NotFoundError):
        client.create_docker_container("none@1")


def test_builds_that_are_held_are_scripted_by_the_test(agent: FakeAgent) -> None:
    agent.hold_builds = True
    agent.add_plugin_release("detector@1.0.0")
    client = agent.client()
    done, failed, cancelled = (client.create_docker_container("detector@1.0.0").build_id for _ in range(3))
    assert client.get_build_status(done).status == "running"
    agent.builds[done].complete()
    agent.builds[failed].fail("no space left")
    agent.builds[cancelled].cancel()
    result = client.wait_for_build(done).result
    assert result is not None
    assert client.get_container(result.id) == result
    with pytest.raises(ServerError, match="no space left"):
        client.wait_for_build(failed)
    assert client.get_build_status(cancelled).status == "cancelled"
    with pytest.raises(RuntimeError, match="is over"):
        agent.builds[done].fail()


# -- the agent


def test_the_system_is_updated_at_once_or_when_the_test_says(agent: FakeAgent) -> None:
    client = agent.client()
    assert client.update_system().status == "success"
    agent.hold_system = True
    assert client.update_system(api_tag="2").status == "in_progress"
    assert client.get_system_status().api_tag == "2"
    with pytest.raises(ClientError) as caught:
        client.restart_system()
    assert caught.value.status_code == 409
    agent.finish_system_operation()
    assert not client.wait_for_system_ready(timeout=5).in_progress
    assert client.get_compose_config().config_files


def test_the_health_is_what_the_test_says(agent: FakeAgent) -> None:
    agent.set_health("degraded", ray_available=False, message="Ray is unreachable")
    assert agent.client().health_check().message == "Ray is unreachable"


# -- the spec says it once


def test_every_operation_of_the_generated_api_is_answered() -> None:
    operations = {operation.id for _, operation in table()}
    assert set(ANSWERS) == operations
    methods = {name for name in dir(api.AgentApi) if not name.startswith("_")}
    assert operations <= methods


def test_an_operation_without_code_answers_the_example_of_the_spec(
    agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as an operation that was just added to the spec."""
    monkeypatch.delitem(ANSWERS, "health_check")
    agent.set_health("degraded")
    assert agent.client().health_check().status == "ok"


def test_a_mistake_in_an_answer_is_told(agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "list_tasks", lambda state, call: {}["nothing"])
    with pytest.raises(ServerError, match="KeyError: 'nothing'"):
        agent.client().list_tasks()
