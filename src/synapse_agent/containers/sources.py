"""The plugin of a container: from a release, or from an uploaded archive."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..database import Database
from ..errors import ApiError, FieldError, InvalidBodyError
from ..plugins.config import CODE, CONFIG_FILE, VERSION, BadConfigError, parse_config, read_actions
from ..plugins.files import BadPluginError, read_zip
from ..plugins.releases import Release, Releases
from .requests import Upload

__all__ = ["Plugin", "PluginSource", "find_release", "open_upload"]


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin's files, with what a container needs to know of its configuration."""

    release: str  # code@version
    entrypoint: str  # of the action that serves; empty if there is none
    files: Mapping[str, bytes]


class PluginSource(Protocol):
    """A plugin that is loaded only when its build starts, since it may be large."""

    release: str
    checksum: str

    def keep(self, directory: Path) -> None:
        """Move what `load` needs into `directory`."""
        ...

    async def load(self) -> Plugin:
        """Return the plugin with its files."""
        ...


async def find_release(database: Database, lookup: str) -> PluginSource:
    """Return the source for a release; 400 for an invalid lookup, 404 if there is none."""
    releases = Releases(database)
    return _Released(releases, await releases.get(lookup))


async def open_upload(upload: Upload, release: str) -> PluginSource:
    """Return the source for an upload; 422 for a bad archive, or for another release than `release`."""
    try:
        plugin = await asyncio.to_thread(_read_archive, upload.path)
    except BadPluginError as error:
        raise InvalidBodyError([FieldError(("body", "file"), str(error), "bad_archive", None)]) from None
    if release and release != plugin.release:
        why = f"must be the release in the archive, {plugin.release}"
        raise InvalidBodyError([FieldError(("body", "plugin_release"), why, "mismatch", release)])
    # The digest of the files, since the archive's bytes change whenever it is packed.
    return _Uploaded(upload, plugin.release, await asyncio.to_thread(_digest, plugin.files))


class _Released:
    def __init__(self, releases: Releases, release: Release) -> None:
        self._releases = releases
        self._found = release
        self.release = release.lookup
        self.checksum = release.checksum

    def keep(self, directory: Path) -> None:
        """Do nothing: the agent keeps its releases."""

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
        except BadPluginError as error:
            raise ApiError(500, f"the uploaded archive can't be read: {error}") from None


def _read_archive(path: Path) -> Plugin:
    files = read_zip(path)
    content = files.get(CONFIG_FILE)
    if content is None:
        raise BadPluginError(f"has no {CONFIG_FILE} at its top level")
    try:
        config = parse_config(content)
        entrypoint = _entrypoint(config)
    except BadConfigError as error:
        raise BadPluginError(f"{CONFIG_FILE}: {error}") from None
    code, version = config.get("code"), config.get("version")
    if not isinstance(code, str) or not CODE.match(code):
        raise BadPluginError(f"{CONFIG_FILE}: code must be a string of letters, digits, '.', '_' and '-'")
    if not isinstance(version, str) or not VERSION.match(version):
        raise BadPluginError(f"{CONFIG_FILE}: version must be a string such as '1.0.0', in quotes")
    return Plugin(f"{code}@{version}", entrypoint, files)


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, data in sorted(files.items()):
        name = path.encode()
        digest.update(b"%d %d " % (len(name), len(data)) + name)
        digest.update(data)
    return digest.hexdigest()


def _entrypoint(config: Mapping[str, object]) -> str:
    """Return the entrypoint of the first restapi action with one, else of the first serve action, or ''."""
    actions = read_actions(config).values()
    for method in ("restapi", "serve"):
        for action in actions:
            if action.method == method and action.entrypoint:
                return action.entrypoint
    return ""
