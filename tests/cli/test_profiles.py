"""Which agent is talked to, and where its token is kept."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streaming.scripted import Agent, Peer

from synapse_sdk.cli import _keyring

TOKEN = "a-token-of-24-characters"
OTHER = "another-token-for-others"


def healthy(peer: Peer) -> None:
    peer.answer(200, b'{"status": "ok", "ray_available": true}')


@pytest.fixture
def agent() -> Any:
    with Agent(lambda peer: None) as agent:
        agent.status_answers += [healthy] * 20
        yield agent


@pytest.fixture
def config(home: Path) -> Path:
    return home / "config" / "synapse" / "config.toml"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A keyring that works."""
    kept: dict[str, str] = {}
    backend = SimpleNamespace(
        set_password=lambda _service, name, value: kept.__setitem__(name, value),
        get_password=lambda _service, name: kept.get(name),
        delete_password=lambda _service, name: kept.pop(name),
    )
    monkeypatch.setattr(_keyring, "_backend", lambda: backend)
    return kept


def login(synapse: Any, agent: Any, token_file: Path, *options: str) -> Any:
    return synapse("login", "--url", agent.url, "--token-file", str(token_file), *options)


def asked(agent: Any) -> tuple[str, str]:
    """The path and the token of the last request."""
    return agent.requests[-1].path, agent.requests[-1].headers["authorization"]


