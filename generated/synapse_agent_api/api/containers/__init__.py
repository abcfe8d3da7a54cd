"""The methods for containers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.build import Build
    from ...models.build_accepted import BuildAccepted
    from ...models.container import Container
    from ...models.container_kind import ContainerKind
    from ...models.container_page import ContainerPage
    from ...types import FileContent

__all__ = ["AsyncContainersApi", "ContainersApi"]


class ContainersApi:
    """Containers, Docker containers, and the builds that make them.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def list_containers(self, page: int | None = None, page_size: int = 100) -> ContainerPage:
        """List containers.

        One page of the containers that the agent manages.

        Raises 404 for a page past the last, 422 for a page below 1, and 501 where the agent runs no
        containers.

        Args:
            page: Which page, counted from 1. The first where it is not given.
            page_size: How many results a page holds at most.

        Returns:
            The page.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.list_containers(page_size=20).results
        """
        from .list_containers import OPERATION as _operation
        from .list_containers import arguments as _arguments

        return self._api_client.call(_operation, _arguments(page, page_size))

    def iter_containers(self, *, page_size: int = 100) -> Iterator[Container]:
        """Walk all containers, one page after the other, each asked for when it is needed.

        Args:
            page_size: How many to ask for at once.

        Returns:
            An iterator. What changes at the agent meanwhile may be seen twice, or missed.

        Raises:
            ServerError: 200, a page leads to another origin, or in a circle.
            ClientError: As `list_containers` does.

        Example:
            >>> [container.status for container in client.iter_containers()]
        """
        from .list_containers import OPERATION as _operation
        from .list_containers import PAGINATION as _pagination
        from .list_containers import arguments as _arguments

        _given = _arguments(page_size=page_size)
        yield from self._api_client.pages(_operation, _given, _pagination)

    @overload
    def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted: ...

    @overload
    def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: Literal[True],
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> Container: ...

    @overload
    def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: bool,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container: ...

    def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: bool = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container:
        """Create a container.

        Starts the build of a container and returns at once, with the id to follow the build by. The plugin
        comes from a release, or as an archive in `file`, in which case the request is sent as a multipart
        form.

        Raises 404 when there is no such release, 409 when such a container exists already, 422 for a body the
        agent doesn't take, 501 where the agent runs no containers, and 503 with `error_type`
        `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            plugin_release: The release to make it from, as `code@version`.
            model: The id of the model it shall serve.
            params: The parameters to make it with.
            envs: The environment variables to set in it.
            metadata: What to attach to it.
            labels: The labels it shall have in Docker.
            kind: What it is for; `plugin_runtime` where it is not given.
            backend_container_id: Its id with the Synapse backend.
            file: The plugin as a zip archive.
            wait: Return only when the container is built and made.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            The build is in progress. With `wait`, the container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.create_container(plugin_release="detector@1.0.0").build_id
        """
        from .create_container import OPERATION as _operation
        from .create_container import arguments as _arguments

        _given = _arguments(
            plugin_release=plugin_release,
            model=model,
            params=params,
            envs=envs,
            metadata=metadata,
            labels=labels,
            kind=kind,
            backend_container_id=backend_container_id,
            file=file,
        )
        if wait:
            _done: Container = self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return self._api_client.call(_operation, _given)

    def get_container(self, container_id: int | str) -> Container:
        """Get a container.

        One container.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent runs no
        containers.

        Args:
            container_id: The container's `id`, a number for most agents.

        Returns:
            The container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_container(7).status
        """
        from .get_container import OPERATION as _operation
        from .get_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def delete_container(self, container_id: int | str) -> None:
        """Delete a container.

        Stops a container and removes it.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent runs no
        containers.

        Args:
            container_id: The container's `id`, a number for most agents.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_container(7)
        """
        from .delete_container import OPERATION as _operation
        from .delete_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def update_container(self, container_id: int | str, status: str) -> Container:
        """Update a container.

        Records a container's status. An agent that runs the container itself makes it so: it starts the
        container for `running` and stops it for `stopped`.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be so as it is, 422 for
        a status the agent doesn't know, and 501 where the agent runs no containers.

        Args:
            container_id: The container's `id`, a number for most agents.
            status: Its status.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.update_container(7, "stopped").status
        """
        from .update_container import OPERATION as _operation
        from .update_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id, status))

    def list_docker_containers(self) -> list[Container]:
        """List Docker containers.

        The containers that the agent's Docker runs or keeps for it, stopped ones included.

        Raises 501 where the agent has no Docker.

        Returns:
            The containers.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> [c.status for c in client.list_docker_containers()]
        """
        from .list_docker_containers import OPERATION as _operation
        from .list_docker_containers import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    @overload
    def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted: ...

    @overload
    def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: Literal[True],
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> Container: ...

    @overload
    def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: bool,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container: ...

    def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: bool = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container:
        """Create a Docker container.

        Starts the build of a Docker container from a plugin release and returns at once, with the id to
        follow the build by.

        Raises 404 when there is no such release, 409 when such a container exists already, 422 for a body the
        agent doesn't take, 501 where the agent has no Docker, and 503 with `error_type` `gpu_unavailable`
        (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            plugin_release: The release to make it from, as `code@version`.
            params: The parameters to make it with.
            envs: The environment variables to set in it.
            metadata: What to attach to it.
            labels: The labels it shall have in Docker.
            wait: Return only when the container is built and made.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            The build is in progress. With `wait`, the container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.create_docker_container("detector@1.0.0").build_id
        """
        from .create_docker_container import OPERATION as _operation
        from .create_docker_container import arguments as _arguments

        _given = _arguments(plugin_release, params, envs=envs, metadata=metadata, labels=labels)
        if wait:
            _done: Container = self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return self._api_client.call(_operation, _given)

    def get_docker_container(self, container_id: str) -> Container:
        """Get a Docker container.

        One Docker container.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_docker_container("9f2c1e77ab30").status
        """
        from .get_docker_container import OPERATION as _operation
        from .get_docker_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def delete_docker_container(self, container_id: str) -> None:
        """Delete a Docker container.

        Stops a Docker container and removes it.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_docker_container("9f2c1e77ab30")
        """
        from .delete_docker_container import OPERATION as _operation
        from .delete_docker_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def stop_docker_container(self, container_id: str) -> Container:
        """Stop a Docker container.

        Stops a Docker container and keeps it.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be stopped as it is,
        and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.stop_docker_container("9f2c1e77ab30").status
        """
        from .stop_docker_container import OPERATION as _operation
        from .stop_docker_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def start_docker_container(self, container_id: str) -> Container:
        """Start a Docker container.

        Starts a Docker container that was stopped.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be started as it is,
        501 where the agent has no Docker, and 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`)
        when a GPU is needed and none is available.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.start_docker_container("9f2c1e77ab30").status
        """
        from .start_docker_container import OPERATION as _operation
        from .start_docker_container import arguments as _arguments

        return self._api_client.call(_operation, _arguments(container_id))

    def get_build_status(self, build_id: str) -> Build:
        """Get a build's status.

        How far the build of a container is. It is over at `completed`, `failed` and `cancelled`; any other
        status is one on the way. `result` is the container once it is completed.

        Raises 400 for a malformed id, 404 when no build has it, and 501 where the agent builds no containers.

        Args:
            build_id: The build's id, as the creation of a container answered it.

        Returns:
            The build.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_build_status(accepted.build_id).status
        """
        from .get_build_status import OPERATION as _operation
        from .get_build_status import arguments as _arguments

        return self._api_client.call(_operation, _arguments(build_id))


