"""The agent's SQLite index."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from synapse_agent import database as _database
from synapse_agent.database import Database, DatabaseUnusableError

INSERT = (
    "INSERT INTO plugin_release (plugin, version, config, checksum, created) VALUES (?, '1', '{}', '', 0)"
)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    database = Database(path)
    try:
        yield database
    finally:
        await database.close()


def add(plugin: str, connection: sqlite3.Connection) -> int | None:
    return connection.execute(INSERT, (plugin,)).lastrowid


def plugins(connection: sqlite3.Connection) -> list[str]:
    return [row["plugin"] for row in connection.execute("SELECT plugin FROM plugin_release ORDER BY id")]


def test_it_remembers(tmp_path: Path) -> None:
    path = tmp_path / "new" / "index.sqlite3"

    async def main() -> None:
        async with opened(path) as database:
            assert not path.exists(), "made with the first use only"
            assert await database.run(lambda c: add("a", c)) == 1
        async with opened(path) as database:
            assert await database.run(plugins) == ["a"]
        await database.close()  # twice is fine

    asyncio.run(main())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_all_or_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "i") as database:

            def half(connection: sqlite3.Connection) -> None:
                add("a", connection)
                raise KeyError("no")

            with pytest.raises(KeyError):
                await database.run(half)
            await database.run(lambda c: add("b", c))
            with pytest.raises(sqlite3.IntegrityError):
                await database.run(lambda c: add("b", c))
            assert await database.run(plugins) == ["b"]

    asyncio.run(main())


def test_an_id_is_never_given_out_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "i") as database:
            assert await database.run(lambda c: add("a", c)) == 1
            await database.run(lambda c: c.execute("DELETE FROM plugin_release"))
            assert await database.run(lambda c: add("a", c)) == 2

    asyncio.run(main())


def test_two_agents_share_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "i") as one, opened(tmp_path / "i") as two:
            names = [f"p{number}" for number in range(40)]
            works = [
                (one, two)[n % 2].run(lambda c, name=name: add(name, c))  # type: ignore[misc]
                for n, name in enumerate(names)
            ]
            assert sorted(await asyncio.gather(*works)) == list(range(1, 41))
            assert sorted(await one.run(plugins)) == sorted(names)

    asyncio.run(main())


@pytest.mark.parametrize("what", ["text", "folder", "newer", "below a file"])
def test_a_file_it_cannot_use_is_named_with_the_reason(tmp_path: Path, what: str) -> None:
    path = tmp_path / "index"
    if what == "text":
        path.write_text("not a database " * 100)
    elif what == "folder":
        path.mkdir()
    elif what == "newer":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 9999")
        connection.close()
    else:
        path.write_text("")
        path = path / "index"

    async def main() -> None:
        async with opened(path) as database:
            with pytest.raises(DatabaseUnusableError) as raised:
                await database.open()
            assert raised.value.status == 500
            assert str(path) in raised.value.detail
            assert "--data" in raised.value.detail
            assert what != "newer" or "newer" in raised.value.detail

    asyncio.run(main())


def test_a_file_that_another_program_has_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_database, "_BUSY_TIMEOUT", 0.05)
    path = tmp_path / "index"

    async def main() -> None:
        async with opened(path) as opened_before, opened(path) as opened_now:
            await opened_before.run(lambda c: add("a", c))
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            for database in (opened_before, opened_now):
                with pytest.raises(DatabaseUnusableError, match="locked by another program") as raised:
                    await database.run(plugins)
                assert (raised.value.status, raised.value.headers) == (503, {"Retry-After": "5"})
            other.close()
            for database in (opened_before, opened_now):
                assert await database.run(plugins) == ["a"]

    asyncio.run(main())
