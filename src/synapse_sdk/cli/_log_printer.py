"""Log lines on stdout."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ._exit import USAGE, CommandError
from ._output import json_line
from ._sanitize import printable
from ._terminal import colours, interactive

__all__ = ["LineFilter", "LogFormat", "LogPrinter"]

_PALETTE = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)


@dataclass(frozen=True)
class LogFormat:
    """How lines are shown.

    Attributes:
        prefix: Whether the job's id stands before each line; None does so for several jobs.
        timestamps: Whether each line begins with the time at which the agent read it, or, if the agent sent
            none, at which it arrived here.
        as_json: One JSON object a line.
        raw: Whether a terminal gets lines as they are, escapes included.
    """

    prefix: bool | None = None
    timestamps: bool = False
    as_json: bool = False
    raw: bool = False


class LineFilter:
    """Which lines of each log are shown.

    Args:
        grep: A regular expression that a line has to match somewhere; None is every line.
        lines: "100" is the last hundred, "+100" all from the hundredth on, of those that match.
        since: Only lines that the agent read at this time or later, in seconds since the epoch.

    Raises:
        CommandError: One of them is invalid.
    """

    def __init__(self, grep: str | None, lines: str | None, since: float | None = None) -> None:
        self.since = since
        try:
            self._search = None if grep is None else re.compile(grep).search
        except re.error as exc:
            raise CommandError(
                f"--grep {grep!r} is not a regular expression: {exc}",
                hint="a backslash before a character takes it as it is",
                code=USAGE,
            ) from exc
        text = "" if lines is None else lines.strip()
        digits = text.removeprefix("+")
        if lines is not None and not (digits.isascii() and digits.isdigit()):
            raise CommandError(
                f"--lines must be a number, or +number, not {lines!r}",
                hint="100 is the last hundred lines, +100 all from the hundredth on",
                code=USAGE,
            )
        self.first = max(int(digits), 1) if text.startswith("+") else 1
        self.last = int(digits) if digits and not text.startswith("+") else None

    @property
    def tail(self) -> int | None:
        """How many of a log's last lines are enough, or None if all are needed to find those to show."""
        return None if self._search is not None else self.last

    def matches(self, line: str) -> bool:
        """Return whether a line matches --grep."""
        return self._search is None or self._search(line) is not None

    def start(self, so_far: str) -> int:
        """Return the number, from 1, of the first matching line to show, given the log so far."""
        if self.last is None:
            return self.first
        count = sum(map(self.matches, split_lines(so_far)))
        return max(1, count - self.last + 1)


class LogPrinter:
    """Writes the lines of one or several logs.

    Args:
        job_ids: The jobs.
        form: How.
        filter_: Which.
        starts: The number of the first line to show, by job, where it is not 1.
    """

    def __init__(
        self,
        job_ids: Sequence[str],
        form: LogFormat,
        filter_: LineFilter,
        starts: Mapping[str, int] | None = None,
    ) -> None:
        self._form = form
        self._filter = filter_
        self._starts = starts or {}
        self._terminal = interactive(sys.stdout)
        self._write = sys.stdout.write
        self._prefixes = self._make_prefixes(job_ids)
        self.seen: Counter[str] = Counter()
        """Matching lines so far, shown or not, by job."""
        self.untimed = 0
        """Lines written for which the agent sent no time, where times matter."""
        self._timed = form.timestamps or filter_.since is not None

    def show(self, job_id: str, line: str, time: float | None = None) -> None:
        """Write a line unless it is filtered out; `time` is when the agent read it, if it says so."""
        if not self._filter.matches(line):
            return
        if time is not None and self._filter.since is not None and time < self._filter.since:
            return
        self.seen[job_id] += 1
        if self.seen[job_id] < self._starts.get(job_id, 1):
            return
        self._write(self._formatted(job_id, line, time))
        # A reader of a pipe follows the job, too.
        sys.stdout.flush()

    def show_all(self, job_id: str, lines: Sequence[str]) -> None:
        """Write the lines of a complete log."""
        for line in lines:
            if self._filter.matches(line):
                self.seen[job_id] += 1
                if self.seen[job_id] >= self._starts.get(job_id, 1):
                    self._write(self._formatted(job_id, line, None))
        sys.stdout.flush()

    def _formatted(self, job_id: str, line: str, time: float | None) -> str:
        form = self._form
        if self._timed and time is None:
            self.untimed += 1
        if form.as_json:
            fields = {"job_id": job_id, "line": line}
            if form.timestamps:
                fields["time"] = _stamp(time)
                fields["time_from"] = "client" if time is None else "agent"
            return f"{json_line(fields)}\n"
        if self._terminal and not form.raw:
            line = printable(line)
        stamp = f"{_stamp(time)} " if form.timestamps else ""
        return f"{self._prefixes[job_id]}{stamp}{line}\n"

    def _make_prefixes(self, job_ids: Sequence[str]) -> dict[str, str]:
        if not (len(job_ids) > 1 if self._form.prefix is None else self._form.prefix):
            return dict.fromkeys(job_ids, "")
        width = max(map(len, job_ids))
        coloured = colours(sys.stdout)
        prefixes: dict[str, str] = {}
        for index, job_id in enumerate(job_ids):
            text = f"{job_id:<{width}} | "
            colour = _PALETTE[index % len(_PALETTE)]
            prefixes[job_id] = f"\x1b[{colour}m{text}\x1b[0m" if coloured else text
        return prefixes


def split_lines(text: str) -> list[str]:
    """Return the lines of a log; only a newline ends a line."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _stamp(time: float | None) -> str:
    """Return a time, or the current one if the agent sent none."""
    try:
        moment = datetime.now(UTC) if time is None else datetime.fromtimestamp(time, UTC)
    except (ValueError, OverflowError, OSError):
        return str(time)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
