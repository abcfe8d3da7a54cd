"""Start and stop of the agent."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import re
import secrets
import signal
import socket
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from .app import make_app
from .containers.manager import Containers
from .containers.setup import ContainerOptions, opened_containers, read_settings
from .context import AgentContext
from .database import Database, DatabaseUnusableError
from .errors import ApiError, StartupError
from .logs.follow import Logs
from .logs.locate import Locator
from .logs.spool import Spool
from .process import describe, write_error, write_output
from .ray.client import RayClient
from .ray.embedded import EmbeddedRay

__all__ = ["Options", "serve"]


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
    keep_logs: int | None = None  # bytes of logs that stay when their cluster is gone; None: none


async def serve(options: Options) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP. Raises StartupError if that fails, or if Ray ends."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(_serve(options))

    def stop() -> None:
        # Ignore further signals, which would interrupt the clean-up.
        for number in signals:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


class _NoHttp(logging.Filter):
    """Drop records of requests that are not HTTP: their senders must not fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


async def _serve(options: Options) -> None:
    token = options.token or secrets.token_urlsafe(32)
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise StartupError("the token must consist of printable ASCII characters without blanks")
    plugins = options.plugins and _absolute(options.plugins)
    if plugins is not None and not plugins.is_dir():
        raise StartupError(f"--plugins takes a directory; {plugins} is not one")
    async with AsyncExitStack() as stack:
        # First, so that a port in use is reported at once and not after Ray's start.
        sock = _listen(options.host, options.port)
        stack.callback(sock.close)
        address: str = sock.getsockname()[0]
        settings = read_settings(options.containers, bind=address, host=URL(_url(sock)).host or address)
        database = Database(_data_directory(options.data) / "index.sqlite3")
        stack.push_async_callback(database.close)
        if options.data is not None:  # otherwise it is opened on first use
            try:
                await database.open()
            except DatabaseUnusableError as error:
                raise StartupError(error.detail) from None
        containers: Containers | None = None
        if settings is not None:
            opened = opened_containers(settings, database, agent_url=_url(sock), agent_token=token)
            containers = await stack.enter_async_context(opened)
        embedded: EmbeddedRay | None = None
        if options.ray is None:
            embedded = EmbeddedRay()
            stack.push_async_callback(embedded.stop)
            write_error("Starting Ray ...\n")
            await embedded.start()
            ray = RayClient(embedded.url, embedded.token)
        else:
            ray = RayClient(_checked(options.ray, options.ray_token), options.ray_token)
        log_dir = embedded.log_dir if embedded else None
        ray_token = embedded.token if embedded else options.ray_token
        spool = _spool(options, ray)
        logs = Logs(ray, Locator(ray, log_dir=log_dir, token=ray_token), spool)
        stack.push_async_callback(logs.close)
        context = AgentContext(ray, token, database, log_dir=log_dir, plugins=plugins)
        context.url = _url(sock)
        logging.getLogger("aiohttp.server").addFilter(_NoHttp())
        runner = web.AppRunner(make_app(context, logs, containers), access_log=None, shutdown_timeout=3.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        if embedded is None:
            try:
                await ray.version()
            except ApiError as error:
                write_error(f"Serving all the same, but {error.detail}\n")
        if containers is not None:
            try:
                await containers.reconcile()
            except ApiError as error:
                write_error(f"Serving all the same, but {error.detail}\n")
        await web.SockSite(runner, sock).start()
        if options.ready_file is not None:
            written = json.dumps({"url": context.url, "token": token, "pid": os.getpid()})
            _write_ready(options.ready_file, written)
            stack.callback(_remove_ready, options.ready_file, written)
        _announce(
            context.url, token, made=options.token is None, ray=embedded.url if embedded else ray.address
        )
        if embedded is None:
            await asyncio.Event().wait()
        else:
            await embedded.ended()
            raise StartupError("Ray ended by itself, so the agent stops too")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartupError(
                f"port {port} on {host} is taken: choose another with --port, or --port 0 for a free one"
            ) from None
        raise StartupError(f"can't listen on {host} port {port}: {error.strerror or error}") from None
    except OverflowError:
        raise StartupError(f"{port} is no port: ports go from 0 to 65535") from None


def _data_directory(given: Path | None) -> Path:
    return _absolute(platformdirs.user_state_path("synapse-agent") if given is None else given)


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:
        raise StartupError(f"can't resolve {path}, give an absolute path: {describe(error)}") from None


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


def _url(sock: socket.socket) -> str:
    name: tuple[str, int] = sock.getsockname()[:2]
    host, port = name
    if host in ("0.0.0.0", "::"):  # all addresses: on this machine, this one reaches it
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return str(URL.build(scheme="http", host=host, port=port))


def _checked(url: str, token: str | None) -> str:
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise StartupError("--ray takes the URL of a Ray dashboard, such as http://127.0.0.1:8265")
    if parsed.raw_query_string or parsed.raw_fragment:
        raise StartupError("--ray takes a URL without a query and without a fragment")
    if token and (parsed.raw_user or parsed.raw_password):
        raise StartupError(
            "--ray has a user and password, and there is a Ray token (--ray-token or RAY_AUTH_TOKEN): "
            "both would be sent as the Authorization header, so give only one"
        )
    return url


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
