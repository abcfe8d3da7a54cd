"""Bundle what the agent reads as files: its OpenAPI document, and the runner that goes with each job."""
# ruff: noqa: N999 - PyInstaller wants this name

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]

datas = [
    (str(_PACKAGE / "openapi.json"), "synapse_agent"),
    (str(_PACKAGE / "runs" / "runner.py"), "synapse_agent/runs"),
]
