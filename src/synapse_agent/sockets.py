"""What the agent listens on: a TCP address, a Unix socket, TLS."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import StartupError
from .process import describe, file_stamp

__all__ = ["Certificate", "listen_tcp", "listen_unix"]

_log = logging.getLogger("synapse_agent")

# Seconds between two looks at the files of a certificate.
_PACE = 1.0


def listen_tcp(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 is any free one. Raises StartupError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartupError(
                f"port {port} on {host} is taken: choose another with --port, or --port 0 for a free one"
            ) from None
        raise StartupError(f"can't listen on {host} port {port}: {error.strerror or error}") from None
    except OverflowError:
        raise StartupError(f"{port} is no port: ports go from 0 to 65535") from None


@contextmanager
def listen_unix(path: Path) -> Generator[socket.socket, None, None]:
    """Listen on a Unix socket that its owner and group may use; remove it at the end. Raises StartupError."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        _remove_stale(path)
        sock.bind(str(path))
        path.chmod(0o660)
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise StartupError(f"can't listen on {path}: {describe(error)}") from None
    try:
        yield sock
    finally:
        sock.close()
        with suppress(OSError):
            path.unlink()


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


class Certificate:
    """A certificate for TLS, read again when its files change.

    Args:
        cert: File with the certificate and its chain, in PEM.
        key: File with its key, unencrypted.

    Raises:
        StartupError: They can't be used.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._files = (cert, key)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._stamp = self._read_stamp()
        try:
            self._load(self.context)
        except (OSError, ValueError) as error:
            reason = describe(error) if isinstance(error, OSError) else str(error)
            raise StartupError(f"can't use --tls-cert {cert} with --tls-key {key}: {reason}") from None

    async def watch(self) -> None:
        """Look at the files for ever; connections from then on get the new certificate."""
        while True:
            await asyncio.sleep(_PACE)
            stamp = self._read_stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()

    def _reload(self) -> None:
        try:
            # A context of its own first: a certificate without its key would break the one in use.
            self._load(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
            self._load(self.context)
            _log.info("using the new certificate")
        except (OSError, ValueError) as error:
            _log.error("can't use the new certificate, so the old one stays: %s", error)

    def _load(self, context: ssl.SSLContext) -> None:
        # An empty password, or OpenSSL would ask for one at the terminal.
        context.load_cert_chain(*self._files, password="")

    def _read_stamp(self) -> tuple[tuple[int, ...], ...]:
        return tuple(map(file_stamp, self._files))
