"""What an operator relies on: probes, health, logs with request ids."""

from __future__ import annotations

import gzip
import json
import logging
import time
from pathlib import Path

import pytest
from unit.agent_app import TOKEN, asynchronous, hanging_ray, serving

from synapse_agent.http.route import Role
from synapse_agent.ops.log_output import configure_logging
from synapse_agent.routes import ROUTES


@asynchronous
async def test_probes_need_no_token_and_say_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as agent:
        agent.client.headers.pop("Authorization")
        for path in ("/livez", "/readyz"):
            response = await agent.client.get(path)
            assert (response.status_code, response.text) == (200, "ok\n")
            assert response.headers["Server"] == "synapse-agent"
        agent.context.draining = True
        response = await agent.client.get("/readyz")
        assert (response.status_code, response.text) == (503, "stopping\n")
        assert (await agent.client.get("/livez")).status_code == 200


@asynchronous
async def test_health_answers_within_a_second_while_ray_hangs(tmp_path: Path) -> None:
    async with hanging_ray() as ray, serving(tmp_path, ray=ray) as agent:
        begun = time.monotonic()
        response = await agent.client.get("/health/", timeout=20)
        taken = time.monotonic() - begun
    assert response.status_code == 200
    assert response.json()["ray_available"] is False
    assert "did not answer within" in response.json()["message"]
    # Ray's own limit is 30 s; the second above the promise is for a busy machine.
    assert taken < 2


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@asynchronous
async def test_nothing_without_a_token_is_worth_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad_gzip = b"\x1f\x8b" + b"x" * 20
    post = (
        b"POST /plugin_releases/run_debug/ HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(bad_gzip), bad_gzip)
    )
    with configure_logging("json", "warning"):
        async with serving(tmp_path) as agent:
            await agent.raw(post * 50)
            await agent.raw(b"\x16\x03\x01\x02\x00 not HTTP\r\n\r\n")
            await agent.raw(b"GET / HTTP/1.1\r\nHost: a\r\nA: \x00\r\n\r\n")
            await agent.raw(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", eof=True)
            await agent.raw(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")
    assert written(capsys) == []


@asynchronous
async def test_a_body_that_is_not_what_its_encoding_says_is_the_clients_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure_logging("text", "warning"):
        async with serving(tmp_path) as agent:
            for body in (b"\x1f\x8b" + b"x" * 20, gzip.compress(b"{}" * 100)[:-9]):
                response = await agent.client.post(
                    "/resources/feasibility/", content=body, headers={"Content-Encoding": "gzip"}
                )
                assert response.status_code == 400
    assert capsys.readouterr().err == ""


@asynchronous
async def test_a_server_error_is_one_line_with_its_request_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure_logging("json", "warning"):
        async with serving(tmp_path) as agent:
            response = await agent.client.get("/jobs/", headers={"X-Request-ID": "one-2.3"})
    assert (response.status_code, response.headers["X-Request-ID"]) == (503, "one-2.3")
    (line,) = written(capsys)
    assert (
        line.items()
        >= {
            "level": "warning",
            "request_id": "one-2.3",
            "method": "GET",
            "path": "/jobs/",
            "status": 503,
            "error": "Ray is unreachable at http://127.0.0.1:1",
            "who": "agent",
        }.items()
    )


@asynchronous
async def test_an_unexpected_error_names_its_request_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    with configure_logging("text", "warning"):
        async with serving(tmp_path) as agent:
            monkeypatch.setattr(agent.context.ray, "nodes", broken)
            response = await agent.client.get("/nodes/")
    request_id = response.headers["X-Request-ID"]
    assert response.status_code == 500
    assert request_id in response.json()["detail"]
    text = capsys.readouterr().err
    assert "ZeroDivisionError: on purpose" in text
    assert f"request_id={request_id}" in text
    assert "on purpose" not in response.text


@asynchronous
async def test_a_request_id_is_taken_over_only_if_it_is_plain(tmp_path: Path) -> None:
    async with serving(tmp_path) as agent:
        made = set()
        for given in ("", "a b", "x" * 129, 'a"b', "é".encode(), "a\tb"):
            response = await agent.client.get("/livez", headers={"X-Request-ID": given})
            made.add(response.headers["X-Request-ID"])
        assert len(made) == 6
        assert all(len(request_id) == 32 and request_id.isalnum() for request_id in made)
        # Every answer has one: refusals, unknown paths, streams.
        for path in ("/nothing", "/jobs/x/logs/stream/"):
            response = await agent.client.get(path, headers={"X-Request-ID": "x" * 128})
            assert response.headers["X-Request-ID"] == "x" * 128


@asynchronous
async def test_access_and_audit_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging("json", "info"):
        async with serving(tmp_path) as agent:
            await agent.client.get("/resources/policy/?x=secret-of-a-query")
            await agent.client.patch(
                "/resources/policy/",
                json={"max_concurrent_jobs": 5},
                headers={"SYNAPSE-Tenant": "Token secret-tenant", "SYNAPSE-User": "Token secret-user"},
            )
            await agent.client.post("/jobs/a%0Ab/stop/")
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    access = [(line["method"], line["path"], line["status"]) for line in lines if line["logger"] == "access"]
    assert access == [
        ("GET", "/resources/policy/", 200),
        ("PATCH", "/resources/policy/", 200),
        ("POST", "/jobs/a%0Ab/stop/", 400),
    ]
    changed, refused = (line for line in lines if line["logger"] == "audit")
    assert changed.items() >= {"operation": "update_runtime_policy", "status": 200, "who": "agent"}.items()
    assert refused.items() >= {"operation": "stop_job", "status": 400}.items()
    # The tenant and the user differ from others, and their tokens are not written.
    assert len(changed["tenant"]) == len(changed["user"]) == 12
    for secret in ("secret-tenant", "secret-user", "secret-of-a-query", TOKEN):
        assert secret not in text


def test_text_lines_stay_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging("text", "info"):
        logging.getLogger("synapse_agent").info("one\ntwo \x1b[31m%s", "three\r\n")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"info synapse_agent: one\ntwo \x1b[31mthree\r\n")


def test_roles_follow_from_what_an_operation_does() -> None:
    reads = {route.operation for route in ROUTES if route.role == Role.READ}
    gets = {route.operation for route in ROUTES if route.method == "GET"}
    # A dry run, and a file with the secrets of a deployment.
    assert reads == (gets | {"check_feasibility"}) - {"get_compose_config"}


@asynchronous
async def test_metrics(tmp_path: Path) -> None:
    async with serving(tmp_path) as agent:
        assert (
            await agent.client.get("/metrics", headers={"Authorization": "a-wrong-token"})
        ).status_code == 401
        for _ in range(2):
            await agent.client.get("/resources/policy/")
        await agent.client.get("/nodes/")
        response = await agent.client.get("/metrics")
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        lines = response.text.splitlines()
        # Ray can't be reached, so its jobs are not counted rather than counted as none.
        assert "synapse_agent_jobs" not in response.text
    assert 'synapse_agent_requests_total{operation="get_runtime_policy",status="200"} 2.0' in lines
    assert 'synapse_agent_requests_total{operation="list_nodes",status="503"} 1.0' in lines
    assert 'synapse_agent_request_seconds_count{operation="get_runtime_policy"} 2.0' in lines
    assert "synapse_agent_open_tails 0.0" in lines
    assert "synapse_agent_sent_lines_total 0.0" in lines
    assert 'synapse_agent_refusals_total{limit="tokens"} 1.0' in lines


@asynchronous
async def test_jobs_are_counted_by_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def known() -> list[dict[str, object]]:
        return [{"status": status, "start_time": 1} for status in ("RUNNING", "FAILED", "RUNNING")]

    async with serving(tmp_path) as agent:
        monkeypatch.setattr(agent.context.ray, "jobs", known)
        lines = (await agent.client.get("/metrics")).text.splitlines()
    assert 'synapse_agent_jobs{status="RUNNING"} 2.0' in lines
    assert 'synapse_agent_jobs{status="FAILED"} 1.0' in lines
