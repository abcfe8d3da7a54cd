from __future__ import annotations

from ..types import OpenStrEnum

__all__ = ["JobType"]


class JobType(OpenStrEnum):
    """SUBMISSION for a job that was submitted, DRIVER for a program that connected directly."""

    SUBMISSION = "SUBMISSION"
    DRIVER = "DRIVER"
