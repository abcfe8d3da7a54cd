"""A run from its start to its job's end."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clients.exceptions import ClientError
from ._errors import report_error
from ._exit import INCOMPLETE, INTERRUPTED, ExitStatus
from ._follow import Follower, exit_code
from ._format import duration
from ._interrupt import leave_at_once
from ._log_printer import LineFilter, LogFormat
from ._output import json_line, show_json
from ._terminal import note
from ._wait import spinner

if TYPE_CHECKING:
    from synapse_agent_api.models import RunAccepted

    from ..clients.agent import AgentClient
    from ._settings import Settings

__all__ = ["RunFollower", "is_job", "show_answer"]

# Seconds between two requests for a job that has not started yet.
_LOOK = 0.5
# Characters of the agent's message about a failure.
_REASON = 300


def is_job(answer: Any) -> bool:
    """Return whether an answer is a started job, not the answer of a serve action."""
    from ..clients.agent.models import RunAccepted

    return isinstance(answer, RunAccepted)


def _reason(message: str) -> str:
    # Ray appends the end of the log, which was just shown.
    return message.partition(", last available logs")[0][:_REASON]


def show_answer(answer: Any) -> None:
    """Show what a serve action answered, which is JSON of any shape."""
    show_json(answer.to_dict() if hasattr(answer, "to_dict") else answer)


@dataclass
class RunFollower:
    """Follows a job that was just started.

    Attributes:
        client: The client of the agent that runs it.
        settings: How errors are reported, and whether to write JSON.
        detach: Whether to return once it is started.
        quiet: Whether to leave out notices.
        again: Options that name the agent, for the commands that are suggested.
    """

    client: AgentClient
    settings: Settings
    detach: bool = False
    quiet: bool = False
    again: Sequence[str] = ()

    def follow(self, run: RunAccepted) -> None:
        """Show the log until the job is over, and exit as it ended.

        With --json that is one object a line: the job, its log lines, and the job at its end.

        Raises:
            ExitStatus: Always, except after a detached start.
        """
        job_id = run.job_id
        if self.detach:
            self._leave(run)
            return
        began = time.monotonic()
        if self.settings.json:
            sys.stdout.write(f"{json_line(run.to_dict())}\n")
            sys.stdout.flush()
        else:
            note(f"job {job_id} is submitted")
        try:
            self._wait_for_start(job_id)
            status = Follower(
                self.client,
                self.settings,
                [job_id],
                LogFormat(as_json=self.settings.json),
                LineFilter(None, None),
                quiet=True,
                again=self.again,
            ).run()[job_id] or str(self.client.get_job(job_id).status)
            job = self.client.get_job(job_id)
        except KeyboardInterrupt:
            raise ExitStatus(INTERRUPTED) from None
        except ClientError as error:
            raise ExitStatus(report_error(error, self.settings, code=INCOMPLETE)) from error
        if self.settings.json:
            sys.stdout.write(f"{json_line({'job_id': job_id, 'status': status, 'message': job.message})}\n")
        else:
            why = f": {_reason(job.message)}" if status == "FAILED" and job.message else ""
            note(f"job {job_id} {status} after {duration(time.monotonic() - began)}{why}")
        raise ExitStatus(exit_code([status]))

    def _leave(self, run: RunAccepted) -> None:
        if self.settings.json:
            show_json(run.to_dict())
        else:
            # On stdout, for $(...).
            sys.stdout.write(f"{run.job_id}\n")
            if not self.quiet:
                note(f"follow it with: {self._command(run.job_id)}")

    def _wait_for_start(self, job_id: str) -> None:
        farewell = f"synapse: interrupted; the job goes on. Follow it with:\n  {self._command(job_id)}"
        with leave_at_once(lambda: farewell), spinner(f"job {job_id} PENDING") as tell:
            while True:
                job = self.client.get_job(job_id)
                if job.status != "PENDING":
                    return
                tell(f"job {job_id} PENDING  {job.message or ''}")
                time.sleep(_LOOK)

    def _command(self, job_id: str) -> str:
        return shlex.join(["synapse", "jobs", "logs", job_id, "--follow", *self.again])
