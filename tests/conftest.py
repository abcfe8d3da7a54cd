"""What tests of every kind share: the agent of the session (`agent`, `start_agent`)."""

from __future__ import annotations

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
    checkout = [path for path in under_test().values() if path.parent in (ROOT / "src", ROOT / "generated")]
    if config.getoption("--installed") and checkout:
        raise pytest.UsageError(f"--installed, but imported would be {', '.join(map(str, checkout))}")
