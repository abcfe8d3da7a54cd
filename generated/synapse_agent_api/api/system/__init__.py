"""The methods for system."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.compose_config import ComposeConfig
    from ...models.system_operation_result import SystemOperationResult
    from ...models.system_status import SystemStatus

__all__ = ["AsyncSystemApi", "SystemApi"]


class SystemApi:
    """The agent's own deployment.

    A subclass sets `_transport`.
    """

    _transport: Transport

    def get_compose_config(self) -> ComposeConfig:
        """Get the compose configuration.

        Which Docker Compose files the agent is deployed by.

        Raises 501 where the agent isn't deployed by Compose.

        Returns:
            The configuration.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            NotFoundError: 404, there is no such thing.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.get_compose_config().config_files
        """
        from .get_compose_config import OPERATION as _operation
        from .get_compose_config import arguments as _arguments

        return self._transport.call(_operation, _arguments())

    def get_system_status(self) -> SystemStatus:
        """Get the system's status.

        Whether an update or a restart of the agent is under way.

        Raises 501 where the agent can't update or restart itself.

        Returns:
            The status.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.get_system_status().in_progress
        """
        from .get_system_status import OPERATION as _operation
        from .get_system_status import arguments as _arguments

        return self._transport.call(_operation, _arguments())

    def update_system(
        self, *, api_tag: str | None = None, worker_tag: str | None = None
    ) -> SystemOperationResult:
        """Update the agent.

        Pulls new images and brings the agent up with them. Without tags it pulls those it has, and the body
        is JSON `null`. The agent is away for a while; requests meet connection errors until it is back.

        Raises 409 while an update or a restart is under way, and 501 where the agent can't update itself.

        Args:
            api_tag: The image tag to bring the agent to.
            worker_tag: The image tag to bring the workers to.

        Returns:
            How it went, or that it has begun.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.update_system(api_tag="2026.2.0").status
        """
        from .update_system import OPERATION as _operation
        from .update_system import arguments as _arguments

        return self._transport.call(_operation, _arguments(api_tag=api_tag, worker_tag=worker_tag))

    def restart_system(self) -> SystemOperationResult:
        """Restart the agent.

        Restarts the agent with the images it has. The agent is away for a while; requests meet connection
        errors until it is back.

        Raises 409 while an update or a restart is under way, and 501 where the agent can't restart itself.

        Returns:
            How it went, or that it has begun.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            HTTPError: 409, it exists already, or its state forbids this now.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.restart_system().status
        """
        from .restart_system import OPERATION as _operation
        from .restart_system import arguments as _arguments

        return self._transport.call(_operation, _arguments())


class AsyncSystemApi:
    """The agent's own deployment.

    A subclass sets `_transport`.
    """

    _transport: AsyncTransport

    async def get_compose_config(self) -> ComposeConfig:
        """Get the compose configuration.

        Which Docker Compose files the agent is deployed by.

        Raises 501 where the agent isn't deployed by Compose.

        Returns:
            The configuration.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            NotFoundError: 404, there is no such thing.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.get_compose_config().config_files
        """
        from .get_compose_config import OPERATION as _operation
        from .get_compose_config import arguments as _arguments

        return await self._transport.call(_operation, _arguments())

    async def get_system_status(self) -> SystemStatus:
        """Get the system's status.

        Whether an update or a restart of the agent is under way.

        Raises 501 where the agent can't update or restart itself.

        Returns:
            The status.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.get_system_status().in_progress
        """
        from .get_system_status import OPERATION as _operation
        from .get_system_status import arguments as _arguments

        return await self._transport.call(_operation, _arguments())

    async def update_system(
        self, *, api_tag: str | None = None, worker_tag: str | None = None
    ) -> SystemOperationResult:
        """Update the agent.

        Pulls new images and brings the agent up with them. Without tags it pulls those it has, and the body
        is JSON `null`. The agent is away for a while; requests meet connection errors until it is back.

        Raises 409 while an update or a restart is under way, and 501 where the agent can't update itself.

        Args:
            api_tag: The image tag to bring the agent to.
            worker_tag: The image tag to bring the workers to.

        Returns:
            How it went, or that it has begun.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.update_system(api_tag="2026.2.0").status
        """
        from .update_system import OPERATION as _operation
        from .update_system import arguments as _arguments

        return await self._transport.call(_operation, _arguments(api_tag=api_tag, worker_tag=worker_tag))

    async def restart_system(self) -> SystemOperationResult:
        """Restart the agent.

        Restarts the agent with the images it has. The agent is away for a while; requests meet connection
        errors until it is back.

        Raises 409 while an update or a restart is under way, and 501 where the agent can't restart itself.

        Returns:
            How it went, or that it has begun.

        Raises:
            AuthenticationError: 401, the agent's token is missing, wrong or expired.
            AuthorizationError: 403, the token is good, but not for this.
            HTTPError: 409, it exists already, or its state forbids this now.
            RateLimitError: 429, too many requests, or the policy lets no more in.
            ServerError: 500, something went wrong in the agent.
            ServerError: 501, this agent has no machinery for this.
            ServerError: 503, the agent can't serve now, for instance because Ray can't be reached. Nothing
                was done.
            ClientError: 408 or 503, the agent doesn't answer in time or can't be reached.

        Example:
            >>> client.restart_system().status
        """
        from .restart_system import OPERATION as _operation
        from .restart_system import arguments as _arguments

        return await self._transport.call(_operation, _arguments())
