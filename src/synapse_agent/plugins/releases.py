"""The agent's plugin releases: a row of the database and an archive file for each."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
import sqlite3
import tempfile
import time
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from ..database import Database
from ..errors import ApiError
from .source import FetchedRelease

__all__ = ["Release", "Releases"]

_ID = re.compile(r"[0-9]{1,18}\Z")
_CODE_AND_VERSION = re.compile(r"([^@/]+)@([^@/]+)\Z")


@dataclass(frozen=True, slots=True)
class Release:
    id: int
    plugin: str
    version: str
    config: dict[str, Any]
    # SHA-256 of the archive, in hex.
    checksum: str
    created: int  # milliseconds since the epoch

    @property
    def lookup(self) -> str:
        return f"{self.plugin}@{self.version}"

    def shape(self) -> dict[str, Any]:
        return asdict(self)


class Releases:
    """Find, add and remove releases. A lookup is `code@version` or an id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._directory = database.path.parent / "releases"

    async def page(self, offset: int, limit: int) -> tuple[int, list[Release]]:
        """Return the number of releases and one page, oldest first, so that a new one shifts no page."""

        def select(connection: sqlite3.Connection) -> tuple[int, list[Release]]:
            count = cast("int", connection.execute("SELECT count(*) FROM plugin_release").fetchone()[0])
            query = "SELECT * FROM plugin_release ORDER BY id LIMIT ? OFFSET ?"
            return count, [_release(row) for row in connection.execute(query, (limit, offset))]

        return await self._database.run(select)

    async def get(self, lookup: str) -> Release:
        """Return a release; 400 for an invalid lookup, 404 if there is none."""
        return await self._database.run(lambda connection: _find(connection, lookup))

    async def check_new(self, plugin: str, version: str) -> None:
        """Raise 409 if the agent has that version."""
        try:
            await self.get(f"{plugin}@{version}")
        except ApiError as error:
            if error.status == 404:
                return
            raise
        raise _taken(plugin, version)

    async def add(self, fetched: FetchedRelease) -> Release:
        """Store a release; 409 if the agent has that version."""

        def insert(connection: sqlite3.Connection) -> Release:
            created = time.time_ns() // 1_000_000
            cursor = connection.execute(
                "INSERT INTO plugin_release (plugin, version, config, checksum, created)"
                " VALUES (?, ?, ?, ?, ?)",
                (fetched.plugin, fetched.version, json.dumps(fetched.config), fetched.checksum, created),
            )
            # Inside the transaction, so that no row lacks its file and no deletion comes between.
            self._write(fetched)
            return _find(connection, str(cursor.lastrowid))

        try:
            return await self._database.run(insert)
        except sqlite3.IntegrityError:
            raise _taken(fetched.plugin, fetched.version) from None

    async def delete(self, lookup: str) -> None:
        """Delete a release; 400 for an invalid lookup, 404 if there is none."""

        def delete(connection: sqlite3.Connection) -> None:
            release = _find(connection, lookup)
            connection.execute("DELETE FROM plugin_release WHERE id = ?", (release.id,))

        await self._database.run(delete)
        # Only now, since a deletion that fails at its commit must not lose the archive.
        with suppress(ApiError):
            await self._database.run(self._sweep)

    def _sweep(self, connection: sqlite3.Connection) -> None:
        """Remove files without a release. Inside a transaction, so that no agent is adding one."""
        rows = connection.execute("SELECT checksum FROM plugin_release")
        kept = {self._path(row["checksum"]) for row in rows}
        for path in self._directory.iterdir():
            if path not in kept:
                path.unlink(missing_ok=True)

    async def files(self, release: Release) -> dict[str, bytes]:
        """Return the plugin's files by their paths."""
        return await asyncio.to_thread(self._read, release)

    def _read(self, release: Release) -> dict[str, bytes]:
        path = self._path(release.checksum)
        try:
            archive = path.read_bytes()
        except OSError as error:
            raise _lost(release, f"{path}: {error.strerror}") from None
        if hashlib.sha256(archive).hexdigest() != release.checksum:
            raise _lost(release, f"{path} was changed")
        with zipfile.ZipFile(io.BytesIO(archive)) as unpacked:
            return {name: unpacked.read(name) for name in unpacked.namelist()}

    def _write(self, fetched: FetchedRelease) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        path = self._path(fetched.checksum)
        descriptor, part = tempfile.mkstemp(dir=self._directory, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(fetched.archive)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def _path(self, checksum: str) -> Path:
        return self._directory / f"{checksum}.zip"


def _find(connection: sqlite3.Connection, lookup: str) -> Release:
    named = _CODE_AND_VERSION.match(lookup)
    if named:
        query, values = "plugin = ? AND version = ?", named.groups()
    elif _ID.match(lookup):
        query, values = "id = ?", (lookup,)
    else:
        raise ApiError(400, "lookup must be code@version or a release's id")
    row = connection.execute(f"SELECT * FROM plugin_release WHERE {query}", values).fetchone()  # noqa: S608
    if row is None:
        raise ApiError(404, f"there is no plugin release {lookup}")
    return _release(row)


def _release(row: sqlite3.Row) -> Release:
    return Release(**{**dict(row), "config": json.loads(row["config"])})


def _taken(plugin: str, version: str) -> ApiError:
    return ApiError(409, f"the agent already has {plugin}@{version}: delete it first to fetch it again")


def _lost(release: Release, why: str) -> ApiError:
    return ApiError(500, f"{release.lookup} can't be read, delete it and create it again: {why}")
