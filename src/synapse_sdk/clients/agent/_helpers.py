"""Methods of both clients beside the operations: waiting, pagination, raw responses, other requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synapse_agent_api.api import AgentApi, AsyncAgentApi, AsyncRawAgentApi, RawAgentApi
from synapse_agent_api.client import NO_BODY, RawResponse

if TYPE_CHECKING:
    from synapse_agent_api.models import Build, Job, SystemStatus

    from ..._rest._async import AsyncApiClient, AsyncRawApiClient
    from ..._rest._sync import ApiClient, RawApiClient

__all__ = ["AsyncHelpersMixin", "AsyncRawClient", "HelpersMixin", "RawClient"]


class _Api(AgentApi):
    def __init__(self, api_client: RawApiClient) -> None:
        self._api_client = api_client


class _AsyncApi(AsyncAgentApi):
    def __init__(self, api_client: AsyncRawApiClient) -> None:
        self._api_client = api_client


class RawClient(RawAgentApi):
    """Every method of `AgentClient` that is one request, returning a `RawResponse`."""

    __slots__ = ("_api_client",)

    def __init__(self, api_client: ApiClient) -> None:
        from ..._rest._sync import RawApiClient

        self._api_client = RawApiClient.sharing(api_client)
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
        """Send a request as `AgentClient.request` does, and return the response as it is.

        Raises:
            ClientError: As `request` does; an invalid body raises only on access to `parsed`.

        Example:
            >>> client.with_raw_response.request("GET", "health/").headers["content-type"]  # doctest: +SKIP
            'application/json'
        """
        from ..._rest._custom_request import custom_call

        config = self._api_client.config
        call = custom_call(config, method, path, params=params, json=json, content=content, headers=headers)
        return self._api_client.send_raw(call)


class AsyncRawClient(AsyncRawAgentApi):
    """Every method of `AsyncAgentClient` that is one request, returning a `RawResponse`."""

    __slots__ = ("_api_client",)

    def __init__(self, api_client: AsyncApiClient) -> None:
        from ..._rest._async import AsyncRawApiClient

        self._api_client = AsyncRawApiClient.sharing(api_client)
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
        from ..._rest._custom_request import custom_call

        config = self._api_client.config
        call = custom_call(config, method, path, params=params, json=json, content=content, headers=headers)
        return await self._api_client.send_raw(call)

    request.__doc__ = RawClient.request.__doc__


class HelpersMixin:
    """The methods of the synchronous client beside the operations."""

    _api_client: ApiClient

    def wait_for_job(self, job_id: str, *, timeout: float | None = None, poll_interval: float = 2.0) -> Job:
        """Wait until a job has ended.

        If the agent can't be reached, keep polling until `timeout`, or for a minute without a timeout.

        Args:
            job_id: Submission id of the job.
            timeout: Maximum of seconds to wait; None waits as long as the job takes.
            poll_interval: Seconds between two requests; the first ones follow faster.

        Returns:
            The job. Its `status` is SUCCEEDED, FAILED or STOPPED; a failed job raises no error.

        Raises:
            ValidationError: 400, a bad `job_id`, `timeout` or `poll_interval`.
            NotFoundError: 404, no such job.
            ClientTimeoutError: 408, it is not done after `timeout` seconds; the text has its state.
            ClientError: As `get_job` does.

        Example:
            >>> client.wait_for_job("train-42", timeout=600).status  # doctest: +SKIP
            <JobStatus.SUCCEEDED: 'SUCCEEDED'>
        """
        from ..._rest._poller import wait_for_job

        return self._api_client.run_poller(wait_for_job(job_id, timeout, poll_interval))

    def wait_for_build(
        self, build_id: str, *, timeout: float | None = 600.0, poll_interval: float = 2.0
    ) -> Build:
        """Wait until the build of a container is completed.

        If the agent can't be reached, keep polling until `timeout`, or for a minute without a timeout.

        Args:
            build_id: Id of the build, from the response to the creation of a container.
            timeout: Maximum of seconds to wait; None waits as long as the build takes.
            poll_interval: Seconds between two requests; the first ones follow faster.

        Returns:
            The completed build; its `result` is the container.

        Raises:
            ValidationError: 400, a bad `build_id`, `timeout` or `poll_interval`.
            NotFoundError: 404, no such build.
            ClientTimeoutError: 408, it is not done after `timeout` seconds; the text has its state.
            ServerError: 500, the build failed or was cancelled; the text has the reason.
            ClientError: As `get_build_status` does.

        Example:
            >>> accepted = client.create_container(plugin_release="detector@1.0.0")  # doctest: +SKIP
            >>> client.wait_for_build(accepted.build_id).result.endpoint  # doctest: +SKIP
            'http://127.0.0.1:9001/'
        """
        from ..._rest._poller import wait_for_build

        return self._api_client.run_poller(wait_for_build(build_id, timeout, poll_interval))

    def wait_for_system_ready(
        self, *, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus:
        """Wait until the agent responds, is not being updated or restarted, and reaches its Ray.

        Refused connections, timeouts, and 502, 503 and 504 may come from a restart, so polling continues.

        Args:
            timeout: Maximum of seconds to wait; None waits as long as it takes.
            poll_interval: Seconds between two requests; the first ones follow faster.

        Returns:
            The status of the system. Agents without system updates are never busy updating.

        Raises:
            ValidationError: 400, a bad `timeout` or `poll_interval`.
            AuthenticationError: 401, the token was refused.
            ClientTimeoutError: 408, it is not ready after `timeout` seconds; the text has the reason.
            ClientError: As `get_system_status` and `health_check` do.

        Example:
            >>> client.wait_for_system_ready(timeout=60).in_progress  # doctest: +SKIP
            False
        """
        from ..._rest._poller import wait_for_system

        return self._api_client.run_poller(wait_for_system(timeout, poll_interval))

    @property
    def with_raw_response(self) -> RawClient:
        """The same methods, each returning a `RawResponse`: `status_code`, `headers`, `content`, `parsed`.

        An error status raises as usual. A body that does not match the spec raises only on access to
        `parsed`.

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
        """Send a request for which this client has no method.

        Credentials, timeouts, retries and errors are the same as for every other call.

        Args:
            method: The HTTP method.
            path: The path below the client's `base_url`, such as "jobs/", with or without a leading slash; or
                a URL below `base_url`.
            params: The query parameters: a value or a list of values by name. None values are left out.
            json: The body, sent as JSON; None is sent as null.
            content: The body as bytes or text, instead of `json`.
            headers: Further headers of this request; `Content-Type` only together with `content`.

        Returns:
            The JSON value of the response, or its text if it is not JSON, or None if it is empty.

        Raises:
            ValidationError: 400, a parameter is wrong; nothing was sent.
            ClientError: As every other call.

        Example:
            >>> client.request("GET", "plugin_releases/", params={"page_size": 5})["count"]  # doctest: +SKIP
            12
        """
        from ..._rest._custom_request import custom_call

        config = self._api_client.config
        call = custom_call(config, method, path, params=params, json=json, content=content, headers=headers)
        return call.result(self._api_client.send(call))


