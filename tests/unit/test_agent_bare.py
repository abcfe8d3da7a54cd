"""The agent where things are missing that a shell has: a home, open streams, files, threads, a directory."""

from __future__ import annotations

import json
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import httpx
import pytest
from checkout import environment, under_test

from synapse_agent._pyinstaller import hook_dirs

pytestmark = pytest.mark.slow

MAIN = "import sys; from synapse_agent.__main__ import main; sys.exit(main())"
NO_THREADS = """
import threading
def refuse(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse  # as CPython does where the number of processes is limited, but not for root
"""
NO_TMPDIR = """
import tempfile
def refuse():
    raise FileNotFoundError(2, "No usable temporary directory found")
tempfile.gettempdir = refuse
"""
FROZEN = "import sys; sys.frozen = True\n"
# A user id without an entry in the passwd file, which may still read what the tests' user may.
NOBODY = "unshare --user --map-user=54321 --map-group=54321"


def can_be_nobody() -> bool:
    return shutil.which("unshare") is not None and subprocess.run([*NOBODY.split(), "true"]).returncode == 0


def run(
    tmp_path: Path,
    command: str,
    arguments: str,
    before: str,
    variables: dict[str, str],
    output: int | IO[str],
) -> subprocess.Popen[str]:
    """Start a shell command, in which AGENT is the agent."""
    agent = f"{shlex.quote(sys.executable)} -c {shlex.quote(before + MAIN)}"
    dropped = {"HOME", "XDG_STATE_HOME", "SYNAPSE_AGENT_DATA", "SYNAPSE_PLUGINS"}
    variables = {name: value for name, value in environment().items() if name not in dropped} | variables
    variables["PYTHONSAFEPATH"] = (
        "1"  # as for the installed command, the working directory is not on the path
    )
    line = command.replace("SERVE", f"AGENT serve --port 0 --token token-of-the-agent {arguments}").replace(
        "AGENT", agent
    )
    return subprocess.Popen(
        ["sh", "-c", line], env=variables, cwd=tmp_path, stdout=output, stderr=output, text=True
    )


@contextmanager
def serving(tmp_path: Path, command: str, before: str = "", **variables: str) -> Iterator[httpx.Client]:
    """Start an agent, wait until it is ready, and stop it in order."""
    ready, output = tmp_path / "ready.json", tmp_path / "output"
    arguments = f"--ray http://127.0.0.1:1 --ready-file {ready}"
    with output.open("w") as file:
        process = run(tmp_path, f"exec {command}", arguments, before, variables, file)
    try:
        while not ready.exists():
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"it ended with {process.wait(0.02)}: {output.read_text()}")
        told = json.loads(ready.read_text())
        with httpx.Client(
            base_url=told["url"], headers={"Authorization": "token-of-the-agent"}, timeout=60
        ) as client:
            yield client
        process.terminate()
        assert process.wait() == 0
        assert "Traceback" not in output.read_text()
    finally:
        process.kill()
        process.wait()


def said(
    tmp_path: Path, command: str, arguments: str = "", before: str = "", **variables: str
) -> tuple[int, str]:
    process = run(tmp_path, command, arguments, before, variables, subprocess.PIPE)
    output, errors = process.communicate()
    return process.returncode, output + errors


def refused(
    tmp_path: Path, command: str, before: str = "", *, ray: str = "--ray http://127.0.0.1:1", **variables: str
) -> str:
    """Start an agent that can't serve; return the one sentence that it says."""
    status, text = said(tmp_path, command, ray, before, **variables)
    assert status == 1
    assert "Traceback" not in text
    sentence = text.strip().split("\n")[-1]
    assert sentence.startswith("synapse-agent: ")
    return sentence


@pytest.mark.skipif(not can_be_nobody(), reason="this system has no user namespaces")
@pytest.mark.parametrize(
    "arguments", ["", "--data data", "--docker unix:///no.sock --container-base b --data data"]
)
def test_no_home_and_no_passwd_entry(tmp_path: Path, arguments: str) -> None:
    with serving(tmp_path, f"{NOBODY} SERVE {arguments}") as client:
        assert client.get("health/").status_code == 200


