"""What the shell offers when Tab is pressed: ids and names, as the agent returns them."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from ._settings import Settings

if TYPE_CHECKING:
    from ..clients.agent import AgentClient

__all__ = ["job_ids", "lookups", "node_ids", "profile_names", "serve_names", "task_ids"]

_Completer = Callable[[click.Context, click.Parameter, str], list[str]]

# Seconds to wait for the agent.
_TIMEOUT = 2.0
# Shells insert what they are offered without quotes, and some evaluate it. An agent may return anything, so
# only what no shell interprets is offered, and nothing that would be taken for an option.
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,199}")


def _offer(pattern: re.Pattern[str], ask: Callable[[Settings], Iterable[object]]) -> _Completer:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
        # A notice or an error would land in the middle of the line that is typed.
        with contextlib.redirect_stderr(io.StringIO()):
            try:
                values = list(ask(ctx.obj))
            except Exception:  # noqa: BLE001
                return []
        return [
            value
            for value in values
            if isinstance(value, str) and value.startswith(incomplete) and pattern.fullmatch(value)
        ]

    return complete


def _ask_agent(pattern: re.Pattern[str], ask: Callable[[AgentClient], Iterable[object]]) -> _Completer:
    def ask_settings(settings: Settings) -> list[object]:
        with settings.target().client(_TIMEOUT) as client:
            return list(ask(client))

    return _offer(pattern, ask_settings)


def _profiles(_settings: Settings) -> Iterable[str]:
    from ._profiles import Profiles

    return Profiles.load().profiles


job_ids = _ask_agent(_ID, lambda client: (job.submission_id for job in client.list_jobs()))
node_ids = _ask_agent(_ID, lambda client: (node.node_id for node in client.list_nodes()))
task_ids = _ask_agent(_ID, lambda client: (task.task_id for task in client.list_tasks()))
serve_names = _ask_agent(_NAME, lambda client: (one.name for one in client.list_serve_applications()))
lookups = _ask_agent(
    _NAME, lambda client: (f"{one.plugin}@{one.version}" for one in client.list_plugin_releases().results)
)
profile_names = _offer(_NAME, _profiles)
