"""`synapse nodes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import _complete
from .._command import Argument, Group
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent.models import GpuDevice, Node

__all__ = ["app"]


@click.group(cls=Group)
def app() -> None:
    """The cluster's nodes and GPUs."""


@app.command("list", example="synapse nodes list\nsynapse nodes list --json | jq -r '.[].node_ip'")
@click.pass_obj
def list_(settings: Settings) -> None:
    """List the cluster's nodes."""
    from .._format import age, bytes_, number
    from .._output import Column, show_table

    with settings.open_client() as client:
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
    show_table(columns, nodes, as_json=settings.json, empty="there are no nodes")


@app.command("get", example="synapse nodes get 4c1f0d2b7e9a")
@click.argument(
    "node_id", cls=Argument, metavar="NODE", help="The node's id.", shell_complete=_complete.node_ids
)
@click.pass_obj
def get(settings: Settings, node_id: str) -> None:
    """Show a node."""
    from .._format import bytes_, stamp, words
    from .._output import show

    with settings.open_client() as client:
        node = client.get_node(node_id)
    facts: dict[str, object] = dict(node)
    facts |= {name: stamp(facts.get(name)) for name in ("start_time_ms", "end_time_ms")}
    facts |= {name: bytes_(facts.get(name)) for name in ("memory_total_bytes", "memory_available_bytes")}
    facts |= {name: words(facts.get(name)) for name in ("resources_total", "labels")}
    show(node, as_json=settings.json, facts=facts)


@app.command("gpus", example="synapse nodes gpus")
@click.pass_obj
def gpus(settings: Settings) -> None:
    """List the GPUs of the agent's own node."""
    from .._format import number
    from .._output import Column, show_json, show_table

    with settings.open_client() as client:
        status = client.get_gpu_status()
    if settings.json:
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
