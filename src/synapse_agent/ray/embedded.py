"""A Ray cluster that the agent starts and stops."""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..errors import StartupError
from ..process import describe
from .client import RayClient
from .environment import check_patterns, job_environment

__all__ = ["EmbeddedRay", "free_port"]

_PREFIX = "synray-"
_READY_WITHIN = 90.0

# Ray creates sockets below it, and the path of a socket is limited to about 100 characters.
_MAX_PARENT = 24

# Below the ephemeral ports of systems, and outside Ray's worker ports 10002 to 19999.
_PORTS = range(20_000, 32_000)


class EmbeddedRay:
    """A `ray start --head` with its own token, under a supervisor process.

    Args:
        job_env: Names or patterns of variables of the agent's environment that jobs get as well.
        bind: Address of this machine by which other nodes reach the cluster, which then listens on all
            addresses. None: it listens on loopback only.
    """

    def __init__(self, job_env: Sequence[str] = (), bind: str | None = None) -> None:
        check_patterns(job_env)
        self._job_env = job_env
        self._bind = bind
        if getattr(sys, "frozen", False):
            raise StartupError("a frozen program can't start Ray: name a cluster with --ray")
        if importlib.util.find_spec("ray") is None:
            raise StartupError(
                'Ray is not installed: pip install "synapse-sdk[agent-ray]",'
                " or name a running cluster with --ray URL, which needs no Ray here"
            )
        self.token = secrets.token_hex(32)
        self.url = ""
        self._directory: Path | None = None
        self._lock: int | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        try:
            self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop
        except OSError as error:
            raise _no_directory(error) from None

    @property
    def log_dir(self) -> Path:
        assert self._directory is not None
        return self._directory / "ray" / "session_latest" / "logs"

    async def start(self) -> None:
        """Start Ray and return when it is ready. Call `stop` in every case."""
        await asyncio.to_thread(_remove_stale)
        self._directory, self._lock = _make_directory()
        dashboard, client = _free_ports(2)
        self.url = f"http://127.0.0.1:{dashboard}"
        # A subdirectory: Ray makes its own readable to everybody, and it holds logs and packages.
        (self._directory / "tmp").mkdir()
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        command += [
            "--port=0",
            "--dashboard-agent-listen-port=0",
            "--min-worker-port=0",
            "--max-worker-port=0",
        ]
        command += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
        if self._bind is not None:
            command.append(f"--node-ip-address={self._bind}")
        command += [f"--ray-client-server-port={client}", f"--temp-dir={self._directory / 'ray'}"]
        command += ["--include-log-monitor=false", "--disable-usage-stats", "--log-color=false"]
        supervisor = [
            sys.executable,
            "-I",
            "-S",
            str(Path(__file__).with_name("supervisor.py")),
            str(self._directory),
        ]
        self._supervisor = subprocess.Popen(  # noqa: ASYNC220  a fork takes a millisecond
            supervisor + command,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            cwd=self._directory,
            # Its own session: Ctrl-C reaches only the agent, which then stops Ray in order.
            start_new_session=True,
            # The supervisor holds the lock, which marks the directory as in use.
            pass_fds=[self._lock],
        )
        ray = RayClient(self.url, self.token)
        ready = asyncio.ensure_future(ray.wait_ready(asyncio.get_running_loop().time() + _READY_WITHIN))
        ended = asyncio.ensure_future(self.ended())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not (ready.done() and ready.result()):
                why = "ended at once" if ended.done() else f"was not ready within {_READY_WITHIN:.0f} s"
                raise StartupError(f"Ray {why}: {self._last_words()}")
        finally:
            ready.cancel()
            ended.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
            await ray.close()

    async def ended(self) -> None:
        """Wait until Ray has ended."""
        while self._supervisor is not None and self._supervisor.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    async def stop(self) -> None:
        """Stop the cluster and remove its files. May be called twice."""
        if self._supervisor is not None:
            assert self._supervisor.stdin is not None
            self._supervisor.stdin.close()
            await asyncio.to_thread(self._supervisor.wait)
            self._supervisor = None
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._output.close()

    def _environment(self) -> dict[str, str]:
        environment = job_environment(os.environ, self._job_env)
        # Without a token Ray writes one to the home directory, and every later Ray on this machine
        # requires it.
        environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}
        # Ray replaces 127.0.0.1 by another address of the machine, and then listens on all of them, unless it
        # knows that the cluster has one node. It has this variable for that, on Linux as well.
        environment["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0" if self._bind is None else "1"
        # Temporary files of processes that are killed are removed with the directory.
        assert self._directory is not None
        environment["TMPDIR"] = str(self._directory / "tmp")
        # Entrypoints call `python`, which must be this one.
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        return environment | {"PATH": os.pathsep.join(path)}

    def _last_words(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:500] if said else "it wrote no output"


def _parent() -> Path:
    directory = Path(tempfile.gettempdir())
    return directory if len(str(directory)) <= _MAX_PARENT else Path("/tmp")  # noqa: S108


def _no_directory(error: OSError) -> StartupError:
    return StartupError(
        f"can't create a directory for Ray's files: {describe(error)}; set TMPDIR to one of at most"
        f" {_MAX_PARENT} characters that this user may write to"
    )


def _make_directory() -> tuple[Path, int]:
    try:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_parent()))
    except OSError as error:
        raise _no_directory(error) from None
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return directory, lock


def _remove_stale() -> None:
    """Remove directories of agents whose supervisor was killed as well."""
    for directory in _directories():
        try:
            lock = os.open(directory / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            # Another agent may be about to lock it, unless it is old.
            with suppress(OSError):
                if time.time() - directory.stat().st_mtime > 60:
                    shutil.rmtree(directory, ignore_errors=True)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # in use
        else:
            shutil.rmtree(directory, ignore_errors=True)
        finally:
            os.close(lock)


def _directories() -> Iterator[Path]:
    for directory in _parent().glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if directory.is_dir() and directory.stat().st_uid == os.getuid():
                yield directory


def free_port() -> int:
    """Return a free TCP port outside the ranges of Ray and of the system."""
    return _free_ports(1)[0]


def _free_ports(count: int) -> list[int]:
    free: list[int] = []
    for port in random.sample(_PORTS, 200):
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("", port))
            free.append(port)
        if len(free) == count:
            return free
    raise StartupError("there is no free port for Ray between 20000 and 31999")
