"""The clients of an agent: `AgentClient`, and `AsyncAgentClient` for asyncio and trio.

Example:
    >>> from synapse_sdk.clients.agent import AgentClient
    >>> with AgentClient("http://localhost:8000", "token") as client:
    ...     client
    <AgentClient http://localhost:8000/>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from synapse_agent_api.api import AgentApi, AsyncAgentApi

from ..._retry import DEFAULT_MAX_RETRIES
from ._helpers import AsyncHelpersMixin, HelpersMixin
from ._options import ClientOptions, Environment, checked_limits
from ._tail import AsyncTailMixin, TailMixin

if TYPE_CHECKING:
    from ..._family import AsyncHttpClient, HttpClient, HttpTimeout
    from ..._http._clients import Proxy, Verify
    from ..._limits import StreamLimits
    from ..._rest._async import AsyncApiClient
    from ..._rest._sync import ApiClient
    from ...long_poll import AsyncLongPollHandler, LongPollHandler

__all__ = ["AgentClient", "AsyncAgentClient"]


class AgentClient(AgentApi, ClientOptions, TailMixin, HelpersMixin):
    """Client of one agent.

    One client serves many calls and threads. Close it with `close`, or use it as a context manager.

    Every method that calls the agent can raise `AuthenticationError` (401), `AuthorizationError` (403),
    `RateLimitError` (429), `ServerError` (500 and above), and `ClientTimeoutError` (408) or
    `ClientConnectionError` (503) when the agent can't be reached. Their docstrings name the other errors.

    Args:
        base_url: URL of the agent, http or https; it may have a path prefix. None with a
            `long_poll_handler`.
        agent_token: Token for the agent, or a callable that returns it, which is called for every request.
        user_token: Token of the user for whom the client acts, or such a callable.
        tenant: Tenant for whom the client acts.
        timeout: Seconds; the default is {"connect": 3, "read": 10}, and each key may be left out. The key
            "deadline" limits each request from its start to the end of the response. Or one number for
            "connect" and "read", or a `Timeout` of httpx or httpx2.
        max_retries: Maximum number of retries of a request that is safe to repeat.
        stream_limits: Limits of log tails; `StreamLimits()` by default.
        headers: Further headers of every request; they can't replace the credentials or describe the message.
        verify: False accepts any certificate; a path of CA certificates or an `ssl.SSLContext` trusts those.
        proxy: URL of a proxy; without one, the proxy variables of the environment apply.
        http_client: An `httpx.Client`, or one of httpx2, to use; it is not closed. `timeout` and the
            credentials are those given here; set `verify` and `proxy` on the client itself.
        long_poll_handler: Carries the requests instead of HTTP to an agent that can't be connected to; see
            `synapse_sdk.long_poll`. It can't carry log tails and file uploads.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.

    Example:
        >>> client = AgentClient("http://localhost:8000", "token", timeout={"read": 30})
        >>> client.stream_limits.max_lines
        50000
    """

    # Narrower than the protocol of the generated class; it is set once.
    _api_client: ApiClient  # ty: ignore[incompatible-mutable-override]

    def __init__(
        self,
        base_url: str | None,
        agent_token: str | Callable[[], str],
        *,
        user_token: str | Callable[[], str] | None = None,
        tenant: str | None = None,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: HttpClient | None = None,
        long_poll_handler: LongPollHandler | None = None,
    ) -> None:
        # Imported here to keep the import of this module fast.
        from ..._config import ClientConfig
        from ..._rest._sync import ApiClient

        self._stream_limits = checked_limits(stream_limits)
        config = ClientConfig(
            base_url,
            agent_token,
            user_token=user_token,
            tenant=tenant,
            timeout=timeout,
            max_retries=max_retries,
            headers=headers,
            long_poll=long_poll_handler is not None,
        )
        api_client = ApiClient.open(
            config,
            verify=verify,
            proxy=proxy,
            http_client=http_client,
            long_poll_handler=long_poll_handler,
        )
        self._api_client = api_client  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def from_env(
        cls,
        *,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: HttpClient | None = None,
    ) -> Self:
        """Return a client with the URL and the credentials from the environment of a plugin run.

        `SYNAPSE_AGENT_URL` and `SYNAPSE_AGENT_TOKEN` are required. `SYNAPSE_PLUGIN_RUN_USER_TOKEN` and
        `SYNAPSE_PLUGIN_RUN_TENANT` are sent if they are set. An empty variable counts as not set. The options
        are those of the constructor.

        Raises:
            ValidationError: 400, naming the variable that is missing.

        Example:
            >>> AgentClient.from_env()  # doctest: +SKIP
            <AgentClient http://localhost:8000/>
        """
        env = Environment()
        return cls(
            env.base_url,
            env.agent_token,
            user_token=env.user_token,
            tenant=env.tenant,
            timeout=timeout,
            max_retries=max_retries,
            stream_limits=stream_limits,
            headers=headers,
            verify=verify,
            proxy=proxy,
            http_client=http_client,
        )

    def close(self) -> None:
        """Close the connections; later calls raise `ClientConnectionError`. Closing twice is allowed.

        An injected `http_client` stays open.
        """
        self._api_client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncAgentClient(AsyncAgentApi, ClientOptions, AsyncTailMixin, AsyncHelpersMixin):
    """Client of one agent, on asyncio or trio.

    One client serves many calls and tasks. Close it with `aclose`, or use it as a context manager.

    Every method that calls the agent can raise `AuthenticationError` (401), `AuthorizationError` (403),
    `RateLimitError` (429), `ServerError` (500 and above), and `ClientTimeoutError` (408) or
    `ClientConnectionError` (503) when the agent can't be reached. Their docstrings name the other errors.

    Args:
        base_url: URL of the agent, http or https; it may have a path prefix. None with a
            `long_poll_handler`.
        agent_token: Token for the agent, or a callable that returns it, which is called for every request.
        user_token: Token of the user for whom the client acts, or such a callable.
        tenant: Tenant for whom the client acts.
        timeout: Seconds; the default is {"connect": 3, "read": 10}, and each key may be left out. The key
            "deadline" limits each request from its start to the end of the response. Or one number for
            "connect" and "read", or a `Timeout` of httpx or httpx2.
        max_retries: Maximum number of retries of a request that is safe to repeat.
        stream_limits: Limits of log tails; `StreamLimits()` by default.
        headers: Further headers of every request; they can't replace the credentials or describe the message.
        verify: False accepts any certificate; a path of CA certificates or an `ssl.SSLContext` trusts those.
        proxy: URL of a proxy; without one, the proxy variables of the environment apply.
        http_client: An `httpx.AsyncClient`, or one of httpx2, to use; it is not closed. `timeout` and the
            credentials are those given here; set `verify` and `proxy` on the client itself.
        long_poll_handler: Carries the requests instead of HTTP to an agent that can't be connected to; see
            `synapse_sdk.long_poll`. It can't carry log tails and file uploads.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.

    Example:
        >>> client = AsyncAgentClient("http://localhost:8000", "token", timeout={"read": 30})
        >>> client.stream_limits.max_lines
        50000
    """

    # Narrower than the protocol of the generated class; it is set once.
    _api_client: AsyncApiClient  # ty: ignore[incompatible-mutable-override]

    def __init__(
        self,
        base_url: str | None,
        agent_token: str | Callable[[], str],
        *,
        user_token: str | Callable[[], str] | None = None,
        tenant: str | None = None,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: AsyncHttpClient | None = None,
        long_poll_handler: AsyncLongPollHandler | None = None,
    ) -> None:
        # Imported here to keep the import of this module fast.
        from ..._config import ClientConfig
        from ..._rest._async import AsyncApiClient

        self._stream_limits = checked_limits(stream_limits)
        config = ClientConfig(
            base_url,
            agent_token,
            user_token=user_token,
            tenant=tenant,
            timeout=timeout,
            max_retries=max_retries,
            headers=headers,
            long_poll=long_poll_handler is not None,
        )
        api_client = AsyncApiClient.open(
            config,
            verify=verify,
            proxy=proxy,
            http_client=http_client,
            long_poll_handler=long_poll_handler,
        )
        self._api_client = api_client  # pyright: ignore[reportIncompatibleVariableOverride]

    @classmethod
    def from_env(
        cls,
        *,
        timeout: Mapping[str, float] | float | HttpTimeout | None = None,
        max_retries: int = DEFAULT_MAX_RETRIES,
        stream_limits: StreamLimits | None = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        proxy: Proxy | None = None,
        http_client: AsyncHttpClient | None = None,
    ) -> Self:
        """Return a client with the URL and the credentials from the environment of a plugin run.

        `SYNAPSE_AGENT_URL` and `SYNAPSE_AGENT_TOKEN` are required. `SYNAPSE_PLUGIN_RUN_USER_TOKEN` and
        `SYNAPSE_PLUGIN_RUN_TENANT` are sent if they are set. An empty variable counts as not set. The options
        are those of the constructor.

        Raises:
            ValidationError: 400, naming the variable that is missing.

        Example:
            >>> AsyncAgentClient.from_env()  # doctest: +SKIP
            <AsyncAgentClient http://localhost:8000/>
        """
        env = Environment()
        return cls(
            env.base_url,
            env.agent_token,
            user_token=env.user_token,
            tenant=env.tenant,
            timeout=timeout,
            max_retries=max_retries,
            stream_limits=stream_limits,
            headers=headers,
            verify=verify,
            proxy=proxy,
            http_client=http_client,
        )

    async def close(self) -> None:
        """Close the connections; later calls raise `ClientConnectionError`. Closing twice is allowed.

        An injected `http_client` stays open.
        """
        await self._api_client.aclose()

    async def aclose(self) -> None:
        """Close the connections, as `close` does."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
