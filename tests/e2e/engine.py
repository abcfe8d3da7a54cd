"""A real container engine for tests: Podman's Docker-compatible API on a socket of its own.

Needs root and Debian's packages podman, runc and busybox-static. Everything it makes lies in one
temporary directory; nothing is pulled.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pip as pip_package

__all__ = ["PodmanEngine", "busybox_base", "missing", "python_base", "running_engine"]

_CONF = """\
[containers]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""

# Serves the plugin's folder, with some pages about its environment, by HTTP.
_SERVE = """\
#!/bin/sh
[ $# = 0 ] || exit 9
mkdir -p /www
cp -r /synapse/plugin/. /www/
env > /www/env
echo "serving, token $SYNAPSE_AGENT_TOKEN"
if [ -f /synapse/plugin/fail ]; then echo "giving up, $API_TOKEN"; exit 7; fi
if [ -f /synapse/plugin/hang ]; then echo "still loading"; trap 'exit 0' TERM; sleep 1000 & wait; fi
httpd -f -p "$HOST:$PORT" -h /www &
trap 'kill $!' TERM
wait
"""

_COMMANDS = ("sh", "httpd", "mkdir", "cp", "chown", "env", "sleep", "echo", "cat")


def missing() -> str:
    """What the engine lacks here; empty where it can run."""
    if os.geteuid() != 0:
        return "containers are tested as root only"
    lacks = [name for name in ("podman", "runc", "busybox") if shutil.which(name, path=_PATH) is None]
    return f"not installed: {', '.join(lacks)}" if lacks else ""


_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


@dataclass
class PodmanEngine:
    directory: Path
    http: httpx.Client
    _service: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> Path:
        return self.directory / "podman.sock"

    def start(self) -> None:
        """Start the service unless it runs; returns when it listens."""
        if self._service is not None:
            return
        with (self.directory / "output").open("ab") as output:
            self._service = subprocess.Popen(
                _command(self.directory, "system", "service", "--time=0", self.url),
                env=_environment(self.directory),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while not _listens(self._socket):
            assert self._service.poll() is None, (self.directory / "output").read_text()
            assert time.monotonic() < deadline, "podman does not listen"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the service; the containers go on."""
        if self._service is not None:
            self._service.terminate()
            try:
                self._service.wait(10)
            finally:
                self._service.kill()
                self._service.wait()
                self._service = None
                self._socket.unlink(missing_ok=True)

    def containers(self) -> list[dict[str, Any]]:
        answer = self.http.get("containers/json", params={"all": "true"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def inspect(self, container_id: str) -> dict[str, Any]:
        details: dict[str, Any] = self.http.get(f"containers/{container_id}/json").raise_for_status().json()
        return details

    def images(self) -> set[str]:
        answer = self.http.get("images/json")
        while answer.status_code == 500:  # Podman's, while one of them is being removed
            answer = self.http.get("images/json")
        found = answer.json()
        return {tag for image in found for tag in image["RepoTags"] or ()}

    def make_base(self, tag: str, files: Mapping[str, Path | bytes], *changes: str) -> str:
        """Make an image of busybox and these files by their paths; `changes` are lines of a Dockerfile."""
        with (self.directory / "base.tar").open("w+b") as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                _add(tar, "bin/busybox", Path(str(shutil.which("busybox", path=_PATH))))
                for name in _COMMANDS:
                    _link(tar, f"bin/{name}", "busybox")
                for name, content in files.items():
                    _add(tar, name, content)
            archive.seek(0)
            # The command of the base must be in no container's.
            options = [word for change in (*changes, 'CMD ["sleep"]') for word in ("--change", change)]
            done = subprocess.run(
                _command(self.directory, "import", *options, "-", tag),
                stdin=archive,
                env=_environment(self.directory),
                capture_output=True,
            )
        assert done.returncode == 0, done.stderr.decode()
        return tag


def busybox_base(engine: PodmanEngine) -> str:
    """An image whose label says that a shell script serves."""
    label = "synapse.command={}".format(json.dumps(["/bin/serve"]))
    return engine.make_base("synapse-test-base:1", {"bin/serve": _SERVE.encode()}, f"LABEL {label}")


def python_base(engine: PodmanEngine) -> str:
    """An image with the Python that runs the tests, and pip, at the same places as here."""
    python = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    files: dict[str, Path | bytes] = {str(python): python}
    files |= {str(path): path for path in _modules(library)}
    pip = Path(pip_package.__path__[0])
    files |= {f"/opt/pip/pip/{path.relative_to(pip)}": path for path in _modules(pip)}
    shared = [python, *(path for name, path in files.items() if ".so" in name and isinstance(path, Path))]
    done = subprocess.run(["ldd", *map(str, shared)], capture_output=True, text=True)
    files |= {name: Path(name) for name in set(re.findall(r"(/\S+) \(0x", done.stdout))}
    changes = (f"ENV PATH={python.parent}:/usr/bin:/bin", "ENV PYTHONPATH=/opt/pip")
    files["/usr/bin/python"] = f'#!/bin/sh\nexec {python} "$@"\n'.encode()
    return engine.make_base("synapse-test-python:1", files, *changes)


def _modules(folder: Path) -> Iterator[Path]:
    without = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter"}
    without |= {"lib2to3", "ensurepip", "pydoc_data", "turtledemo"}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in without and not name.startswith("config-")]
        yield from (Path(root, name) for name in names if not name.endswith((".pyc", ".exe")))


def _add(tar: tarfile.TarFile, name: str, content: Path | bytes) -> None:
    data = content.read_bytes() if isinstance(content, Path) else content
    info = tarfile.TarInfo(name.lstrip("/"))
    info.size = len(data)
    info.mode = 0o755
    tar.addfile(info, io.BytesIO(data))


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name)
    info.type = tarfile.SYMTYPE
    info.linkname = target
    tar.addfile(info)


@contextmanager
def running_engine() -> Iterator[PodmanEngine]:
    """Start the service and stop it at the end, with every container that is left."""
    directory = Path(tempfile.mkdtemp(prefix="podman-", dir="/tmp"))
    try:
        (directory / "tmp").mkdir()
        (directory / "containers.conf").write_text(_CONF)
        transport = httpx.HTTPTransport(uds=str(directory / "podman.sock"))
        with httpx.Client(transport=transport, base_url="http://podman/v1.41/", timeout=60) as http:
            engine = PodmanEngine(directory, http)
            engine.start()
            try:
                yield engine
            finally:
                engine.start()
                for container in engine.containers():
                    http.delete(f"containers/{container['Id']}", params={"force": "true"})
                engine.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock, suppress(OSError):
        sock.connect(str(path))
        return True
    return False


def _command(directory: Path, *arguments: str) -> list[str]:
    store = [
        "--storage-driver",
        "vfs",
        "--root",
        str(directory / "store"),
        "--runroot",
        str(directory / "run"),
    ]
    return ["podman", *store, *arguments]


def _environment(directory: Path) -> dict[str, str]:
    environment = {"CONTAINERS_CONF": str(directory / "containers.conf"), "TMPDIR": str(directory / "tmp")}
    return environment | {"PATH": _PATH, "HOME": str(directory)}
