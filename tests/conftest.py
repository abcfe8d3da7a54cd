"""What tests of every kind share: the agent of the session (`agent`, `start_agent`)."""

from __future__ import annotations

pytest_plugins = ["running_agent"]
