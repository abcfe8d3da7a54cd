"""Start and stop of the agent."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import re
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from aiohttp import web
from yarl import URL

from .app import make_app
from .containers.manager import Containers
from .containers.setup import ContainerOptions, opened_containers, read_settings
from .context import AgentContext
from .database import Database, DatabaseUnusableError
from .errors import ApiError, StartupError
from .http.access import AccessLog
from .http.address import TrustedProxies, read_network
from .http.limits import REFUSALS, Limits
from .http.listener import Listener
from .logs.locate import Locator
from .logs.registry import Logs
from .logs.spool import Spool
from .ops.log_output import configure_logging
from .process import describe, write_error, write_output
from .ray.client import NotRayError, RayClient
from .ray.embedded import EmbeddedRay
from .sockets import Certificate, listen_tcp, listen_unix
from .tokens import TokenFile, Tokens, check_token, new_token

__all__ = ["Options", "check_options", "serve"]

_log = logging.getLogger("synapse_agent")


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int  # 0: any free port
    token: str | None  # None: a random one
    ray: str | None  # the dashboard's URL; None: an embedded cluster
    ray_token: str | None
    ready_file: Path | None
    plugins: Path | None  # None: releases can't be created
    data: Path | None  # None: the user's state directory
    containers: ContainerOptions
    job_env: tuple[str, ...] = ()  # variables that an embedded cluster takes over, names or patterns
    plugin_paths: tuple[Path, ...] = ()  # where `plugin_path` may point to; empty: nowhere
    limits: Limits = field(default_factory=Limits)
    descriptors: int = 4096  # connections that the limit of open files allows
    token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    unix_socket: Path | None = None  # beside the TCP port
    drain: float = 0.0  # seconds from SIGTERM until it stops
    ray_bind: str | None = None  # None: loopback
    public_url: str | None = None  # None: the address that it listens on
    trusted_proxies: tuple[str, ...] = ()
    log_format: str = "text"
    log_level: str = "warning"
    keep_logs: int | None = None  # bytes of logs that stay when their cluster is gone; None: none


async def serve(options: Options) -> None:
    """Serve until SIGTERM, which drains first, SIGINT or SIGHUP.

    Raises StartupError if that fails, or if Ray ends.
    """
    loop = asyncio.get_running_loop()
    contexts: list[AgentContext] = []
    task = asyncio.ensure_future(_serve(options, contexts.append))

    def stop() -> None:
        # Ignore further signals, which would interrupt the clean-up.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    def drain() -> None:
        if not contexts or not options.drain or contexts[0].draining:
            stop()
            return
        contexts[0].draining = True
        _log.info("stopping in %g s", options.drain)
        loop.call_later(options.drain, stop)

    loop.add_signal_handler(signal.SIGTERM, drain)
    for number in (signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@dataclass(frozen=True, slots=True)
class _Checked:
    """The options after their check, as far as nothing has to be started for it."""

    token: str
    tokens: Tokens
    plugins: Path | None
    plugin_paths: tuple[Path, ...]
    public_url: str | None
    proxies: TrustedProxies
    certificate: Certificate | None


def check_options(options: Options) -> _Checked:
    """Return what the options say, checked as far as nothing is started. Raises StartupError."""
    token = options.token or new_token()
    check_token(token, options.host)
    try:
        tokens = Tokens(token, TokenFile(options.token_file) if options.token_file else None)
    except OSError as error:
        raise StartupError(f"can't read the token file: {describe(error)}") from None
    except ValueError as error:
        raise StartupError(str(error)) from None
    plugins = options.plugins and _absolute(options.plugins)
    if plugins is not None and not plugins.is_dir():
        raise StartupError(f"--plugins takes a directory; {plugins} is not one")
    if options.ray is not None:
        _check_ray(options.ray, options.ray_token)
    if options.ray_bind is not None:
        if options.ray is not None:
            raise StartupError("--ray-bind is for a cluster that the agent starts, and --ray names another")
        try:
            ipaddress.ip_address(options.ray_bind)
        except ValueError:
            raise StartupError(f"--ray-bind takes an IP address; {options.ray_bind!r} is not one") from None
    if options.job_env and options.ray is not None:
        raise StartupError(
            "--job-env is for the agent's own Ray; jobs of --ray have the cluster's environment"
        )
    try:
        proxies = TrustedProxies(map(read_network, options.trusted_proxies))
    except ValueError as error:
        raise StartupError(f"--trusted-proxy: {error}") from None
    read_settings(options.containers, bind=options.host, host=options.host)
    return _Checked(
        token=token,
        tokens=tokens,
        plugins=plugins,
        plugin_paths=tuple(_directory(path) for path in options.plugin_paths),
        public_url=_checked_public_url(options.public_url),
        proxies=proxies,
        certificate=_certificate(options),
    )


async def _serve(options: Options, started: Callable[[AgentContext], None]) -> None:
    checked = check_options(options)
    token, certificate = checked.token, checked.certificate
    async with AsyncExitStack() as stack:
        stack.enter_context(configure_logging(options.log_format, options.log_level))
        # First, so that a port in use is reported at once and not after Ray's start.
        sock = listen_tcp(options.host, options.port)
        stack.callback(sock.close)
        address: str = sock.getsockname()[0]
        url = _url(sock, tls=certificate is not None)
        settings = read_settings(
            options.containers,
            bind=address,
            host=URL(url).host or address,
        )
        database = Database(_data_directory(options.data) / "index.sqlite3")
        stack.push_async_callback(database.close)
        if options.data is not None:  # otherwise it is opened on first use
            try:
                await database.open()
            except DatabaseUnusableError as error:
                raise StartupError(error.detail) from None
        containers: Containers | None = None
        if settings is not None:
            opened = opened_containers(
                settings,
                database,
                agent_url=checked.public_url or url,
                agent_token=token,
            )
            containers = await stack.enter_async_context(opened)
        embedded: EmbeddedRay | None = None
        if options.ray is None:
            embedded = EmbeddedRay(options.job_env, options.ray_bind)
            stack.push_async_callback(embedded.stop)
            if options.log_format == "text":
                write_error("Starting Ray ...\n")
            _log.info("Starting Ray")
            await embedded.start()
            ray = RayClient(embedded.url, embedded.token)
        else:
            ray = RayClient(options.ray, options.ray_token)
        log_dir = embedded.log_dir if embedded else None
        ray_token = embedded.token if embedded else options.ray_token
        spool = _spool(options, ray)
        logs = Logs(ray, Locator(ray, log_dir=log_dir, token=ray_token), spool)
        stack.push_async_callback(logs.close)
        context = AgentContext(
            ray,
            token,
            database,
            log_dir=log_dir,
            plugins=checked.plugins,
            plugin_paths=checked.plugin_paths,
        )
        context.url = checked.public_url or url
        app = make_app(context, logs, containers, options.limits, checked.proxies, checked.tokens)
        runner = web.AppRunner(
            app,
            access_log_class=AccessLog,
            keepalive_timeout=options.limits.idle_timeout,
            shutdown_timeout=3.0,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        if embedded is None:
            try:
                await ray.version()
            except NotRayError as error:
                raise StartupError(f"{error.detail}; give --ray the URL of one") from None
            except ApiError as error:
                _log.warning("Serving all the same, but %s", error.detail)
        if containers is not None:
            try:
                await containers.reconcile()
            except ApiError as error:
                _log.warning("Serving all the same, but %s", error.detail)
        assert runner.server is not None
        listener = Listener(runner.server, _connections(options))
        app[REFUSALS]["connections"] = lambda: listener.refusals
        stack.callback(listener.close)
        await listener.listen(sock, None if certificate is None else certificate.context)
        if certificate is not None:
            stack.callback(asyncio.ensure_future(certificate.watch()).cancel)
        if options.unix_socket is not None:
            await listener.listen(stack.enter_context(listen_unix(_absolute(options.unix_socket))))
        if options.ready_file is not None:
            written = json.dumps({"url": url, "token": token, "pid": os.getpid()})
            _write_ready(options.ready_file, written)
            stack.callback(_remove_ready, options.ready_file, written)
        started(context)
        _announce(
            url,
            token,
            made=options.token is None,
            ray=embedded.url if embedded else ray.address,
        )
        if embedded is None:
            await asyncio.Event().wait()
        else:
            await embedded.ended()
            raise StartupError("Ray ended by itself, so the agent stops too")


def _certificate(options: Options) -> Certificate | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise StartupError("--tls-cert and --tls-key need each other")
    return Certificate(options.tls_cert, options.tls_key)


def _connections(options: Options) -> int:
    """Return how many connections may be open, and say so."""
    asked, allowed = options.limits.connections, options.descriptors
    if asked > allowed:
        _log.log(
            logging.WARNING if allowed < 256 else logging.INFO,
            "the limit of open files allows %d connections of the %d of --max-connections: see ulimit -n",
            allowed,
            asked,
        )
    _log.info("up to %d connections and %d log streams", min(asked, allowed), options.limits.tails)
    return min(asked, allowed)


def _data_directory(given: Path | None) -> Path:
    return _absolute(platformdirs.user_state_path("synapse-agent") if given is None else given)


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:
        raise StartupError(f"can't resolve {path}, give an absolute path: {describe(error)}") from None


def _directory(path: Path) -> Path:
    try:
        resolved = path.resolve(strict=True)
    except OSError as error:
        raise StartupError(f"--plugin-path: can't use {path}: {describe(error)}") from None
    except RuntimeError:  # before Python 3.13, for a loop of links
        raise StartupError(f"--plugin-path: {path} is a loop of links") from None
    if not resolved.is_dir():
        raise StartupError(f"--plugin-path takes a directory; {path} is not one")
    return resolved


def _spool(options: Options, ray: RayClient) -> Spool | None:
    if options.keep_logs is None:
        # Logs on this machine are read from Ray's files.
        return Spool(None) if options.ray is not None else None
    cluster = "embedded"
    if options.ray is not None:
        cluster = re.sub(r"[^A-Za-z0-9.-]+", "_", ray.address)
    directory = _data_directory(options.data) / "logs" / cluster
    try:
        return Spool(directory, options.keep_logs)
    except OSError as error:
        raise StartupError(f"can't keep logs in {directory}: {error.strerror or error}") from None


def _url(sock: socket.socket, *, tls: bool) -> str:
    name: tuple[str, int] = sock.getsockname()[:2]
    host, port = name
    if host in ("0.0.0.0", "::"):  # all addresses: on this machine, this one reaches it
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return str(URL.build(scheme="https" if tls else "http", host=host, port=port))


def _http_url(option: str, text: str, what: str) -> URL:
    """Return an absolute http or https URL; `what` describes it for the error."""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise StartupError(f"{option} takes the URL {what}")
    return url


def _checked_public_url(url: str | None) -> str | None:
    if url is None:
        return None
    parsed = _http_url("--public-url", url, "of this agent, such as https://example.org/agent")
    if parsed.raw_query_string or parsed.raw_fragment or parsed.raw_user or parsed.raw_password:
        raise StartupError("--public-url takes a URL without user, query and fragment")
    return str(parsed)


def _check_ray(url: str, token: str | None) -> None:
    parsed = _http_url("--ray", url, "of a Ray dashboard, such as http://127.0.0.1:8265")
    if parsed.raw_query_string or parsed.raw_fragment:
        raise StartupError("--ray takes a URL without a query and without a fragment")
    if token and (parsed.raw_user or parsed.raw_password):
        raise StartupError(
            "--ray has a user and password, and there is a Ray token (--ray-token or RAY_AUTH_TOKEN): "
            "both would be sent as the Authorization header, so give only one"
        )


def _announce(url: str, token: str, *, made: bool, ray: str) -> None:
    shown = token if made else "$SYNAPSE_AGENT_TOKEN"
    lines = [
        "Synapse agent is ready.",
        "",
        f"  URL     {url}",
        f"  Token   {token if made else 'as given'}",
        f"  Ray     {ray}",
        "",
        "Use it from Python:",
        "",
        "  from synapse_sdk.clients.agent import AgentClient",
        f'  client = AgentClient("{url}", "{shown}")' if made else "  client = AgentClient.from_env()",
        "",
        "or try it:",
        "",
        f'  curl -H "Authorization: {shown}" {url}/health/',
        "",
        "Ctrl-C stops it.",
    ]
    write_output("\n".join(lines) + "\n")


def _write_ready(path: Path, content: str) -> None:
    """Write the file atomically, readable by this user only."""
    part = path.parent / f".{path.name}.{os.getpid()}"
    try:
        part.unlink(missing_ok=True)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StartupError(f"can't write {path}: {error.strerror}") from None


def _remove_ready(path: Path, content: str) -> None:
    """Remove the file unless another agent has written it since."""
    with suppress(OSError):
        if path.read_text() == content:
            path.unlink()
