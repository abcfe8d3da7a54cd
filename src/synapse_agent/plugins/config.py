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

# Code and version are used in file names, URLs and lookups of the form code@version.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
CODE_RULE = "up to 100 letters, digits, '.', '_' and '-', the first a letter or digit"
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}\Z")
VERSION_RULE = "up to 64 letters, digits, '.', '_', '+' and '-', the first a letter or digit"

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
ENTRYPOINT = re.compile(rf"(?=.{{1,300}}\Z){_NAME}(?::{_NAME})?\Z")
_ACTION = re.compile(r"\w[\w.-]{0,99}\Z")

JOB_METHODS = ("job", "task")
_METHODS = (*JOB_METHODS, "serve", "restapi")

_MAX_BYTES = 64 * 1024
# Each use of an alias counts, since a few lines of nested aliases can expand to gigabytes.
_MAX_NODES = 10_000
_MAX_DEPTH = 50
_TOO_MUCH = f"it has more than {_MAX_NODES} values, or is nested deeper than {_MAX_DEPTH}"


class BadConfigError(Exception):
    """The configuration can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    method: str
    entrypoint: str  # empty for a serve action without one

    @property
    def is_job(self) -> bool:
        return self.method in JOB_METHODS


def parse_config(content: bytes) -> dict[str, object]:
    """Return the configuration as JSON values. Raises BadConfigError."""
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
        raise BadConfigError(f"invalid YAML: {' '.join(str(error).split())[:300]}") from None
    if not isinstance(value, dict):
        raise BadConfigError("it must be a mapping")
    return cast("dict[str, object]", _as_json(cast("object", value)))


def read_actions(config: Mapping[str, object]) -> dict[str, Action]:
    """Return the actions by name. Raises BadConfigError, which names the wrong one."""
    actions = config.get("actions")
    if not isinstance(actions, dict):
        raise BadConfigError("it must have actions by name")
    found: dict[str, Action] = {}
    for name, details in cast("dict[str, object]", actions).items():
        if not _ACTION.match(name):
            raise BadConfigError(f"{name!r} is not a valid action name")
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
    """Stop at deep nesting at once, since PyYAML's scanner takes quadratic time in it."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadConfigError(_TOO_MUCH)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _bound(root: yaml.Node | None) -> None:
    """Check the number of values, aliases expanded, and the depth, since aliases can form loops."""
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
            raise BadConfigError(f"{str(value)[:100]} can't be written as JSON")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        # YAML 1.1 reads on, off, yes and no as booleans.
        raise BadConfigError("a key is read as true or false: put it in quotes")
    return str(_as_json(key))
