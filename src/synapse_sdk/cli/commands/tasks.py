"""`synapse tasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from synapse_sdk.clients.agent.models import Task

__all__ = ["app"]

app: typer.Typer = group("Ray tasks.")


@command(
    app, "list", example="synapse tasks list --state RUNNING\nsynapse tasks list --job 03000000 --limit 20"
)
def list_(
    context: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option("--state", "-s", metavar="STATE", help="Only tasks in this state.")
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="ID", help="Only tasks of Ray's job ID.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Only N tasks.")
    ] = None,
) -> None:
    """List the tasks that the cluster remembers, the newest first."""
    from synapse_sdk.cli._format import age, duration
    from synapse_sdk.cli._output import Column, show_table

    wanted = {name.upper() for name in state or ()}
    with open_client(context) as client:
        tasks = client.list_tasks()
    found = [
        task
        for task in tasks
        if (not wanted or str(task.state) in wanted) and (job is None or task.job_id == job)
    ]
    found.sort(key=_created, reverse=True)

    def ran(task: Task) -> str:
        if not task.start_time_ms:
            return ""
        return (
            duration((task.end_time_ms - task.start_time_ms) / 1000)
            if task.end_time_ms
            else age(task.start_time_ms)
        )

    columns: list[Column[Task]] = [
        Column("TASK", lambda task: task.task_id),
        Column("STATE", lambda task: task.state),
        Column("JOB", lambda task: task.job_id),
        Column("RAN", ran, right=True),
        Column("NAME", lambda task: task.name, cut=True),
        Column("ERROR", lambda task: task.error_type, cut=True),
    ]
    show_table(columns, found[:limit], as_json=settings_of(context).json, empty="there are no such tasks")


@command(app, "get", example="synapse tasks get 16310a0f0a45af5cffffffffffffffffffffffff01000000")
def get(
    context: typer.Context,
    task_id: Annotated[str, typer.Argument(metavar="TASK", help="The task's id.")],
) -> None:
    """Show a task."""
    from synapse_sdk.cli._format import stamp, words
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        task = client.get_task(task_id)
    facts: dict[str, object] = dict(task)
    facts |= {name: stamp(facts.get(name)) for name in ("creation_time_ms", "start_time_ms", "end_time_ms")}
    facts["required_resources"] = words(facts.get("required_resources"))
    show(task, as_json=settings_of(context).json, facts=facts)


def _created(task: Task) -> int:
    return task.creation_time_ms or task.start_time_ms or 0
