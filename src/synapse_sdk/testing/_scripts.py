"""Run a function of the test as a job."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable

from synapse_agent_api.models import JobStatus

from ._job import FakeJob
from ._job_record import JobOverError, JobRecord

__all__ = ["run_script"]


def run_script(record: JobRecord, function: Callable[[FakeJob], object]) -> None:
    """Run a function as a job; an exception fails the job, with the traceback in its log."""
    # Raised by the next change of the job after a client's stop_job, as a signal ends a process.
    with contextlib.suppress(JobOverError):
        try:
            record.set_status(JobStatus.RUNNING)
            function(FakeJob(record))
        except JobOverError:
            raise
        except Exception as error:  # noqa: BLE001 - the job reports it
            record.write(traceback.format_exc().encode("utf-8", "replace"))
            record.set_status(JobStatus.FAILED, message=f"{type(error).__name__}: {error}")
        else:
            if not record.over:
                record.set_status(JobStatus.SUCCEEDED)
