"""Running the test's function as a job."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable

from synapse_agent_api.models import JobStatus

from ._job import FakeJob
from ._job_record import JobOverError, JobRecord

__all__ = ["run_script"]


def run_script(record: JobRecord, function: Callable[[FakeJob], object]) -> None:
    """Run a function as a job: what it raises fails the job, with the traceback in its log."""
    # Whatever comes after a client's stop_job is met by this error, as a process is by its signal.
    with contextlib.suppress(JobOverError):
        try:
            record.set_status(JobStatus.RUNNING)
            function(FakeJob(record))
        except JobOverError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the job tells of it
            record.write(traceback.format_exc().encode("utf-8", "replace"))
            record.set_status(JobStatus.FAILED, message=f"{type(error).__name__}: {error}")
        else:
            if not record.over:
                record.set_status(JobStatus.SUCCEEDED)
