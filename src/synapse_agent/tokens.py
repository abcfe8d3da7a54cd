"""Tokens by name and role: the agent's own, and those of a token file.

A token file has a line for each token, `<name> <role> <SHA-256 of the token>`; `#` begins a comment. Tokens
are random, so a plain hash protects them as well as a slow one would.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from .errors import StartupError
from .http.route import Role
from .process import file_stamp

__all__ = ["NAME_RULE", "Token", "TokenFile", "Tokens", "check_token", "new_token"]

_log = logging.getLogger("synapse_agent")

_MIN_LENGTH = 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")
NAME_RULE = "1 to 64 letters, digits, '.', '_', '@' and '-'"
_HASH = re.compile(r"[0-9a-f]{64}\Z")

# Seconds for which a file counts as unchanged.
_FRESH = 1.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token's name, its role and its hash; the token itself is not kept."""

    name: str
    role: Role
    digest: str


def check_token(token: str, host: str) -> None:
    """Raise StartupError for a token that can't be sent in a header, or is too short for a network.

    Only processes of this machine reach an agent that listens on loopback, so there any length will do.
    """
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise StartupError("the token must consist of printable ASCII characters without blanks")
    if len(token) < _MIN_LENGTH and not _is_loopback(host):
        raise StartupError(
            f"the token must have at least {_MIN_LENGTH} characters for an agent that listens on {host}: "
            "make a random one, or give none"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def new_token() -> str:
    """Return a random token."""
    return secrets.token_urlsafe(32)


def _digest(token: str) -> str:
    # surrogateescape: headers are decoded that way, and may hold any bytes.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class TokenFile:
    """The tokens in a file. Every method raises ValueError for a file that is not one, and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Token]:
        """Return the tokens."""
        tokens: dict[str, Token] = {}
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.partition("#")[0].split()
            if not words:
                continue
            role = Role.__members__.get(words[1].upper()) if len(words) == 3 else None
            if role is None or not _NAME.match(words[0]) or not _HASH.match(words[2]):
                raise ValueError(f"{self.path}, line {number}: must be a name, a role and a SHA-256")
            if words[0] in tokens:
                raise ValueError(f"{self.path}, line {number}: there is a token {words[0]} already")
            tokens[words[0]] = Token(words[0], role, words[2])
        return list(tokens.values())

    def add(self, name: str, role: Role) -> str:
        """Make a token, and return it; the file has its hash only. It is made if there is none."""
        if not _NAME.match(name):
            raise ValueError(f"a token's name has {NAME_RULE}")
        token = new_token()

        def change(tokens: list[Token]) -> list[Token]:
            if any(other.name == name for other in tokens):
                raise ValueError(f"there is a token {name} already: revoke it first")
            return [*tokens, Token(name, role, _digest(token))]

        self._change(change)
        return token

    def remove(self, name: str) -> None:
        """Remove a token."""

        def change(tokens: list[Token]) -> list[Token]:
            left = [token for token in tokens if token.name != name]
            if len(left) == len(tokens):
                raise ValueError(f"there is no token {name} in {self.path}")
            return left

        self._change(change)

    def _change(self, change: Callable[[list[Token]], Iterable[Token]]) -> None:
        # A lock file of its own, since the file itself is replaced.
        lock = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = change(self.read() if self.path.exists() else [])
            part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            text = "".join(f"{token.name} {token.role.name.lower()} {token.digest}\n" for token in tokens)
            part.touch(0o600)
            part.write_text(f"# synapse-agent tokens: name, role, SHA-256\n{text}")
            part.replace(self.path)
        finally:
            os.close(lock)


class Tokens:
    """The tokens that an agent accepts.

    Args:
        own: The agent's own token, which may do everything, and which jobs get.
        file: Further ones; read again within a second when it changes. A file that can't be read any more
            leaves the tokens as they were.

    Raises:
        ValueError, OSError: The file can't be read.
    """

    def __init__(self, own: str, file: TokenFile | None = None) -> None:
        self._own = Token("agent", Role.ADMIN, _digest(own))
        self._file = file
        self._stamp: tuple[int, ...] | None = None
        self._checked = time.monotonic()
        self._by_digest = {self._own.digest: self._own}
        if file is not None:
            self._stamp = file_stamp(file.path)
            self._use(file.read())

    def find(self, token: str) -> Token | None:
        """Return what is known of a token; None if it is not one of these."""
        self._refresh()
        return self._by_digest.get(_digest(token))

    def _use(self, tokens: Iterable[Token]) -> None:
        self._by_digest = {token.digest: token for token in (*tokens, self._own)}

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._file is None or now - self._checked < _FRESH:
            return
        self._checked = now
        stamp = file_stamp(self._file.path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._use(self._file.read())
        except (OSError, ValueError) as error:
            _log.error("can't read the token file again, so the tokens stay as they are: %s", error)
