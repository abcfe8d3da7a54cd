"""What both clients have beside their operations: waiting, walking pages, views, and free requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from synapse_agent_api.api import AgentApi, AsyncAgentApi, AsyncRawAgentApi, RawAgentApi
from synapse_agent_api.client import NO_BODY, RawResponse

if TYPE_CHECKING:
    import httpx

    from synapse_agent_api.models import Build, Job, SystemStatus

    from ..._rest._async import AsyncApiClient, AsyncRawApiClient
    from ..._rest._sync import ApiClient, RawApiClient

__all__ = ["AsyncHelpersMixin", "AsyncRawClient", "HelpersMixin", "RawClient"]


class _Api(AgentApi):
    def __init__(self, transport: RawApiClient) -> None:
        self._api_client = transport


class _AsyncApi(AsyncAgentApi):
    def __init__(self, transport: AsyncRawApiClient) -> None:
        self._api_client = transport


class RawClient(RawAgentApi):
    """Every method of `AgentClient` that is one request, answering a `RawResponse`."""

    __slots__ = ("_api_client",)

    def __init__(self, transport: ApiClient) -> None:
        from ..._rest._sync import RawApiClient

        self._api_client = RawApiClient(transport)
        super().__init__(_Api(self._api_client))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: Any = NO_BODY,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        """Do what `request` of the client does, and give back the answer as it came.

        Raises:
            ClientError: As `request` does; what can't be decoded raises only when `parsed` is asked for.

        Example:
            >>> client.with_raw_response.request("GET", "health/").headers["content-type"]  # doctest: +SKIP
            'application/json'
        """
        from ..._rest._request import exchange_for

        connection = self._api_client.connection
        return self._api_client.answer(
            exchange_for(connection, method, path, params=params, json=json, content=content, headers=headers)
        )


class AsyncRawClient(AsyncRawAgentApi):
    """Every method of `AsyncAgentClient` that is one request, answering a `RawResponse`."""

    __slots__ = ("_api_client",)

    def __init__(self, transport: AsyncApiClient) -> None:
        from ..._rest._async import AsyncRawApiClient

        self._api_client = AsyncRawApiClient(transport)
        super().__init__(_AsyncApi(self._api_client))

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: Any = NO_BODY,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        from ..._rest._request import exchange_for

        connection = self._api_client.connection
        return await self._api_client.answer(
            exchange_for(connection, method, path, params=params, json=json, content=content, headers=headers)
        )

    request.__doc__ = RawClient.request.__doc__


class HelpersMixin:
    """What the synchronous client is beside its operations."""

    _api_client: ApiClient

    def wait_for_job(self, job_id: str, *, timeout: float | None = None, poll_interval: float = 2.0) -> Job:
        """Wait until a job is over.

        An agent that can't be reached is waited for: until `timeout`, or for a minute where there is none.

        Args:
            job_id: Submission id of the job.
            timeout: Seconds to wait at most; None is as long as the job takes.
            poll_interval: Seconds between two looks; the first ones are quicker.

        Returns:
            The job as it is then. Its `status` is SUCCEEDED, FAILED or STOPPED; a job that failed raises
            nothing.

        Raises:
            ValidationError: 400, a bad `job_id`, `timeout` or `poll_interval`.
            NotFoundError: 404, no such job.
            ClientTimeoutError: 408, it was not over in time; the text says where it stood.
            ClientError: As `get_job` does.

        Example:
            >>> client.wait_for_job("train-42", timeout=600).status  # doctest: +SKIP
            <JobStatus.SUCCEEDED: 'SUCCEEDED'>
        """
        from ..._rest._plan import job

        return self._api_client.carry_out(job(job_id, timeout, poll_interval))

    def wait_for_build(
        self, build_id: str, *, timeout: float | None = 600.0, poll_interval: float = 2.0
    ) -> Build:
        """Wait until the build of a container is completed.

        An agent that can't be reached is waited for: until `timeout`, or for a minute where there is none.

        Args:
            build_id: The build's id, as the creation of a container answered it.
            timeout: Seconds to wait at most; None is as long as the build takes.
            poll_interval: Seconds between two looks; the first ones are quicker.

        Returns:
            The completed build; its `result` is the container.

        Raises:
            ValidationError: 400, a bad `build_id`, `timeout` or `poll_interval`.
            NotFoundError: 404, no such build.
            ClientTimeoutError: 408, it was not over in time; the text says where it stood.
            ServerError: 500, the build failed or was cancelled; the text says why.
            ClientError: As `get_build_status` does.

        Example:
            >>> accepted = client.create_container(plugin_release="detector@1.0.0")  # doctest: +SKIP
            >>> client.wait_for_build(accepted.build_id).result.endpoint  # doctest: +SKIP
            'http://127.0.0.1:9001/'
        """
        from ..._rest._plan import build

        return self._api_client.carry_out(build(build_id, timeout, poll_interval))

    def wait_for_system_ready(
        self, *, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus:
        """Wait until the agent serves, is not being updated or restarted, and reaches its Ray.

        Refused connections, timeouts and 502, 503 and 504 are what a restart looks like, and are waited
        through.

        Args:
            timeout: Seconds to wait at most; None is as long as it takes.
            poll_interval: Seconds between two looks; the first ones are quicker.

        Returns:
            The status of the system then. An agent that has no machinery for updates is in the middle of
            none.

        Raises:
            ValidationError: 400, a bad `timeout` or `poll_interval`.
            AuthenticationError: 401, the token was refused.
            ClientTimeoutError: 408, it was not ready in time; the text says why not.
            ClientError: As `get_system_status` and `health_check` do.

        Example:
            >>> client.wait_for_system_ready(timeout=60).in_progress  # doctest: +SKIP
            False
        """
        from ..._rest._plan import system

        return self._api_client.carry_out(system(timeout, poll_interval))

    def with_options(
        self,
        *,
        timeout: Mapping[str, float] | float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Give back a view of this client with other options; this client stays as it is.

        The view shares the connections and starts with the `stream_limits` of this moment. Closing it closes
        nothing else; when this client is closed, the view is as well.

        Args:
            timeout: Seconds, as for the constructor; replaces the client's.
            max_retries: Tries after the first one; replaces the client's.
            headers: Further headers of every request, beside and before the client's.

        Raises:
            ValidationError: 400, naming the parameter that is wrong.

        Example:
            >>> client.with_options(timeout=60).get_job_logs("train-42")  # doctest: +SKIP
            'epoch 1\\nepoch 2\\n'
        """
        transport = self._api_client
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._api_client = transport.view(
            transport.connection.with_options(timeout=timeout, max_retries=max_retries, headers=headers)
        )
        return other

    @property
    def with_raw_response(self) -> RawClient:
        """The same methods, each giving back a `RawResponse`: `status_code`, `headers`, `content`, `parsed`.

        An error status raises as ever. A body that is not what the spec says raises only when `parsed` is
        asked for.

        Example:
            >>> answer = client.with_raw_response.get_job("train-42")  # doctest: +SKIP
            >>> answer.status_code, answer.headers["content-type"], answer.parsed.status  # doctest: +SKIP
            (200, 'application/json', <JobStatus.RUNNING: 'RUNNING'>)
        """
        return RawClient(self._api_client)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: Any = NO_BODY,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call what this client has no method for.

        Credentials, timeouts, retries and errors are those of every other call.

        Args:
            method: The HTTP method.
            path: The path below the client's `base_url`, such as "jobs/"; a leading slash makes no
                difference. A whole URL has to be below `base_url`.
            params: The query: a value, or a list of values, by name. None is left out.
            json: The body, sent as JSON; None is JSON's null.
            content: The body as bytes or text instead.
            headers: Further headers of this request; `Content-Type` beside `content` only.

        Returns:
            The JSON value that was answered, or the text where it was no JSON, or None where it was empty.

        Raises:
            ValidationError: 400, a bad parameter: before anything is sent.
            ClientError: As any other call does.

        Example:
            >>> client.request("GET", "plugin_releases/", params={"page_size": 5})["count"]  # doctest: +SKIP
            12
        """
        from ..._rest._request import exchange_for

        transport = self._api_client
        exchange = exchange_for(
            transport.connection, method, path, params=params, json=json, content=content, headers=headers
        )
        return exchange.result(transport.perform(exchange))


class AsyncHelpersMixin:
    """What the asynchronous client is beside its operations."""

    _api_client: AsyncApiClient

    async def wait_for_job(
        self, job_id: str, *, timeout: float | None = None, poll_interval: float = 2.0
    ) -> Job:
        from ..._rest._plan import job

        return await self._api_client.carry_out(job(job_id, timeout, poll_interval))

    async def wait_for_build(
        self, build_id: str, *, timeout: float | None = 600.0, poll_interval: float = 2.0
    ) -> Build:
        from ..._rest._plan import build

        return await self._api_client.carry_out(build(build_id, timeout, poll_interval))

    async def wait_for_system_ready(
        self, *, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus:
        from ..._rest._plan import system

        return await self._api_client.carry_out(system(timeout, poll_interval))

    def with_options(
        self,
        *,
        timeout: Mapping[str, float] | float | httpx.Timeout | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        transport = self._api_client
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._api_client = transport.view(
            transport.connection.with_options(timeout=timeout, max_retries=max_retries, headers=headers)
        )
        return other

    @property
    def with_raw_response(self) -> AsyncRawClient:
        """The same methods, each giving back a `RawResponse`: `status_code`, `headers`, `content`, `parsed`.

        An error status raises as ever. A body that is not what the spec says raises only when `parsed` is
        asked for.

        Example:
            >>> answer = client.with_raw_response.get_job("train-42")  # doctest: +SKIP
            >>> answer.status_code, answer.headers["content-type"], answer.parsed.status  # doctest: +SKIP
            (200, 'application/json', <JobStatus.RUNNING: 'RUNNING'>)
        """
        return AsyncRawClient(self._api_client)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: Any = NO_BODY,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        from ..._rest._request import exchange_for

        transport = self._api_client
        exchange = exchange_for(
            transport.connection, method, path, params=params, json=json, content=content, headers=headers
        )
        return exchange.result(await transport.perform(exchange))

    wait_for_job.__doc__ = HelpersMixin.wait_for_job.__doc__
    wait_for_build.__doc__ = HelpersMixin.wait_for_build.__doc__
    wait_for_system_ready.__doc__ = HelpersMixin.wait_for_system_ready.__doc__
    with_options.__doc__ = HelpersMixin.with_options.__doc__
    request.__doc__ = HelpersMixin.request.__doc__
