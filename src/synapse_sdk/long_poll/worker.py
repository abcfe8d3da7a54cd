"""The agent's side of a long poll over Redis: fetch requests, forward them over HTTP, store the responses.

    python -m synapse_sdk.long_poll.worker --redis redis://host:6379/0 --agent-id agent-7 \\
        --agent-url http://127.0.0.1:8000/

It forwards only operations of the API, with `--allow get_job --allow list_jobs` only those. Each request
brings its own credentials.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from .._exceptions import ClientError, ValidationError
from .._http._errors import error_from_exception
from ._forward import Forwarder, refusal
from ._mailbox import DEFAULT_PREFIX, Mailbox, checked_ttl, opened, redis_library

__all__ = ["Worker", "main"]

_logger = logging.getLogger("synapse_sdk.long_poll")

_LOOK = 1.0
_MAX_PAUSE = 10.0
_MAX_THREADS = 64


class Worker:
    """Answers the requests for one agent until it is stopped.

    A request is forwarded at most once: if the worker is killed meanwhile, the request gets no response.

    Args:
        redis: URL of the Redis server, or a ready `redis.Redis`, which stays open.
        agent_id: Id of the agent, the same as in the clients' handler.
        agent_url: URL of the agent.
        prefix: Beginning of the keys in Redis, the same as in the clients' handler.
        allowed: Ids of the operations to forward; all of the API by default.
        threads: Number of requests that are forwarded at once.
        timeout: Seconds for connecting to the agent, and seconds for its response.
        response_ttl: Seconds after which a response that was not fetched is dropped.

    Raises:
        ValidationError: 400, naming the parameter that is wrong.
        ServerError: 500, redis-py is not installed.

    Example:
        >>> worker = Worker("redis://localhost:6379/0", "agent-7", "http://127.0.0.1:8000/")  # doctest: +SKIP
        >>> worker.run()  # doctest: +SKIP
    """

    def __init__(
        self,
        redis: Any,
        agent_id: str,
        agent_url: str,
        *,
        prefix: str = DEFAULT_PREFIX,
        allowed: Iterable[str] | None = None,
        threads: int = 4,
        timeout: float = 30.0,
        response_ttl: float = 60.0,
    ) -> None:
        if isinstance(threads, bool) or not 1 <= threads <= _MAX_THREADS:
            raise ValidationError(400, f"threads must be from 1 to {_MAX_THREADS}")
        self._mailbox = Mailbox(agent_id, prefix)
        self._ttl = checked_ttl(response_ttl, "response_ttl")
        self._threads = threads
        # Not a threading.Event: a signal handler could deadlock on its lock.
        self._stopping = False
        library = redis_library()
        self._trouble: type[Exception] = library.exceptions.RedisError
        self._owned = isinstance(redis, str)
        self._redis: Any = opened(library.Redis, redis)
        self._forwarder = Forwarder(agent_url, allowed=allowed, timeout=timeout)

    def run(self) -> None:
        """Answer requests until `stop` is called, and finish those that have begun."""
        others: list[threading.Thread] = []
        try:
            for _ in range(self._threads - 1):
                thread = threading.Thread(target=self._work, daemon=True)
                thread.start()
                others.append(thread)
            self._work()
        except RuntimeError as exc:
            raise error_from_exception(exc, operation="answer long-poll requests", agent="") from exc
        finally:
            self._stopping = True
            for thread in others:
                thread.join()
            self._forwarder.close()
            if self._owned:
                self._redis.close()

    def stop(self) -> None:
        """Make `run` return within about a second. May be called from any thread or signal handler."""
        self._stopping = True

    def _work(self) -> None:
        pause = 0.1
        while not self._stopping:
            try:
                self._answer_one()
                pause = 0.1
            except self._trouble as exc:
                # The text of the exception may contain the URL with its password.
                _logger.warning("Redis: %s; next try in %.1f s", type(exc).__name__, pause)
                self._wait(pause)
                pause = min(pause * 2, _MAX_PAUSE)
            except Exception:
                _logger.exception("a request could not be answered")

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK))

    def _answer_one(self) -> None:
        popped = self._redis.blpop([self._mailbox.requests], timeout=_LOOK)
        if popped is None:
            return
        request_id = self._mailbox.read_id(popped[1])
        if request_id is None:
            _logger.warning("the list of requests had an entry that is not an id; it was dropped")
            return
        text = self._mailbox.take(self._redis.pipeline(), request_id)
        if text is None:
            _logger.info("request %s was given up", request_id)
            return
        try:
            request = self._mailbox.load(text)
        except ValueError as exc:
            _logger.warning("request %s can't be read: %s", request_id, exc)
            response = refusal(400, "Bad Request", "the long-poll request can't be read")
        else:
            response = self._forwarder.answer(request)
        key = self._mailbox.response(request_id)
        pipeline = self._redis.pipeline()
        pipeline.rpush(key, self._mailbox.dump(response))
        pipeline.pexpire(key, self._ttl)
        pipeline.execute()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m synapse_sdk.long_poll.worker",
        description="Answer an agent's long-poll requests in Redis by asking it over HTTP.",
    )
    parser.add_argument(
        "--redis",
        default=os.environ.get("SYNAPSE_LONG_POLL_REDIS"),
        help="URL of the Redis server (or SYNAPSE_LONG_POLL_REDIS, which no process list shows)",
    )
    parser.add_argument(
        "--agent-id", required=True, help="id of the agent, the same as in the clients' handler"
    )
    parser.add_argument("--agent-url", required=True, help="URL of the agent, such as http://127.0.0.1:8000/")
    parser.add_argument("--prefix", default=DEFAULT_PREFIX, help="beginning of the keys in Redis")
    parser.add_argument(
        "--allow",
        action="append",
        metavar="OPERATION",
        help="forward this operation only, such as get_job; repeatable (default: all of the API)",
    )
    parser.add_argument("--threads", type=int, default=4, help="requests at once (default: 4)")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for the agent (default: 30)")
    options = parser.parse_args(argv)
    if not options.redis:
        parser.error("--redis or SYNAPSE_LONG_POLL_REDIS is needed")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # httpx logs the whole URL of each request, including queries.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        worker = Worker(
            options.redis,
            options.agent_id,
            options.agent_url,
            prefix=options.prefix,
            allowed=options.allow,
            threads=options.threads,
            timeout=options.timeout,
        )
    except ClientError as error:
        return _failed(error)

    def stop(_number: int, _frame: object) -> None:
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    _logger.info("answering for %s", options.agent_id)
    try:
        worker.run()
    except ClientError as error:
        return _failed(error)
    return 0


def _failed(error: ClientError) -> int:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
