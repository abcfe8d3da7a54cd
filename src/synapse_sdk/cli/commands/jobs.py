"""`synapse jobs`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synapse_sdk.cli import _complete
from synapse_sdk.cli._command import command, group
from synapse_sdk.cli._exit import USAGE, CommandError
from synapse_sdk.cli._settings import open_client, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_sdk.cli._follow import Protocol
    from synapse_sdk.cli._output import Column
    from synapse_sdk.clients.agent import AgentClient
    from synapse_sdk.clients.agent.models import Job

__all__ = ["app"]

app: typer.Typer = group("List, look at, follow, wait for and stop jobs.")

_JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="The job's submission id.", autocompletion=_complete.job_ids)
]
_JobIds = Annotated[
    list[str],
    typer.Argument(metavar="JOB...", help="Submission ids of jobs.", autocompletion=_complete.job_ids),
]


@command(
    app,
    "list",
    example="""
synapse jobs list
synapse jobs list --watch
synapse jobs list --status RUNNING --status PENDING
synapse jobs list --json | jq -r '.[] | select(.status == "FAILED") | .submission_id'
""",
)
def list_(
    context: typer.Context,
    status: Annotated[
        list[str] | None, typer.Option("--status", "-s", metavar="STATUS", help="Only jobs that stand so.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Only the newest N jobs.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Draw the table again and again.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, metavar="SECONDS", help="With --watch: how often.")
    ] = 2.0,
) -> None:
    """List jobs, the newest first."""
    from synapse_sdk.cli._output import show_table

    settings = settings_of(context)
    wanted = {name.upper() for name in status or ()}

    def jobs(client: AgentClient) -> list[Job]:
        found = [job for job in client.list_jobs() if not wanted or str(job.status) in wanted]
        return sorted(found, key=_started, reverse=True)[:limit]

    with open_client(context) as client:
        if not watch:
            show_table(_columns(), jobs(client), as_json=settings.json, empty="there are no such jobs")
        elif settings.json:
            raise CommandError("--watch is for people; without it, --json can be asked for again", code=USAGE)
        else:
            from synapse_sdk.cli._watch import watch_table

            watch_table(_columns(), lambda: jobs(client), interval=interval)


@command(app, "get", example="synapse jobs get train-42\nsynapse jobs get train-42 --json | jq .runtime_env")
def get(context: typer.Context, job_id: _JobId) -> None:
    """Show a job."""
    from synapse_sdk.cli._output import show

    with open_client(context) as client:
        job = client.get_job(job_id)
    show(job, as_json=settings_of(context).json, facts=_facts(job))


@command(
    app,
    "logs",
    example="""
