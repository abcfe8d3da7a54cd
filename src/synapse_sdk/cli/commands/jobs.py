"""`synapse jobs`."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .. import _complete
from .._command import Argument, Group
from .._exit import INCOMPLETE, USAGE, CommandError, ExitStatus
from .._params import Number
from .._settings import Settings

if TYPE_CHECKING:
    from ...clients.agent import AgentClient
    from ...clients.agent.models import Job
    from .._follow import Protocol
    from .._output import Column

__all__ = ["app"]

_job_id = click.argument(
    "job_id",
    cls=Argument,
    metavar="JOB",
    help="The job's submission id.",
    shell_complete=_complete.job_ids,
)
_job_ids = click.argument(
    "job_ids",
    cls=Argument,
    nargs=-1,
    required=True,
    metavar="JOB...",
    help="Submission ids of jobs.",
    shell_complete=_complete.job_ids,
)


@click.group(cls=Group)
def app() -> None:
    """List, look at, follow, wait for, stop and delete jobs."""


@app.command(
    "list",
    example="""
synapse jobs list
synapse jobs list --watch
synapse jobs list --status RUNNING --status PENDING
synapse jobs list --json | jq -r '.[] | select(.status == "FAILED") | .submission_id'
""",
)
@click.option("--status", "-s", multiple=True, metavar="STATUS", help="Only jobs with this status.")
@click.option("--limit", "-n", type=click.IntRange(min=1), metavar="N", help="Only the newest N jobs.")
@click.option(
    "--metadata",
    "-m",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Only jobs with this metadata; given more than once, with all of it.",
)
@click.option("--watch", "-w", is_flag=True, help="Draw the table again and again.")
@click.option(
    "--interval",
    type=Number(min=0.1, max=1_000_000),
    default=2.0,
    metavar="SECONDS",
    help="With --watch: how often.",
)
@click.pass_obj
def list_(
    settings: Settings,
    status: tuple[str, ...],
    limit: int | None,
    metadata: tuple[str, ...],
    watch: bool,
    interval: float,
) -> None:
    """List jobs, the newest first."""
    from ...clients.agent.models import JobStatus
    from .._output import show_table

    wanted = {name.upper() for name in status}
    # Agents filter by one known status only.
    known = next(iter(wanted & {str(member) for member in JobStatus}), None) if len(wanted) == 1 else None

    def jobs(client: AgentClient) -> list[Job]:
        every: Iterable[Job]
        if limit is not None and limit <= 1000 and wanted <= {known} and not metadata:
            every = client.list_jobs(status=known, limit=limit)
        else:
            every = client.iter_jobs(status=known, metadata=metadata, page_size=1000)
        # An older agent answers all jobs, in any order.
        found = [job for job in every if not wanted or str(job.status) in wanted]
        return sorted(found, key=_started, reverse=True)[:limit]

    with settings.open_client() as client:
        if not watch:
            show_table(_columns(), jobs(client), as_json=settings.json, empty="there are no such jobs")
        elif settings.json:
            raise CommandError("--watch is for people; without it, --json can be asked for again", code=USAGE)
        else:
            from .._watch import watch_table

            watch_table(_columns(), lambda: jobs(client), interval=interval)


@app.command("get", example="synapse jobs get train-42\nsynapse jobs get train-42 --json | jq .runtime_env")
@_job_id
@click.pass_obj
def get(settings: Settings, job_id: str) -> None:
    """Show a job."""
    from .._output import show

    with settings.open_client() as client:
        job = client.get_job(job_id)
    show(job, as_json=settings.json, facts=_facts(job))


@app.command(
    "logs",
    example="""
