"""What runs an action in its job: how the entrypoint is found and what its failure shows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tables import each_row

from synapse_agent.plugins import runner as _runner

MODULES = {
    "app/__init__.py": "",
    "app/tools.py": """
        import json

        def show(**params): print("show", json.dumps(params))

        async def later(**params): print("later", json.dumps(params))

        def nothing(): print("nothing")

        class Group:
            @staticmethod
            def show(**params): print("inner", json.dumps(params))

        class Execute:
            def __init__(self, params): self.params = params
            def run(self): raise AssertionError("execute comes first")
            def execute(self): print("execute", self.params["x"])

        class Run:
            def run(self, x): print("run", x)

        class Call:
            async def __call__(self, params): print("call", params["x"])

        class Idle:
            pass

        def fail(): raise RuntimeError("no luck")
        """,
    "has_main.py": """
        def main(x): print("main", x)
        def run(x): raise AssertionError("main comes first")
        """,
    "has_run.py": """
        def run(x): print("run", x)
        """,
    "empty.py": "",
    "unlucky.py": """
        import not_installed_anywhere
        """,
}


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The modules of a package, importable as they are in a job."""
    for name, source in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("SYNAPSE_ACTION_PARAMS_FILE", raising=False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {Path(module).parts[0].removesuffix(".py") for module in MODULES}:
            del sys.modules[name]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run an action as its job would; the exit status, and what it printed to stdout and stderr."""

    def run(entrypoint: str, **params: Any) -> tuple[int, str, str]:
        monkeypatch.setenv("SYNAPSE_ACTION_ENTRYPOINT", entrypoint)
        monkeypatch.setenv("SYNAPSE_ACTION_PARAMS", json.dumps(params))
        status = _runner.main()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@each_row(
    ("entrypoint", "output"),
    [
        ("app.tools:show", 'show {"x": 1}'),
        ("app.tools:Group.show", 'inner {"x": 1}'),
        ("app.tools.show", 'show {"x": 1}'),
        ("app.tools.Group.show", 'inner {"x": 1}'),
        ("app.tools:later", 'later {"x": 1}'),
        ("app.tools:nothing", "nothing"),
        ("app.tools.Execute", "execute 1"),
        ("app.tools.Run", "run 1"),
        ("app.tools.Call", "call 1"),
        ("has_main", "main 1"),
        ("has_run", "run 1"),
    ],
)
def test_what_an_entrypoint_may_name(run: Callable[..., Any], entrypoint: str, output: str) -> None:
    assert run(entrypoint, x=1) == (0, f"{output}\n", "")


@each_row(
    ("entrypoint", "error"),
    [
        ("app.tools:fail", "RuntimeError: no luck"),
        ("app.tools.fail", "RuntimeError: no luck"),
        ("app.tools:gone", "AttributeError: module 'app.tools' has no attribute 'gone'"),
        ("app.tools.gone", "AttributeError: module 'app.tools' has no attribute 'gone'"),
        ("app.gone", "AttributeError: module 'app' has no attribute 'gone'"),
        ("gone", "ModuleNotFoundError: No module named 'gone'"),
        ("gone.main", "ModuleNotFoundError: No module named 'gone'"),
        ("app.gone.deeper.main", "AttributeError: module 'app' has no attribute 'gone'"),
        ("app.tools.Idle", "TypeError: app.tools.Idle has none of execute, run and __call__"),
        ("empty", "AttributeError: module 'empty' has neither main nor run"),
        # The module is there: what it lacks is the news.
        ("unlucky", "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("unlucky.main", "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
    ],
)
def test_what_a_failed_action_shows(run: Callable[..., Any], entrypoint: str, error: str) -> None:
    status, output, errors = run(entrypoint)
    assert (status, output) == (1, "")
    assert errors.endswith(f"{error}\n")


def test_the_traceback_is_the_action_s_own(run: Callable[..., Any], package: Path) -> None:
    status, _, errors = run("app.tools:fail")
    first, where, *_ = errors.splitlines()
    assert status == 1
    assert first == "Traceback (most recent call last):"
    assert where.startswith(f'  File "{package / "app" / "tools.py"}"')


def test_long_parameters_come_from_a_file_beside_the_runner(
    run: Callable[..., Any], package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The package is unpacked with the runner in it.
    monkeypatch.setattr(_runner, "__file__", str(package / "_synapse_runner.py"))
    (package / "params.json").write_text(json.dumps({"x": "é"}), "utf-8")
    monkeypatch.setenv("SYNAPSE_ACTION_PARAMS_FILE", "params.json")
    assert run("has_main", x="of the environment") == (0, "main é\n", "")
    # The action may read it too, from any directory.
    assert os.environ["SYNAPSE_ACTION_PARAMS_FILE"] == str(package / "params.json")


def test_a_builtin_with_one_positional_parameter_takes_them_all() -> None:
    assert _runner._call(len, {"x": 1, "y": 2}) == 2
