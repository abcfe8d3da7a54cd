"""A terminal with a program in it: a pseudo-terminal, and pyte to tell what a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from typing import Self

import pyte
from checkout import environment

__all__ = ["Terminal"]

# A shell that leads a session gets the terminal it opens as the controlling one, so that Ctrl-C works.
_LAUNCH = 'exec <"$0" >"$0" 2>&1; exec "$@"'


class Terminal:
    """Runs a program in a terminal of its own."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 120, rows: int = 30, env: dict[str, str] | None = None
    ) -> None:
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _LAUNCH, os.ttyname(slave), *command],
            env=environment(**(env or {})),
            start_new_session=True,
        )
        # Open until the program has it: a terminal nobody has open reads as ended.
        self._slave = slave

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.type("\x03")

    def wait_until(self, true: Callable[[], bool], timeout: float = 60) -> None:
        """Read what the program writes until something is true."""
        deadline = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < deadline, self.text
            self._read(0.05)

    def wait_for(self, text: str, timeout: float = 60) -> None:
        """Wait until something stands on the screen."""
        self.wait_until(lambda: text in self.text, timeout)

    def wait_for_hidden_typing(self, timeout: float = 60) -> None:
        """Wait until what is typed isn't shown; what was typed before that is thrown away."""
        self.wait_until(lambda: not termios.tcgetattr(self._master)[3] & termios.ECHO, timeout)

    def exit_code(self, timeout: float = 60) -> int:
        """Wait for the end of the program; read to the end of what it wrote."""
        self.wait_until(lambda: self._process.poll() is not None, timeout)
        while self._read(0):
            pass
        return int(self._process.returncode)

    def _read(self, timeout: float) -> bool:
        if not select.select([self._master], [], [], timeout)[0]:
            return False
        with contextlib.suppress(OSError):
            data = os.read(self._master, 65_536)
            self.raw += data
            self._stream.feed(data)
            return bool(data)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)
        os.close(self._slave)
