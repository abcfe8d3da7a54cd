"""Tokens in the system's keyring, where there is one."""

from __future__ import annotations

from typing import Any

__all__ = ["forget_token", "keep_token", "kept_token"]

_SERVICE = "synapse-sdk"


def _backend() -> Any | None:
    try:
        import keyring
    except Exception:  # noqa: BLE001 - not installed; or a backend that needs a home directory
        return None
    try:
        backend = keyring.get_keyring()
        # Backends that store nothing have a priority of 0 or less.
        return backend if float(backend.priority) > 0 else None
    except Exception:  # noqa: BLE001 - a broken keyring is as good as none
        return None


def keep_token(profile: str, token: str) -> bool:
    """Store a profile's token; return whether that worked."""
    backend = _backend()
    if backend is None:
        return False
    try:
        backend.set_password(_SERVICE, profile, token)
        return bool(backend.get_password(_SERVICE, profile) == token)
    except Exception:  # noqa: BLE001 - such as a keyring that is locked
        return False


def kept_token(profile: str) -> str | None:
    """Return a profile's token, or None if it can't be read."""
    backend = _backend()
    if backend is None:
        return None
    try:
        token = backend.get_password(_SERVICE, profile)
    except Exception:  # noqa: BLE001
        return None
    return str(token) if token else None


def forget_token(profile: str) -> None:
    """Delete a profile's token from the keyring, if it is there."""
    backend = _backend()
    if backend is None:
        return
    try:
        backend.delete_password(_SERVICE, profile)
    except Exception:  # noqa: BLE001 - it was not there
        return
