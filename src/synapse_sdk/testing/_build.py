"""The build of a container, as the test scripts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synapse_agent_api.models import BuildStatus

if TYPE_CHECKING:
    from ._state import BuildRecord, State

__all__ = ["FakeBuild"]


class FakeBuild:
    """A build of a `FakeAgent`; `FakeAgent.builds` has it. It is completed at once, unless builds are held.

    Example:
        >>> with FakeAgent(hold_builds=True) as agent:
        ...     release = agent.add_plugin_release("detector@1.0.0")
        ...     accepted = agent.client().create_container(plugin_release="detector@1.0.0")
        ...     agent.builds[accepted.build_id].fail("no space left on device")
        ...     agent.client().get_build_status(accepted.build_id).error
        'no space left on device'
    """

    def __init__(self, state: State, record: BuildRecord) -> None:
        self._state = state
        self._record = record

    def __repr__(self) -> str:
        return f"<FakeBuild {self.id}: {self.status}>"

    @property
    def id(self) -> str:
        """The build's id."""
        return self._record.id

    @property
    def status(self) -> BuildStatus:
        """Where it stands."""
        return BuildStatus(self._record.status)

    @property
    def container(self) -> dict[str, Any]:
        """The container as it is, or is to be."""
        return dict(self._record.container)

    def complete(self) -> None:
        """Complete it: its container runs then.

        Raises:
            RuntimeError: The build is over.
        """
        with self._state.changes:
            self._check()
            self._state.complete(self._record)

    def fail(self, error: str = "the build failed") -> None:
        """Let it fail.

        Args:
            error: Why.

        Raises:
            RuntimeError: The build is over.
        """
        self._end("failed", error)

    def cancel(self) -> None:
        """Let it be cancelled.

        Raises:
            RuntimeError: The build is over.
        """
        self._end("cancelled", None)

    def _end(self, status: str, error: str | None) -> None:
        with self._state.changes:
            self._check()
            self._record.status, self._record.error = status, error

    def _check(self) -> None:
        if self._record.status in ("completed", "failed", "cancelled"):
            raise RuntimeError(f"build {self.id} is over: it is {self._record.status}")
