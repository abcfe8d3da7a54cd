"""A job that the test scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synapse_agent_api.models import JobStatus

from ._faults import Drop, DropHow

if TYPE_CHECKING:
    from ._job_record import JobRecord

__all__ = ["FakeJob"]


class FakeJob:
    """A job of a `FakeAgent`, which does what the test says.

    `FakeAgent.add_job` makes one, and so does a run of a plugin: `FakeAgent.jobs` has it then. Its methods
    may be called from any thread or task; tails get at once what it logs.

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

    # --- looking

    @property
    def id(self) -> str:
        """Its submission id."""
        return self._record.id

    @property
    def status(self) -> JobStatus:
        """Where it stands."""
        return self._record.status

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._record.over

    @property
    def action(self) -> str | None:
        """The plugin's action that it runs; None where the test added the job."""
        return self._record.action

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of that run."""
        return dict(self._record.request.get("params") or {})

    @property
    def request(self) -> dict[str, Any]:
        """The whole body of the request for that run."""
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
        """How many clients follow its log now."""
        return self._record.tails

    def wait_for_tail(self, timeout: float = 5.0) -> None:
        """Wait until a client follows the log.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: None came.
        """
        self._record.changes.wait(lambda: self.tails > 0, timeout, f"nobody tails job {self.id}")

    def wait_for_end(self, timeout: float = 5.0) -> None:
        """Wait until the job is over: because a client stopped it, or its script has come to the end.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: It was not over in time.
        """
        self._record.changes.wait(lambda: self.over, timeout, f"job {self.id} is not over")

    # --- scripting

    def log(self, *lines: str) -> None:
        """Write lines to the log; a newline is added to each.

        Raises:
            RuntimeError: The job is over.
        """
        self.write("".join(f"{line}\n" for line in lines))

    def write(self, text: str | bytes) -> None:
        """Write to the log as it is. What has no newline yet is sent once the line is whole, or the job over.

        Raises:
            RuntimeError: The job is over.
        """
        self._record.write(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)

    def start(self) -> None:
        """Go from PENDING to RUNNING.

        Raises:
            RuntimeError: The job is over.
        """
        self._record.set_status(JobStatus.RUNNING)

    def succeed(self, message: str = "Job finished successfully.") -> None:
        """End as SUCCEEDED, with exit code 0. The log is whole.

        Args:
            message: The status in words.

        Raises:
            RuntimeError: The job is over.
        """
        self._record.set_status(JobStatus.SUCCEEDED, message=message)

    def fail(
        self,
        message: str = "Job entrypoint command failed with exit code 1.",
        *,
        error_type: str | None = None,
        exit_code: int | None = 1,
    ) -> None:
        """End as FAILED. The log is whole.

        Args:
            message: The status in words.
            error_type: A word for the kind of failure, such as "RUNTIME_ENV_SETUP_FAILURE".
            exit_code: Of the driver.

        Raises:
            RuntimeError: The job is over.
        """
        self._record.set_status(
            JobStatus.FAILED, message=message, error_type=error_type, driver_exit_code=exit_code
        )

    def stop(self) -> bool:
        """End as STOPPED, as `stop_job` of a client does; tell whether there was something to stop."""
        return self._record.stop()

    @property
    def hold_stop(self) -> bool:
        """Whether `stop_job` of a client only asks: the job goes on until the test ends it. Can be set."""
        return self._record.hold_stop

    @hold_stop.setter
    def hold_stop(self, hold: bool) -> None:
        self._record.hold_stop = hold

    # --- trouble

    def drop_tail(
        self, *, after_lines: int | None = None, after_bytes: int | None = None, how: DropHow = "fin"
    ) -> None:
        """Break the log stream that connects next, once it has sent so much; or all that are open now.

        Called twice, it breaks the next two. A client resumes where it stopped.

        Args:
            after_lines: Lines that the next stream sends before it breaks.
            after_bytes: Bytes of events that it sends, so that it may break inside of one.
            how: "fin" ends the connection without a word, "close" as an agent that restarts does (close code
                1001 on a WebSocket), "reset" as a crash. Streams that are open now get a "fin".

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
        """Send something, once, that is no part of the log: to the tail that first gets here.

        Args:
            event: An event such as `{"type": "progress", "percent": 5}`; or bare text, which is a whole frame
                on a WebSocket and a line over HTTP.
        """
        self._record.place(event if isinstance(event, str) else dict(event))

    def fail_tail(self, message: str = "the log can't be read", *, status_code: int | None = 503) -> None:
        """Send an error event, once, after the lines so far; it ends the tail that gets it.

        Args:
            message: What went wrong.
            status_code: The HTTP status that would say it; it decides the class of the client's error.
        """
        event: dict[str, object] = {"type": "error", "message": message}
        if status_code is not None:
            event["status_code"] = status_code
        self.send_event(event)
