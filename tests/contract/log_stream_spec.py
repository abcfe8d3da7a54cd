"""`spec/log-stream.yaml` as the contract tests walk it: channels, and messages with their schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout import ROOT
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

__all__ = ["CHANNELS", "EVENTS", "MESSAGES", "Message", "check_event"]

RAW: dict[str, Any] = YAML(typ="safe").load((ROOT / "spec" / "log-stream.yaml").read_text(encoding="utf-8"))


def resolve(node: Any) -> Any:
    """A part of the document without references."""
    if isinstance(node, list):
        return [resolve(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" not in node:
        return {key: resolve(value) for key, value in node.items()}
    target: Any = RAW
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return resolve(target)


@dataclass(frozen=True)
class Message:
    """One kind of message."""

    name: str
    schema: Mapping[str, Any]
    examples: tuple[Any, ...]

    @property
    def type(self) -> str | None:
        """What `type` says in an event of this kind."""
        const = self.schema.get("properties", {}).get("type", {}).get("const")
        return const if isinstance(const, str) else None

    def validate(self, payload: object) -> None:
        Draft202012Validator(self.schema).validate(payload)


CHANNELS: dict[str, Any] = resolve(RAW["channels"])
MESSAGES = {
    name: Message(name, message["payload"], tuple(item["payload"] for item in message["examples"]))
    for name, message in resolve(RAW["components"]["messages"]).items()
}
# Those that are JSON, by their type.
EVENTS = {message.type: message for message in MESSAGES.values() if message.type is not None}


def check_event(event: Mapping[str, Any]) -> Message:
    """An agent's event is one that the document has, without a field that it has not; gives back which."""
    message = EVENTS[event.get("type", "log")]
    message.validate(event)
    assert set(event) <= set(message.schema["properties"]), event
    return message
