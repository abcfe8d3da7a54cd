"""Read a plugin from an untrusted directory or zip archive."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from .modules import hidden_module, parent_packages

__all__ = ["MAX_BYTES", "MAX_FILES", "BadPluginError", "is_skipped", "read_directory", "read_zip"]

# Bytes of all files together, unpacked; also of a zip archive itself.
MAX_BYTES = 200 * 1024 * 1024
# Files and folders.
MAX_FILES = 10_000
_MAX_PATH = 500
# Bytes of a zip's central directory, about 400 for each file.
_MAX_LIST = 4 * 1024 * 1024

_SKIPPED = {"__pycache__", "node_modules", "venv"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class BadPluginError(Exception):
    """The plugin can't be used; the text begins with the path of the file and says why."""


def is_skipped(path: str) -> bool:
    """Return whether the file is left out of a plugin: byte code, hidden folders, environments."""
    *folders, name = path.split("/")
    return name.endswith(".pyc") or any(f in _SKIPPED or f.startswith(".") for f in folders)


def read_directory(directory: Path) -> dict[str, bytes]:
    """Return the files below `directory` by their paths. Slow; call it in a thread.

    Raises BadPluginError for links, special files, odd names, and more than the limits.
    """
    files = _Files()
    for folder, folders, names, descriptor in os.fwalk(directory, onerror=_unreadable):
        base = Path(folder).relative_to(directory)
        folders[:] = [name for name in folders if not is_skipped(f"{name}/x")]
        for name in folders:
            path = files.admit((base / name).as_posix(), 0)
            # fwalk lists a link to a folder among the folders, though it doesn't follow it.
            if not stat.S_ISDIR(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise BadPluginError(f"{path}: links are not allowed")
        for name in names:
            if not is_skipped(name):
                files.read((base / name).as_posix(), name, descriptor)
    return files.checked()


def read_zip(archive: Path) -> dict[str, bytes]:
    """Return the files in the zip by their paths. Slow; call it in a thread.

    Raises BadPluginError for an invalid zip, paths that lead out of it, links, and more than the
    limits. Sizes are checked before anything is unpacked, and no file is unpacked beyond its size.
    """
    files = _Files()
    try:
        with _Archive(archive) as file, zipfile.ZipFile(file) as unpacked:
            entries = list(_entries(unpacked, files))
            for path, info in entries:
                files.content[path] = _unpack(unpacked, info)
    except BadPluginError:
        raise
    except OSError as error:
        raise BadPluginError(f"{archive.name}: can't be read: {error.strerror or error}") from None
    # zipfile raises various exceptions for corrupt bytes.
    except (ArithmeticError, EOFError, LookupError, RuntimeError, ValueError) as error:
        raise BadPluginError(f"{archive.name}: is not a valid zip archive: {error}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise BadPluginError(f"{archive.name}: is not a valid zip archive: {error}") from None
    return files.checked()


def _entries(unpacked: zipfile.ZipFile, files: _Files) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    seen: set[str] = set()
    for info in unpacked.infolist():
        # The raw name, since zipfile cuts `filename` at a NUL.
        name = info.orig_filename
        path = files.admit(name.removesuffix("/"), info.file_size)
        if path in seen:
            raise BadPluginError(f"{path}: occurs twice")
        seen.add(path)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
            raise BadPluginError(f"{path}: links and special files are not allowed")
        if info.flag_bits & 1:
            raise BadPluginError(f"{path}: encrypted files are not allowed")
        # Other methods allocate memory as their own headers demand.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadPluginError(f"{path}: only stored and deflated files are allowed")
        if not name.endswith("/") and not is_skipped(path):
            yield path, info
    for path in seen:
        for parent in parent_packages(path):
            if parent in seen and not _is_folder(unpacked, parent):
                raise BadPluginError(f"{path}: {parent} is a file")


def _unpack(unpacked: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with unpacked.open(info) as file:
        # Without a size, zipfile unpacks everything before it checks the announced size.
        data = file.read(info.file_size)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} is shorter than announced")
    return data


def _is_folder(unpacked: zipfile.ZipFile, path: str) -> bool:
    return f"{path}/" in unpacked.NameToInfo


class _Archive(io.FileIO):
    """Open a file without following links, and limit a single read: zipfile reads the file list at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, opener=lambda given, _: os.open(given, _READ_ONLY))
        status = os.fstat(self.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            self.close()
            limit = f"{MAX_BYTES >> 20} MiB"
            raise BadPluginError(f"{path.name}: must be a file of at most {limit}")

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_LIST:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size) or b""


class _Files:
    """The files read so far, within the limits."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self._count = 0
        self._bytes = 0

    def checked(self) -> dict[str, bytes]:
        """Return the files, unless a name would keep Python or Ray from starting."""
        for path in self.content:
            hidden = hidden_module(path)
            if hidden is not None:
                raise BadPluginError(f"{path}: would hide the module {hidden} of Python or Ray: rename it")
        return self.content

    def admit(self, path: str, size: int) -> str:
        """Check the path, count the file and its `size` in bytes, and return the path."""
        _check(path)
        self._count += 1
        self._bytes += size
        if self._count > MAX_FILES:
            raise BadPluginError(f"{path}: there are more than {MAX_FILES} files and folders")
        if self._bytes > MAX_BYTES:
            raise BadPluginError(f"{path}: the files have more than {MAX_BYTES >> 20} MiB unpacked")
        return path

    def read(self, path: str, name: str, folder: int) -> None:
        """Read the file `name` of the folder that is open as `folder`."""
        _check(path)
        try:
            raw = io.FileIO(name, opener=lambda given, _: os.open(given, _READ_ONLY, dir_fd=folder))
        except OSError as error:
            why = "links are not allowed" if _is_link(name, folder) else f"can't be read: {error.strerror}"
            raise BadPluginError(f"{path}: {why}") from None
        with io.BufferedReader(raw) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadPluginError(f"{path}: links and special files are not allowed")
            self.admit(path, status.st_size)
            # The file may have grown; read no more than was counted.
            self.content[path] = file.read(status.st_size)


def _check(path: str) -> None:
    parts = path.split("/")
    if _CONTROL.search(path) or "\\" in path or len(path) > _MAX_PATH or {"", ".", ".."} & set(parts):
        raise BadPluginError(f"{path[:200]!a}: is not an allowed path")


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _unreadable(error: OSError) -> None:
    raise BadPluginError(f"{error.filename}: can't be read: {error.strerror}")
