"""The methods for health."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.health import Health

__all__ = ["AsyncHealthApi", "HealthApi"]


class HealthApi:
    """Whether the agent serves.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def health_check(self) -> Health:
        """Check the agent's health.

        Returns whether the agent works. It answers 200 even when Ray can't be reached, and says so in the
        body.

        Returns:
            The agent serves.

        Example:
            >>> client.health_check().status
        """
        from .health_check import OPERATION as _operation
        from .health_check import arguments as _arguments

        return self._api_client.call(_operation, _arguments())


class AsyncHealthApi:
    """Whether the agent serves.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def health_check(self) -> Health:
        """Check the agent's health.

        Returns whether the agent works. It answers 200 even when Ray can't be reached, and says so in the
        body.

        Returns:
            The agent serves.

        Example:
            >>> client.health_check().status
        """
        from .health_check import OPERATION as _operation
        from .health_check import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())
