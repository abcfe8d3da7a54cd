"""The tests' stopwatch leaves out what the machine took, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from checkout import ROOT
from stopwatch import Stopwatch

# Two others want the same processor all the time.
CROWDED = """
import os, subprocess, sys, time
from stopwatch import Stopwatch
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
try:
    watch = Stopwatch()
    begun = time.process_time()
    while time.process_time() - begun < 0.3:
        pass
    print(watch.seconds(), time.monotonic() - watch.started)
finally:
    for other in others:
        other.kill()
        other.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux accounts for this")
def test_time_that_others_took_is_not_counted() -> None:
    command = [sys.executable, "-c", CROWDED]
    done = subprocess.run(command, cwd=ROOT / "tests", stdout=subprocess.PIPE, text=True, check=True)
    own, elapsed = map(float, done.stdout.split())
    assert own >= 0.25
    assert own < 0.8 * elapsed


def test_time_in_which_we_waited_is_counted() -> None:
    watch = Stopwatch()
    time.sleep(0.2)
    assert 0.1 < watch.seconds() <= time.monotonic() - watch.started
