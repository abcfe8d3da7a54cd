"""`synapse login`."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from .._command import Command
from .._exit import USAGE, CommandError
from .._profiles import Profile, Profiles
from .._settings import Settings, Target
from .._terminal import interactive

__all__ = ["app"]


@click.command(
    "login",
    cls=Command,
    example="""
synapse login
synapse login --profile lab --url https://lab.example/agents/7/ --token-file token
vault read -field=token lab | synapse login --profile lab --url https://lab.example/ --token -
""",
)
@click.option("--tenant", metavar="NAME", help="The tenant on whose behalf to ask.")
@click.option("--default", is_flag=True, help="Make it the default profile, as the first one is.")
@click.option("--check/--no-check", default=True, help="Ask the agent whether it takes the token.")
@click.pass_obj
def app(settings: Settings, tenant: str | None, default: bool, check: bool) -> None:
    """Keep an agent's address and token as a profile.

    What is not given is asked for. The token is kept in the system's keyring; where there is none, in the
    file of profiles, which only its owner can read.
    """
    from .._keyring import forget_token, keep_token
    from .._output import show_json
    from .._terminal import note

    profiles = Profiles.load()
    name = settings.profile or "default"
    known = profiles.profiles.get(name)
    url = settings.url or _ask("The agent's URL", "--url", known.url if known else "http://127.0.0.1:8000/")
    token = settings.given_token() or _ask("Its token", "--token-file", None)
    settings.secrets.append(token)
    profile = Profile(name, url, tenant=tenant, ca_file=settings.ca_file, insecure=settings.insecure)
    # Before the token leaves for there, or is kept: it says what is wrong with either.
    _check(settings, profile, token, ask=check)
    changed = profiles.put(profile, default=default)
    if keep_token(name, token):
        kept = replace(profile, keyring=True)
        where = "the system's keyring"
    else:
        forget_token(name)
        kept = replace(profile, token=token)
        where = str(changed.path)
    changed = changed.put(kept, default=default)
    changed.save()
    if settings.json:
        show_json({"profile": name, "url": url, "token_in": "keyring" if kept.keyring else "file"})
    else:
        role = ", the default" if changed.default == name else ""
        note(f"profile {name}{role}: {url}; its token is in {where}")


def _check(settings: Settings, profile: Profile, token: str, *, ask: bool) -> None:
    target = Target(
        profile.url, token, tenant=profile.tenant, ca_file=profile.ca_file, insecure=profile.insecure
    )
    with target.client(settings.timeout) as client:
        if ask:
            client.health_check()


def _ask(question: str, option: str, default: str | None) -> str:
    if not interactive(sys.stdin):
        raise CommandError(f"{option} is missing, and nobody is there to be asked", code=USAGE)
    answer: str = click.prompt(question, default=default, hide_input=default is None, err=True)
    return answer.strip()
