"""A job that the test controls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synapse_agent_api.models import JobStatus

from ._faults import Drop, DropHow

if TYPE_CHECKING:
    from ._job_record import JobRecord

__all__ = ["FakeJob"]


class FakeJob:
    """A job of a `FakeAgent`, which the test controls.

    `FakeAgent.add_job` returns one; the jobs of runs are in `FakeAgent.jobs`. All methods may be called from
    any thread or task. Log lines reach tails at once.

    Example:
        >>> with FakeAgent() as agent:
        ...     job = agent.add_job("train", logs=["epoch 1"])
        ...     job.log("epoch 2")
        ...     job.succeed()
        ...     list(agent.client().tail_job_logs("train"))
        ['epoch 1', 'epoch 2']
    """

    def __init__(self, record: JobRecord) -> None:
        self._record = record

    def __repr__(self) -> str:
        return f"<FakeJob {self.id}: {self.status}, {len(self._record.data)} bytes of log>"

    # --- state

    @property
    def id(self) -> str:
        """The submission id."""
        return self._record.id

    @property
    def status(self) -> JobStatus:
        """The status."""
        return self._record.status

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self._record.over

    @property
    def action(self) -> str | None:
        """The plugin's action; None for a job that the test added."""
        return self._record.action

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the run."""
        return dict(self._record.request.get("params") or {})

    @property
    def request(self) -> dict[str, Any]:
        """The body of the request that started the run."""
        return dict(self._record.request)

    @property
    def text(self) -> str:
        """The log so far."""
        return self._record.text

    @property
    def lines(self) -> list[str]:
        """The lines of the log so far."""
        text = self.text
        return text.removesuffix("\n").split("\n") if text else []

    @property
    def tails(self) -> int:
        """The number of clients that follow the log."""
        return self._record.tails

    def wait_for_tail(self, timeout: float = 5.0) -> None:
        """Wait until a client follows the log.

        Args:
            timeout: Maximum of seconds to wait.

        Raises:
            TimeoutError: No client followed it in time.
        """
        self._record.changes.wait(lambda: self.tails > 0, timeout, f"nobody tails job {self.id}")

    def wait_for_end(self, timeout: float = 5.0) -> None:
        """Wait until the job has ended: a client has stopped it, or its script has returned.

        Args:
            timeout: Maximum of seconds to wait.

        Raises:
            TimeoutError: It has not ended in time.
        """
        self._record.changes.wait(lambda: self.over, timeout, f"job {self.id} is not over")

    # --- control

    def log(self, *lines: str) -> None:
        """Write lines to the log; a newline is added to each.

        Raises:
            RuntimeError: The job has ended.
        """
        self.write("".join(f"{line}\n" for line in lines))

    def write(self, text: str | bytes) -> None:
        """Write text to the log. An unfinished line is sent when it is complete or the job has ended.

        Raises:
            RuntimeError: The job has ended.
        """
        self._record.write(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)

    def start(self) -> None:
        """Change the status to RUNNING.

        Raises:
            RuntimeError: The job has ended.
        """
        self._record.set_status(JobStatus.RUNNING)

    def succeed(self, message: str = "Job finished successfully.") -> None:
        """End the job as SUCCEEDED, with exit code 0.

        Args:
            message: Description of the status.

        Raises:
            RuntimeError: The job has ended.
        """
        self._record.set_status(JobStatus.SUCCEEDED, message=message)

    def fail(
        self,
        message: str = "Job entrypoint command failed with exit code 1.",
        *,
        error_type: str | None = None,
        exit_code: int | None = 1,
    ) -> None:
        """End the job as FAILED.

        Args:
            message: Description of the status.
            error_type: Kind of failure, such as "RUNTIME_ENV_SETUP_FAILURE".
            exit_code: Exit code of the driver.

        Raises:
            RuntimeError: The job has ended.
        """
        self._record.set_status(
            JobStatus.FAILED, message=message, error_type=error_type, driver_exit_code=exit_code
        )

    def stop(self) -> bool:
        """End the job as STOPPED, as `stop_job` of a client does; return whether it was running."""
        return self._record.stop()

    @property
    def hold_stop(self) -> bool:
        """Whether the job continues after `stop_job` of a client, until the test ends it; may be set."""
        return self._record.hold_stop

    @hold_stop.setter
    def hold_stop(self, hold: bool) -> None:
        self._record.hold_stop = hold

    # --- faults

    def drop_tail(
        self, *, after_lines: int | None = None, after_bytes: int | None = None, how: DropHow = "fin"
    ) -> None:
        """Break the next log stream after a number of lines or bytes, or all that are open now.

        Call it twice to break the next two. The client resumes after the last line.

        Args:
            after_lines: Number of lines that the next stream sends before it breaks.
            after_bytes: Number of bytes that it sends before it breaks, possibly within an event.
            how: "fin" ends the connection; "close" ends it as a restarting agent does (close code 1001 on a
                WebSocket); "reset" as a crash. Streams that are open now get a "fin".

        Raises:
            ValueError: Both are given, or one is negative.
        """
        if after_lines is None and after_bytes is None:
            self._record.drop_tails()
            return
        if after_lines is not None and after_bytes is not None:
            raise ValueError("give after_lines or after_bytes, not both")
        if (after_lines or 0) < 0 or (after_bytes or 0) < 0:
            raise ValueError("a stream can't break before it begins: the number must be at least 0")
        with self._record.changes:
            self._record.drops.append(Drop(after_lines, after_bytes, how))

    def send_event(self, event: Mapping[str, object] | str) -> None:
        """Send an event, which is not part of the log, to the first tail that reaches this position.

        Args:
            event: An event such as `{"type": "progress", "percent": 5}`; or a text, which is a frame on a
                WebSocket and a line over HTTP.
        """
        self._record.place(event if isinstance(event, str) else dict(event))

    def fail_tail(self, message: str = "the log can't be read", *, status_code: int | None = 503) -> None:
        """Send an error event once, after the lines so far; it ends the tail that receives it.

        Args:
            message: Description of the error.
            status_code: HTTP status of the event, which determines the class of the client's error.
        """
        event: dict[str, object] = {"type": "error", "message": message}
        if status_code is not None:
            event["status_code"] = status_code
        self.send_event(event)
