"""What README.md and docs/ tell to type, typed against a real agent, and what they say it prints."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from checkout import ROOT, environment
from running_agent import RunningAgent
from tables import each_row

from docs.blocks import Block, Command, blocks, matches, pages
from docs.reader import Python, Shell

pytestmark = pytest.mark.slow

# Seconds: a job of a busy cluster takes its time.
TIMEOUT = 120

# Where a page stands at the beginning, there is no agent yet; everywhere else it is in the environment.
FROM_NOTHING = {"README.md", "docs/index.md", "docs/quickstart.md"}

# Every block that is not run, by its reason. Not to grow without need.
NOT_RUN = {
    "README.md": [
        "installs packages",
        "the first is run by tests/e2e/test_quickstart.py, the second runs this",
        "serves until Ctrl-C; tests/e2e/test_agent_process.py does",
    ],
    "docs/benchmarks.md": ["takes twenty minutes and installs packages"],
    "docs/how-to/long-polls.md": ["installs packages"],
    "docs/how-to/run-an-agent.md": [
        "serves until Ctrl-C; tests/e2e/test_agent_process.py does",
        "serves until Ctrl-C; tests/e2e/test_plugin_releases.py does",
        "serves until Ctrl-C; tests/e2e/test_containers.py does",
    ],
    "docs/install.md": ["installs packages"],
    "docs/quickstart.md": [
        "installs packages",
        "serves until Ctrl-C; the tests' agent stands in for it",
    ],
}
REDIS = "redis://host:6379/0"
UNDERSTOOD = {"export", ".", "python3"}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


PAGES = [page for page in pages() if any(block.reason is None for block in blocks(page))]


def test_only_these_blocks_are_not_run() -> None:
    reasons = {name_of(page): [block.reason for block in blocks(page) if block.reason] for page in pages()}
    assert {name: of_page for name, of_page in reasons.items() if of_page} == NOT_RUN


def test_how_a_page_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        'Save it:\n\n```python title="a.py"\nx = 1\n```\n\n<!-- runs on -->\n'
        "```console\n$ python \\\n    a.py\none\n…\n$ true\n```\n\n"
        "<!-- not run: too long -->\n```python\nsleep()\n```\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n"
        "\nNo output of anything:\n\n```text\n2\n```\n"
    )
    file, console, slow, short = blocks(page)
    assert (file.title, file.text, file.line) == ("a.py", "x = 1\n", 4)
    assert [(one.text, one.output, one.line) for one in console.commands] == [
        ("python \\\n    a.py", "one\n…", 9),
        ("true", None, 13),
    ]
    assert (slow.reason, slow.output) == ("too long", None)
    assert (short.reason, short.output) == (None, "1\n")
    assert [one.runs_on for one in (file, console, slow, short)] == [False, True, False, False]


@each_row(
    ("printed", "shown", "same"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\nb\n", "a", False),
        ("a 12 b\n", "a … b", True),
        ("a 12\nb\n", "a … b", False),
        ("a\n1\n2\nb\n", "a\n…\nb", True),
        ("a\nb\n", "a\n…\nb", True),
        ("1\n2\n", "…", True),
        ("1\n2\n3\n", "…\n3\n", True),
        ("1\n2\n3\n4\n", "…\n3\n", False),
        ("a.c\n", "abc", False),
    ],
)
def test_how_an_output_is_compared(printed: str, shown: str, same: bool) -> None:
    assert matches(printed, shown) is same


def not_run() -> list[Command]:
    return [
        command for page in pages() for block in blocks(page) if block.reason for command in block.commands
    ]


@each_row("command", not_run(), ids=lambda command: command.text.partition("  ")[0][:60])
def test_what_is_not_run_is_at_least_understood(command: Command) -> None:
    words = shlex.split(command.text.replace("\\\n", " "), comments=True)
    match words:
        case ["make", *arguments]:
            done = subprocess.run(
                ["make", "-n", *arguments], cwd=ROOT, check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        case ["synapse-agent", *arguments]:
            from synapse_agent.__main__ import _parser

            _parser().parse_args(arguments)
        case ["pip", "install", what]:
            extras = set(what.partition("[")[2].rstrip("]").split(",")) - {""}
            assert (
                extras
                <= tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
                    "optional-dependencies"
                ].keys()
            )
        case ["python" | "python3", "-m", module, *arguments]:
            options = [word for word in arguments if word.startswith("--")]
            done = subprocess.run(
                [sys.executable, "-m", module, "--help"],
                cwd=ROOT,
                env=environment(),
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            assert [option for option in options if option not in done.stdout] == []
        case [name, *_]:
            assert name in UNDERSTOOD
        case _:
            raise AssertionError(words)


@pytest.mark.ray
def test_quickstart_shows_what_an_agent_prints(agent: RunningAgent) -> None:
    if agent.process is None or agent.process.stdout is None:
        pytest.skip("somebody else started the agent, and has what it printed")
    (shown,) = [
        command.output
        for block in blocks(ROOT / "docs" / "quickstart.md")
        for command in block.commands
        if command.text == "synapse-agent serve"
    ]
    # It is all there since the agent is ready, and nobody else reads it.
    printed = agent.stderr + os.read(agent.process.stdout.fileno(), 65_536).decode()
    Reader(agent, None).check(printed, shown, "docs/quickstart.md")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """A Redis, on a socket of its own, where there is the program."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    folder = tmp_path_factory.mktemp("redis")
    path = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        assert any("ready to accept connections" in line.lower() for line in server.stdout)
        yield f"unix://{path}"
        server.terminate()
        server.communicate(timeout=10)


