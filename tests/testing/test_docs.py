"""The examples run: those of the docstrings here, and those of the how-to as a user's own tests."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT, environment
from tables import each_row

from synapse_sdk import testing
from synapse_sdk.testing import FakeAgent

pytestmark = pytest.mark.slow

HOW_TO = ROOT / "docs" / "how-to" / "testing.md"
MODULES = [
    testing.__name__,
    *(
        module.name
        for module in pkgutil.walk_packages(testing.__path__, f"{testing.__name__}.")
        if not module.name.endswith(".pytest_plugin")
    ),
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@each_row("name", MODULES)
def test_the_examples_of_the_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for example in finder.find(module, globs={"FakeAgent": FakeAgent}):
        runner.run(example)
    assert runner.failures == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 8


def test_the_how_to_is_a_users_test_file(tmp_path: Path) -> None:
    pytest.importorskip("click")
    text = HOW_TO.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    program = "\n".join(blocks)
    (conftest,) = re.findall(r"^pytest_plugins = .*$", text, re.MULTILINE)
    (tmp_path / "test_how_to.py").write_text(program, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    # The command of this checkout, whether or not it is installed.
    command = tmp_path / "bin" / "synapse"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom synapse_sdk.cli import main\nraise SystemExit(main())\n")
    command.chmod(0o755)
    variables = environment(XDG_CONFIG_HOME=str(tmp_path), SYNAPSE_PROFILE="")
    variables["PATH"] = f"{command.parent}:{variables['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{program.count('def test_')} passed" in done.stdout
