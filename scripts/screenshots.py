"""Draw docs/assets/*.svg: the `synapse` command in a terminal, with a real agent (`make docs DO=pictures`).

rich draws what a pseudo-terminal shows. The pictures contain no token and no address.
"""

from __future__ import annotations

import io
import itertools
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "src"), str(ROOT / "generated")]

from cli.terminal import Terminal  # noqa: E402
from running_agent import running_agent  # noqa: E402

ASSETS = ROOT / "docs" / "assets"
COLUMNS = 92
TRAIN = """
import time


def main(params):
    for epoch in range(1, params["epochs"] + 1):
        time.sleep(0.3)
        print(f"epoch {epoch}: loss {1 / epoch:.3f}")
    if params.get("fail"):
        raise MemoryError("out of GPU memory")
    print("saved the model")
"""
THEME = TerminalTheme(
    (30, 33, 40),
    (220, 223, 228),
    [
        (40, 44, 52),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (220, 223, 228),
    ],
    [
        (130, 137, 151),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (255, 255, 255),
    ],
)
# rich's own, without the font that it would have fetched from elsewhere.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class Session:
    """A terminal in which commands are typed, one after the other."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._text = Text()

    def type(self, command: str) -> None:
        """Run a command to its end, and keep what it leaves on the screen."""
        self._text.append("$ ", Style(color="bright_black"))
        self._text.append(f"{command}\n", Style(bold=True))
        words = ["/bin/sh", "-c", f"cd '{self._folder}' && {command}"]
        with Terminal(words, columns=COLUMNS, rows=60, env=self._env) as terminal:
            terminal.exit_code(120)
            raw = terminal.raw
        # pyte knows no faint text; what is meant is the grey of it.
        self._text.append_text(screen_of(raw.replace(b"\x1b[2m", b"\x1b[90m")))

    def quietly(self, command: str) -> None:
        """Run a command that is not shown."""
        words = ["/bin/sh", "-c", f"cd '{self._folder}' && {command}"]
        with Terminal(words, columns=COLUMNS, rows=60, env=self._env) as terminal:
            assert terminal.exit_code(120) == 0, terminal.text

    def save(self, name: str) -> None:
        """Draw it."""
        console = Console(
            record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        # The empty line: without it the last one loses its underscores.
        console.print(self._text)
        svg = console.export_svg(
            title="synapse", theme=THEME, code_format=FORMAT, unique_id=f"synapse-{name}"
        )
        ASSETS.mkdir(parents=True, exist_ok=True)
        (ASSETS / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


def screen_of(raw: bytes) -> Text:
    """Return what a terminal shows after these bytes, with colours."""
    screen = pyte.Screen(COLUMNS, 60)
    pyte.ByteStream(screen).feed(raw)
    lines: list[Text] = []
    for row in range(60):
        line = Text()
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        for style, run in itertools.groupby(cells, style_of):
            line.append("".join(cell.data for cell in run), style)
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join([*lines, Text()])


def style_of(cell: Any) -> Style:
    return Style(color=colour(cell.fg), bold=cell.bold, underline=cell.underscore)


def colour(name: str) -> str | None:
    if name == "default":
        return None
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    name = {"brown": "yellow", "brightbrown": "brightyellow"}.get(name, name)
    return re.sub(r"^bright(?=[a-z])", "bright_", name)


@contextmanager
def session(env: dict[str, str]) -> Iterator[Callable[[], Session]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text(TRAIN)
        yield lambda: Session(Path(folder), env)


def main() -> None:
    with running_agent() as agent, tempfile.TemporaryDirectory() as config:
        env = {
            "SYNAPSE_AGENT_URL": agent.url,
            "SYNAPSE_AGENT_TOKEN": agent.token,
            "XDG_CONFIG_HOME": config,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        with session(env) as new:
            shot = new()
            shot.type("synapse plugins run-debug train --module train.py -p epochs=4 --job-id train-42")
            shot.type("synapse jobs list")
            shot.save("run")

            shot = new()
            for job, more in (("train-43", "20"), ("train-44", "8 -p fail=true")):
                shot.quietly(
                    f"synapse plugins run-debug train -m train.py -p epochs={more} --job-id {job} -d"
                )
            shot.type(
                "synapse jobs logs train-43 train-44 --follow -n 2 --grep 'loss|saved|Error:' --exit-status"
            )
            shot.type("synapse jobs list --limit 3")
            shot.save("follow")


if __name__ == "__main__":
    main()
