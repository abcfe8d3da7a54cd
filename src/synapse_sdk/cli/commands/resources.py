"""`synapse resources`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import FAILED, USAGE, CommandError
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.clients.agent.models import ClusterNode, ClusterSnapshot, ResourceUsage

__all__ = ["app"]

app: typer.Typer = group("What the cluster has and uses, and what it lets in.")


@command(app, "show", example="synapse resources show\nsynapse resources show --fresh --json | jq .gpu")
def show_(
    context: typer.Context,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure now.")] = False,
) -> None:
    """Show what the cluster has, and what of it is in use."""
    from synapse_sdk.cli._format import bytes_, number
    from synapse_sdk.cli._output import Column, show, show_table

    as_json = settings_of(context).json
    with open_client(context) as client:
        snapshot = client.get_cluster_resources(use_cache=not fresh)
    show(snapshot, as_json=as_json, facts=_facts(snapshot))
    if as_json or not snapshot.nodes:
        return
    sys.stdout.write("\n")
    columns: list[Column[ClusterNode]] = [
        Column("NODE", lambda node: node.node_id),
        Column("HOST", lambda node: node.host_name or node.ip),
        Column("STATE", lambda node: node.state),
        Column("CPU USED", lambda node: _used(node.cpu, number), right=True),
        Column("MEMORY USED", lambda node: _used(node.memory, bytes_), right=True),
        Column("GPUS", lambda node: len(node.gpus or []), right=True),
    ]
    show_table(columns, snapshot.nodes, as_json=False, empty="")


@command(
    app,
    "check",
    example="""
synapse resources check --gpus 1 --memory 8GiB
synapse resources check --kind serve --replicas 4
""",
)
def check(
    context: typer.Context,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="What is to run: job, serve, container or task.")
    ] = "job",
    cpus: Annotated[
        float, typer.Option("--cpus", min=0, metavar="N", help="CPU cores of each replica.")
    ] = 1.0,
    gpus: Annotated[float, typer.Option("--gpus", min=0, metavar="N", help="GPUs of each replica.")] = 0.0,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="Memory of each replica, such as 8GiB.")
    ] = None,
    replicas: Annotated[int, typer.Option("--replicas", min=1, metavar="N", help="How many of them.")] = 1,
) -> None:
    """Ask whether the agent would let a workload in now.

    Exit codes: 0 it would; 1 it would not.
    """
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        answer = client.check_feasibility(
            kind, num_cpus=cpus, num_gpus=gpus, memory_bytes=_bytes(memory), replicas=replicas
        )
    facts: dict[str, object] = {
        "allowed": "yes" if answer.allowed else "no",
        "why not": "; ".join(answer.messages or answer.reasons or []),
        "feasible replicas": answer.feasible_replicas,
    }
    show(answer, as_json=settings_of(context).json, facts=facts)
    if not answer.allowed:
        raise typer.Exit(FAILED)


@command(
    app,
    "policy",
    example="""
synapse resources policy
synapse resources policy max_concurrent_jobs=8 gatekeeping_enabled=false
""",
)
def policy(
    context: typer.Context,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Limits to change.")
    ] = None,
) -> None:
    """Show, or change, by what limits the agent lets workloads in."""
    import attrs

    from synapse_sdk.cli._output import show
    from synapse_sdk.cli._params import assignments
    from synapse_sdk.clients.agent.models import RuntimePolicy

    values = assignments(changes or [], "policy")
    known = {field.name for field in attrs.fields(RuntimePolicy)}
    for name in values:
        if name not in known:
            raise CommandError(
                f"there is no limit {name!r}; there are: {', '.join(sorted(known))}", code=USAGE
            )
    with open_client(context) as client:
        now = client.update_runtime_policy(**values) if values else client.get_runtime_policy()
    as_json = settings_of(context).json
    show(now, as_json=as_json, facts={name: json.dumps(value) for name, value in now.items()})


def _bytes(text: str | None) -> int | None:
    from synapse_sdk.cli._format import parse_bytes

    if text is None:
        return None
    try:
        return parse_bytes(text)
    except ValueError:
        raise CommandError(
            f"--memory can't be {text!r}", hint="a number of bytes, or such as 512MiB or 8G", code=USAGE
        ) from None


def _used(usage: ResourceUsage | None, said: object) -> str:
    if usage is None or not callable(said):
        return ""
    return f"{said(usage.used)} of {said(usage.total)}"


def _facts(snapshot: ClusterSnapshot) -> dict[str, object]:
    from synapse_sdk.cli._format import bytes_, number

    counts, gpu = snapshot.node_counts, snapshot.gpu
    return {
        "nodes": f"{counts.alive} alive, {counts.dead} dead" if counts else "",
        "cpu": _used(snapshot.cpu, number),
        "memory": _used(snapshot.memory, bytes_),
        "object store": _used(snapshot.object_store, bytes_),
        "gpus": f"{number(gpu.available_gpus)} of {number(gpu.total_gpus)} free" if gpu else "",
        "running jobs": number(snapshot.running_jobs),
        "serve replicas": number(snapshot.total_serve_replicas),
        "measured": f"{snapshot.collected_at}{' (stale)' if snapshot.stale else ''}",
    }