@pytest.mark.ray
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to type into")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_do_what_the_page_says(
    page: Path, agent: RunningAgent, redis_url: str | None, tmp_path: Path
) -> None:
    reader = Reader(agent, redis_url)
    env = variables(agent, tmp_path, given=name_of(page) not in FROM_NOTHING)
    with ExitStack() as stack:
        shell = python = None
        for block in blocks(page):
            if block.reason is not None or (redis_url is None and REDIS in block.text):
                continue
            if block.title is not None:
                (tmp_path / block.title).write_text(reader.as_typed(block.text))
            elif block.language == "console":
                shell = shell or stack.enter_context(Shell(tmp_path, env))
                reader.type_into(shell, block)
            else:
                # A program finds what was exported in the shell it is started from.
                python = python or stack.enter_context(
                    Python(tmp_path, shell.environment() if shell else env)
                )
                printed = python.run(reader.as_typed(block.text), block.place, block.line, TIMEOUT)
                reader.check(printed, block.output, block.place)
        if shell is not None:
            shell.check_started()
        if python is not None:
            assert python.finish() == ""


def variables(agent: RunningAgent, home: Path, *, given: bool) -> dict[str, str]:
    dropped = {"SYNAPSE_PROFILE", "SYNAPSE_PLUGIN_RUN_USER_TOKEN", "SYNAPSE_PLUGIN_RUN_TENANT"}
    dropped |= {"SYNAPSE_AGENT_URL", "SYNAPSE_AGENT_TOKEN", "PYTHONUNBUFFERED"}
    env = {name: value for name, value in environment().items() if name not in dropped}
    env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    env |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return env | {"SYNAPSE_AGENT_URL": agent.url, "SYNAPSE_AGENT_TOKEN": agent.token} if given else env


class Reader:
    """Types what stands on a page, with the real addresses and tokens, and compares what is printed."""

    def __init__(self, agent: RunningAgent, redis_url: str | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._there = {
            "http://127.0.0.1:8000": agent.url.rstrip("/"),
            "http://127.0.0.1:8080": f"http://127.0.0.1:{port}",
            "--port 8080": f"--port {port}",
            "agent-token": agent.token,
            **({REDIS: redis_url} if redis_url else {}),
        }

    def as_typed(self, text: str) -> str:
        for shown, real in self._there.items():
            text = text.replace(shown, real)
        return text

    def as_shown(self, text: str) -> str:
        for shown, real in self._there.items():
            text = text.replace(real, shown)
        return text

    def type_into(self, shell: Shell, block: Block) -> None:
        if block.runs_on:
            for command in block.commands:
                shell.start(self.as_typed(command.text))
            return
        for command, following in zip(block.commands, [*block.commands[1:], None], strict=True):
            printed = shell.run(self.as_typed(command.text), TIMEOUT)
            place = f"{name_of(block.page)}:{command.line}"
            self.check(printed, command.output, place)
            # One that fails has to be one whose status is looked at next.
            looked_at = following is not None and "$?" in following.text
            assert shell.status == 0 or looked_at, f"{place} ended with {shell.status} after\n{printed}"

    def check(self, printed: str, expected: str | None, place: str) -> None:
        seen = self.as_shown(printed)
        if expected is not None and not matches(seen, expected):
            pytest.fail(f"{place} shows\n\n{expected}\n\nand this was printed:\n\n{seen}", pytrace=False)
