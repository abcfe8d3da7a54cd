"""Reads a plugin from a directory or a zip archive that is not to be trusted."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MAX_BYTES", "MAX_FILES", "BadReleaseError", "is_skipped", "read_directory", "read_zip"]

# Of all files together, unpacked; also of a zip archive as it lies there.
MAX_BYTES = 200 * 1024 * 1024
# Files and folders.
MAX_FILES = 10_000
_MAX_PATH = 500
# Of a zip's list of its files: about 400 bytes for each.
_MAX_LIST = 4 * 1024 * 1024

_SKIPPED = {"__pycache__", "node_modules", "venv"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class BadReleaseError(Exception):
    """What lies there can't become a release; the text says why, and starts with its place in it."""


def is_skipped(path: str) -> bool:
    """Whether the file does not belong to a release: byte code, hidden folders, environments."""
    *folders, name = path.split("/")
    return name.endswith(".pyc") or any(f in _SKIPPED or f.startswith(".") for f in folders)


def read_directory(directory: Path) -> dict[str, bytes]:
    """The files below `directory` by their paths. Takes a while; call it in a thread.

    Raises BadReleaseError for links, for what is neither file nor folder, and for too much.
    """
    files = _Files()
    for folder, folders, names, descriptor in os.fwalk(directory, onerror=_unreadable):
        base = Path(folder).relative_to(directory)
        folders[:] = [name for name in folders if not is_skipped(f"{name}/x")]
        for name in folders:
            path = files.admit((base / name).as_posix(), 0)
            # fwalk takes a link to a folder for one, though it does not go in.
            if not stat.S_ISDIR(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise BadReleaseError(f"{path}: links are not taken")
        for name in names:
            if not is_skipped(name):
                files.read((base / name).as_posix(), name, descriptor)
    return files.content


def read_zip(archive: Path) -> dict[str, bytes]:
    """The files in the zip by their paths. Takes a while; call it in a thread.

    Raises BadReleaseError for what is no zip, for paths that lead out of it, for links, and for too
    much: sizes are checked before anything is unpacked, and no more is unpacked than was announced.
    """
    files = _Files()
    try:
        with _Archive(archive) as file, zipfile.ZipFile(file) as unpacked:
            entries = list(_entries(unpacked, files))
            for path, info in entries:
                files.content[path] = _unpack(unpacked, info)
    except BadReleaseError:
        raise
    except OSError as error:
        raise BadReleaseError(f"{archive.name}: can't be read: {error.strerror or error}") from None
    # What zipfile raises for bytes that mean nothing depends on where they are.
    except (ArithmeticError, EOFError, LookupError, RuntimeError, ValueError) as error:
        raise BadReleaseError(f"{archive.name}: is no sound zip archive: {error}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise BadReleaseError(f"{archive.name}: is no sound zip archive: {error}") from None
    return files.content


def _entries(unpacked: zipfile.ZipFile, files: _Files) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    seen: set[str] = set()
    for info in unpacked.infolist():
        # The name as it is written there: zipfile cuts it at a NUL, which may hide a part.
        name = info.orig_filename
        path = files.admit(name.removesuffix("/"), info.file_size)
        if path in seen:
            raise BadReleaseError(f"{path}: is there twice")
        seen.add(path)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
            raise BadReleaseError(f"{path}: links and special files are not taken")
        if info.flag_bits & 1:
            raise BadReleaseError(f"{path}: encrypted files are not taken")
        # Others take memory by what their own headers say.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadReleaseError(f"{path}: only stored and deflated files are taken")
        if not name.endswith("/") and not is_skipped(path):
            yield path, info
    for path in seen:
        for parent in _parents(path):
            if parent in seen and not _is_folder(unpacked, parent):
                raise BadReleaseError(f"{path}: {parent} is a file")


def _unpack(unpacked: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with unpacked.open(info) as file:
        # With its size: without, zipfile unpacks all that is there before it looks at what was announced.
        data = file.read(info.file_size)
    if len(data) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} is shorter than it should be")
    return data


def _is_folder(unpacked: zipfile.ZipFile, path: str) -> bool:
    return f"{path}/" in unpacked.NameToInfo


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


class _Archive(io.FileIO):
    """Without links, and with a bound on what zipfile reads at once: all of an archive's list of files."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, opener=lambda given, _: os.open(given, _READ_ONLY))
        status = os.fstat(self.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            self.close()
            limit = f"{MAX_BYTES >> 20} MiB"
            raise BadReleaseError(f"{path.name}: must be a file of at most {limit}")

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_LIST:
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size) or b""


class _Files:
    """The files so far, within the limits."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self._count = 0
        self._bytes = 0

    def admit(self, path: str, size: int) -> str:
        """The path, checked, with `size` bytes counted."""
        _check(path)
        self._count += 1
        self._bytes += size
        if self._count > MAX_FILES:
            raise BadReleaseError(f"{path}: there are more than {MAX_FILES} files and folders")
        if self._bytes > MAX_BYTES:
            raise BadReleaseError(f"{path}: unpacked it is more than {MAX_BYTES >> 20} MiB")
        return path

    def read(self, path: str, name: str, folder: int) -> None:
        """Read the file `name` of the folder that is open as `folder`."""
        _check(path)
        try:
            raw = io.FileIO(name, opener=lambda given, _: os.open(given, _READ_ONLY, dir_fd=folder))
        except OSError as error:
            why = "links are not taken" if _is_link(name, folder) else f"can't be read: {error.strerror}"
            raise BadReleaseError(f"{path}: {why}") from None
        with io.BufferedReader(raw) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadReleaseError(f"{path}: links and special files are not taken")
            self.admit(path, status.st_size)
            # No more than was counted, should it grow meanwhile.
            self.content[path] = file.read(status.st_size)


def _check(path: str) -> None:
    parts = path.split("/")
    if _CONTROL.search(path) or "\\" in path or len(path) > _MAX_PATH or {"", ".", ".."} & set(parts):
        raise BadReleaseError(f"{path[:200]!a}: is no path that is taken")


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _unreadable(error: OSError) -> None:
    raise BadReleaseError(f"{error.filename}: can't be read: {error.strerror}")