@pytest.mark.parametrize("option", ["--url", "--profile"])
def test_an_empty_option_does_not_lead_to_another_agent(
    synapse: Any, agent: Agent, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setenv("SYNAPSE_AGENT_URL", agent.url)
    monkeypatch.setenv("SYNAPSE_AGENT_TOKEN", TOKEN)
    result = synapse("health", option, "")
    assert (result.code, result.out) == (2, "")
    assert f"{option} is empty" in result.err


def test_without_anything_it_says_what_to_do(synapse: Any) -> None:
    result = synapse("health")
    assert result.code == 2
    assert "SYNAPSE_AGENT_URL" in result.err
    assert "synapse login" in result.err


def test_login_checks_and_keeps_for_the_owner_alone(
    synapse: Any, agent: Any, token_file: Path, config: Path
) -> None:
    result = login(synapse, agent, token_file, "--profile", "lab")
    assert result.code == 0, result.err
    assert asked(agent) == ("/health/", TOKEN)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert tomllib.loads(config.read_text()) == {
        "default": "lab",
        "profiles": {"lab": {"url": agent.url, "token": TOKEN}},
    }
    assert TOKEN not in result.out + result.err

    assert synapse("health").code == 0
    assert asked(agent) == ("/health/", TOKEN)


def test_a_token_that_is_refused_is_not_kept(
    synapse: Any, agent: Any, token_file: Path, config: Path
) -> None:
    agent.status_answers.insert(0, lambda peer: peer.answer(401, b'{"detail": "not mine"}'))
    result = login(synapse, agent, token_file)
    assert result.code == 1
    assert "401" in result.err
    assert not config.exists()


def test_the_keyring_keeps_the_token_where_there_is_one(
    synapse: Any, agent: Any, token_file: Path, config: Path, keyring: dict[str, str]
) -> None:
    assert login(synapse, agent, token_file, "--profile", "lab").code == 0
    assert keyring == {"lab": TOKEN}
    assert tomllib.loads(config.read_text())["profiles"]["lab"] == {"url": agent.url, "keyring": True}
    assert synapse("health").code == 0
    assert asked(agent)[1] == TOKEN

    assert synapse("profiles", "delete", "lab").code == 0
    assert keyring == {}
    assert synapse("health").code == 2


def test_a_keyring_that_is_locked_is_told(
    synapse: Any, agent: Any, token_file: Path, keyring: dict[str, str]
) -> None:
    login(synapse, agent, token_file, "--profile", "lab")
    keyring.clear()
    result = synapse("health")
    assert result.code == 2
    assert "keyring" in result.err
    assert "synapse login --profile lab" in result.err


def test_token_from_stdin_never_in_the_list_of_processes(
    child: Any, agent: Any, config: Path, tmp_path: Path
) -> None:
    path = tmp_path / "stdin"
    path.write_text(TOKEN)
    with path.open() as stdin:
        process = child("login", "--url", agent.url, "--token", "-", stdin=stdin)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert TOKEN in config.read_text()


def test_login_asks_in_a_terminal_and_does_not_show_the_token(
    terminal: Any, agent: Any, config: Path
) -> None:
    screen = terminal("login", "--profile", "lab")
    screen.wait_for("The agent's URL")
    screen.type(f"{agent.url}\n")
    screen.wait_for("Its token")
    screen.wait_for_hidden_typing()
    screen.type(f"{TOKEN}\n")
    assert screen.exit_code() == 0, screen.text
    assert "profile lab, the default" in screen.text
    assert TOKEN.encode() not in screen.raw
    assert TOKEN in config.read_text()


def test_options_go_before_a_profile_before_the_environment(
    synapse: Any, agent: Any, token_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login(synapse, agent, token_file, "--profile", "lab")
    monkeypatch.setenv("SYNAPSE_AGENT_URL", f"{agent.url}/env")
    monkeypatch.setenv("SYNAPSE_AGENT_TOKEN", OTHER)

    assert synapse("health").code == 0
    assert asked(agent) == ("/env/health/", OTHER)
    assert synapse("health", "--profile", "lab").code == 0
    assert asked(agent) == ("/health/", TOKEN)
    other_file = tmp_path / "other"
    other_file.write_text("of-a-file-of-its-own")
    assert synapse("health", "--url", f"{agent.url}/option", "--token-file", str(other_file)).code == 0
    assert asked(agent) == ("/option/health/", "of-a-file-of-its-own")
    # Before the command as well as after it.
    assert synapse("--profile", "lab", "health").code == 0
    assert asked(agent) == ("/health/", TOKEN)


def test_a_profile_s_token_goes_nowhere_else(synapse: Any, agent: Any, token_file: Path) -> None:
    login(synapse, agent, token_file)
    with Agent(lambda peer: None) as elsewhere:
        result = synapse("health", "--url", elsewhere.url)
        assert elsewhere.requests == []
    assert result.code == 2
    assert "no token" in result.err


def test_profiles_are_listed_without_tokens(synapse: Any, agent: Any, token_file: Path) -> None:
    login(synapse, agent, token_file, "--profile", "lab")
    login(synapse, agent, token_file, "--profile", "home")
    people = synapse("profiles")
    assert [line.split() for line in people.out.splitlines()[1:]] == [
        ["*", "lab", agent.url, "file"],
        ["-", "home", agent.url, "file"],
    ]
    programs = json.loads(synapse("profiles", "list", "--json").out)
    assert [(row["name"], row["default"]) for row in programs] == [("lab", True), ("home", False)]
    assert synapse("profiles", "use", "home").code == 0
    assert json.loads(synapse("profiles", "show", "home", "--json").out)["default"] is True
    assert TOKEN not in people.out + json.dumps(programs) + synapse("profiles", "show", "home").out


def test_comments_in_the_file_stay(synapse: Any, agent: Any, token_file: Path, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('# mine\n[profiles.old]\nurl = "http://old"  # retired\n')
    assert login(synapse, agent, token_file, "--profile", "lab").code == 0
    text = config.read_text()
    assert "# mine" in text
    assert "# retired" in text
    assert set(tomllib.loads(text)["profiles"]) == {"old", "lab"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url =", "not TOML"),
        ("profiles = 1", "must be tables"),
        ("[profiles]\nlab = 1", "must be a table"),
        ("[profiles.lab]\ntoken = 'x'", "has no url"),
        ("[profiles.lab]\nurl = 1", "url must be a string"),
    ],
)
def test_a_file_that_is_wrong_is_named(synapse: Any, config: Path, text: str, words: str) -> None:
    config.parent.mkdir(parents=True)
    config.write_text(text)
    result = synapse("health")
    assert result.code == 2
    assert words in result.err
    assert str(config) in result.err


def test_a_file_that_others_can_read_is_told(
    synapse: Any, agent: Any, token_file: Path, config: Path
) -> None:
    login(synapse, agent, token_file)
    config.chmod(0o644)
    result = synapse("health")
    assert result.code == 0
    assert "others can read" in result.err


def test_an_unknown_profile_is_told_with_those_there_are(synapse: Any, agent: Any, token_file: Path) -> None:
    login(synapse, agent, token_file, "--profile", "lab")
    result = synapse("health", "--profile", "lap")
    assert result.code == 2
    assert "there are: lab" in result.err


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 65])
def test_a_profile_s_name_is_checked(synapse: Any, agent: Any, token_file: Path, name: str) -> None:
    result = login(synapse, agent, token_file, f"--profile={name}")
    assert result.code == (0 if name == "" else 2)  # empty is the default profile
