"""The page of the models: every object and enum that an agent answers or takes."""

from __future__ import annotations

from enum import Enum

from spec import header
from synapse_sdk.clients.agent import models

PLACES = "synapse_agent_api.models"
BASE = "synapse_agent_api.types.Model"


def page() -> str:
    lines = header("Models", "Every model and enum, with its fields.", source="the docstrings of the models")
    lines += [
        "All of them are imported from `synapse_sdk.clients.agent.models`.",
        "",
        "A model is frozen. Its fields are attributes, and it is read like the dict that was sent, too:"
        ' `job["status"]`, `job.get("message")`, `"status" in job`, `dict(job)`. What a newer agent adds is'
        " there as well; `to_dict()` gives back what came. A required field that is missing reads as `None`.",
        "",
        "An enum's members are equal to their strings. A value that this version does not know is a member of"
        ' its own, equal to its string: `JobStatus("NEW") == "NEW"`.',
        "",
    ]
    lines += ["## What every model has", ""]
    lines += [
        f"::: {BASE}",
        "    options:",
        "      show_root_heading: false",
        "      show_root_toc_entry: false",
    ]
    lines += ["      show_bases: false", "      heading_level: 3", "      members: [get, to_dict]", ""]
    for name in sorted(models.__all__):
        lines += [
            f"::: {PLACES}.{name}",
            "    options:",
            "      show_root_heading: true",
            "      heading_level: 2",
            "      members: false",
            "      inherited_members: false",
            "      show_bases: false",
            "",
            *values(getattr(models, name)),
        ]
    return "\n".join(lines)


def values(model: type) -> list[str]:
    """Return a line with the values of an enum."""
    if not issubclass(model, Enum):
        return []
    return ["Known values: " + ", ".join(f"`{member.value}`" for member in model) + ".", ""]