@pytest.mark.skipif(not can_be_nobody(), reason="this system has no user namespaces")
@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_not_absolute(tmp_path: Path, home: str) -> None:
    with serving(tmp_path, f"{NOBODY} SERVE", HOME=home) as client:
        assert client.get("health/").status_code == 200


def test_state_that_cannot_be_kept_is_an_error_only_once_it_is_needed(tmp_path: Path) -> None:
    with serving(tmp_path, "SERVE", HOME="/dev/null/home") as client:
        assert client.get("health/").status_code == 200
        answer = client.get("plugin_releases/")
        assert answer.status_code == 500
        assert "name another directory with --data" in answer.json()["detail"]
    docker = "SERVE --docker unix:///no.sock --container-base b"
    assert "name another with --data" in refused(tmp_path, docker, HOME="/dev/null/home")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    with serving(tmp_path, f"SERVE {closed}") as client:
        assert client.get("health/").status_code == 200
        # No socket and no file got the number of a standard stream, where a library might write.
        pid = json.loads((tmp_path / "ready.json").read_text())["pid"]
        if sys.platform == "linux":
            streams = {str(Path(f"/proc/{pid}/fd/{number}").readlink()) for number in range(3)}
            assert not any(name.startswith(("socket:", "anon_inode:")) for name in streams)


@pytest.mark.parametrize("arguments", ["serve --help", "--version"])
def test_help_into_a_closed_stream(tmp_path: Path, arguments: str) -> None:
    assert said(tmp_path, f"AGENT {arguments} >&-") == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    full = "can't write to standard output: No space left on device"
    assert full in refused(tmp_path, "SERVE >/dev/full")
    # Buffered, as it is by default, this fails while Python ends.
    assert full in refused(tmp_path, "AGENT --version >/dev/full", PYTHONUNBUFFERED="")
    with serving(tmp_path, "SERVE 2>/dev/full") as client:
        assert client.get("health/").status_code == 200


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    command = "mkdir gone; cd gone; rmdir ../gone; exec SERVE --data data"
    assert "can't resolve data, give an absolute path" in refused(tmp_path, command)


def test_few_open_files(tmp_path: Path) -> None:
    assert "only 8 open files are allowed, and 16 are needed" in refused(tmp_path, "ulimit -n 8; exec SERVE")
    with serving(tmp_path, "sh -c 'ulimit -n 16; exec \"$@\"' - SERVE --data data") as client:
        assert client.get("plugin_releases/").json()["count"] == 0


def test_no_more_threads(tmp_path: Path) -> None:
    assert "can't start new thread" in refused(tmp_path, "SERVE --data data", NO_THREADS)
    with serving(tmp_path, "SERVE", NO_THREADS) as client:
        assert client.get("health/").status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"404 No\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["another API", "a page", "nothing there"],
)
def test_another_server_than_ray(tmp_path: Path, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65_536)
                        connection.sendall(b"HTTP/1.1 " + answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert f"the server at {url} is not a Ray dashboard" in refused(tmp_path, "SERVE", ray=f"--ray {url}")
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_ready_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    assert "can't write directory: Is a directory" in refused(tmp_path, "SERVE --ready-file directory")
    assert [path.name for path in tmp_path.iterdir()] == ["directory"]


def test_what_the_agent_reads_as_files_is_bundled_by_pyinstaller() -> None:
    (folder,) = hook_dirs()
    bundled = {Path(path): to for path, to in runpy.run_path(f"{folder}/hook-synapse_agent.py")["datas"]}
    package = under_test()["synapse_agent"]
    files = [package / "plugins" / "runner.py", *package.rglob("*.json")]
    assert bundled == {path: str(path.relative_to(package.parent).parent) for path in files}
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (FROZEN, "name a cluster with --ray"),
        pytest.param(
            NO_TMPDIR,
            "set TMPDIR to one",
            marks=pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
        ),
    ],
)
def test_where_no_cluster_can_be_started(tmp_path: Path, before: str, words: str) -> None:
    assert words in refused(tmp_path, "SERVE", before, ray="")
