"""A deadline calls its function once its time is over, and never once it was cancelled."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from synapse_sdk._http import _deadline
from synapse_sdk._http._deadline import Deadline


@pytest.fixture(autouse=True)
def traced_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let coverage see into a thread that `threading` knows nothing of."""
    start = _deadline._thread.start_new_thread

    def start_traced(function: Callable[..., object], arguments: tuple[Any, ...]) -> int:
        def run(*arguments: Any) -> None:
            sys.settrace(threading.gettrace())
            function(*arguments)

        return start(run, arguments)

    monkeypatch.setattr(_deadline._thread, "start_new_thread", start_traced)


def test_its_time_passes() -> None:
    called = threading.Event()
    started = time.monotonic()
    deadline = Deadline(0.05, called.set)
    assert called.wait(10)
    assert time.monotonic() - started >= 0.05
    deadline.cancel()
    assert deadline.passed


def test_cancelled_in_time() -> None:
    calls: list[str] = []
    deadline = Deadline(0.5, lambda: calls.append("called"))
    deadline.cancel()
    later = threading.Event()
    Deadline(0.6, later.set)
    assert later.wait(10)
    assert calls == []
    assert not deadline.passed


def test_a_cancel_waits_for_the_call_that_has_begun() -> None:
    begun, go_on = threading.Event(), threading.Event()
    calls: list[str] = []

    def function() -> None:
        begun.set()
        go_on.wait(10)
        calls.append("ended")

    deadline = Deadline(0, function)
    assert begun.wait(10)
    canceller = threading.Thread(target=deadline.cancel)
    canceller.start()
    canceller.join(0.05)
    assert canceller.is_alive()
    go_on.set()
    canceller.join(10)
    assert calls == ["ended"]


def test_longer_than_a_lock_can_wait_is_no_error() -> None:
    deadline = Deadline(float("inf"), pytest.fail)
    deadline.cancel()
    assert not deadline.passed
