"""Run one action of a plugin. The agent puts this file into every package and image.

How the action's entrypoint is called with the parameters P:

- A function without parameters is called without any; one with the single parameter `params`, or
  with a single positional parameter that P has no value for, is called with the whole dict P;
  every other one is called with `**P`.
- A class is instantiated by the same rule, then its `execute`, `run` or `__call__`, whichever comes
  first, is called by the same rule.
- For a module its `main` is called, or else its `run`.
- A coroutine is awaited. The returned value is not used: a job succeeds if nothing is raised.

The entrypoint is `module:attribute`, `module.attribute` or a module. It is written to a job's
environment as SYNAPSE_ACTION_ENTRYPOINT, with the parameters as JSON in SYNAPSE_ACTION_PARAMS, or
in the file that SYNAPSE_ACTION_PARAMS_FILE names where they are long. Standard library only: it
runs in the job's environment, not in the agent's.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["main"]


def main() -> int:
    here = Path(__file__).resolve().parent
    name = os.environ.get("SYNAPSE_ACTION_PARAMS_FILE")
    if name:
        # Only here is it known where Ray unpacked the package.
        path = here / name
        os.environ["SYNAPSE_ACTION_PARAMS_FILE"] = str(path)
        text = path.read_text("utf-8")
    else:
        text = os.environ["SYNAPSE_ACTION_PARAMS"]
    try:
        _run(os.environ["SYNAPSE_ACTION_ENTRYPOINT"], json.loads(text))
    except Exception as error:  # noqa: BLE001  the action is not ours
        _print(error)
        return 1
    return 0


def _run(entrypoint: str, params: dict[str, Any]) -> None:
    target = _find(entrypoint)
    if isinstance(target, ModuleType):
        module = target
        target = getattr(module, "main", None) or getattr(module, "run", None)
        if target is None:
            raise AttributeError(f"module {module.__name__!r} has neither main nor run")
    if inspect.isclass(target):
        instance = _call(target, params)
        names = [name for name in ("execute", "run", "__call__") if callable(getattr(instance, name, None))]
        if not names:
            raise TypeError(f"{entrypoint} has none of execute, run and __call__")
        target = getattr(instance, names[0])
    outcome = _call(target, params)
    if inspect.isawaitable(outcome):

        async def wait() -> None:
            await outcome

        asyncio.run(wait())


def _find(entrypoint: str) -> Any:
    module, colon, attributes = entrypoint.partition(":")
    if colon:
        target: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            target = getattr(target, attribute)
        return target
    try:
        return importlib.import_module(entrypoint)
    except ModuleNotFoundError as error:
        parent, _, attribute = entrypoint.rpartition(".")
        # The module exists, but imports one that doesn't: show that error.
        if not parent or error.name is None or not f"{entrypoint}.".startswith(f"{error.name}."):
            raise
        missing = error
    try:
        return getattr(_find(parent), attribute)
    except ModuleNotFoundError:
        raise missing from None


def _call(target: Any, params: dict[str, Any]) -> Any:
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):  # a builtin without a signature
        return target(**params)
    if not parameters:
        return target()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(parameters) == len(positional) == 1:
        (only,) = positional
        if only.name == "params" or only.kind is only.POSITIONAL_ONLY:
            return target(params)
        if only.name not in params and (params or only.default is only.empty):
            return target(params)
    return target(**params)


def _print(error: Exception) -> None:
    """Print the traceback without the frames of this file."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename == __file__:
        frame = frame.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, frame)


if __name__ == "__main__":
    sys.exit(main())
