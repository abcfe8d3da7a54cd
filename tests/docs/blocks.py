"""The code blocks of README.md and docs/, and how each is run.

* `python` blocks are run one after the other, in one namespace a page. One with a `title` is a file of that
  name.
* `console` blocks are run in one shell a page: a line that begins with `$ ` is a command, and what follows is
  what it prints, on stdout and stderr. A command after which nothing stands may print what it likes.
* A `text` block right after a `python` block is what that prints.
* In an output, `…` in a line stands for anything, and a line that is only that for any lines.
* `<!-- not run: the reason -->` before a block says that it is not run, and `<!-- runs on -->` before one of
  the shell that its command is left running, to the end of the page.
* Any other block is for reading.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from checkout import ROOT

__all__ = ["Block", "Command", "blocks", "matches", "pages"]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>[^\n]+?) -->\s*\Z")
_RUNS_ON = re.compile(r"<!-- runs on -->\s*\Z")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass
class Command:
    """A command, and what it prints; None is whatever it likes."""

    text: str
    line: int
    output: str | None = None


@dataclass
class Block:
    """A code block."""

    page: Path
    line: int
    """Of its first line of code."""
    language: str
    text: str
    title: str | None = None
    reason: str | None = None
    """Why it is not run."""
    runs_on: bool = False
    """Whether its commands serve until the page ends."""
    output: str | None = None
    """What a python block prints; None is whatever it likes."""
    commands: list[Command] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return the pages whose blocks are run."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are code, in their order."""
    source = page.read_text()
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(source):
        between = source[end : match.start()]
        end = match.end()
        text = textwrap.dedent(match["text"])
        line = source[: match.start("text")].count("\n") + 1
        title = _TITLE.search(match["info"])
        not_run = _NOT_RUN.search(between)
        if match["language"] == "text" and not between.strip() and found and found[-1].language == "python":
            found[-1].output = text
        if match["language"] not in {"python", "console", "text"}:
            continue
        found.append(
            Block(
                page,
                line,
                match["language"],
                text,
                title=title and title[1],
                reason=not_run and not_run["reason"],
                runs_on=_RUNS_ON.search(between) is not None,
                commands=list(_commands(text, line)) if match["language"] == "console" else [],
            )
        )
    return [block for block in found if block.language != "text"]


def _commands(text: str, first: int) -> Iterator[Command]:
    command: Command | None = None
    output: list[str] = []
    continued = False
    for number, line in enumerate(text.splitlines(), first):
        if continued:
            assert command is not None
            command.text += f"\n{line}"
        elif line.startswith("$ "):
            if command is not None:
                command.output = "\n".join(output) if output else None
                yield command
            command, output = Command(line[2:], number), []
        else:
            assert command is not None, f"line {number} of a console block comes before any `$ `"
            output.append(line)
            continue
        continued = line.endswith("\\")
    if command is not None:
        command.output = "\n".join(output) if output else None
        yield command


def matches(printed: str, expected: str) -> bool:
    """Return whether what was printed is what the page shows."""
    pattern = ""
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None
