"""The certificates that are trusted where `verify` names none."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from .._exceptions import ValidationError

if TYPE_CHECKING:
    import ssl

__all__ = ["default_context"]


def default_context() -> ssl.SSLContext:
    """Return what httpx makes for each client: certifi's certificates, or those that the environment names.

    Raises:
        ValidationError: 400, if `SSL_CERT_FILE` or `SSL_CERT_DIR` leads nowhere.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        try:
            with Path(file).open("rb"):
                pass
        except (OSError, ValueError) as exc:
            raise _unreadable("SSL_CERT_FILE", file, exc) from exc
    elif folder and not Path(folder).is_dir():
        # OpenSSL takes this for a folder without certificates, so that every one would be refused.
        raise _unreadable("SSL_CERT_DIR", folder, NotADirectoryError(0, "no such folder"))
    try:
        return _context(file, folder)
    except (OSError, ValueError) as exc:
        keys = os.environ.get("SSLKEYLOGFILE")
        if keys and isinstance(exc, OSError) and exc.filename == keys:
            raise ValidationError(
                400,
                f"{keys!r}, which SSLKEYLOGFILE names, can't be written: {exc.strerror}",
                hint="correct SSLKEYLOGFILE, unset it, or pass verify=",
            ) from exc
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        raise _unreadable(name, file or folder, exc) from exc


# It takes 25 ms. The variables that httpx reads are the key.
@functools.lru_cache(maxsize=4)
def _context(*_variables: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _unreadable(variable: str, path: str | None, exc: Exception) -> ValidationError:
    reason = getattr(exc, "strerror", None) or str(exc)
    return ValidationError(
        400,
        f"no certificates can be read from {path!r}, which {variable} names: {reason}",
        hint=f"correct {variable}, unset it, or pass verify=",
    )
