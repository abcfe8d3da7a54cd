"""A pytest plugin: collect the tests once, then fork for each mutant and run the tests that are to kill it.

The mutant is put into the functions that are imported already, so that no file is changed and nothing is
imported again. Needs MUTATE_SOURCES, MUTATE_WORK (what to try) and MUTATE_RESULTS (the file to append to).
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

# Seconds until a test counts as one that hangs, beside a multiple of what it took when it was recorded.
_HANG = 20.0
_functions: list[FunctionType] = []
_current: dict[str, Any] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    items = {item.nodeid: item for item in session.items}
    results = Path(os.environ["MUTATE_RESULTS"])
    sources = [str(Path.cwd() / source) for source in os.environ["MUTATE_SOURCES"].split(":")]
    _functions[:] = [
        item
        for item in gc.get_objects()
        if isinstance(item, FunctionType) and item.__code__.co_filename.startswith(tuple(sources))
    ]
    # Else each child would copy all that was collected, by looking through it for garbage.
    gc.freeze()
    for work in json.loads(Path(os.environ["MUTATE_WORK"]).read_text()):
        began = time.monotonic()
        session.items = [items[name] for name in work["tests"] if name in items]
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            _kill_group(child)
            _append(results, work | {"status": status, "took": round(time.monotonic() - began, 2)})
            continue
        os.setpgid(0, 0)
        _current.update(work, results=results)
        _put_in(work["path"], work["text"])
        return (yield)
    session.items = []
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    patience = _HANG + 10 * _current["seconds"].get(item.nodeid, 0.0)
    _append(_current["results"], {"key": _current["key"], "runs": item.nodeid})
    faulthandler.dump_traceback_later(patience, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _current:
        # What a mutant has broken may keep a child from its end.
        os._exit(bool(session.testsfailed))


def _put_in(path: str, text: str) -> None:
    """Replace the code of a module's functions by what they have in a changed text of it."""
    file = str(Path.cwd() / path)
    codes: dict[tuple[str, int], CodeType] = {}
    todo = [compile(text, file, "exec", dont_inherit=True)]
    while todo:
        code = todo.pop()
        codes[code.co_qualname, code.co_firstlineno] = code
        todo += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for function in _functions:
        if function.__code__.co_filename == file:
            code = codes[function.__code__.co_qualname, function.__code__.co_firstlineno]
            # A closure that was made already may lack a variable that the other code asks for.
            if len(code.co_freevars) == len(function.__code__.co_freevars):
                function.__code__ = code


def _append(results: Path, line: dict[str, Any]) -> None:
    kept = {name: line[name] for name in ("key", "runs", "status", "took") if name in line}
    with results.open("a") as file:
        file.write(json.dumps(kept) + "\n")


def _kill_group(child: int) -> None:
    """End what the tests of a child have left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
