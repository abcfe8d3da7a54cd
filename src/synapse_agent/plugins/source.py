"""Fetch releases from the directory that `--plugins` names.

The release `code` `version` is the first of these that exists:

    code@version/   code@version.zip   code/version/   code/version.zip   code/   code.zip

Its config.yaml, at the top level, must have the same code and version. A plain `code`, whose name has
no version, is skipped if its config.yaml has another one.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .archives import pack
from .config import CONFIG_FILE, BadConfigError, parse_config, read_actions
from .files import BadPluginError, read_directory, read_zip

__all__ = ["FetchedRelease", "fetch_release"]


@dataclass(frozen=True, slots=True)
class FetchedRelease:
    plugin: str
    version: str
    config: Mapping[str, object]
    # A zip whose bytes depend on the files only: stored, sorted, without times.
    archive: bytes
    # SHA-256 of the archive, in hex: the same for a directory and for a zip of it.
    checksum: str


def fetch_release(source: Path, plugin: str, version: str) -> FetchedRelease | None:
    """Read and check a release; None if the source has none. Call it in a thread.

    Raises BadPluginError for a release that exists but can't be used.
    """
    for stem, named in ((f"{plugin}@{version}", True), (f"{plugin}/{version}", True), (plugin, False)):
        for place in (stem, f"{stem}.zip"):
            try:
                files = _read(source, place, named=named)
            except OSError as error:
                raise BadPluginError(f"{place}: can't be read: {error.strerror or error}") from None
            if files is None:
                continue
            config = _config(place, files)
            if not named and config.get("version") != version:
                continue
            _check(place, config, plugin, version)
            archive = pack(files, zipfile.ZIP_STORED)
            return FetchedRelease(plugin, version, config, archive, hashlib.sha256(archive).hexdigest())
    return None


def _read(source: Path, place: str, *, named: bool) -> dict[str, bytes] | None:
    path = source / place
    if path.is_symlink() or (path.parent != source and path.parent.is_symlink()):
        raise BadPluginError(f"{place}: links are not allowed")
    if path.suffix == ".zip" and path.is_file():
        return read_zip(path)
    # A folder with the plugin's name may hold its versions.
    if path.is_dir() and (named or (path / CONFIG_FILE).is_file()):
        return read_directory(path)
    return None


def _config(place: str, files: Mapping[str, bytes]) -> dict[str, object]:
    content = files.get(CONFIG_FILE)
    if content is None:
        raise BadPluginError(f"{place}: has no {CONFIG_FILE} at its top level")
    try:
        return parse_config(content)
    except BadConfigError as error:
        raise BadPluginError(f"{place}: {CONFIG_FILE}: {error}") from None


def _check(place: str, config: Mapping[str, object], plugin: str, version: str) -> None:
    for key, wanted in (("code", plugin), ("version", version)):
        said = config.get(key)
        if said == wanted:
            continue
        why = f"{key} is {str(said)[:100]!r}, not {wanted!r}"
        if said is not None and not isinstance(said, str):
            why = f"{key} must be a string: put it in quotes"
        raise BadPluginError(f"{place}: {CONFIG_FILE}: {why}")
    try:
        read_actions(config)
    except BadConfigError as error:
        raise BadPluginError(f"{place}: {CONFIG_FILE}: {error}") from None
