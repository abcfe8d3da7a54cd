"""Which agent to talk to, and how: from options, the environment or a profile."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ._exit import USAGE, CommandError
from ._params import read_text
from ._terminal import note

if TYPE_CHECKING:
    from ..clients.agent import AgentClient
    from ..utils.network import StreamLimits
    from ._profiles import Profile

__all__ = ["Settings", "Target"]

# Bytes of a log line. As much may be held back of a log whose agent doesn't say where its lines end.
_MAX_LINE = 64 * 1024


@dataclass
class Settings:
    """The options that every command takes."""

    profile: str | None = None
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    timeout: float | None = None
    json: bool = False
    debug: bool = False
    secrets: list[str] = field(default_factory=list[str], repr=False)
    """Tokens in use, to leave out of what is shown."""

    def target(self) -> Target:
        """Return the agent to talk to.

        Options come first, then the profile that is named, the environment, and the default profile. A
        profile's token is sent to the profile's URL only.

        Raises:
            CommandError: There is no URL or no token, or one can't be read.
        """
        for option, value in (("--profile", self.profile), ("--url", self.url)):
            # Such as --url "$UNSET": the command must not go to another agent than the one that was meant.
            if value == "":
                raise CommandError(f"{option} is empty", hint="give it a value, or leave it out", code=USAGE)
        named = self.profile or (
            None if os.environ.get("SYNAPSE_AGENT_URL") else _variable("SYNAPSE_PROFILE")
        )
        profile = self._profile(named)
        url = self.url or (profile.url if named and profile else None) or _variable("SYNAPSE_AGENT_URL")
        url = url or (profile.url if profile else None)
        if url is None:
            raise CommandError(
                "there is no agent to talk to",
                hint="set SYNAPSE_AGENT_URL and SYNAPSE_AGENT_TOKEN, give --url, or run: synapse login",
                code=USAGE,
            )
        own = profile if profile is not None and profile.url.rstrip("/") == url.rstrip("/") else None
        target = Target(
            url,
            self._token(url, own, bool(named)),
            user_token=_variable("SYNAPSE_PLUGIN_RUN_USER_TOKEN"),
            tenant=(own.tenant if own else None) or _variable("SYNAPSE_PLUGIN_RUN_TENANT"),
            ca_file=self.ca_file or (own.ca_file if own else None),
            insecure=self.insecure or bool(own and own.insecure),
        )
        self.secrets += [secret for secret in (target.token, target.user_token, target.tenant) if secret]
        return target

    def open_client(self, timeout: float | None = None) -> AgentClient:
        """Open a client of the agent that the options, the environment or a profile name.

        Args:
            timeout: Seconds to wait for an answer, where the options don't say.
        """
        if self.debug:
            import logging

            logging.basicConfig(format="synapse: %(message)s", stream=sys.stderr)
            logging.getLogger("synapse_sdk").setLevel(logging.DEBUG)
        return self.target().client(timeout if self.timeout is None else self.timeout)

    def _profile(self, named: str | None) -> Profile | None:
        if named is None and self.url is None and os.environ.get("SYNAPSE_AGENT_URL"):
            return None  # nothing is missing, so the file need not be readable
        from ._profiles import Profiles

        try:
            profiles = Profiles.load()
        except CommandError as error:
            if named is not None or self.url is None:
                raise
            note(f"{error}; going on without profiles")
            return None
        if named is not None:
            return profiles.get(named)
        return profiles.profiles.get(profiles.default) if profiles.default else None

    def _token(self, url: str, profile: Profile | None, named: bool) -> str:
        given = self.given_token()
        if given is not None:
            return given
        of_profile = profile.secret() if profile is not None and named else None
        token = of_profile or _variable("SYNAPSE_AGENT_TOKEN")
        token = token or (profile.secret() if profile is not None else None)
        if token:
            return token
        if profile is not None:
            raise CommandError(
                f"profile {profile.name!r} has no token"
                + (" in the keyring, or the keyring can't be opened" if profile.keyring else ""),
                hint=f"synapse login --profile {profile.name}, or set SYNAPSE_AGENT_TOKEN",
                code=USAGE,
            )
        raise CommandError(
            f"there is no token for {url}",
            hint="set SYNAPSE_AGENT_TOKEN, give --token-file, or run: synapse login",
            code=USAGE,
        )

    def words(self) -> list[str]:
        """Return the options that name the agent, without tokens, to be typed again."""
        words: list[str] = []
        for option, value in (
            ("--profile", self.profile),
            ("--url", self.url),
            ("--token-file", self.token_file if self.token_file != "-" else None),  # noqa: S105
            ("--ca-file", self.ca_file),
        ):
            if value is not None:
                words += [option, value]
        return [*words, "--insecure"] if self.insecure else words

    def given_token(self) -> str | None:
        """Return the token that the options name, or None; read it from a file or stdin.

        Raises:
            CommandError: It can't be read.
        """
        if self.token is not None and self.token_file is not None:
            raise CommandError("--token and --token-file exclude each other", code=USAGE)
        option, source = "--token-file", self.token_file
        if self.token == "-":  # noqa: S105 - the name of stdin
            option, source = "--token", "-"
        if source is None:
            return self.token
        token = read_text(source, option, first_line=source == "-").strip()
        if not token:
            raise CommandError(f"there is no token in {'stdin' if source == '-' else source}", code=USAGE)
        return token


@dataclass(frozen=True)
class Target:
    """An agent and the credentials for it."""

    url: str
    token: str = field(repr=False)
    user_token: str | None = field(default=None, repr=False)
    tenant: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    insecure: bool = False

    def client(self, timeout: float | None = None) -> AgentClient:
        """Return a client.

        Args:
            timeout: Seconds to wait for an answer.
        """
        from ..clients.agent import AgentClient

        options: dict[str, Any] = {}
        if timeout is not None:
            options["timeout"] = {"read": timeout, "connect": min(timeout, 3.0)}
        if self.insecure:
            options["verify"] = False
        elif self.ca_file is not None:
            if not os.path.isfile(self.ca_file):  # noqa: PTH113 - pathlib would be imported for this alone
                raise CommandError(f"there is no file {self.ca_file} of certificates", code=USAGE)
            options["verify"] = self.ca_file
        return AgentClient(
            self.url,
            self.token,
            user_token=self.user_token,
            tenant=self.tenant,
            stream_limits=_limits(),
            **options,
        )


def _limits() -> StreamLimits:
    from ..utils.network import StreamLimits

    # A log is shown and not kept, so its length needs no limit.
    return StreamLimits(
        max_messages=None, max_lines=None, max_bytes=None, max_message_size=_MAX_LINE, queue_size=1_000
    )


def _variable(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None
