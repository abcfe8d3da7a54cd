"""Commands and groups that take the shared options, and list them in a section of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from ._errors import report_error
from ._exit import OK, ExitStatus

__all__ = ["AGENT_OPTIONS", "LOCAL_OPTIONS", "Argument", "Command", "Group"]


def _store(ctx: click.Context, param: click.Parameter, value: object) -> None:
    # An option may be given before the command and after it; where it is missing it changes nothing.
    # By identity, since 0 equals False.
    if value is not None and value is not False:
        setattr(ctx.obj, str(param.name), value)


def _option(name: str, help_: str, **settings: Any) -> click.Option:
    return click.Option([name], help=help_, expose_value=False, callback=_store, **settings)


AGENT_OPTIONS: Sequence[click.Option] = [
    _option("--profile", "The agent of this profile.  [env var: SYNAPSE_PROFILE]", metavar="NAME"),
    _option("--url", "The agent's URL.  [env var: SYNAPSE_AGENT_URL]", metavar="URL"),
    _option(
        "--token",
        "Its token; '-' reads it from stdin. Others may see one in the list of processes: prefer"
        " the environment, --token-file or a profile.  [env var: SYNAPSE_AGENT_TOKEN]",
        metavar="TOKEN",
    ),
    _option("--token-file", "A file that holds the token.", metavar="FILE"),
    _option("--ca-file", "Certificates to trust, for an agent behind https.", metavar="FILE"),
    _option("--insecure", "Take any certificate.", is_flag=True),
    _option("--timeout", "How long to wait for an answer.", metavar="SECONDS", type=float),
    _option("--json", "Answer in JSON.", is_flag=True),
    _option(
        "--debug", "Show what is done, and the traceback of an error; tokens are left out.", is_flag=True
    ),
]

# Of commands that talk to no agent.
LOCAL_OPTIONS = [option for option in AGENT_OPTIONS if option.name in ("json", "debug")]


class Argument(click.Argument):
    """An argument with a help text, which click itself has only since 8.5."""

    def __init__(self, *args: Any, help: str, **kwargs: Any) -> None:  # noqa: A002 - as for options
        super().__init__(*args, **kwargs)
        self.help = help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:  # noqa: ARG002
        """Return the name and the description for the help."""
        return self.human_readable_name, f"{self.help}{'  [required]' if self.required else ''}"


class _Base(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. --help and --version write here, so their output may fail here."""
        try:
            return super().parse_args(ctx, args)
        except OSError as error:
            ctx.exit(report_error(error, ctx.obj))


class Command(_Base):
    """A command that takes the shared options, and reports an error as a sentence and an exit code.

    Args:
        example: Command lines for the end of the help.
        shared: The shared options.
    """

    def __init__(
        self, *args: Any, example: str, shared: Sequence[click.Option] = AGENT_OPTIONS, **kwargs: Any
    ) -> None:
        lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
        super().__init__(*args, **kwargs)
        self.epilog: str | None = f"\b\nExamples:\n{lines}"
        # A command's own option of the same name, such as `jobs wait --timeout`, comes first.
        taken = {name for parameter in self.params for name in parameter.opts}
        self._shared = [option for option in shared if not taken.intersection(option.opts)]
        self.params: list[click.Parameter] = [*self.params, *self._shared]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help, with sections for arguments, own options and shared options."""
        own = [parameter for parameter in self.get_params(ctx) if parameter not in self._shared]
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_section(ctx, formatter, "Arguments", (one for one in own if isinstance(one, Argument)))
        _write_section(ctx, formatter, "Options", (one for one in own if isinstance(one, click.Option)))
        _write_section(ctx, formatter, "Options of every command", self._shared)
        self.format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and exit."""
        code = OK
        try:
            super().invoke(ctx)
            # Now, while an error can still be reported.
            sys.stdout.flush()
        except (click.ClickException, click.Abort):
            raise
        except ExitStatus as status:
            code = status.code
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
            code = report_error(error, ctx.obj)
        ctx.exit(code)


class Group(_Base, click.Group):
    """A group of commands; the shared options may also be given before its command."""

    command_class: type[click.Command] | None = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params: list[click.Parameter] = [*self.params, *AGENT_OPTIONS]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order in which the commands were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest similar names for one that doesn't exist."""
        names = self.list_commands(ctx)
        if args[0] not in names and not ctx.resilient_parsing:
            from difflib import get_close_matches

            similar = " or ".join(map(repr, get_close_matches(args[0], names)))
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {similar}?" if similar else ""))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the group's own options and its commands; each command lists the shared options."""
        own = (parameter for parameter in self.get_params(ctx) if parameter not in AGENT_OPTIONS)
        _write_section(ctx, formatter, "Options", own)
        self.format_commands(ctx, formatter)


def _write_section(
    ctx: click.Context, formatter: click.HelpFormatter, title: str, parameters: Iterable[click.Parameter]
) -> None:
    records = [record for one in parameters if (record := one.get_help_record(ctx)) is not None]
    if records:
        with formatter.section(title):
            formatter.write_dl(records)
