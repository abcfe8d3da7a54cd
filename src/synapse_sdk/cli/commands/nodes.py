"""`synapse nodes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synapse_sdk.cli import _complete
from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.clients.agent.models import GpuDevice, Node

__all__ = ["app"]

app: typer.Typer = group("The cluster's nodes and GPUs.")


@command(app, "list", example="synapse nodes list\nsynapse nodes list --json | jq -r '.[].node_ip'")
def list_(context: typer.Context) -> None:
    """List the cluster's nodes."""
    from synapse_sdk.cli._format import age, bytes_, number
    from synapse_sdk.cli._output import Column, show_table

    with open_client(context) as client:
        nodes = client.list_nodes()
    columns: list[Column[Node]] = [
        Column("NODE", lambda node: node.node_id),
        Column("STATE", lambda node: node.state),
        Column("HEAD", lambda node: "head" if node.is_head_node else ""),
        Column("ADDRESS", lambda node: node.node_ip),
        Column("CPUS", lambda node: number((node.resources_total or {}).get("CPU", 0)), right=True),
        Column("GPUS", lambda node: number((node.resources_total or {}).get("GPU", 0)), right=True),
        Column("MEMORY", lambda node: bytes_((node.resources_total or {}).get("memory")), right=True),
        Column("UP", lambda node: age(node.start_time_ms) if node.alive else "", right=True),
    ]
    show_table(columns, nodes, as_json=settings_of(context).json, empty="there are no nodes")


@command(app, "get", example="synapse nodes get 4c1f0d2b7e9a")
def get(
    context: typer.Context,
    node_id: Annotated[
        str, typer.Argument(metavar="NODE", help="The node's id.", autocompletion=_complete.node_ids)
    ],
) -> None:
    """Show a node."""
    from synapse_sdk.cli._format import bytes_, stamp, words
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        node = client.get_node(node_id)
    facts: dict[str, object] = dict(node)
    facts |= {name: stamp(facts.get(name)) for name in ("start_time_ms", "end_time_ms")}
    facts |= {name: bytes_(facts.get(name)) for name in ("memory_total_bytes", "memory_available_bytes")}
    facts |= {name: words(facts.get(name)) for name in ("resources_total", "labels")}
    show(node, as_json=settings_of(context).json, facts=facts)


@command(app, "gpus", example="synapse nodes gpus")
def gpus(context: typer.Context) -> None:
    """List the GPUs of the agent's own node."""
    from synapse_sdk.cli._format import number
    from synapse_sdk.cli._output import Column, show_json, show_table

    with open_client(context) as client:
        status = client.get_gpu_status()
    if settings_of(context).json:
        show_json(status.to_dict())
        return
    columns: list[Column[GpuDevice]] = [
        Column("GPU", lambda gpu: gpu.index, right=True),
        Column("NAME", lambda gpu: gpu.name),
        Column("BUSY", lambda gpu: "" if gpu.utilization_gpu is None else f"{number(gpu.utilization_gpu)}%"),
        Column(
            "MEMORY", lambda gpu: f"{number(gpu.memory_used)} of {number(gpu.memory_total)} MB", right=True
        ),
        Column("UUID", lambda gpu: gpu.uuid),
    ]
    show_table(columns, status.gpus or [], as_json=False, empty="there are no GPUs")