synapse jobs logs train-42                        # the log as it is now
synapse jobs logs train-42 -f -n 20               # the last 20 lines, then live
synapse jobs logs train-42 -f --exit-status && synapse plugins run ...
synapse jobs logs train-41 train-42 -f --grep 'loss|error' --timestamps
synapse jobs logs train-42 -f -n +1201            # from line 1201 on
synapse jobs logs train-42 -f --json | jq -r .line
""",
)
def logs(
    context: typer.Context,
    job_ids: _JobIds,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the jobs are over.")] = False,
    lines: Annotated[
        str | None,
        typer.Option(
            "--lines",
            "-n",
            metavar="LINES",
            help="The last LINES of each log; +LINES: from that line on. With --grep, of those that match.",
        ),
    ] = None,
    grep: Annotated[
        str | None,
        typer.Option("--grep", metavar="REGEX", help="Only lines in which this is found; (?i) ignores case."),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option("--protocol", metavar="auto|websocket|http", help="With --follow: how to follow."),
    ] = "auto",
    prefix: Annotated[
        bool | None,
        typer.Option(
            "--prefix/--no-prefix", help="Put the job's id before each line; with several jobs it is."
        ),
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Put the time (UTC) at which each line arrived before it.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Let colours and all other terminal escapes through to the terminal."),
    ] = False,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Exit with 1 if a job failed or was stopped.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing of connections on stderr.")
    ] = False,
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
    from synapse_sdk.cli._follow import Follower, exit_code, print_logs
    from synapse_sdk.cli._log_printer import LineFilter, LogFormat

    settings = settings_of(context)
    form = LogFormat(prefix, timestamps, settings.json, raw)
    filter_ = LineFilter(grep, lines)
    checked = _protocol(protocol)
    ids = list(dict.fromkeys(job_ids))
    with open_client(context) as client, _incomplete(context):
        if follow:
            follower = Follower(
                client,
                settings,
                ids,
                form,
                filter_,
                protocol=checked,
                quiet=quiet,
                again=_again(context, grep=grep, timestamps=timestamps, prefix=prefix, raw=raw),
            )
            if settings.timeout is not None:
                follower.timeout = min(settings.timeout, 300.0)
            statuses = follower.run()
        else:
            print_logs(client, ids, form, filter_)
            statuses = dict.fromkeys(ids)
        if exit_status:
            raise typer.Exit(
                exit_code(status or str(client.get_job(job_id).status) for job_id, status in statuses.items())
            )


@command(
    app,
    "stop",
    example="synapse jobs stop train-42\nsynapse jobs stop train-41 train-42 --wait",
)
def stop(
    context: typer.Context,
    job_ids: _JobIds,
    wait: Annotated[bool, typer.Option("--wait", help="Return when they are over.")] = False,
) -> None:
    """Stop jobs. One that is over already stays as it is."""
    from synapse_sdk.cli._output import show_json
    from synapse_sdk.cli._terminal import note

    settings = settings_of(context)
    answers: list[dict[str, Any]] = []
    with open_client(context) as client:
        for job_id in dict.fromkeys(job_ids):
            stopped = client.stop_job(job_id)
            answers.append({"job_id": job_id, **stopped.to_dict()})
            if not settings.json:
                note(
                    f"job {job_id} is being stopped" if stopped.stopped else f"job {job_id} was over already"
                )
        if wait:
            from synapse_sdk.cli._wait import wait_for_jobs

            wait_for_jobs(client, list(dict.fromkeys(job_ids)), timeout=None, interval=1.0)
    if settings.json:
        show_json(answers)


@command(
    app,
    "wait",
    example="synapse jobs wait train-42 && echo done\nsynapse jobs wait train-41 train-42 --timeout 3600",
)
def wait(
    context: typer.Context,
    job_ids: _JobIds,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout", min=0.001, metavar="SECONDS", help="Give up after so long; never by default."
        ),
    ] = None,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, metavar="SECONDS", help="How often to look.")
    ] = 2.0,
) -> None:
    """Wait until jobs are over.

    Exit codes: 0 all succeeded; 1 one failed or was stopped; 3 the end was not seen: the time was up, or the
    agent can't be reached; 130 interrupted.
    """
    from synapse_sdk.cli._follow import exit_code
    from synapse_sdk.cli._output import show_table
    from synapse_sdk.cli._wait import wait_for_jobs

    with open_client(context) as client, _incomplete(context):
        jobs = wait_for_jobs(client, list(dict.fromkeys(job_ids)), timeout=timeout, interval=interval)
    show_table(_columns(), jobs, as_json=settings_of(context).json, empty="")
    raise typer.Exit(exit_code(str(job.status) for job in jobs))


class _incomplete:  # noqa: N801 - a context manager
    """Lets an error of the agent mean exit code 3: what was to be seen was not."""

    def __init__(self, context: typer.Context) -> None:
        self._settings = settings_of(context)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        from synapse_sdk.cli._errors import explain
        from synapse_sdk.cli._exit import INCOMPLETE
        from synapse_sdk.clients.exceptions import ClientError

        if isinstance(error, ClientError):
            raise typer.Exit(explain(error, self._settings, code=INCOMPLETE)) from error


def _protocol(name: str) -> Protocol:
    match name:
        case "auto" | "websocket" | "http":
            return name
        case _:
            raise CommandError(
                f"--protocol can't be {name!r}", hint="it is auto, websocket or http", code=USAGE
            )


def _again(
    context: typer.Context, *, grep: str | None, timestamps: bool, prefix: bool | None, raw: bool
) -> Sequence[str]:
    """Give the options to go on with; a token is not among them."""
    settings = settings_of(context)
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
    # One that waits to be started is the newest.
    return job.start_time or sys.maxsize


def _columns() -> list[Column[Job]]:
    from synapse_sdk.cli._format import age, duration
    from synapse_sdk.cli._output import Column

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
    from synapse_sdk.cli._format import stamp

    facts: dict[str, object] = dict(job)
    for name in ("start_time", "end_time"):
        facts[name] = stamp(facts.get(name))
    return facts