synapse jobs logs train-42                        # the log as it is now
synapse jobs logs train-42 -f -n 20               # the last 20 lines, then live
synapse jobs logs train-42 -f --exit-status && synapse plugins run ...
synapse jobs logs train-41 train-42 -f --grep 'loss|error' --timestamps
synapse jobs logs train-42 -f -n +1201            # from line 1201 on
synapse jobs logs train-42 -f --since 10m --timestamps
synapse jobs logs train-42 -f --json | jq -r .line
""",
)
@_job_ids
@click.option("--follow", "-f", is_flag=True, help="Go on until the jobs are over.")
@click.option(
    "--lines",
    "-n",
    metavar="LINES",
    help="The last LINES of each log; +LINES: from that line on. With --grep, of those that match.",
)
@click.option("--grep", metavar="REGEX", help="Only lines in which this is found; (?i) ignores case.")
@click.option(
    "--protocol", default="auto", metavar="auto|websocket|http", help="With --follow: how to follow."
)
@click.option(
    "--prefix/--no-prefix",
    default=None,
    help="Put the job's id before each line; with several jobs it is.",
)
@click.option(
    "--timestamps",
    is_flag=True,
    help="Put before each line when the agent read it (UTC), or, if the agent sent none, when it arrived.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="With --follow: only lines that the agent read since then (10m, 2h, 2026-01-31T08:00), and those "
    "without a time.",
)
@click.option(
    "--position",
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="Leave out so much of the log of a single job, as the end of an interrupted --follow says.",
)
@click.option(
    "--raw", is_flag=True, help="Let colours and all other terminal escapes through to the terminal."
)
@click.option("--exit-status", is_flag=True, help="Exit with 1 if a job failed or was stopped.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of connections on stderr.")
@click.pass_obj
def logs(
    settings: Settings,
    job_ids: tuple[str, ...],
    follow: bool,
    lines: str | None,
    grep: str | None,
    protocol: str,
    prefix: bool | None,
    timestamps: bool,
    since: str | None,
    position: int | None,
    raw: bool,
    exit_status: bool,
    quiet: bool,
) -> None:
    """Print or follow the logs of jobs.

    Lines go to stdout, each as soon as it comes, and what happens to the connection to stderr. A connection
    that breaks is made again, and no line is lost or repeated. On a terminal, escapes in a log are shown and
    not obeyed; a pipe gets the log as it is. --json writes one object a line, with "job_id" and "line".

    \b
    Exit codes:
      0    done; with --exit-status, the jobs succeeded
      1    with --exit-status: a job failed or was stopped
      2    usage: an option or an id is refused
      3    the log is incomplete; with --exit-status also: a job is not over
      130  interrupted
      141  the reader of a pipe went away
    """
    from .._follow import Follower, exit_code, print_logs
    from .._format import parse_time
    from .._log_printer import LineFilter, LogFormat

    form = LogFormat(prefix, timestamps, settings.json, raw)
    if since is not None and not follow:
        raise CommandError("--since needs --follow, since only a followed log has times", code=USAGE)
    filter_ = LineFilter(grep, lines, None if since is None else parse_time(since))
    checked = _protocol(protocol)
    ids = list(dict.fromkeys(job_ids))
    if position is not None and len(ids) > 1:
        raise CommandError("--position is for a single job", code=USAGE)
    with settings.open_client() as client, _incomplete(settings):
        if follow:
            follower = Follower(
                client,
                settings,
                ids,
                form,
                filter_,
                protocol=checked,
                quiet=quiet,
                again=_again(settings, grep=grep, timestamps=timestamps, prefix=prefix, raw=raw),
                position=position,
            )
            if settings.timeout is not None:
                follower.timeout = min(settings.timeout, 300.0)
            statuses = follower.run()
        else:
            print_logs(client, ids, form, filter_, position)
            statuses = dict.fromkeys(ids)
        if exit_status:
            raise ExitStatus(
                exit_code(status or str(client.get_job(job_id).status) for job_id, status in statuses.items())
            )


@app.command(
    "stop",
    example="synapse jobs stop train-42\nsynapse jobs stop train-41 train-42 --wait",
)
@_job_ids
@click.option("--wait", is_flag=True, help="Return when they are over.")
@click.pass_obj
def stop(settings: Settings, job_ids: tuple[str, ...], wait: bool) -> None:
    """Stop jobs. One that is over already stays as it is."""
    from .._output import show_json
    from .._terminal import note

    answers: list[dict[str, Any]] = []
    with settings.open_client() as client:
        for job_id in dict.fromkeys(job_ids):
            stopped = client.stop_job(job_id)
            answers.append({"job_id": job_id, **stopped.to_dict()})
            if not settings.json:
                note(
                    f"job {job_id} is being stopped" if stopped.stopped else f"job {job_id} was over already"
                )
        if wait:
            from .._wait import wait_for_jobs

            wait_for_jobs(client, list(dict.fromkeys(job_ids)), timeout=None, interval=1.0)
    if settings.json:
        show_json(answers)


@app.command("delete", example="synapse jobs delete train-41 train-42 --yes")
@_job_ids
@click.option("--yes", "-y", is_flag=True, help="Don't ask.")
@click.pass_obj
def delete(settings: Settings, job_ids: tuple[str, ...], yes: bool) -> None:
    """Delete jobs that are over from the cluster."""
    from .._confirm import confirm
    from .._terminal import note

    ids = list(dict.fromkeys(job_ids))
    confirm(f"Delete the job{'s' if len(ids) > 1 else ''} {', '.join(ids)}?", yes=yes)
    with settings.open_client() as client:
        for job_id in ids:
            client.delete_job(job_id)
            note(f"job {job_id} is deleted")


@app.command(
    "wait",
    example="synapse jobs wait train-42 && echo done\nsynapse jobs wait train-41 train-42 --timeout 3600",
)
@_job_ids
@click.option(
    "--timeout",
    type=Number(min=0.001),
    metavar="SECONDS",
    help="Give up after so long; never by default.",
)
@click.option("--interval", type=Number(min=0.1), default=2.0, metavar="SECONDS", help="How often to look.")
@click.pass_obj
def wait(settings: Settings, job_ids: tuple[str, ...], timeout: float | None, interval: float) -> None:
    """Wait until jobs are over.

    Exit codes: 0 all succeeded; 1 one failed or was stopped; 3 the end was not seen: the time was up, or the
    agent can't be reached; 130 interrupted.
    """
    from .._follow import exit_code
    from .._output import show_table
    from .._wait import wait_for_jobs

    with settings.open_client() as client, _incomplete(settings):
        jobs = wait_for_jobs(client, list(dict.fromkeys(job_ids)), timeout=timeout, interval=interval)
    show_table(_columns(), jobs, as_json=settings.json, empty="")
    raise ExitStatus(exit_code(str(job.status) for job in jobs))


@contextmanager
def _incomplete(settings: Settings) -> Generator[None]:
    """Exit with 3 where the agent fails, since the log or the end of the job was not seen."""
    from ...clients.exceptions import ClientError
    from .._errors import report_error

    try:
        yield
    except ClientError as error:
        raise ExitStatus(report_error(error, settings, code=INCOMPLETE)) from error


def _protocol(name: str) -> Protocol:
    match name:
        case "auto" | "websocket" | "http":
            return name
        case _:
            raise CommandError(
                f"--protocol can't be {name!r}", hint="it is auto, websocket or http", code=USAGE
            )


def _again(
    settings: Settings, *, grep: str | None, timestamps: bool, prefix: bool | None, raw: bool
) -> Sequence[str]:
    """Return the options, without tokens, with which to continue."""
    words = settings.words()
    if grep is not None:
        words += ["--grep", grep]
    for name, given in (("--timestamps", timestamps), ("--raw", raw), ("--json", settings.json)):
        if given:
            words.append(name)
    if prefix is not None:
        words.append("--prefix" if prefix else "--no-prefix")
    return words


def _started(job: Job) -> int:
    # A job that has not started yet counts as the newest.
    return job.start_time or sys.maxsize


def _columns() -> list[Column[Job]]:
    from .._format import age, duration
    from .._output import Column

    def ran(job: Job) -> str:
        if not job.start_time:
            return ""
        return duration((job.end_time - job.start_time) / 1000) if job.end_time else age(job.start_time)

    return [
        Column("JOB", lambda job: job.submission_id or job.job_id),
        Column("STATUS", lambda job: job.status),
        Column("STARTED", lambda job: f"{age(job.start_time)} ago" if job.start_time else "", right=True),
        Column("RAN", ran, right=True),
        Column("ENTRYPOINT", lambda job: job.entrypoint, cut=True),
    ]


def _facts(job: Job) -> dict[str, object]:
    from .._format import stamp

    facts: dict[str, object] = dict(job)
    for name in ("start_time", "end_time"):
        facts[name] = stamp(facts.get(name))
    return facts
