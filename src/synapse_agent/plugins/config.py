"""A plugin's config.yaml: its code, its version, and its actions."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import yaml  # comes with ray[default]

__all__ = [
    "CODE",
    "CODE_RULE",
    "CONFIG_FILE",
    "ENTRYPOINT",
    "JOB_METHODS",
    "VERSION",
    "VERSION_RULE",
    "Action",
    "BadConfigError",
    "parse_config",
    "read_actions",
]

CONFIG_FILE = "config.yaml"

# Both go into file names, URLs and lookups, which an `@` separates.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
CODE_RULE = "up to 100 letters, digits, '.', '_' and '-', the first a letter or digit"
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")
VERSION_RULE = "up to 64 letters, digits, '.', '_', '+' and '-', the first a letter or digit"

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
ENTRYPOINT = re.compile(rf"{_NAME}(?::{_NAME})?\Z")
_ACTION = re.compile(r"\w[\w.-]{0,99}\Z")

JOB_METHODS = ("job", "task")
_METHODS = (*JOB_METHODS, "serve", "restapi")

_MAX_BYTES = 64 * 1024
# An alias counts as often as it is used, or a few lines could stand for gigabytes.
_MAX_NODES = 10_000
_MAX_DEPTH = 50
_TOO_MUCH = f"it has more than {_MAX_NODES} values, or is nested deeper than {_MAX_DEPTH}"


class BadConfigError(Exception):
    """It is no usable configuration; the text says why."""


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    method: str
    entrypoint: str  # empty where a serve action has none

    @property
    def is_job(self) -> bool:
        return self.method in JOB_METHODS


def parse_config(content: bytes) -> dict[str, object]:
    """The mapping, as JSON has it. Raises BadConfigError."""
    if len(content) > _MAX_BYTES:
        raise BadConfigError(f"it is larger than {_MAX_BYTES >> 10} KiB")
    try:
        loader = _Loader(content.decode())
        try:
            node = loader.get_single_node()
            _bound(node)
            value: object = loader.construct_document(node) if node is not None else None  # pyright: ignore[reportUnknownMemberType]
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise BadConfigError(f"it is no YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(value, dict):
        raise BadConfigError("it is no mapping")
    return cast("dict[str, object]", _as_json(cast("object", value)))


def read_actions(config: Mapping[str, object]) -> dict[str, Action]:
    """The actions by name. Raises BadConfigError, which names the one that is wrong."""
    actions = config.get("actions")
    if not isinstance(actions, dict):
        raise BadConfigError("it must have actions by name")
    found: dict[str, Action] = {}
    for name, details in cast("dict[str, object]", actions).items():
        if not _ACTION.match(name):
            raise BadConfigError(f"{name!r} is no name for an action")
        if not isinstance(details, dict):
            raise BadConfigError(f"action {name} must have an entrypoint and a method")
        described = cast("dict[str, object]", details)
        method = described.get("method", "job")
        if method not in _METHODS:
            raise BadConfigError(f"action {name}: method must be one of {', '.join(_METHODS)}")
        entrypoint = described.get("entrypoint")
        if entrypoint is None and method not in JOB_METHODS:
            entrypoint = ""
        elif not isinstance(entrypoint, str) or not ENTRYPOINT.match(entrypoint):
            raise BadConfigError(f"action {name}: entrypoint must have the form module:attribute")
        found[name] = Action(name, str(method), entrypoint)
    return found


class _Loader(yaml.SafeLoader):
    """Gives up on deep nesting before it has read on: PyYAML's scanner takes ever longer in it."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadConfigError(_TOO_MUCH)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _bound(root: yaml.Node | None) -> None:
    """Count the values with those that aliases stand for. They may form loops, so depth counts as well."""
    count = 0
    todo = [(root, 0)] if root is not None else []
    while todo:
        node, depth = todo.pop()
        count += 1
        if count > _MAX_NODES or depth > _MAX_DEPTH:
            raise BadConfigError(_TOO_MUCH)
        if isinstance(node, yaml.MappingNode):
            todo += [(child, depth + 1) for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            todo += [(child, depth + 1) for child in node.value]


def _as_json(value: object) -> object:
    match value:
        case dict():
            return {_key(key): _as_json(item) for key, item in cast("dict[object, object]", value).items()}
        case list():
            return [_as_json(item) for item in cast("list[object]", value)]
        case datetime.date():
            return value.isoformat()
        case None | str() | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            raise BadConfigError(f"{str(value)[:100]} has no counterpart in JSON")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        # YAML 1.1 reads on, off, yes and no as these.
        raise BadConfigError("a key is read as true or false: put it in quotes")
    return str(_as_json(key))
