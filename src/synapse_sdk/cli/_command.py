"""Commands with the options they all share, in help that is plain and quick."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar, cast

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from synapse_sdk.cli._settings import settings_of

__all__ = ["LazyGroup", "command", "group"]

_F = TypeVar("_F", bound=Callable[..., Any])
_HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def group(help_: str) -> typer.Typer:
    """Make a group of commands."""
    return typer.Typer(
        help=help_,
        no_args_is_help=True,
        add_completion=False,
        # Rich panels double the time that --help takes.
        rich_markup_mode=None,
        context_settings=dict(_HELP_NAMES),
        cls=SharedGroup,
    )


def command(
    app: typer.Typer, name: str, *, example: str, agent: bool = True, **settings: Any
) -> Callable[[_F], _F]:
    """Make a function a command.

    Args:
        app: The group it belongs to.
        name: The command's name.
        example: Command lines for the end of its help.
        agent: Whether it takes the options by which an agent is found.
        **settings: For the context of the command.
    """
    epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in example.strip().splitlines())
    return app.command(
        name,
        cls=AgentCommand if agent else LocalCommand,
        epilog=epilog,
        context_settings=_HELP_NAMES | settings,
    )


def _stored(name: str) -> Callable[[Any, Any, Any], None]:
    def store(context: Any, _parameter: Any, value: Any) -> None:
        if value not in (None, False):
            setattr(settings_of(context), name, value)

    return store


def _option(*names: str, help_: str, **settings: Any) -> TyperOption:
    attribute = names[0].removeprefix("--").replace("-", "_")
    settings.setdefault("type", str)
    return TyperOption(
        param_decls=[attribute, *names],
        help=help_,
        expose_value=False,
        callback=_stored(attribute),
        **settings,
    )


def _flag(name: str, help_: str) -> TyperOption:
    return _option(name, help_=help_, type=bool, is_flag=True, default=False, show_default=False)


def _shared() -> list[TyperOption]:
    return [
        _option("--profile", metavar="NAME", help_="The agent of this profile.  [env var: SYNAPSE_PROFILE]"),
        _option("--url", metavar="URL", help_="The agent's URL.  [env var: SYNAPSE_AGENT_URL]"),
        _option(
            "--token",
            metavar="TOKEN",
            help_="Its token; '-' reads it from stdin. Others may see one in the list of processes: prefer"
            " the environment, --token-file or a profile.  [env var: SYNAPSE_AGENT_TOKEN]",
        ),
        _option("--token-file", metavar="FILE", help_="A file that holds the token."),
        _option("--ca-file", metavar="FILE", help_="Certificates to trust, for an agent behind https."),
        _flag("--insecure", "Take any certificate."),
        _option("--timeout", metavar="SECONDS", type=float, help_="How long to wait for an answer."),
        _flag("--json", "Answer in JSON."),
        _flag("--debug", "Show what is done, and the traceback of an error; tokens are left out."),
    ]


class _Shared:
    """Takes the shared options, which have a section of their own in the help."""

    own: list[Any]
    params: list[Any]

    def share(self, options: list[TyperOption]) -> None:
        # A command's own option of the same name, such as `jobs wait --timeout`, goes before.
        self.own = list(self.params)
        taken = {name for parameter in self.own for name in parameter.opts}
        self.params = [*self.own, *(option for option in options if not taken & set(option.opts))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[Any]] = {"Arguments": [], "Options": [], "Options of every command": []}
        for parameter in (*self.params, *self._further(ctx)):
            if parameter in self.own or parameter not in self.params:
                title = "Arguments" if parameter.param_type_name == "argument" else "Options"
            else:
                title = "Options of every command"
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections[title].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def _further(self, ctx: Any) -> Iterator[Any]:
        """Give the parameters that are not in `params`: --help."""
        params = self.params
        yield from (parameter for parameter in cast("Any", self).get_params(ctx) if parameter not in params)


class AgentCommand(_Shared, TyperCommand):
    """A command that talks to an agent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.share(_shared())


class LocalCommand(_Shared, TyperCommand):
    """A command that needs no agent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.share([option for option in _shared() if option.name in ("json", "debug")])


class SharedGroup(_Shared, TyperGroup):
    """A group before whose command the shared options may stand, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share(_shared())

    def format_options(self, ctx: Any, formatter: Any) -> None:
        # A group's help is about its commands; those list the shared options.
        records = [
            record
            for parameter in (*self.own, *self._further(ctx))
            if (record := parameter.get_help_record(ctx)) is not None
        ]
        with formatter.section("Options"):
            formatter.write_dl(records)
        self.format_commands(ctx, formatter)


class LazyGroup(SharedGroup):
    """A group whose commands are imported when they are used.

    `lazy` has the module and the help of each by its name; the module's `app` is the command.
    """

    lazy: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # In its own order, and there for the guess at what a misspelt name was to be.
        self.commands = {name: TyperCommand(name, help=help_) for name, (_, help_) in self.lazy.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Give a command, imported by now."""
        if cmd_name not in self.lazy:
            return None
        app: typer.Typer = importlib.import_module(self.lazy[cmd_name][0]).app
        many = app.registered_callback is not None or len(app.registered_commands) > 1
        made: Any = typer.main.get_group(app) if many else typer.main.get_command(app)
        made.name = cmd_name
        return made

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Give the names in the order in which they are to be shown."""
        return list(self.lazy)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in self.lazy.items()])
