"""Following logs: lines to stdout, what happens to stderr, and the exit code at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..clients.exceptions import ClientError
from ._errors import error_sentence, report_error, sigpipe_exit_code
from ._exit import FAILED, INCOMPLETE, INTERRUPTED, OK, ExitStatus
from ._interrupt import leave_at_once, when_unread
from ._log_printer import LineFilter, LogFormat, LogPrinter, split_lines
from ._terminal import note

if TYPE_CHECKING:
    from ..clients.agent import AgentClient
    from ..streaming import LogStream, ManyLogStream, StreamEvent
    from ._settings import Settings

__all__ = ["Follower", "Protocol", "exit_code", "print_logs"]

Protocol = Literal["auto", "websocket", "http"]

_TERMINAL = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})


@dataclass
class Follower:
    """Follows the logs of jobs to their ends.

    Attributes:
        client: Where the jobs are.
        settings: How errors are reported.
        job_ids: The jobs.
        form: How lines are shown.
        filter_: Which lines are shown.
        protocol: As for `tail_job_logs`.
        timeout: Seconds until a dead agent is noticed.
        quiet: Whether to leave out notices.
        again: Options to suggest for continuing after Ctrl-C.
        position: Bytes of the log to leave out, of a single job.
    """

    client: AgentClient
    settings: Settings
    job_ids: Sequence[str]
    form: LogFormat
    filter_: LineFilter
    protocol: Protocol = "auto"
    timeout: float = 30.0
    quiet: bool = False
    again: Sequence[str] = ()
    position: int | None = None

    def run(self) -> dict[str, str | None]:
        """Follow the logs and return the jobs' statuses.

        Raises:
            ExitStatus: A log is incomplete, the output is no longer read, or Ctrl-C was pressed.
        """
        starts = {job_id: self._start(job_id) for job_id in self.job_ids}
        printer = LogPrinter(self.job_ids, self.form, self.filter_, starts)
        timed = self.form.timestamps or self.filter_.since is not None
        with closing(self._stream()) as stream, leave_at_once(lambda: self._farewell(printer, stream)):
            try:
                with when_unread(stream.close) as watch:
                    for job_id, line in self._pairs(stream):
                        printer.show(job_id, line, stream.time if timed else None)
                if watch.gone:
                    raise BrokenPipeError
            except BrokenPipeError:
                raise ExitStatus(sigpipe_exit_code()) from None
            except KeyboardInterrupt:
                raise ExitStatus(INTERRUPTED) from None
            except ClientError as error:
                raise ExitStatus(report_error(error, self.settings, code=INCOMPLETE)) from error
        if printer.untimed and not self.quiet:
            note(untimed(printer.untimed))
        streams = self._streams(stream)
        cut = sum(one.truncated_lines for one in streams.values())
        if cut:
            note(f"{cut} lines of more than 64 KiB were cut; without --follow they are whole")
            raise ExitStatus(INCOMPLETE)
        return {job_id: one.job_status for job_id, one in streams.items()}

    def _start(self, job_id: str) -> int:
        if self.filter_.last is None or self.filter_.tail is not None:
            return self.filter_.first
        # Only the whole log tells which lines match, and how many.
        return self.filter_.start(self.client.get_job_logs(job_id))

    def _stream(self) -> LogStream | ManyLogStream:
        if len(self.job_ids) == 1:
            return self.client.tail_job_logs(
                self.job_ids[0],
                self.timeout,
                protocol=self.protocol,
                on_event=self._tell,
                start=self.position or "beginning",
                tail=self.filter_.tail,
            )
        return self.client.tail_many(
            self.job_ids,
            self.timeout,
            protocol=self.protocol,
            on_event=self._tell,
            tail=self.filter_.tail,
        )

    def _pairs(self, stream: LogStream | ManyLogStream) -> Iterator[tuple[str, str]]:
        from ..streaming import ManyLogStream

        if isinstance(stream, ManyLogStream):
            return stream
        (job_id,) = self.job_ids
        return ((job_id, line) for line in stream)

    def _streams(self, stream: LogStream | ManyLogStream) -> Mapping[str, LogStream]:
        from ..streaming import ManyLogStream

        return stream.streams if isinstance(stream, ManyLogStream) else {self.job_ids[0]: stream}

    def _tell(self, event: StreamEvent) -> None:
        if event.kind == "ended" and event.error is not None:
            # With one job, the error is the command's and is reported by `run`.
            if len(self.job_ids) > 1:
                note(f"job {event.job_id}: {error_sentence(event.error)}")
        elif not self.quiet:
            note(
                f"job {event.job_id} {event.job_status}"
                if event.kind == "ended" and event.job_status
                else event
            )

    def _farewell(self, printer: LogPrinter, stream: LogStream | ManyLogStream) -> str:
        jobs = " ".join(map(shlex.quote, self.job_ids))
        options = " ".join(map(shlex.quote, self.again))
        start = "--lines 10"
        if len(self.job_ids) == 1:
            # A single log can be continued at the very line.
            position = self._streams(stream)[self.job_ids[0]].position
            if self.filter_.tail is None and self.position is None:
                start = f"--lines +{printer.seen[self.job_ids[0]] + 1}"
            elif position is not None:
                start = f"--position {position}"
        go_on = " ".join(filter(None, ["synapse jobs logs", jobs, f"--follow {start}", options]))
        runs = "the job runs on" if len(self.job_ids) == 1 else "the jobs run on"
        return f"synapse: interrupted; {runs}. Go on with:\n  {go_on}"


def print_logs(
    client: AgentClient,
    job_ids: Sequence[str],
    form: LogFormat,
    filter_: LineFilter,
    position: int | None = None,
) -> None:
    """Print the logs as they are now, one after the other."""
    for job_id in job_ids:
        text = client.get_job_logs(job_id, tail=filter_.tail, offset=position)
        start = filter_.start(text) if filter_.tail is None else 1
        printer = LogPrinter(job_ids, form, filter_, {job_id: start})
        printer.show_all(job_id, split_lines(text))
        if printer.untimed:
            note(untimed(printer.untimed))


def untimed(count: int) -> str:
    """Return the notice for lines for which the agent sent no time."""
    return (
        f"the agent sent no time for {count} lines; theirs is when they arrived here "
        "(they were there before it followed the log, or it is an older one)"
    )


def exit_code(statuses: Iterable[str | None]) -> int:
    """Return the exit code for the statuses of jobs: the worst of them."""
    found = set(statuses)
    if found - _TERMINAL:
        return INCOMPLETE
    return FAILED if found - {"SUCCEEDED"} else OK
