"""Where the plugin comes from that a container is made of: a release, or an archive that was sent."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..database import Database
from ..errors import ApiError, FieldError, InvalidBodyError
from ..plugins.config import (
    CODE,
    CONFIG_FILE,
    VERSION,
    BadConfigError,
    parse_config,
    read_actions,
)
from ..plugins.release_files import BadReleaseError, read_zip
from ..plugins.releases import Release, Releases
from .requests import Upload

__all__ = ["Plugin", "PluginSource", "find_release", "open_upload"]


@dataclass(frozen=True, slots=True)
class Plugin:
    release: str  # code@version
    entrypoint: str  # of the action that serves; empty if there is none
    files: Mapping[str, bytes]


class PluginSource(Protocol):
    """A plugin that is read only when its turn comes, since it may be large."""

    release: str
    checksum: str

    def keep(self, directory: Path) -> None:
        """See that `load` works later too; what is needed for it lies in `directory`."""
        ...

    async def load(self) -> Plugin: ...


async def find_release(database: Database, lookup: str) -> PluginSource:
    """400 if it is no lookup, 404 if there is no such release."""
    releases = Releases(database)
    return _Released(releases, await releases.get(lookup))


async def open_upload(upload: Upload, release: str) -> PluginSource:
    """422 for a bad archive, or for one of another release than `release`, where that is not empty."""
    try:
        plugin = await asyncio.to_thread(_read_archive, upload.path)
    except BadReleaseError as error:
        raise InvalidBodyError([FieldError(("body", "file"), str(error), "bad_archive", None)]) from None
    if release and release != plugin.release:
        why = f"is not what the archive has, which is {plugin.release}"
        raise InvalidBodyError([FieldError(("body", "plugin_release"), why, "mismatch", release)])
    # Of the files and not of the archive, which is another one each time it is packed.
    return _Uploaded(upload, plugin.release, await asyncio.to_thread(_digest, plugin.files))


class _Released:
    def __init__(self, releases: Releases, release: Release) -> None:
        self._releases = releases
        self._found = release
        self.release = release.lookup
        self.checksum = release.checksum

    def keep(self, directory: Path) -> None:
        """The agent has it."""

    async def load(self) -> Plugin:
        files = await self._releases.files(self._found)
        return Plugin(self.release, _entrypoint(self._found.config), files)


class _Uploaded:
    def __init__(self, upload: Upload, release: str, checksum: str) -> None:
        self._path = upload.path
        self.release = release
        self.checksum = checksum

    def keep(self, directory: Path) -> None:
        self._path = self._path.replace(directory / self._path.name)

    async def load(self) -> Plugin:
        try:
            return await asyncio.to_thread(_read_archive, self._path)
        except BadReleaseError as error:
            raise ApiError(500, f"the archive can't be read any more: {error}") from None


def _read_archive(path: Path) -> Plugin:
    files = read_zip(path)
    content = files.get(CONFIG_FILE)
    if content is None:
        raise BadReleaseError(f"has no {CONFIG_FILE} at its top")
    try:
        config = parse_config(content)
        entrypoint = _entrypoint(config)
    except BadConfigError as error:
        raise BadReleaseError(f"{CONFIG_FILE}: {error}") from None
    code, version = config.get("code"), config.get("version")
    if not isinstance(code, str) or not CODE.match(code):
        raise BadReleaseError(f"{CONFIG_FILE}: code must be a text of letters, digits, '.', '_' and '-'")
    if not isinstance(version, str) or not VERSION.match(version):
        raise BadReleaseError(f"{CONFIG_FILE}: version must be a text such as '1.0.0', in quotes")
    return Plugin(f"{code}@{version}", entrypoint, files)


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        name = path.encode()
        digest.update(b"%d %d " % (len(name), len(data)) + name)
        digest.update(data)
    return digest.hexdigest()


def _entrypoint(config: Mapping[str, object]) -> str:
    """That of the first restapi action that has one, else of the first serve action, else none."""
    actions = read_actions(config).values()
    for method in ("restapi", "serve"):
        for action in actions:
            if action.method == method and action.entrypoint:
                return action.entrypoint
    return ""
