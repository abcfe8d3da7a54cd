"""The page of the clients: every method by the group that the spec puts it in."""

from __future__ import annotations

from typing import Any

from spec import header, load
from synapse_sdk.clients.agent import AgentClient
from synapse_sdk.clients.agent._helpers import HelpersMixin
from synapse_sdk.clients.agent._options import ClientOptions
from synapse_sdk.clients.agent._tail import TailMixin

CLIENT = "synapse_sdk.clients.agent.AgentClient"
ASYNC = "synapse_sdk.clients.agent.AsyncAgentClient"
TITLES = {"serve": "Serve applications", "plugin_releases": "Plugin releases", "nodes": "Nodes and GPUs"}


def page() -> str:
    lines = header(
        "Clients",
        "AgentClient and AsyncAgentClient: every method, its parameters and errors.",
        source="the clients' docstrings",
    )
    lines += [
        "Both clients have the same methods, with the same parameters, results and errors; those of"
        " `AsyncAgentClient` are awaited, and its streams and iterators are read with `async for`.",
        "",
        "Every method can raise [`ClientError`][synapse_sdk.clients.exceptions.ClientError] and its"
        " [subclasses](exceptions.md).",
        "",
        *directive(CLIENT, ["from_env", "stream_limits", "close"], root=True),
        *directive(ASYNC, ["from_env", "stream_limits", "close", "aclose"], root=True),
    ]
    document = load("openapi.yaml")
    for tag in document["tags"]:
        names = [
            name
            for item in document["paths"].values()
            for operation in item.values()
            if isinstance(operation, dict) and tag["name"] in operation.get("tags", ())
            for name in names_of(operation)
        ]
        title = TITLES.get(tag["name"], tag["name"].capitalize())
        lines += section(title, tag.get("description", ""), names)
    lines += section("Log tails", "What they return is in [Streams](streams.md).", public(TailMixin))
    lines += section("Waits, options and raw responses", "", [*public(HelpersMixin), *public(ClientOptions)])
    lines += ["::: synapse_agent_api.client.RawResponse", "    options:", "      show_root_heading: true"]
    lines += ["      heading_level: 2", "      show_bases: false", ""]
    return "\n".join(lines)


def names_of(operation: dict[str, Any]) -> list[str]:
    """Return the methods that are generated from an operation."""
    names = [operation["operationId"], *operation.get("x-aliases", ())]
    if "x-pagination" in operation:
        names.append(operation["x-pagination"]["method"])
    return names


def section(title: str, text: str, names: list[str]) -> list[str]:
    return [f"## {title}", "", text, "", *directive(CLIENT, names, root=False)]


def directive(what: str, members: list[str], *, root: bool) -> list[str]:
    """Ask mkdocstrings for these members of a class, in this order."""
    assert all(hasattr(AgentClient, name) or name == "aclose" for name in members), members
    return [
        f"::: {what}",
        "    options:",
        f"      show_root_heading: {str(root).lower()}",
        f"      show_root_toc_entry: {str(root).lower()}",
        "      show_bases: false",
        f"      heading_level: {2 if root else 3}",
        f"      members: [{', '.join(members)}]",
        "",
    ]


def public(mixin: type) -> list[str]:
    return [name for name in vars(mixin) if not name.startswith("_") and name != "stream_limits"]
