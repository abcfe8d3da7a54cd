"""The package of a job: a zip that Ray unpacks as its working directory."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from .archives import pack
from .modules import parent_packages

__all__ = ["PARAMS_FILE", "RUNNER", "Package", "build_package", "runner_source"]

RUNNER = "_synapse_runner.py"
PARAMS_FILE = "_synapse_params.json"


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    checksum: str
    content: bytes


def build_package(plugin: Mapping[str, bytes], modules: Mapping[str, str], params: str | None) -> Package:
    """Pack a plugin, the modules that replace or add to its files, the runner, and long parameters.

    The same input gives the same bytes and the same name, so Ray stores it once. Slow for a large
    plugin; call it in a thread.
    """
    files = dict(plugin)
    for path, source in modules.items():
        files[path] = source.encode("utf-8", "surrogatepass")
        for parent in parent_packages(path):
            files.setdefault(f"{parent}/__init__.py", b"")
    files[RUNNER] = runner_source()
    if params is not None:
        files[PARAMS_FILE] = params.encode()
    content = pack(files, zipfile.ZIP_DEFLATED)
    checksum = hashlib.sha256(content).hexdigest()
    return Package(f"_ray_pkg_{checksum[:32]}.zip", checksum, content)


def runner_source() -> bytes:
    """Return the source of the runner, which goes into every package and image."""
    return resources.files("synapse_agent.plugins").joinpath("runner.py").read_bytes()
