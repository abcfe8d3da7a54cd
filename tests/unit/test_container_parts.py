"""The parts of containers that need no engine."""

from __future__ import annotations

import asyncio
import socket
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tables import each_row

from synapse_agent.containers.images import command_of, write_context
from synapse_agent.containers.network import endpoint_url, free_port, listed_port, published_port
from synapse_agent.containers.setup import ContainerOptions, read_settings
from synapse_agent.containers.store import ContainerStore
from synapse_agent.database import Database
from synapse_agent.errors import ApiError
from synapse_agent.redaction import hide


@each_row(
    ("label", "command"),
    [
        (None, None),
        (" ", None),
        ('["/serve", "--fast"]', ["/serve", "--fast"]),
        ("/serve --port $PORT", ["/bin/sh", "-c", "/serve --port $PORT"]),
    ],
)
def test_what_the_base_image_says_is_run(label: str | None, command: list[str] | None) -> None:
    labels = {} if label is None else {"synapse.command": label}
    assert command_of(labels, "plugin_runtime") == command
    assert command_of(labels, "code_server") is None


@each_row("label", ["[", "[]", "[1]", '[""]'])
def test_a_label_that_is_no_command(label: str) -> None:
    with pytest.raises(ApiError, match=r"label synapse\.command must be a JSON array of strings"):
        command_of({"synapse.command": label}, "plugin_runtime")


def context(path: Path, **options: Any) -> tuple[str, dict[str, str]]:
    files = {"a.py": b"x", "requirements.txt": b"y", "_synapse_runner.py": b"not ours"}
    digest = write_context(path, files, **({"base": "base:1", "command": None, "params": None} | options))
    with tarfile.open(path) as tar:
        members = {member.name: tar.extractfile(member) for member in tar}
        return digest, {name: file.read().decode() for name, file in members.items() if file is not None}


def test_an_image_of_a_python_plugin(tmp_path: Path) -> None:
    path = tmp_path / "context.tar"
    digest, files = context(path)
    assert files["Dockerfile"] == (
        "FROM base:1\n"
        "COPY plugin/ /synapse/plugin/\n"
        "RUN cd /synapse/plugin && python -m pip install --no-cache-dir -r requirements.txt\n"
        'ENTRYPOINT ["python", "-u", "/synapse/plugin/_synapse_runner.py"]\n'
    )
    assert files["plugin/a.py"] == "x"
    assert files["plugin/_synapse_runner.py"] != "not ours"
    assert context(path) == (digest, files)
    assert context(path, params="{}")[0] != digest
    assert context(path, params="{}")[1]["plugin/_synapse_params.json"] == "{}"


def test_an_image_whose_base_says_what_is_run(tmp_path: Path) -> None:
    _, files = context(tmp_path / "context.tar", command=["/serve", "a\nRUN evil"])
    assert files["Dockerfile"].splitlines() == [
        "FROM base:1",
        "COPY plugin/ /synapse/plugin/",
        'ENTRYPOINT ["/serve", "a\\nRUN evil"]',
    ]


def test_a_free_port_is_none_that_is_taken() -> None:
    port = free_port("127.0.0.1", ())
    with socket.create_server(("127.0.0.1", port)):
        taken = set(range(20_000, 32_000)) - {port}
        with pytest.raises(ApiError, match="there is no free port"):
            free_port("127.0.0.1", taken)


def test_where_the_engine_published_the_port() -> None:
    binding = {"HostIp": "0.0.0.0", "HostPort": "49153"}
    assert published_port({"NetworkSettings": {"Ports": {"8000/tcp": [binding]}}}) == 49153
    for ports in (None, {}, {"8000/tcp": None}, {"8000/tcp": [{"HostPort": ""}]}, {"80/tcp": [binding]}):
        assert published_port({"NetworkSettings": {"Ports": ports}}) is None
    assert published_port({}) is None
    assert listed_port({"Ports": [{"PrivatePort": 8000}, {"PrivatePort": 8000, "PublicPort": 5}]}) == 5
    assert listed_port({"Ports": None}) is None
    assert endpoint_url("::1", 5) == "http://[::1]:5"


def test_the_engines_words_are_one_line_without_secrets() -> None:
    told = hide("bad \x1b[31mtoken\n\n s3cr3t-long and s3cr3t\r\n", {"s3cr3t", "s3cr3t-long", "", "bad"})
    assert told == "bad [31mtoken *** and ***"


def test_settings() -> None:
    assert read_settings(ContainerOptions(), bind="127.0.0.1", host="127.0.0.1") is None
    options = ContainerOptions("unix:///x", "a:1", ulimits=("nofile=1:2", "core=-1"))
    settings = read_settings(options, bind="0.0.0.0", host="127.0.0.1")
    assert settings is not None
    assert (settings.network, settings.bind, settings.host) == ("bridge", "0.0.0.0", "127.0.0.1")
    assert settings.ulimits == (
        {"Name": "nofile", "Soft": 1, "Hard": 2},
        {"Name": "core", "Soft": -1, "Hard": -1},
    )


def test_builds_that_are_over_are_not_kept_for_ever(tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "index")
        try:
            store = ContainerStore(database)
            for number in range(1002):
                container_id = await store.add(f"b{number}", {}, str(number))
                if number:  # the first one stays under way
                    await store.remove(container_id)
                    await store.abandon(f"b{number}", "failed", "x")
            kept = [await store.build(f"b{number}") for number in range(4)]
            assert [build is not None for build in kept] == [True, False, True, True]
            assert await store.owner() == await store.owner()
        finally:
            await database.close()

    asyncio.run(main())
