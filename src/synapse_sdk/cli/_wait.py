"""Waiting for jobs, with something to look at meanwhile."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._interrupt import leave_at_once
from ._sanitize import one_line
from ._terminal import interactive, is_dumb, stderr_console

if TYPE_CHECKING:
    from ..clients.agent import AgentClient
    from ..clients.agent.models import Job

__all__ = ["spinner", "wait_for_jobs"]


@contextmanager
def spinner(text: str) -> Generator[Callable[[str], None]]:
    """Show on stderr, if that is a terminal, what is waited for and for how long.

    Yields:
        A function that changes the text.
    """
    if not interactive(sys.stderr) or is_dumb():
        yield lambda _text: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = stderr_console()
    # The default is drawn with Braille characters.
    dots = SpinnerColumn("dots" if console.encoding.startswith("utf") else "line")
    columns = (dots, TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    progress = Progress(*columns, console=console, transient=True)
    try:
        progress.start()
    except RuntimeError:  # its thread can't be started
        progress.stop()
        yield lambda _text: None
        return
    with progress:
        task = progress.add_task(one_line(text), total=None)
        yield lambda now: progress.update(task, description=one_line(now))


def wait_for_jobs(
    client: AgentClient, job_ids: Sequence[str], *, timeout: float | None, interval: float
) -> list[Job]:
    """Wait until all jobs are over and return them.

    Args:
        client: The client of the agent.
        job_ids: The jobs.
        timeout: Seconds to wait for all of them.
        interval: Seconds between two requests.

    Raises:
        ClientError: As for `wait_for_job`.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    jobs: list[Job] = []
    again = f"synapse jobs wait {' '.join(map(shlex.quote, job_ids))}"
    with (
        leave_at_once(lambda: f"synapse: interrupted; nothing was stopped. Go on with:\n  {again}"),
        spinner("waiting") as tell,
    ):
        for done, job_id in enumerate(job_ids):
            tell(
                f"waiting for job {job_id}" + (f" ({done + 1} of {len(job_ids)})" if len(job_ids) > 1 else "")
            )
            left = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            jobs.append(client.wait_for_job(job_id, timeout=left, poll_interval=interval))
    return jobs
