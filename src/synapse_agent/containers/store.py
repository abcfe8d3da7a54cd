"""Containers and builds in the database."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import cast

from ..database import Database
from ..errors import ApiError
from ..ray.client import JsonObject

__all__ = ["BuildRow", "ContainerRow", "ContainerStore"]

# Ended builds that are kept for later requests.
_BUILDS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class ContainerRow:
    id: int
    build_id: str
    request: JsonObject
    status: str  # the wanted one: building, running or stopped; the engine has the actual one
    docker_id: str | None
    image: str | None
    port: int | None
    endpoint: str | None


@dataclass(frozen=True, slots=True)
class BuildRow:
    status: str
    result: JsonObject | None
    error: str | None


class ContainerStore:
    """The tables of containers and builds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def owner(self) -> str:
        """Return the id that labels our containers in the engine."""

        def work(db: sqlite3.Connection) -> str:
            row = db.execute("SELECT id FROM container_owner").fetchone()
            if row is not None:
                return str(row["id"])
            made = secrets.token_hex(8)
            db.execute("INSERT INTO container_owner VALUES (?)", (made,))
            return made

        return await self._database.run(work)

    async def add(self, build_id: str, request: JsonObject, fingerprint: str) -> int:
        """Add a container and its build, and return its id; 409 if the same one exists."""

        def work(db: sqlite3.Connection) -> int:
            taken = db.execute("SELECT id FROM container WHERE fingerprint = ?", (fingerprint,)).fetchone()
            if taken is not None:
                raise ApiError(409, f"the same container exists already, with the id {taken['id']}")
            cursor = db.execute(
                "INSERT INTO container (build_id, request, fingerprint, status) VALUES (?, ?, ?, 'building')",
                (build_id, json.dumps(request), fingerprint),
            )
            db.execute("INSERT INTO container_build (id, status) VALUES (?, 'pending')", (build_id,))
            db.execute(
                "DELETE FROM container_build WHERE number <= (SELECT max(number) FROM container_build) - ?"
                " AND status NOT IN ('pending', 'running')",
                (_BUILDS_KEPT,),
            )
            return cast("int", cursor.lastrowid)

        return await self._database.run(work)

    async def change(self, container_id: int, **columns: str | int | None) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        query = f"UPDATE container SET {assignments} WHERE id = ?"  # noqa: S608  constant names
        await self._database.run(lambda db: db.execute(query, (*columns.values(), container_id)))

    async def remove(self, container_id: int) -> None:
        await self._database.run(lambda db: db.execute("DELETE FROM container WHERE id = ?", (container_id,)))

    async def get(self, container_id: int) -> ContainerRow | None:
        rows = await self._rows("WHERE id = ?", container_id)
        return rows[0] if rows else None

    async def by_docker_id(self, prefix: str) -> list[ContainerRow]:
        return await self._rows("WHERE substr(docker_id, 1, length(?1)) = ?1 ORDER BY id", prefix)

    async def all(self) -> list[ContainerRow]:
        return await self._rows("ORDER BY id")

    async def page(self, offset: int, limit: int) -> list[ContainerRow]:
        return await self._rows("ORDER BY id LIMIT ? OFFSET ?", limit, offset)

    async def count(self) -> int:
        def work(db: sqlite3.Connection) -> int:
            return cast("int", db.execute("SELECT count(*) FROM container").fetchone()[0])

        return await self._database.run(work)

    async def uses(self, image: str) -> bool:
        return bool(await self._rows("WHERE image = ?", image))

    async def _rows(self, rest: str, *values: str | int) -> list[ContainerRow]:
        query = f"SELECT * FROM container {rest}"  # noqa: S608  constant text

        def work(db: sqlite3.Connection) -> list[ContainerRow]:
            return [_container(row) for row in db.execute(query, values)]

        return await self._database.run(work)

    # -- builds

    async def build(self, build_id: str) -> BuildRow | None:
        def work(db: sqlite3.Connection) -> BuildRow | None:
            row = db.execute("SELECT * FROM container_build WHERE id = ?", (build_id,)).fetchone()
            if row is None:
                return None
            result = None if row["result"] is None else json.loads(row["result"])
            return BuildRow(row["status"], result, row["error"])

        return await self._database.run(work)

    async def begin(self, build_id: str) -> None:
        query = "UPDATE container_build SET status = 'running' WHERE id = ?"
        await self._database.run(lambda db: db.execute(query, (build_id,)))

    async def complete(self, container_id: int, build_id: str, endpoint: str, result: JsonObject) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE container SET status = 'running', endpoint = ? WHERE id = ?", (endpoint, container_id)
            )
            db.execute(
                "UPDATE container_build SET status = 'completed', result = ? WHERE id = ?",
                (json.dumps(result), build_id),
            )

        await self._database.run(work)

    async def abandon(self, build_id: str, status: str, error: str) -> None:
        """Store that a build ended without a container."""
        query = "UPDATE container_build SET status = ?, error = ? WHERE id = ?"
        await self._database.run(lambda db: db.execute(query, (status, error, build_id)))

    async def abandon_all(self, error: str) -> None:
        """Fail the builds that an earlier agent did not finish."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM container WHERE status = 'building'")
            query = "UPDATE container_build SET status = 'failed', error = ?"
            db.execute(f"{query} WHERE status IN ('pending', 'running')", (error,))

        await self._database.run(work)


def _container(row: sqlite3.Row) -> ContainerRow:
    return ContainerRow(
        id=row["id"],
        build_id=row["build_id"],
        request=json.loads(row["request"]),
        status=row["status"],
        docker_id=row["docker_id"],
        image=row["image"],
        port=row["port"],
        endpoint=row["endpoint"],
    )
