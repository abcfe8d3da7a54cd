"""`synapse tasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import _complete
from .._command import Argument, Group
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent.models import Task

__all__ = ["app"]


@click.group(cls=Group)
def app() -> None:
    """Ray tasks."""


@app.command(
    "list", example="synapse tasks list --state RUNNING\nsynapse tasks list --job 03000000 --limit 20"
)
@click.option("--state", "-s", multiple=True, metavar="STATE", help="Only tasks in this state.")
@click.option("--job", metavar="ID", help="Only tasks of Ray's job ID.")
@click.option("--limit", "-n", type=click.IntRange(min=1), metavar="N", help="Only N tasks.")
@click.pass_obj
def list_(settings: Settings, state: tuple[str, ...], job: str | None, limit: int | None) -> None:
    """List the tasks that the cluster remembers, the newest first."""
    from .._format import age, duration
    from .._output import Column, show_table

    wanted = {name.upper() for name in state}
    with settings.open_client() as client:
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
    show_table(columns, found[:limit], as_json=settings.json, empty="there are no such tasks")


@app.command("get", example="synapse tasks get 16310a0f0a45af5cffffffffffffffffffffffff01000000")
@click.argument(
    "task_id", cls=Argument, metavar="TASK", help="The task's id.", shell_complete=_complete.task_ids
)
@click.pass_obj
def get(settings: Settings, task_id: str) -> None:
    """Show a task."""
    from .._format import stamp, words
    from .._output import show

    with settings.open_client() as client:
        task = client.get_task(task_id)
    facts: dict[str, object] = dict(task)
    facts |= {name: stamp(facts.get(name)) for name in ("creation_time_ms", "start_time_ms", "end_time_ms")}
    facts["required_resources"] = words(facts.get("required_resources"))
    show(task, as_json=settings.json, facts=facts)


def _created(task: Task) -> int:
    return task.creation_time_ms or task.start_time_ms or 0
