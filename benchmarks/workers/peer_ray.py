"""Ray's JobSubmissionClient."""

from __future__ import annotations

import os

os.environ.pop("RAY_ADDRESS", None)

import measure
from measure import Job, Measured
from ray.job_submission import JobSubmissionClient


def list_jobs(job: Job) -> Measured:
    client = JobSubmissionClient(job.url.rstrip("/"))
    assert len(client.list_jobs()) == 1_000
    return measure.repeated(job, client.list_jobs, warm_up=2)


if __name__ == "__main__":
    measure.main({"list_jobs": list_jobs})
