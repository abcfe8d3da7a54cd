"""Options from the command line, the environment and a TOML file, and check-config."""

from __future__ import annotations

from pathlib import Path

import pytest

from synapse_agent.__main__ import main

NOWHERE = ("--ray", "http://127.0.0.1:1")


def check(
    capsys: pytest.CaptureFixture[str], *arguments: str, command: str = "check-config"
) -> tuple[int, str, str]:
    status = main([command, *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SYNAPSE_AGENT_TOKEN", "SYNAPSE_AGENT_DATA", "SYNAPSE_PLUGINS", "SYNAPSE_AGENT_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_command_line_is_stronger_than_the_environment_and_that_than_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(
        'token = "a-token-of-the-file"\nport = 1\nmax-tails = 1\nmax-tails-per-job = 1\ndrain = 1.5\n'
        'keep-logs = "2G"\ntrusted-proxy = ["10.0.0.0/8", "::1"]\nlog-format = "json"\n'
    )
    monkeypatch.setenv("SYNAPSE_AGENT_PORT", "2")
    monkeypatch.setenv("SYNAPSE_AGENT_MAX_TAILS", "2")
    monkeypatch.setenv("SYNAPSE_AGENT_CONTAINER_ULIMIT", "")
    status, shown, _ = check(capsys, "--config", str(file), "--port", "3")
    assert status == 0
    assert set(shown.splitlines()) == {
        "port = 3",
        'token = "***"',
        "drain = 1.5",
        f"keep-logs = {2 << 30}",
        'trusted-proxy = ["10.0.0.0/8", "::1"]',
        "max-tails = 2",
        "max-tails-per-job = 1",
        'log-format = "json"',
    }
    # What is shown can be used again.
    again = tmp_path / "again.toml"
    again.write_text(shown.replace("***", "a-token-of-the-file"))
    monkeypatch.setenv("SYNAPSE_AGENT_CONFIG", str(again))
    monkeypatch.delenv("SYNAPSE_AGENT_PORT")
    assert check(capsys) == (0, shown, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("port = ", "agent.toml: Invalid value"),
        ("ports = 1", "there is no option ports"),
        ("log_level = 'info'", "there is no option log_level"),
        ("config = 'x'", "there is no option config"),
        ("port = 'x'", "agent.toml: port: invalid literal"),
        ("port = true", "agent.toml: port must be a text or a number"),
        ("max-tails = 0", "agent.toml: max-tails: '0' is not a number of at least 1"),
        ("log-level = 'loud'", "agent.toml: log-level must be one of debug"),
        ("trusted-proxy = '::1'", "agent.toml: trusted-proxy must be a list"),
        ("[serve]\nport = 1", "there is no option serve"),
        ("trusted-proxy = ['x']", "--trusted-proxy: 'x'"),
        ("token = 'short'", "at least 16 characters"),
        ("plugins = '/no/such/place'", "--plugins takes a directory"),
        ("tls-cert = 'x'", "need each other"),
        ("container-base = 'x'", "need --docker"),
        ("ray = 'x'", "--ray takes the URL"),
    ],
)
@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str, command: str
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(content)
    status, shown, error = check(capsys, "--config", str(file), command=command)
    assert (status, shown) == (1, "")
    assert error.startswith("synapse-agent: ")
    assert words in error
    assert error.count("\n") == 1


def test_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, error = check(capsys, "--config", str(tmp_path / "none.toml"))
    assert (status, error) == (1, f"synapse-agent: No such file or directory: {tmp_path}/none.toml\n")


def test_the_variable_of_a_kubernetes_service_is_not_ours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNAPSE_AGENT_PORT", "tcp://10.0.0.1:8000")
    assert check(capsys)[:2] == (0, "")


def test_a_variable_that_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNAPSE_AGENT_DRAIN", "-1")
    assert "SYNAPSE_AGENT_DRAIN: '-1' is not a number of seconds" in check(capsys, *NOWHERE)[2]
