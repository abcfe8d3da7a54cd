from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..types import Model, bind_setattr, decode_object, members, new
from .job_status import JobStatus

__all__ = ["RunAccepted"]

_job_status = members(JobStatus)


@attrs.frozen(kw_only=True, eq=False, repr=False, getstate_setstate=False)
class RunAccepted(Model):
    """A job that was submitted.

    Attributes:
        job_id: The id to ask for the job by.
        status: Where the job stands.
    """

    job_id: str
    status: JobStatus

    _names: ClassVar[Mapping[str, str]] = {"job_id": "job_id", "status": "status"}

    @classmethod
    def from_dict(cls, data: object, /) -> RunAccepted:
        """Decode what json.loads() made of an answer; see `Model.from_dict`."""
        raw = decode_object(data, "RunAccepted")
        get = raw.get
        self = new(cls)
        put = bind_setattr(self)
        put("_raw", raw)
        put("job_id", get("job_id"))
        value = get("status")
        put("status", (_job_status(value) or JobStatus(value)) if type(value) is str else value)
        return self
