"""The system's keyring, through `keyring`'s own backends: one that works, is locked, or is not there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

keyring = pytest.importorskip("keyring")

from keyring.backend import KeyringBackend  # noqa: E402
from keyring.errors import KeyringLocked, PasswordDeleteError  # noqa: E402

from synapse_sdk.cli._keyring import forget_token, keep_token, kept_token  # noqa: E402


class Working(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


class Locked(Working):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked

    def delete_password(self, service: str, username: str) -> None:
        raise KeyringLocked


class Forgetful(Working):
    def set_password(self, service: str, username: str, password: str) -> None:
        """Take it, and keep nothing."""


class Broken(Working):
    @property
    def priority(self) -> float:  # type: ignore[override]
        raise RuntimeError("no D-Bus")


@pytest.fixture
def use() -> Iterator[Callable[[KeyringBackend], None]]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_token_is_kept_and_forgotten(use: Callable[[KeyringBackend], None]) -> None:
    backend = Working()
    use(backend)
    assert kept_token("lab") is None
    assert keep_token("lab", "a-token")
    assert kept_token("lab") == "a-token"
    assert list(backend.kept.values()) == ["a-token"]
    forget_token("lab")
    forget_token("lab")
    assert kept_token("lab") is None


@pytest.mark.parametrize("backend", [Locked, Forgetful, Broken])
def test_a_keyring_that_keeps_nothing_is_told_apart_from_one_that_does(
    use: Callable[[KeyringBackend], None], backend: type[KeyringBackend]
) -> None:
    use(backend())
    assert not keep_token("lab", "a-token")
    assert kept_token("lab") is None
    forget_token("lab")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert not keep_token("lab", "a-token")
    assert kept_token("lab") is None
    forget_token("lab")
