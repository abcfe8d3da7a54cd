"""Calls every operation of a release's client on another agent, and prints what went wrong as JSON.

    python -m contract.release_walk NEWER_SPEC    an agent made from that spec
    python -m contract.release_walk               an agent in the environment; what reads without an id

Runs in a process of its own, where `synapse_agent_api` is what the release's spec generates, and
SYNAPSE_TEST_SPEC is that spec.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from synapse_agent_api.types import Model
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.exceptions import ClientError

from .agent_spec import OPERATIONS, Operation
from .recorded_calls import call
from .spec_agent import SpecAgent


def over_spec(path: Path) -> dict[str, str]:
    agent = SpecAgent(YAML(typ="safe").load(path.read_text(encoding="utf-8")))

    def ask(operation: Operation, name: str) -> Any:
        kinds = list(operation.bodies) or [None]
        for kind in kinds:
            for client in ("sync", "async"):
                result = call(client, agent, name, operation.arguments(kind))
        return result

    return walk(ask, OPERATIONS)


def over_agent() -> dict[str, str]:
    with AgentClient.from_env(timeout=60) as client:

        def ask(operation: Operation, name: str) -> Any:
            try:
                return getattr(client, name)()
            except ClientError as error:
                # What the release's spec says of an agent without GPUs or Compose.
                if error.status_code in {answer.status for answer in operation.errors}:
                    return None
                raise

        return walk(ask, [item for item in OPERATIONS if item.method == "GET" and "{" not in item.path])


def walk(ask: Callable[[Operation, str], Any], operations: Any) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for operation in operations:
        for name in operation.names:
            try:
                check(ask(operation, name))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
                wrong[name] = f"{type(error).__name__}: {error}"
    return wrong


def check(result: Any) -> None:
    """Every attribute can be read, and what came is given back."""
    for item in result if isinstance(result, list) else [result]:
        if isinstance(item, Model):
            assert item.to_dict()
            for attribute in type(item)._names:
                check(getattr(item, attribute))


if __name__ == "__main__":
    print(json.dumps(over_spec(Path(sys.argv[1])) if sys.argv[1:] else over_agent()))
