"""`python -m tools.plain_english`, which `make lint` runs: it finds a phrase, and shows a plain one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import plain_english


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('"""Give the time."""', '"""Give'),
        ("# The file is told by its name.", "is told"),
        ("Whoever made it closes it.", "Whoever"),
        ('"""Give up after the last attempt."""', None),
        ("They can't be told apart.", None),
        ("Return the time.", None),
    ],
)
def test_phrases(tmp_path: Path, line: str, found: str | None) -> None:
    path = tmp_path / "module.py"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    assert [finding.partition(";")[0] for finding in plain_english.findings(path)] == (
        [] if found is None else [f"2: {found!r}"]
    )


def test_every_kind_of_text_is_read() -> None:
    read = {path.relative_to(plain_english.ROOT).parts[0] for path in plain_english.files()}
    assert {"README.md", "docs", "spec", "src", "templates", "tests", "tools"} <= read
