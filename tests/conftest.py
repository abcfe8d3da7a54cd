"""What tests of every kind share: the agent of the session (`agent`, `start_agent`)."""

from __future__ import annotations

import signal

import pytest
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
    # A shell without job control has what it starts by `&` ignore Ctrl-C, and so would the tests' children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    checkout = [path for path in under_test().values() if path.parent in (ROOT / "src", ROOT / "generated")]
    if config.getoption("--installed") and checkout:
        raise pytest.UsageError(f"--installed, but imported would be {', '.join(map(str, checkout))}")