class AsyncContainersApi:
    """Containers, Docker containers, and the builds that make them.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def list_containers(self, page: int | None = None, page_size: int = 100) -> ContainerPage:
        """List containers.

        One page of the containers that the agent manages.

        Raises 404 for a page past the last, 422 for a page below 1, and 501 where the agent runs no
        containers.

        Args:
            page: Which page, counted from 1. The first where it is not given.
            page_size: How many results a page holds at most.

        Returns:
            The page.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.list_containers(page_size=20).results
        """
        from .list_containers import OPERATION as _operation
        from .list_containers import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(page, page_size))

    async def iter_containers(self, *, page_size: int = 100) -> AsyncIterator[Container]:
        """Walk all containers, one page after the other, each asked for when it is needed.

        Args:
            page_size: How many to ask for at once.

        Returns:
            An iterator. What changes at the agent meanwhile may be seen twice, or missed.

        Raises:
            ServerError: 200, a page leads to another origin, or in a circle.
            ClientError: As `list_containers` does.

        Example:
            >>> [container.status for container in client.iter_containers()]
        """
        from .list_containers import OPERATION as _operation
        from .list_containers import PAGINATION as _pagination
        from .list_containers import arguments as _arguments

        _given = _arguments(page_size=page_size)
        async for _item in self._api_client.pages(_operation, _given, _pagination):
            yield _item

    @overload
    async def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted: ...

    @overload
    async def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: Literal[True],
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> Container: ...

    @overload
    async def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: bool,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container: ...

    async def create_container(
        self,
        *,
        plugin_release: str | None = None,
        model: int | None = None,
        params: Mapping[str, Any] | None = None,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        kind: ContainerKind | str | None = None,
        backend_container_id: int | str | None = None,
        file: FileContent | None = None,
        wait: bool = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container:
        """Create a container.

        Starts the build of a container and returns at once, with the id to follow the build by. The plugin
        comes from a release, or as an archive in `file`, in which case the request is sent as a multipart
        form.

        Raises 404 when there is no such release, 409 when such a container exists already, 422 for a body the
        agent doesn't take, 501 where the agent runs no containers, and 503 with `error_type`
        `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            plugin_release: The release to make it from, as `code@version`.
            model: The id of the model it shall serve.
            params: The parameters to make it with.
            envs: The environment variables to set in it.
            metadata: What to attach to it.
            labels: The labels it shall have in Docker.
            kind: What it is for; `plugin_runtime` where it is not given.
            backend_container_id: Its id with the Synapse backend.
            file: The plugin as a zip archive.
            wait: Return only when the container is built and made.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            The build is in progress. With `wait`, the container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.create_container(plugin_release="detector@1.0.0").build_id
        """
        from .create_container import OPERATION as _operation
        from .create_container import arguments as _arguments

        _given = _arguments(
            plugin_release=plugin_release,
            model=model,
            params=params,
            envs=envs,
            metadata=metadata,
            labels=labels,
            kind=kind,
            backend_container_id=backend_container_id,
            file=file,
        )
        if wait:
            _done: Container = await self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return await self._api_client.call(_operation, _given)

    async def get_container(self, container_id: int | str) -> Container:
        """Get a container.

        One container.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent runs no
        containers.

        Args:
            container_id: The container's `id`, a number for most agents.

        Returns:
            The container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_container(7).status
        """
        from .get_container import OPERATION as _operation
        from .get_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def delete_container(self, container_id: int | str) -> None:
        """Delete a container.

        Stops a container and removes it.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent runs no
        containers.

        Args:
            container_id: The container's `id`, a number for most agents.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_container(7)
        """
        from .delete_container import OPERATION as _operation
        from .delete_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def update_container(self, container_id: int | str, status: str) -> Container:
        """Update a container.

        Records a container's status. An agent that runs the container itself makes it so: it starts the
        container for `running` and stops it for `stopped`.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be so as it is, 422 for
        a status the agent doesn't know, and 501 where the agent runs no containers.

        Args:
            container_id: The container's `id`, a number for most agents.
            status: Its status.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.update_container(7, "stopped").status
        """
        from .update_container import OPERATION as _operation
        from .update_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id, status))

    async def list_docker_containers(self) -> list[Container]:
        """List Docker containers.

        The containers that the agent's Docker runs or keeps for it, stopped ones included.

        Raises 501 where the agent has no Docker.

        Returns:
            The containers.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> [c.status for c in client.list_docker_containers()]
        """
        from .list_docker_containers import OPERATION as _operation
        from .list_docker_containers import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    @overload
    async def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: Literal[False] = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted: ...

    @overload
    async def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: Literal[True],
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> Container: ...

    @overload
    async def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: bool,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container: ...

    async def create_docker_container(
        self,
        plugin_release: str,
        params: Mapping[str, Any] | None = None,
        *,
        envs: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        wait: bool = False,
        timeout: float | None = 600.0,
        poll_interval: float = 2.0,
    ) -> BuildAccepted | Container:
        """Create a Docker container.

        Starts the build of a Docker container from a plugin release and returns at once, with the id to
        follow the build by.

        Raises 404 when there is no such release, 409 when such a container exists already, 422 for a body the
        agent doesn't take, 501 where the agent has no Docker, and 503 with `error_type` `gpu_unavailable`
        (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            plugin_release: The release to make it from, as `code@version`.
            params: The parameters to make it with.
            envs: The environment variables to set in it.
            metadata: What to attach to it.
            labels: The labels it shall have in Docker.
            wait: Return only when the container is built and made.
            timeout: With `wait`, for how many seconds at most; None is for as long as it takes.
            poll_interval: With `wait`, how many seconds pass between two looks; the first ones are quicker.

        Returns:
            The build is in progress. With `wait`, the container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.
            ClientTimeoutError: 408, it was not over within `timeout`; the text says where it stood.

        Example:
            >>> client.create_docker_container("detector@1.0.0").build_id
        """
        from .create_docker_container import OPERATION as _operation
        from .create_docker_container import arguments as _arguments

        _given = _arguments(plugin_release, params, envs=envs, metadata=metadata, labels=labels)
        if wait:
            _done: Container = await self._api_client.wait(_operation, _given, timeout, poll_interval)
            return _done
        return await self._api_client.call(_operation, _given)

    async def get_docker_container(self, container_id: str) -> Container:
        """Get a Docker container.

        One Docker container.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_docker_container("9f2c1e77ab30").status
        """
        from .get_docker_container import OPERATION as _operation
        from .get_docker_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def delete_docker_container(self, container_id: str) -> None:
        """Delete a Docker container.

        Stops a Docker container and removes it.

        Raises 400 for a malformed id, 404 when no container has it, and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_docker_container("9f2c1e77ab30")
        """
        from .delete_docker_container import OPERATION as _operation
        from .delete_docker_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def stop_docker_container(self, container_id: str) -> Container:
        """Stop a Docker container.

        Stops a Docker container and keeps it.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be stopped as it is,
        and 501 where the agent has no Docker.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.stop_docker_container("9f2c1e77ab30").status
        """
        from .stop_docker_container import OPERATION as _operation
        from .stop_docker_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def start_docker_container(self, container_id: str) -> Container:
        """Start a Docker container.

        Starts a Docker container that was stopped.

        Raises 400 for a malformed id, 404 when no container has it, 409 when it can't be started as it is,
        501 where the agent has no Docker, and 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`)
        when a GPU is needed and none is available.

        Args:
            container_id: The container's id in Docker, short or whole.

        Returns:
            The container as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.start_docker_container("9f2c1e77ab30").status
        """
        from .start_docker_container import OPERATION as _operation
        from .start_docker_container import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(container_id))

    async def get_build_status(self, build_id: str) -> Build:
        """Get a build's status.

        How far the build of a container is. It is over at `completed`, `failed` and `cancelled`; any other
        status is one on the way. `result` is the container once it is completed.

        Raises 400 for a malformed id, 404 when no build has it, and 501 where the agent builds no containers.

        Args:
            build_id: The build's id, as the creation of a container answered it.

        Returns:
            The build.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_build_status(accepted.build_id).status
        """
        from .get_build_status import OPERATION as _operation
        from .get_build_status import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(build_id))
