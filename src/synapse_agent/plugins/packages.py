"""The package of a job: a zip that Ray unpacks as its working directory."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ..errors import ApiError
from .files import MAX_BYTES, is_skipped

__all__ = ["PARAMS_FILE", "RUNNER", "Package", "build_package", "module_file", "read_plugin", "runner_source"]

RUNNER = "_synapse_runner.py"
PARAMS_FILE = "_synapse_params.json"

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    checksum: str
    content: bytes


def module_file(name: str) -> str | None:
    """Return the path of the module `name` in a package; None for an invalid name.

    A name is `a.b` or `a/b.py`. No other form is accepted, so no name leads out of the package.
    """
    dotted = name.removesuffix(".py").replace("/", ".") if name.endswith(".py") else name
    if len(name) > 200 or not _MODULE.match(dotted):
        return None
    path = f"{dotted.replace('.', '/')}.py"
    return None if path == RUNNER else path


def build_package(plugin: Mapping[str, bytes], modules: Mapping[str, str], params: str | None) -> Package:
    """Pack a plugin, the modules that replace or add to its files, the runner, and long parameters.

    The same input gives the same bytes and the same name, so Ray stores it once. Slow for a large
    plugin; call it in a thread.
    """
    files = dict(plugin)
    for path, source in modules.items():
        files[path] = source.encode("utf-8", "surrogatepass")
        for parent in list(Path(path).parents)[:-1]:
            files.setdefault(f"{parent.as_posix()}/__init__.py", b"")
    files[RUNNER] = runner_source()
    if params is not None:
        files[PARAMS_FILE] = params.encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), data, zipfile.ZIP_DEFLATED)
    content = target.getvalue()
    checksum = hashlib.sha256(content).hexdigest()
    return Package(f"_ray_pkg_{checksum[:32]}.zip", checksum, content)


def runner_source() -> bytes:
    """Return the source of the runner, which goes into every package and image."""
    return resources.files(__package__).joinpath("runner.py").read_bytes()


def read_plugin(directory: Path) -> dict[str, bytes]:
    """The files below a directory that is the user's own. Takes a while; call it in a thread."""
    return dict(_read(directory))


def _read(directory: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for root, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not is_skipped(f"{name}/x")]
        for name in names:
            path = Path(root, name)
            if not path.is_file() or is_skipped(name):  # sockets, dangling links
                continue
            total += path.stat().st_size
            if total > MAX_BYTES:
                raise ApiError(400, f"{directory} has more than {MAX_BYTES >> 20} MiB to pack")
            yield path.relative_to(directory).as_posix(), path.read_bytes()
