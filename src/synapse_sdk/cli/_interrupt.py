"""Ctrl-C, and readers of a pipe that go away, while something is followed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType

from ._exit import INTERRUPTED

__all__ = ["leave_at_once", "when_unread"]

# Seconds for closing connections after Ctrl-C.
_GRACE = 0.5


@contextlib.contextmanager
def leave_at_once(farewell: Callable[[], str]) -> Generator[None]:
    """Make Ctrl-C write how to continue and raise KeyboardInterrupt; end the process soon after in any case.

    Args:
        farewell: Returns what to write.
    """
    before = signal.getsignal(signal.SIGINT)
    # A shell ignores SIGINT for what a script runs in the background, which Ctrl-C is not meant for.
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, _end)
        # Not through sys.stderr, whose buffer may be in use at this moment.
        with contextlib.suppress(OSError):
            os.write(2, f"\n{farewell()}\n".encode("utf-8", "replace"))
        deadline = threading.Timer(_GRACE, os._exit, [INTERRUPTED])
        deadline.daemon = True
        # RuntimeError: no more threads can be started. A second Ctrl-C ends the process all the same.
        with contextlib.suppress(RuntimeError):
            deadline.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    except KeyboardInterrupt:
        raise  # the handler that ends the process stays
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
    else:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


class _Watch:
    def __init__(self) -> None:
        self.gone = False


@contextlib.contextmanager
def when_unread(close: Callable[[], None]) -> Generator[_Watch]:
    """Call `close`, from another thread, when stdout is a pipe and its reader has gone.

    Without this, `... | head` would go on until the job writes its next line.
    """
    watch = _Watch()
    output = _pipe()
    if output is None:
        yield watch
        return
    wake, waker = os.pipe()

    def look() -> None:
        poll = select.poll()
        poll.register(output, 0)
        poll.register(wake, select.POLLIN)
        if any(descriptor == output for descriptor, _ in poll.poll()):
            watch.gone = True
            close()

    thread = threading.Thread(target=look, name="synapse-pipe", daemon=True)
    # RuntimeError: no more threads can be started. The next line that is written notices the reader's end.
    with contextlib.suppress(RuntimeError):
        thread.start()
    try:
        yield watch
    finally:
        if thread.ident is not None:
            os.write(waker, b"x")
            thread.join(1)
        os.close(wake)
        os.close(waker)


def _pipe() -> int | None:
    """Return stdout's descriptor, if it is a pipe that can be watched."""
    try:
        output = sys.stdout.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(output).st_mode)
    except (OSError, ValueError):
        return None
    return output if is_pipe and hasattr(select, "poll") else None
