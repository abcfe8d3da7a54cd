"""Reading a plugin from a directory or a zip archive that somebody may have made to do harm."""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_agent.plugins import files as _release_files
from synapse_agent.plugins.files import BadPluginError, read_directory, read_zip

FILES = {"config.yaml": b"code: x", "pkg/a.py": b"print()", "pkg/data/b.bin": bytes(range(256)), "empty": b""}


def zipped(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def written(directory: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_directory_and_its_zip_give_the_same_files(tmp_path: Path, method: int) -> None:
    assert read_directory(written(tmp_path / "x", FILES)) == FILES
    assert read_zip(zipped(tmp_path / "x.zip", FILES | {"pkg/": b""}, method)) == FILES


def test_what_is_no_part_of_a_plugin_is_left_out(tmp_path: Path) -> None:
    more = ("a.pyc", "__pycache__/a.py", ".git/config", "pkg/.venv/x.py", "pkg/node_modules/x.js", "venv/x")
    files = FILES | dict.fromkeys(more, b"x")
    assert read_directory(written(tmp_path / "x", files)) == FILES
    assert read_zip(zipped(tmp_path / "x.zip", files)) == FILES


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/../../x", "a/..", "/etc/x", "//x", "./x", "a//x", ".", "..", "a\\x", "..\\x"),
        *("a\x00b", "a\nb", "\x7f", "x" * 501),
    ],
)
def test_paths_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    # zipfile cuts a name at a NUL when it writes, so this one is put in afterwards.
    path = zipped(tmp_path / "x.zip", {"config.yaml": b"", name.replace("\x00", "~"): b"x"})
    path.write_bytes(path.read_bytes().replace(b"a~b", b"a\x00b"))
    with pytest.raises(BadPluginError, match="is not an allowed path"):
        read_zip(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_entries_that_contradict_each_other(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", "2")
    with pytest.raises(BadPluginError, match="a: occurs twice"):
        read_zip(tmp_path / "twice.zip")
    for names in (("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")):
        with pytest.raises(BadPluginError, match="a is a file"):
            read_zip(zipped(tmp_path / "both.zip", dict.fromkeys(names, b"")))
    with pytest.raises(BadPluginError, match="a: occurs twice"):
        read_zip(zipped(tmp_path / "kinds.zip", {"a/": b"", "a": b""}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK, stat.S_IFDIR])
def test_links_and_special_files_in_a_zip(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(BadPluginError, match="link: links and special files are not allowed"):
        read_zip(tmp_path / "x.zip")


@pytest.mark.parametrize("where", ["file", "folder", "dangling", "fifo", "socket"])
def test_links_and_special_files_in_a_directory(tmp_path: Path, where: str) -> None:
    directory = written(tmp_path / "x", FILES)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("secret")
    odd = directory / "pkg" / "odd"
    if where == "fifo":
        os.mkfifo(odd)
    elif where == "socket":
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(odd))
    else:
        target = {"file": "secret/file", "folder": "secret", "dangling": "nothing"}[where]
        odd.symlink_to(tmp_path / target)
    with pytest.raises(BadPluginError, match="pkg/odd: "):
        read_directory(directory)


@pytest.mark.parametrize("as_zip", [True, False])
def test_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_zip: bool) -> None:
    def read(files: dict[str, bytes]) -> dict[str, bytes]:
        target = tmp_path / str(len(list(tmp_path.iterdir())))
        return read_zip(zipped(target, files)) if as_zip else read_directory(written(target, files))

    monkeypatch.setattr(_release_files, "MAX_FILES", 5)
    monkeypatch.setattr(_release_files, "MAX_BYTES", 2000)
    assert len(read(dict.fromkeys("abcde", b"x" * 400))) == 5
    with pytest.raises(BadPluginError, match="more than 5 files"):
        read(dict.fromkeys("abcdef", b""))
    with pytest.raises(BadPluginError, match="the files have more than"):
        read(dict.fromkeys("abcde", b"x" * 401))


def test_an_archive_that_is_too_large_as_it_lies_there(tmp_path: Path) -> None:
    with (tmp_path / "x.zip").open("wb") as file:
        file.truncate(_release_files.MAX_BYTES + 1)
    with pytest.raises(BadPluginError, match=r"x\.zip: must be a file of at most 200 MiB"):
        read_zip(tmp_path / "x.zip")


def test_a_bomb_that_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"zeros{number}", "w") as file:
                for _ in range(70):
                    file.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(BadPluginError, match="zeros2: the files have more than 200 MiB unpacked"):
        read_zip(path)


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {"zeros": bytes(100 << 20)})
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)
    path.write_bytes(content)
    most = peak(lambda: read_zip(path))
    assert most < 4 << 20, "unpacked no more than was announced"


def test_a_list_of_files_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {f"{number:0100}": b"" for number in range(40_000)})
    with pytest.raises(BadPluginError, match="its list of files is too long"):
        read_zip(path)


def peak(work: Callable[[], object]) -> int:
    """How many bytes `work`, which must be refused, held at once."""
    import tracemalloc

    tracemalloc.start()
    try:
        with pytest.raises(BadPluginError, match="not a valid zip archive"):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_compression(tmp_path: Path, method: int) -> None:
    with pytest.raises(BadPluginError, match="only stored and deflated"):
        read_zip(zipped(tmp_path / "x.zip", FILES, method))


def test_encrypted_files(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a": b"secret"})
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(BadPluginError, match="a: encrypted"):
        read_zip(path)


def test_what_is_no_archive_at_all(tmp_path: Path) -> None:
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "link.zip").symlink_to(zipped(tmp_path / "real.zip", FILES))
    os.mkfifo(tmp_path / "fifo.zip")
    (tmp_path / "text.zip").write_text("text")
    (tmp_path / "empty.zip").write_text("")
    for name in ("folder", "link", "fifo", "text", "empty", "absent"):
        with pytest.raises(BadPluginError, match=f"{name}.zip: "):
            read_zip(tmp_path / f"{name}.zip")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_broken_archives_are_refused_or_read_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    broken = bytearray(buffer.getvalue())
    for position in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=4)):
        broken[position] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.integers(0, len(broken)))] if data.draw(st.booleans()) else broken
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    path.write_bytes(broken)
    try:
        files = read_zip(path)
    except BadPluginError:
        return
    assert all(content in FILES.values() for content in files.values())
