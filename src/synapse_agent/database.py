"""The agent's database: one SQLite file.

A module that needs tables appends a statement to `_MIGRATIONS` and uses them through `Database.run`:

    def count(connection: sqlite3.Connection) -> int:
        return connection.execute("SELECT count(*) FROM plugin_release").fetchone()[0]

    number = await context_of(request).database.run(count)
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from .errors import ApiError

__all__ = ["Database", "DatabaseUnusableError"]

T = TypeVar("T")

# `user_version` of the file counts the statements that were applied. Append only: existing files already
# have the earlier ones. One statement each, since `executescript` would commit between them.
_MIGRATIONS = (
    """
    CREATE TABLE plugin_release (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an id is never used twice
        plugin TEXT NOT NULL,
        version TEXT NOT NULL,
        config TEXT NOT NULL,  -- JSON
        checksum TEXT NOT NULL,
        created INTEGER NOT NULL,  -- milliseconds since the epoch
        UNIQUE (plugin, version)
    )
    """,
    """
    CREATE TABLE container (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        build_id TEXT NOT NULL UNIQUE,
        request TEXT NOT NULL,  -- JSON, its secrets masked
        fingerprint TEXT NOT NULL UNIQUE,  -- what makes another container the same one
        status TEXT NOT NULL CHECK (status IN ('building', 'running', 'stopped')),  -- as it should be
        docker_id TEXT UNIQUE,
        image TEXT,
        port INTEGER,  -- on this machine, where the container shares its network
        endpoint TEXT  -- once it answered
    )
    """,
    """
    CREATE TABLE container_build (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        result TEXT,  -- JSON
        error TEXT
    )
    """,
    # One row: which of an engine's containers are ours.
    "CREATE TABLE container_owner (id TEXT NOT NULL)",
    # At most one row: the policy of all agents that share the file, as JSON.
    "CREATE TABLE policy (limits TEXT NOT NULL)",
)

# Seconds to wait for another agent that writes to the same file.
_BUSY_TIMEOUT = 5.0


class DatabaseUnusableError(ApiError):
    """500: the file can't be read or written; 503: another program holds its lock. The text says which."""


class Database:
    """Access to the tables for asyncio. The file and its directory are created on first use.

    All work runs in one thread, one transaction after the other. Several agents may share the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="synapse-database")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open or create the file now. Raises DatabaseUnusableError if that fails."""
        await self.run(lambda _: None)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call `work` in the database's thread, in one write transaction, and return its result.

        The transaction commits when `work` returns and rolls back when it raises. Rows can be read by
        name. A constraint that fails raises sqlite3.IntegrityError; a file that fails,
        DatabaseUnusableError.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    async def close(self) -> None:
        """Close the file once running work is done. May be called twice."""
        try:
            closed = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        except RuntimeError:  # closed already, or no thread could be started, so no file is open
            return
        self._thread.shutdown(wait=False)
        await closed

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = _connect(self.path)
            with self._connection as connection:  # commits or rolls back
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise _busy(self.path) from None
            raise _unusable(self.path, str(error)) from None
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self.path, str(error)) from None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    # Private: configurations and the requests of containers may be confidential.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite's busy timeout does not cover the switch to WAL when two agents create the file at once.
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        version: int = cursor.fetchone()[0]
    if version > len(_MIGRATIONS):
        raise _unusable(path, "a newer version of this agent wrote it")
    for statement in _MIGRATIONS[version:]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _busy(path: Path) -> DatabaseUnusableError:
    why = f"the database {path} is locked by another program for more than {_BUSY_TIMEOUT:g} s; try again"
    return DatabaseUnusableError(503, why, headers={"Retry-After": "5"})


def _unusable(path: Path, why: str) -> DatabaseUnusableError:
    return DatabaseUnusableError(
        500, f"can't use the database {path}: {why}; name another directory with --data"
    )