class AsyncHelpersMixin:
    """The methods of the asynchronous client beside the operations."""

    _api_client: AsyncApiClient

    async def wait_for_job(
        self, job_id: str, *, timeout: float | None = None, poll_interval: float = 2.0
    ) -> Job:
        from ..._rest._poller import wait_for_job

        return await self._api_client.run_poller(wait_for_job(job_id, timeout, poll_interval))

    async def wait_for_build(
        self, build_id: str, *, timeout: float | None = 600.0, poll_interval: float = 2.0
    ) -> Build:
        from ..._rest._poller import wait_for_build

        return await self._api_client.run_poller(wait_for_build(build_id, timeout, poll_interval))

    async def wait_for_system_ready(
        self, *, timeout: float | None = 300.0, poll_interval: float = 2.0
    ) -> SystemStatus:
        from ..._rest._poller import wait_for_system

        return await self._api_client.run_poller(wait_for_system(timeout, poll_interval))

    @property
    def with_raw_response(self) -> AsyncRawClient:
        """The same methods, each returning a `RawResponse`: `status_code`, `headers`, `content`, `parsed`.

        An error status raises as usual. A body that does not match the spec raises only on access to
        `parsed`.

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
        from ..._rest._custom_request import custom_call

        config = self._api_client.config
        call = custom_call(config, method, path, params=params, json=json, content=content, headers=headers)
        return call.result(await self._api_client.send(call))

    wait_for_job.__doc__ = HelpersMixin.wait_for_job.__doc__
    wait_for_build.__doc__ = HelpersMixin.wait_for_build.__doc__
    wait_for_system_ready.__doc__ = HelpersMixin.wait_for_system_ready.__doc__
    request.__doc__ = HelpersMixin.request.__doc__
