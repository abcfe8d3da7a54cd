"""Tokens with names and roles: the file, the commands, what a role allows, failed tries."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from pathlib import Path

import pytest
from unit.agent_app import TOKEN, asynchronous, serving

from synapse_agent import auth
from synapse_agent import tokens as tokens_module
from synapse_agent.__main__ import main
from synapse_agent.http.route import Role
from synapse_agent.ops.log_output import configure_logging
from synapse_agent.routes import ROUTES
from synapse_agent.tokens import TokenFile, Tokens


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["token", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tokens"
    options = ("--file", str(file))
    status, token, _ = run(capsys, "new", "ci", *options)
    assert (status, len(token.strip())) == (0, 43)
    assert run(capsys, "new", "grafana", "--role", "read", *options)[0] == 0
    assert run(capsys, "list", *options)[1] == "ci\trun\ngrafana\tread\n"
    # The file has no token, and only its owner reads it.
    assert token.strip() not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = Tokens(TOKEN, TokenFile(file)).find(token.strip())
    assert found is not None
    assert (found.name, found.role) == ("ci", Role.RUN)
    assert run(capsys, "new", "ci", *options) == (
        1,
        "",
        "synapse-agent: there is a token ci already: revoke it first\n",
    )
    assert run(capsys, "new", "a b", *options)[0] == 1
    assert run(capsys, "revoke", "ci", *options)[0] == 0
    assert run(capsys, "list", *options)[1] == "grafana\tread\n"
    assert "there is no token ci" in run(capsys, "revoke", "ci", *options)[2]


@pytest.mark.parametrize(
    "line", ["ci run", "ci king " + "0" * 64, "ci run " + "0" * 63, "c/i run " + "0" * 64, "\0", "ci run 1 2"]
)
def test_a_file_that_is_wrong_names_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "tokens").write_text(f"# comment\n\n{line}\n")
    with pytest.raises(ValueError, match="line 3"):
        TokenFile(tmp_path / "tokens").read()


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "_FRESH", 0.0)
    file = TokenFile(tmp_path / "tokens")
    first = file.add("first", Role.READ)
    tokens = Tokens(TOKEN, file)
    assert tokens.find(first) is not None
    second = file.add("second", Role.READ)
    assert tokens.find(second) is not None
    file.remove("first")
    assert tokens.find(first) is None
    # What can't be read changes nothing.
    file.path.write_text("nonsense")
    assert tokens.find(second) is not None
    file.path.unlink()
    assert tokens.find(second) is not None
    assert tokens.find(TOKEN) is not None
    assert tokens.find("\udcff") is None


@asynchronous
async def test_what_each_role_may_do(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens")
    made = {role: file.add(role.name.lower(), role) for role in Role}
    async with serving(tmp_path, tokens=Tokens(TOKEN, file)) as agent:
        for route in ROUTES:
            path = route.path.format(
                job_id="j", node_id="n", task_id="t", name="s", lookup="1", container_id="1", build_id="b"
            )
            for role, token in made.items():
                headers = {"Authorization": f"Bearer {token}"}
                response = await agent.client.request(route.method, path, headers=headers)
                assert (response.status_code == 403) is (role < route.role), (route, role)
                if role < route.role:
                    name = role.name.lower()
                    assert f"the token {name} has the role {name}" in response.json()["detail"]


@asynchronous
async def test_failed_tries_are_logged_and_slowed_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_DELAY", 0.3)
    wrong = {"Authorization": "a-wrong-token"}
    with configure_logging("json", "warning"):
        async with serving(tmp_path) as agent:

            async def seconds(tries: int) -> float:
                begun = time.monotonic()
                answers = [agent.client.get("/health/", headers=wrong) for _ in range(tries)]
                assert {answer.status_code for answer in await asyncio.gather(*answers)} == {401}
                return time.monotonic() - begun

            await seconds(10)
            assert await seconds(5) >= 0.3
            # A token that is right, and what needs none, are answered at once.
            begun = time.monotonic()
            assert (await agent.client.get("/resources/policy/")).status_code == 200
            assert time.monotonic() - begun < 0.3
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["logger"], line["address"], line["tries"]) for line in lines] == [
        ("auth", "127.0.0.1", 1),
        ("auth", "127.0.0.1", 10),
    ]
    assert "a-wrong-token" not in text
