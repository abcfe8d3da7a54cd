"""The page of the log stream: spec/log-stream.yaml in words."""

from __future__ import annotations

import json
from typing import Any

from spec import cell, header, load, properties, resolve


def page() -> str:
    document = load("log-stream.yaml")
    lines = header(
        "Log stream",
        "How an agent sends a job's log while it grows, over WebSocket and HTTP.",
        source="spec/log-stream.yaml",
    )
    lines += [
        "The document, in AsyncAPI 3: [log-stream.yaml](log-stream.yaml).",
        "",
        document["info"]["description"],
        "",
    ]
    lines += ["## Addresses", "", "| | address | |", "|---|---|---|"]
    for operation in document["operations"].values():
        channel = resolve(document, operation["channel"])
        server = resolve(document, channel["servers"][0])
        words = cell(operation["description"])
        lines.append(f"| {server['protocol'].upper()} | `GET {channel['address']}` | {words} |")
    lines += ["", "| parameter | |", "|---|---|"]
    for name, parameter in document["components"]["parameters"].items():
        lines.append(f"| {name} | {cell(parameter['description'])} |")
    lines += ["", "| header | |", "|---|---|"]
    for scheme in document["components"]["securitySchemes"].values():
        lines.append(f"| `{scheme['name']}` | {cell(scheme['description'])} |")
    lines += ["", "## Events", ""]
    for message in document["components"]["messages"].values():
        lines += message_lines(document, message)
    return "\n".join(lines) + "\n"


def message_lines(document: dict[str, Any], message: dict[str, Any]) -> list[str]:
    lines = [f"### {message['title']}", "", message["summary"], ""]
    lines += properties(document, resolve(document, message["payload"]))
    for example in message["examples"]:
        payload = example["payload"]
        text = payload if isinstance(payload, str) else json.dumps(payload)
        lines += ["```text", text, "```", ""]
    return lines
