"""Every model and enum of the agent's API.

They are imported when one is first asked for.

Example:
    >>> from synapse_sdk.clients.agent.models import JobStatus
    >>> JobStatus("RUNNING") == "RUNNING"
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synapse_agent_api.models import *  # noqa: F403


def __getattr__(name: str) -> Any:
    # A dunder other than __all__ is the import system's question about this module, not one about a model.
    if name.startswith("__") and name != "__all__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from synapse_agent_api import models

    if name == "__all__" or name in models.__all__:
        value = getattr(models, name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from synapse_agent_api import models

    return sorted({*globals(), *models.__all__})
