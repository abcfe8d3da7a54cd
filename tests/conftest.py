"""What all tests share: the backends, and the agent of the session (`agent`, `start_agent`)."""

from __future__ import annotations

import signal

import pytest
from backends import BACKENDS
from checkout import ROOT, under_test

pytest_plugins = ["running_agent"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--installed",
        action="store_true",
        help="refuse to test this checkout's src/ and generated/: installed packages are meant",
    )


def pytest_report_header(config: pytest.Config) -> str:
    folders = dict.fromkeys(str(path.parent) for path in under_test().values())
    return f"packages under test: {', '.join(folders)}"


def pytest_configure(config: pytest.Config) -> None:
    # Of pytest-xdist, which may not be there.
    config.addinivalue_line("markers", "xdist_group(name): run by the same worker")
    # A shell without job control has what it starts by `&` ignore Ctrl-C, and so would the tests' children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    checkout = [path for path in under_test().values() if path.parent in (ROOT / "src", ROOT / "generated")]
    if config.getoption("--installed") and checkout:
        raise pytest.UsageError(f"--installed, but imported would be {', '.join(map(str, checkout))}")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The synchronous client, and the asynchronous one on asyncio and on trio."""
    return str(request.param)


@pytest.fixture(params=BACKENDS[1:])
def async_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out among the workers of pytest-xdist, so that no fixture is made twice.

    A file is run by one worker, and so is all that uses the session's agent.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            uses_agent = "real_agent" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("real_agent" if uses_agent else str(item.path)))
