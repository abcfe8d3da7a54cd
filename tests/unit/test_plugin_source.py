"""Where a release is looked for, and what its config.yaml must say."""

from __future__ import annotations

import hashlib
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tables import each_row

from synapse_agent.plugins.config import BadConfigError, parse_config, read_actions
from synapse_agent.plugins.files import BadPluginError
from synapse_agent.plugins.source import fetch_release

CONFIG = 'code: x\nversion: "1.0"\nactions:\n  go: {entrypoint: "x:go"}\n'


def place(source: Path, where: str, /, config: str | None = CONFIG, **files: str) -> Path:
    """A plugin at `where`, which is a zip if it is called so."""
    path = source / where
    path.parent.mkdir(parents=True, exist_ok=True)
    content = files | ({} if config is None else {"config.yaml": config})
    if where.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    else:
        path.mkdir()
        for name, text in content.items():
            (path / name).write_text(text)
    return path


@pytest.mark.parametrize("where", ["x@1.0", "x@1.0.zip", "x/1.0", "x/1.0.zip", "x", "x.zip"])
def test_the_places_where_a_release_may_be(tmp_path: Path, where: str) -> None:
    place(tmp_path, where, main="code")
    release = fetch_release(tmp_path, "x", "1.0")
    assert release is not None
    assert (release.plugin, release.version, release.config["actions"]) == (
        *("x", "1.0"),
        {"go": {"entrypoint": "x:go"}},
    )
    assert fetch_release(tmp_path, "x", "2.0") is None
    assert fetch_release(tmp_path, "y", "1.0") is None


def test_the_first_place_wins(tmp_path: Path) -> None:
    for where in ("x.zip", "x", "x/1.0.zip", "x/1.0", "x@1.0.zip", "x@1.0"):
        place(tmp_path, where, mark=where)
        release = fetch_release(tmp_path, "x", "1.0")
        assert release is not None
        assert where.encode() in release.archive.split(b"PK\x01\x02")[0]


def test_a_folder_without_a_config_may_hold_versions(tmp_path: Path) -> None:
    (tmp_path / "x" / "2.0").mkdir(parents=True)
    assert fetch_release(tmp_path, "x", "1.0") is None


def test_the_checksum_is_that_of_the_content_alone(tmp_path: Path) -> None:
    one = place(tmp_path / "one", "x", a="1", b="2")
    (one / "__pycache__").mkdir()
    place(tmp_path / "two", "x@1.0.zip", b="2", a="1")
    place(tmp_path / "three", "x@1.0.zip", b="2", a="2")
    releases = [fetch_release(tmp_path / name, "x", "1.0") for name in ("one", "two", "three")]
    checksums = [release.checksum for release in releases if release]
    assert checksums[0] == checksums[1] != checksums[2]
    assert releases[0] is not None
    assert checksums[0] == hashlib.sha256(releases[0].archive).hexdigest()


@pytest.mark.parametrize("link", ["x@1.0", "x@1.0.zip", "x"])
def test_a_link_is_no_release(tmp_path: Path, link: str) -> None:
    place(tmp_path / "elsewhere", "1.0")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadPluginError, match="links are not allowed"):
        fetch_release(tmp_path / "source", "x", "1.0")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, r"x@1.0: has no config\.yaml at its top level"),
        ("", "it must be a mapping"),
        ("- a", "it must be a mapping"),
        ("a: [", "invalid YAML"),
        ("a: !!python/object:os.system {}", "invalid YAML"),
        ("a: \x00", "invalid YAML"),
        ("a: 1\n--- \nb: 1", "invalid YAML"),
        (CONFIG.replace("code: x", "code: y"), "code is 'y', not 'x'"),
        (CONFIG.replace("code: x", "kode: x"), "code is 'None', not 'x'"),
        (CONFIG.replace('"1.0"', "1.0.1"), "version is '1.0.1', not '1.0'"),
        (CONFIG.replace('"1.0"', "1.0"), "version must be a string: put it in quotes"),
        ('code: x\nversion: "1.0"', "it must have actions by name"),
        (CONFIG.replace("go:", "../go:"), "'../go' is not a valid action name"),
        (CONFIG.replace('{entrypoint: "x:go"}', "x"), "action go must have an entrypoint"),
        (CONFIG.replace("x:go", "x go"), "action go: entrypoint must have the form"),
        (CONFIG.replace('"x:go"', "null"), "action go: entrypoint must have the form"),
        (CONFIG.replace('"x:go"', '"x:go", method: fly'), "action go: method must be one of"),
    ],
)
def test_configurations_that_are_refused(tmp_path: Path, config: str | None, words: str) -> None:
    place(tmp_path, "x@1.0", config)
    with pytest.raises(BadPluginError, match=words):
        fetch_release(tmp_path, "x", "1.0")


def test_a_serve_action_needs_no_entrypoint() -> None:
    config = {"actions": {"a": {"method": "serve"}, "b": {"method": "restapi"}, "c": {"entrypoint": "m"}}}
    actions = read_actions(config)
    assert [(action.is_job, action.entrypoint) for action in actions.values()] == [
        *((False, ""), (False, "")),
        (True, "m"),
    ]


def test_a_configuration_is_what_json_can_say() -> None:
    text = b"a: 2026-01-02\nb: 2026-01-02 03:04:05\n1: x\n2.5: y\nnull: z\nc: [1, yes, ~, 1.5]\n"
    expected: dict[str, Any] = {"a": "2026-01-02", "b": "2026-01-02T03:04:05", "1": "x", "2.5": "y"}
    assert parse_config(text) == expected | {"None": "z", "c": [1, True, None, 1.5]}
    for bad in (b"a: .nan", b"a: .inf", b"a: !!binary aGk=", b"a: !!set {x}", b"on: 1", b"[1]: 2", b"\xff"):
        with pytest.raises(BadConfigError):
            parse_config(bad)


@each_row(
    "text",
    [
        # Ten aliases of ten aliases of … : a few lines for gigabytes.
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
        "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: " + "[" * 60 + "]" * 60,
        "a: " + "[" * 50_000,
        # Each time just not too deep for Python, but slow to read.
        "a: [" + ("[" * 200 + "]" * 200 + ",") * 100,
        "a: [" + "1," * 10_001 + "]",
        "a: " + "x" * 300_000,
        "a: " + "9" * 10_000,
    ],
    ids=[
        "aliases",
        "merges",
        "loop",
        "loop of keys",
        "deep",
        "deeper",
        "again and again",
        "long",
        "large",
        "number",
    ],
)
def test_a_configuration_that_would_fill_the_memory(text: str) -> None:
    started = time.process_time()
    with pytest.raises(BadConfigError):
        parse_config(text.encode())
    assert time.process_time() - started < 10
