"""How an image is made from a plugin and the base image.

The plugin's files lie in /synapse/plugin, which is the working directory. What runs there says the
label `synapse.command` of the base image (`synapse.code-server.command` for a code server): a JSON
array of texts as in a Dockerfile, or a text for /bin/sh. A base image without the label is taken for
one with Python: the plugin's requirements.txt is installed, and the first `restapi` action of its
config, else the first `serve` action, is called by `synapse_agent.runs.runner`, as a job's would be. It
serves HTTP on the environment's HOST and PORT and does not return.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from importlib import resources
from typing import IO, cast

from ..errors import ApiError
from ..plugins.packages import PARAMS_FILE, RUNNER
from ..ray.client import JsonObject

__all__ = ["command_label", "command_of", "container_defaults", "write_context"]

_DIRECTORY = "/synapse/plugin"
_LABELS = {"plugin_runtime": "synapse.command", "code_server": "synapse.code-server.command"}


def container_defaults(command: list[str] | None) -> JsonObject:
    """What belongs to the image too, but each instruction would cost some engines a copy of it."""
    # As the first process Python heeds this and not SIGTERM.
    return {"WorkingDir": _DIRECTORY} | ({"StopSignal": "SIGINT"} if command is None else {})


def command_label(kind: str) -> str:
    return _LABELS[kind]


def command_of(labels: Mapping[str, str], kind: str) -> list[str] | None:
    """What the base image wants to be run; None if it does not say."""
    text = labels.get(_LABELS[kind], "").strip()
    if not text:
        return None
    if not text.startswith("["):
        return ["/bin/sh", "-c", text]
    try:
        value: object = json.loads(text)
    except ValueError:
        value = None
    words = cast("list[object]", value) if isinstance(value, list) else []
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ApiError(500, f"the base image's label {_LABELS[kind]} is no JSON array of texts")
    return cast("list[str]", words)


def write_context(
    target: IO[bytes],
    files: Mapping[str, bytes],
    *,
    base: str,
    command: list[str] | None,
    params: str | None,
) -> str:
    """Write the tar that Docker builds from; the digest of it.

    The same input gives the same digest. Takes a while for a large plugin; call it in a thread.
    """
    content = {path: data for path, data in files.items() if path not in (RUNNER, PARAMS_FILE)}
    content[RUNNER] = resources.files("synapse_agent.runs").joinpath("runner.py").read_bytes()
    if params is not None:
        content[PARAMS_FILE] = params.encode()
    digest = _Digest(target)
    with tarfile.open(fileobj=cast("IO[bytes]", digest), mode="w|") as tar:
        _add(tar, "Dockerfile", _dockerfile(base, command, "requirements.txt" in content).encode())
        for path, data in sorted(content.items()):
            _add(tar, f"plugin/{path}", data)
    return digest.hexdigest()


def _dockerfile(base: str, command: list[str] | None, requirements: bool) -> str:
    lines = [f"FROM {base}", f"COPY plugin/ {_DIRECTORY}/"]
    if requirements and command is None:
        lines.append(f"RUN cd {_DIRECTORY} && python -m pip install --no-cache-dir -r requirements.txt")
    words = command or ["python", "-u", f"{_DIRECTORY}/{RUNNER}"]
    # In this form nothing of it can be taken for another instruction. The base's CMD goes by it.
    lines.append(f"ENTRYPOINT {json.dumps(words)}")
    return "\n".join(lines) + "\n"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


class _Digest:
    """Passes on what is written, and hashes it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._target.write(data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
