"""Named agents in a file of the user's: `~/.config/synapse/config.toml`.

default = "lab"

[profiles.lab]
url = "https://lab.example/agents/7/"
keyring = true          # or: token = "..."
tenant = "vision"
ca_file = "/etc/ssl/lab.pem"
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from ._exit import USAGE, CommandError

__all__ = ["Profile", "Profiles", "config_path"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Profile:
    """How to reach one agent."""

    name: str
    url: str
    token: str | None = field(default=None, repr=False)
    keyring: bool = False
    tenant: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    insecure: bool = False

    def secret(self) -> str | None:
        """Return the token, from the keyring if it is kept there."""
        if not self.keyring:
            return self.token
        from ._keyring import kept_token

        return kept_token(self.name)


@dataclass(frozen=True)
class Profiles:
    """The profiles in the file; without a home directory there is no file, and `path` is None."""

    path: Path | None
    default: str | None = None
    profiles: dict[str, Profile] = field(default_factory=dict[str, Profile])

    @classmethod
    def load(cls) -> Profiles:
        """Return the profiles in the file, or none if there is no file.

        Raises:
            CommandError: The file can't be read, or is invalid.
        """
        import tomllib

        path = config_path()
        if path is None:
            return cls(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return cls(path)
        except UnicodeDecodeError as exc:
            raise CommandError(f"{path} can't be read: it is not UTF-8 text", code=USAGE) from exc
        except OSError as exc:
            raise CommandError(f"{path} can't be read: {exc.strerror or exc}", code=USAGE) from exc
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            raise CommandError(
                f"{path} is not TOML: {exc}", hint="correct it or remove it", code=USAGE
            ) from exc
        tables: object = data.get("profiles", {})
        if not isinstance(tables, dict):
            raise CommandError(f"{path}: profiles must be tables", hint="[profiles.lab]", code=USAGE)
        profiles = {
            name: _profile(path, name, table) for name, table in cast("dict[str, object]", tables).items()
        }
        if any(profile.token for profile in profiles.values()):
            _warn_if_open(path)
        default: object = data.get("default")
        return cls(path, default if isinstance(default, str) else None, profiles)

    def get(self, name: str) -> Profile:
        """Return a profile.

        Raises:
            CommandError: There is no profile of that name.
        """
        try:
            return self.profiles[name]
        except KeyError:
            known = ", ".join(self.profiles) or "none yet"
            raise CommandError(
                f"there is no profile {name!r}; there are: {known}",
                hint=f"make it with: synapse login --profile {name}",
                code=USAGE,
            ) from None

    def put(self, profile: Profile, *, default: bool) -> Profiles:
        """Return the profiles with one added or replaced."""
        if not _NAME.fullmatch(profile.name):
            raise CommandError(
                f"{profile.name!r} can't be a profile's name",
                hint="letters, digits, '-', '_' and '.', at most 64",
                code=USAGE,
            )
        name = profile.name if default or self.default is None else self.default
        return replace(self, default=name, profiles={**self.profiles, profile.name: profile})

    def without(self, name: str) -> Profiles:
        """Return the profiles without one of them."""
        self.get(name)
        rest = {other: profile for other, profile in self.profiles.items() if other != name}
        default = self.default if self.default != name else next(iter(rest), None)
        return replace(self, default=default, profiles=rest)

    def save(self) -> None:
        """Write the file, readable by its owner only. Comments in it are kept.

        Raises:
            CommandError: It can't be written.
        """
        if self.path is None:
            raise CommandError(
                "profiles can't be saved without a home directory", hint="set HOME or XDG_CONFIG_HOME"
            )
        import tomlkit

        try:
            document = tomlkit.parse(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            document = tomlkit.document()
        if self.default is not None:
            document["default"] = self.default
        elif "default" in document:
            del document["default"]
        tables = cast("dict[str, Any]", document.setdefault("profiles", tomlkit.table(is_super_table=True)))
        for name in [name for name in tables if name not in self.profiles]:
            del tables[name]
        for name, profile in self.profiles.items():
            table: dict[str, Any] = tables.setdefault(name, tomlkit.table())
            for key, value in _fields(profile).items():
                if value:
                    table[key] = value
                elif key in table:
                    del table[key]
        try:
            _write(self.path, tomlkit.dumps(document))
        except OSError as exc:
            raise CommandError(f"{self.path} can't be written: {exc.strerror or exc}") from exc


def config_path() -> Path | None:
    """Return the file's path: below XDG_CONFIG_HOME, else `~/.config`, on Windows %APPDATA%.

    It is None where there is none of them, as in a container whose user has no entry in /etc/passwd.
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 - the XDG specification says to ignore relative paths
        base = os.environ.get("APPDATA", "") if sys.platform == "win32" else ""
    try:
        folder = Path(base) if base else Path.home() / ".config"
    except RuntimeError:
        return None
    # A token must not land in the working directory.
    return folder / "synapse" / "config.toml" if folder.is_absolute() else None


def _fields(profile: Profile) -> dict[str, str | bool | None]:
    return {
        "url": profile.url,
        "token": profile.token,
        "keyring": profile.keyring,
        "tenant": profile.tenant,
        "ca_file": profile.ca_file,
        "insecure": profile.insecure,
    }


def _profile(path: Path, name: str, table: object) -> Profile:
    if not isinstance(table, dict):
        raise CommandError(f"{path}: profiles.{name} must be a table", code=USAGE)
    values = cast("dict[str, object]", table)
    for key, kinds in {"url": str, "token": str, "tenant": str, "ca_file": str}.items():
        if key in values and not isinstance(values[key], kinds):
            raise CommandError(f"{path}: profiles.{name}.{key} must be a string", code=USAGE)
    if "url" not in values:
        raise CommandError(f"{path}: profiles.{name} has no url", code=USAGE)
    known: dict[str, Any] = {key: values[key] for key in Profile.__dataclass_fields__ if key in values}
    known["name"] = name
    return Profile(**known)


def _warn_if_open(path: Path) -> None:
    mode = path.stat().st_mode
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        from ._terminal import note

        note(f"others can read the tokens in {path}; chmod 600 {path}")


def _write(path: Path, text: str) -> None:
    import tempfile

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes a file that only its owner can read; replacing leaves no half-written file.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".config-", text=True)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
