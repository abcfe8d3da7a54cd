from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs

from ..types import Model, decode_when_read
from .job_status import JobStatus

__all__ = ["RunAccepted"]


@decode_when_read
@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class RunAccepted(Model):
    """A job that was submitted.

    Attributes:
        job_id: The id to ask for the job by.
        status: The job's status.
    """

    job_id: str
    status: JobStatus

    _names: ClassVar[Mapping[str, str]] = {"job_id": "job_id", "status": "status"}
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"status": JobStatus}
