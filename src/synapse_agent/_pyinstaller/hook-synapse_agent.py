"""Bundle the files that the agent reads: its OpenAPI document and the runner of jobs."""
# ruff: noqa: N999 - PyInstaller wants this name

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

datas = [
    (str(_PACKAGE / "openapi.json"), "synapse_agent"),
    (str(_PACKAGE / "plugins" / "runner.py"), "synapse_agent/plugins"),
]
