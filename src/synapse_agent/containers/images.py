"""Make an image from a plugin and the base image.

The plugin's files are in /synapse/plugin, the working directory. The label `synapse.command` of the
base image (`synapse.code-server.command` for a code server) is the command: a JSON array of strings
as in a Dockerfile, or a string for /bin/sh. Without the label, the base image must have Python: the
plugin's requirements.txt is installed, and `synapse_agent.plugins.runner` calls the first `restapi`
action of its config, else the first `serve` action. That action serves HTTP at the variables HOST and
PORT and does not return.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ..errors import ApiError
from ..plugins.packages import PARAMS_FILE, RUNNER, runner_source
from ..ray.client import JsonObject

__all__ = ["command_label", "command_of", "container_defaults", "write_context"]

_DIRECTORY = "/synapse/plugin"
_LABELS = {"plugin_runtime": "synapse.command", "code_server": "synapse.code-server.command"}


def container_defaults(command: list[str] | None) -> JsonObject:
    """Return settings that could be in the image, where some engines would copy it for each of them."""
    # As process 1, Python ends at SIGINT and not at SIGTERM.
    return {"WorkingDir": _DIRECTORY} | ({"StopSignal": "SIGINT"} if command is None else {})


def command_label(kind: str) -> str:
    """Return the name of the label with the command."""
    return _LABELS[kind]


def command_of(labels: Mapping[str, str], kind: str) -> list[str] | None:
    """Return the command from the base image's labels, or None."""
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
        raise ApiError(500, f"the base image's label {_LABELS[kind]} must be a JSON array of strings")
    return cast("list[str]", words)


def write_context(
    path: Path,
    files: Mapping[str, bytes],
    *,
    base: str,
    command: list[str] | None,
    params: str | None,
) -> str:
    """Write the tar file that the engine builds from, and return its SHA-256 in hex.

    The same input gives the same digest. Slow for a large plugin; call it in a thread.
    """
    content = {name: data for name, data in files.items() if name not in (RUNNER, PARAMS_FILE)}
    content[RUNNER] = runner_source()
    if params is not None:
        content[PARAMS_FILE] = params.encode()
    with tarfile.open(path, "w") as tar:
        _add(tar, "Dockerfile", _dockerfile(base, command, "requirements.txt" in content).encode())
        for name, data in sorted(content.items()):
            _add(tar, f"plugin/{name}", data)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dockerfile(base: str, command: list[str] | None, requirements: bool) -> str:
    lines = [f"FROM {base}", f"COPY plugin/ {_DIRECTORY}/"]
    if requirements and command is None:
        lines.append(f"RUN cd {_DIRECTORY} && python -m pip install --no-cache-dir -r requirements.txt")
    words = command or ["python", "-u", f"{_DIRECTORY}/{RUNNER}"]
    # The exec form: no word can become another instruction, and the base image's CMD is dropped.
    lines.append(f"ENTRYPOINT {json.dumps(words)}")
    return "\n".join(lines) + "\n"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
