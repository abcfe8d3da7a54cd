"""Metrics in the text format of Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aiohttp import web

from ..context import AgentContext, context_of
from ..errors import ApiError
from ..http.limits import REFUSALS, TAIL_SLOTS

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.registry import Collector
else:
    Collector = object

__all__ = ["METRICS", "Metrics", "get_metrics", "open_metrics"]

# Seconds for which a count of the jobs is good enough, and for Ray to give a new one.
_FRESH, _PATIENCE = 10.0, 1.0

# The one that every version of prometheus-client writes.
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Log streams last for hours, and would make the sum of all requests meaningless.
_STREAMS = frozenset({"stream_job_logs", "get_job_logs"})


class Metrics(Collector):
    """The agent's metrics; what other objects count is read from them when it is asked for."""

    def __init__(self, app: web.Application) -> None:
        from prometheus_client import CollectorRegistry, Histogram
        from prometheus_client import Counter as Count

        self._app = app
        self._jobs: Counter[str] | None = None
        self._counted = float("-inf")
        self._counting = asyncio.Lock()
        self.registry = CollectorRegistry()
        self._requests = Count(
            "synapse_agent_requests", "Requests.", ["operation", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "synapse_agent_request_seconds",
            "Seconds until an answer was sent, log streams excepted.",
            ["operation"],
            registry=self.registry,
        )
        self.registry.register(self)

    def observe(self, operation: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(operation, str(status)).inc()
        if operation not in _STREAMS:
            self._seconds.labels(operation).observe(seconds)

    async def count_jobs(self, context: AgentContext) -> None:
        """Count the jobs by status; if Ray fails, there is no count."""
        async with self._counting:
            if time.monotonic() - self._counted < _FRESH:
                return
            try:
                async with asyncio.timeout(_PATIENCE):
                    self._jobs = Counter(str(job.get("status")) for job in await context.jobs())
            except (ApiError, TimeoutError):
                self._jobs = None
            self._counted = time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics that other objects count: called by the registry."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        slots = self._app[TAIL_SLOTS]
        yield GaugeMetricFamily("synapse_agent_open_tails", "Log streams that are open.", slots.open)
        yield CounterMetricFamily("synapse_agent_sent_lines", "Log lines sent in streams.", slots.lines)
        yield CounterMetricFamily("synapse_agent_sent_bytes", "Bytes of these lines.", slots.bytes)
        refusals = CounterMetricFamily("synapse_agent_refusals", "Refusals by limit.", labels=["limit"])
        for limit, count in self._app[REFUSALS].items():
            refusals.add_metric([limit], count())
        yield refusals
        if self._jobs is not None:
            jobs = GaugeMetricFamily("synapse_agent_jobs", "Jobs that Ray knows.", labels=["status"])
            for status, number in sorted(self._jobs.items()):
                jobs.add_metric([status], number)
            yield jobs


# None: prometheus-client is not installed.
METRICS: web.AppKey[Metrics | None] = web.AppKey("metrics")


def open_metrics(app: web.Application) -> Metrics | None:
    """Return the metrics of an application; None if prometheus-client is not installed."""
    try:
        return Metrics(app)
    except ModuleNotFoundError:
        return None


async def get_metrics(request: web.Request) -> web.Response:
    """Answer with the metrics; 501 if prometheus-client is not installed."""
    metrics = request.app[METRICS]
    if metrics is None:
        words = 'this agent has no metrics: pip install "synapse-sdk[metrics]"'
        raise ApiError.typed(501, words, "not_supported")
    from prometheus_client import generate_latest

    await metrics.count_jobs(context_of(request))
    return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": _CONTENT_TYPE})
