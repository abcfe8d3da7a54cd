"""The fields that all requests for a run have."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..http.validation import Fields

__all__ = ["RunFields", "read_run_fields"]


@dataclass(frozen=True, slots=True)
class RunFields:
    """The action to run, with its parameters and requirements."""

    action: str
    params: str  # JSON
    requirements: list[str]
    job_id: str  # empty if the agent makes one
    language: str


def read_run_fields(fields: Fields) -> RunFields:
    """Read the fields; `fields.check` then raises 422 for those that are wrong."""
    fields.required("action")
    return RunFields(
        action=fields.text("action"),
        params=json.dumps(fields.object("params")),
        requirements=fields.texts("requirements"),
        job_id=fields.identifier("job_id"),
        language=fields.text("language", "en", most=100),
    )
