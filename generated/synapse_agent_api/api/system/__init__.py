"""The methods for system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.compose_config import ComposeConfig
    from ...models.system_operation_result import SystemOperationResult
    from ...models.system_status import SystemStatus

__all__ = ["AsyncSystemApi", "SystemApi"]


class SystemApi:
    """The agent's own deployment.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def get_compose_config(self) -> ComposeConfig:
        """Get the compose configuration.

        Which Docker Compose files the agent is deployed by.

        Raises 501 where the agent isn't deployed by Compose.

        Returns:
            The configuration.

        Raises:
            NotFoundError: 404, the resource does not exist.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_compose_config().config_files
        """
        from .get_compose_config import OPERATION as _operation
        from .get_compose_config import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    def get_system_status(self) -> SystemStatus:
        """Get the system's status.

        Whether an update or a restart of the agent is in progress.

        Raises 501 where the agent can't update or restart itself.

        Returns:
            The status.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_system_status().in_progress
        """
        from .get_system_status import OPERATION as _operation
        from .get_system_status import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    @overload
    def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult: ...

    @overload
    def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: Literal[True],
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemStatus: ...

    @overload
    def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: bool,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult | SystemStatus: ...

    def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: bool = False,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult | SystemStatus:
        """Update the agent.

        Pulls new images and brings the agent up with them. Without tags it pulls those it has, and the body
        is JSON `null`. The agent is away for a while; requests meet connection errors until it is back.

        Raises 409 while an update or a restart is in progress, and 501 where the agent can't update itself.

        Args:
            api_tag: The image tag to bring the agent to.
            worker_tag: The image tag to bring the workers to.
            wait: Return only when the agent serves again.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            How it went, or that it has begun. With `wait`, the status that the agent reports then.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.update_system(api_tag="2026.2.0").status
        """
        from .update_system import OPERATION as _operation
        from .update_system import arguments as _arguments

        _given = _arguments(api_tag=api_tag, worker_tag=worker_tag)
        if wait:
            _done: SystemStatus = self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return self._api_client.call(_operation, _given)

    @overload
    def restart_system(
        self, *, wait: Literal[False] = False, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult: ...

    @overload
    def restart_system(
        self, *, wait: Literal[True], timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus: ...

    @overload
    def restart_system(
        self, *, wait: bool, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult | SystemStatus: ...

    def restart_system(
        self, *, wait: bool = False, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult | SystemStatus:
        """Restart the agent.

        Restarts the agent with the images it has. The agent is away for a while; requests meet connection
        errors until it is back.

        Raises 409 while an update or a restart is in progress, and 501 where the agent can't restart itself.

        Args:
            wait: Return only when the agent serves again.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            How it went, or that it has begun. With `wait`, the status that the agent reports then.

        Raises:
            HTTPError: 409, it exists already, or its state forbids this now.
            ServerError: 501, this agent has no machinery for this.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.restart_system().status
        """
        from .restart_system import OPERATION as _operation
        from .restart_system import arguments as _arguments

        _given = _arguments()
        if wait:
            _done: SystemStatus = self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return self._api_client.call(_operation, _given)


class AsyncSystemApi:
    """The agent's own deployment.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def get_compose_config(self) -> ComposeConfig:
        """Get the compose configuration.

        Which Docker Compose files the agent is deployed by.

        Raises 501 where the agent isn't deployed by Compose.

        Returns:
            The configuration.

        Raises:
            NotFoundError: 404, the resource does not exist.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_compose_config().config_files
        """
        from .get_compose_config import OPERATION as _operation
        from .get_compose_config import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    async def get_system_status(self) -> SystemStatus:
        """Get the system's status.

        Whether an update or a restart of the agent is in progress.

        Raises 501 where the agent can't update or restart itself.

        Returns:
            The status.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_system_status().in_progress
        """
        from .get_system_status import OPERATION as _operation
        from .get_system_status import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    @overload
    async def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult: ...

    @overload
    async def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: Literal[True],
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemStatus: ...

    @overload
    async def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: bool,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult | SystemStatus: ...

    async def update_system(
        self,
        *,
        api_tag: str | None = None,
        worker_tag: str | None = None,
        wait: bool = False,
        timeout: float | None = 300.0,
        poll_interval: float = 2.0,
    ) -> SystemOperationResult | SystemStatus:
        """Update the agent.

        Pulls new images and brings the agent up with them. Without tags it pulls those it has, and the body
        is JSON `null`. The agent is away for a while; requests meet connection errors until it is back.

        Raises 409 while an update or a restart is in progress, and 501 where the agent can't update itself.

        Args:
            api_tag: The image tag to bring the agent to.
            worker_tag: The image tag to bring the workers to.
            wait: Return only when the agent serves again.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            How it went, or that it has begun. With `wait`, the status that the agent reports then.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.update_system(api_tag="2026.2.0").status
        """
        from .update_system import OPERATION as _operation
        from .update_system import arguments as _arguments

        _given = _arguments(api_tag=api_tag, worker_tag=worker_tag)
        if wait:
            _done: SystemStatus = await self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return await self._api_client.call(_operation, _given)

    @overload
    async def restart_system(
        self, *, wait: Literal[False] = False, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult: ...

    @overload
    async def restart_system(
        self, *, wait: Literal[True], timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus: ...

    @overload
    async def restart_system(
        self, *, wait: bool, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult | SystemStatus: ...

    async def restart_system(
        self, *, wait: bool = False, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemOperationResult | SystemStatus:
        """Restart the agent.

        Restarts the agent with the images it has. The agent is away for a while; requests meet connection
        errors until it is back.

        Raises 409 while an update or a restart is in progress, and 501 where the agent can't restart itself.

        Args:
            wait: Return only when the agent serves again.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            How it went, or that it has begun. With `wait`, the status that the agent reports then.

        Raises:
            HTTPError: 409, it exists already, or its state forbids this now.
            ServerError: 501, this agent has no machinery for this.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.restart_system().status
        """
        from .restart_system import OPERATION as _operation
        from .restart_system import arguments as _arguments

        _given = _arguments()
        if wait:
            _done: SystemStatus = await self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return await self._api_client.call(_operation, _given)
