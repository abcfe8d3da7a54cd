"""`synapse resources`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from .._command import Argument, Group
from .._exit import FAILED, USAGE, CommandError, ExitStatus
from .._params import Number
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent.models import ClusterNode, ClusterSnapshot, ResourceUsage

__all__ = ["app"]


@click.group(cls=Group)
def app() -> None:
    """Show resources of the cluster, their use, and the policy."""


@app.command("show", example="synapse resources show\nsynapse resources show --fresh --json | jq .gpu")
@click.option("--fresh", is_flag=True, help="Measure now.")
@click.pass_obj
def show_(settings: Settings, fresh: bool) -> None:
    """Show what the cluster has, and what of it is in use."""
    from .._format import bytes_, number
    from .._output import Column, show, show_table

    as_json = settings.json
    with settings.open_client() as client:
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


@app.command(
    "check",
    example="""
synapse resources check --gpus 1 --memory 8GiB
synapse resources check --kind serve --replicas 4
""",
)
@click.option("--kind", default="job", metavar="KIND", help="What is to run: job, serve, container or task.")
@click.option("--cpus", type=Number(min=0), default=1.0, metavar="N", help="CPU cores of each replica.")
@click.option("--gpus", type=Number(min=0), default=0.0, metavar="N", help="GPUs of each replica.")
@click.option("--memory", metavar="SIZE", help="Memory of each replica, such as 8GiB.")
@click.option("--replicas", type=click.IntRange(min=1), default=1, metavar="N", help="How many of them.")
@click.pass_obj
def check(settings: Settings, kind: str, cpus: float, gpus: float, memory: str | None, replicas: int) -> None:
    """Ask whether the agent would let a workload in now.

    Exit codes: 0 it would; 1 it would not.
    """
    from .._output import show

    with settings.open_client() as client:
        answer = client.check_feasibility(
            kind, num_cpus=cpus, num_gpus=gpus, memory_bytes=_bytes(memory), replicas=replicas
        )
    facts: dict[str, object] = {
        "allowed": "yes" if answer.allowed else "no",
        "why not": "; ".join(answer.messages or answer.reasons or []),
        "feasible replicas": answer.feasible_replicas,
    }
    show(answer, as_json=settings.json, facts=facts)
    if not answer.allowed:
        raise ExitStatus(FAILED)


@app.command(
    "policy",
    example="""
synapse resources policy
synapse resources policy max_concurrent_jobs=8 gatekeeping_enabled=false
""",
)
@click.argument("changes", cls=Argument, nargs=-1, metavar="[NAME=VALUE]...", help="Limits to change.")
@click.pass_obj
def policy(settings: Settings, changes: tuple[str, ...]) -> None:
    """Show, or change, by what limits the agent lets workloads in."""
    import attrs

    from ...clients.agent.models import RuntimePolicy
    from .._output import show
    from .._params import assignments

    values = assignments(changes, "policy")
    known = {field.name for field in attrs.fields(RuntimePolicy)}
    for name in values:
        if name not in known:
            raise CommandError(
                f"there is no limit {name!r}; there are: {', '.join(sorted(known))}", code=USAGE
            )
    with settings.open_client() as client:
        now = client.update_runtime_policy(**values) if values else client.get_runtime_policy()
    as_json = settings.json
    show(now, as_json=as_json, facts={name: json.dumps(value) for name, value in now.items()})


def _bytes(text: str | None) -> int | None:
    from .._format import parse_bytes

    if text is None:
        return None
    try:
        return parse_bytes(text)
    except (ValueError, OverflowError):
        raise CommandError(
            f"--memory can't be {text!r}", hint="a number of bytes, or such as 512MiB or 8G", code=USAGE
        ) from None


def _used(usage: ResourceUsage | None, said: object) -> str:
    if usage is None or not callable(said):
        return ""
    return f"{said(usage.used)} of {said(usage.total)}"


def _facts(snapshot: ClusterSnapshot) -> dict[str, object]:
    from .._format import bytes_, number

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
