"""The table: what is measured, against whom, and what was to be reached."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AheadOfAll",
    "AtLeast",
    "AtMost",
    "Contender",
    "Faster",
    "OURS",
    "ROWS",
    "Row",
    "Share",
    "Target",
]

OURS = "synapse-sdk"
FLOOR = "bare socket + json"
JSON = "json.loads alone"


@dataclass(frozen=True)
class Contender:
    """A program of `workers/`, in an environment, and the case of it to run."""

    name: str
    environment: str
    program: str
    case: str
    needs: str = ""
    """The distribution without which it can't run."""
    reference: bool = False
    """Whether it is a bound to measure by, which gives its user no such thing, rather than a peer."""


@dataclass(frozen=True)
class Share:
    """Ours is at most `share` of a contender's."""

    of: str
    share: float
    metric: str = "cpu"

    def __str__(self) -> str:
        if self.share == 1:
            return f"≤ {self.of}"
        return f"≤ {self.share:g} × {self.of}"


@dataclass(frozen=True)
class Faster:
    """A contender takes at least `times` of ours."""

    than: str
    times: float
    metric: str = "cpu"

    def __str__(self) -> str:
        return f"≥ {self.times:g} × faster than {self.than}"


@dataclass(frozen=True)
class AheadOfAll:
    """Ours is less than that of every contender which is no mere bound."""

    metric: str = "cpu"

    def __str__(self) -> str:
        return "ahead of every peer"


@dataclass(frozen=True)
class AtMost:
    """Ours is at most so much."""

    metric: str
    limit: float

    def __str__(self) -> str:
        return f"≤ {shown(self.metric, self.limit)}"


@dataclass(frozen=True)
class AtLeast:
    """Ours is at least so much."""

    metric: str
    limit: float

    def __str__(self) -> str:
        return f"≥ {shown(self.metric, self.limit)}"


Target = Share | Faster | AheadOfAll | AtMost | AtLeast


@dataclass(frozen=True)
class Row:
    """One comparison. Contenders are run in turn, in every round."""

    key: str
    title: str
    contenders: tuple[Contender, ...]
    targets: tuple[Target, ...]
    unit: str
    log: str = ""
    items: int = 0
    metrics: tuple[str, ...] = ("cpu", "wall", "peak")
    """What is shown of a contender; the first is compared."""
    picture: bool = False
    rounds: int = 0
    """How many rounds, where the usual number would take too long; 0 is the usual."""

    def quick(self) -> Row:
        """The same with a tenth of the work."""
        count = max(self.items // 10, 2)
        if self.key == "many-jobs":
            count = 200
        if self.key.startswith("agent"):
            return self
        log = f"{self.log.partition('-')[0]}-{count}" if self.log and self.items > 1_000 else self.log
        return Row(**{**self.__dict__, "items": count, "log": log})


def shown(metric: str, value: float) -> str:
    """A measured value for people."""
    if metric == "rate":
        return f"{value:,.0f} lines/s"
    if metric.endswith("share"):
        return f"{value:.0%} of a core"
    if metric in ("peak", "memory", "size"):
        return f"{value / 1e6:.1f} MB"
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def _ours(case: str) -> Contender:
    return Contender(OURS, "ours", "ours.py", case)


def _published(case: str) -> Contender:
    return Contender("published client", "published", "published.py", case)


def _peer(name: str, program: str, case: str, *, reference: bool = False) -> Contender:
    distribution = program.removeprefix("peer_").removesuffix(".py").replace("_", "-")
    needs = "" if distribution in ("floor", "stock") else distribution
    return Contender(name, "peers", program, case, needs, reference)


_FLOOR = _peer(FLOOR, "peer_floor.py", "ws", reference=True)
_WS = (
    _ours("ws"),
    _FLOOR,
    _peer("aiohttp", "peer_aiohttp.py", "ws"),
    _peer("websockets", "peer_websockets.py", "ws"),
    _peer("httpx-ws", "peer_httpx_ws.py", "ws"),
    _peer("websocket-client", "peer_websocket_client.py", "ws"),
    _published("ws"),
)
_WS_ASYNC = (
    _ours("ws_async"),
    _FLOOR,
    _peer("aiohttp", "peer_aiohttp.py", "ws"),
    _peer("websockets", "peer_websockets.py", "ws_async"),
    _peer("httpx-ws", "peer_httpx_ws.py", "ws_async"),
    _published("ws_async"),
)
_HTTP = (
    _ours("http"),
    _peer("requests", "peer_requests.py", "http"),
    _peer("httpx", "peer_httpx.py", "http"),
    _published("http"),
)
_HTTP_ASYNC = (
    _ours("http_async"),
    _peer("aiohttp", "peer_aiohttp.py", "http"),
    _peer("httpx", "peer_httpx.py", "http_async"),
)


def _kinds() -> list[Row]:
    """Tails of other lines, over each protocol, sync and async."""
    rows: list[Row] = []
    for kind, title, log, items in (
        ("5k", "5 kB lines", "lines5000", 4_000),
        ("10b", "10-byte lines", "lines10", 100_000),
        ("packet", "one event a packet", "packets130", 5_000),
    ):
        for way, name, contenders in (
            ("ws", "WebSocket, sync", _WS),
            ("ws-async", "WebSocket, async", _WS_ASYNC),
            ("http", "HTTP, sync", _HTTP),
            ("http-async", "HTTP, async", _HTTP_ASYNC),
        ):
            rows.append(
                Row(
                    f"{kind}-{way}",
                    f"tail of {title}, {name}" if kind != "packet" else f"tail, {title}, {name}",
                    contenders,
                    (AheadOfAll(),),
                    "line",
                    f"{log}-{items}",
                    items,
                )
            )
    return rows


ROWS: tuple[Row, ...] = (
    Row(
        "ws",
        "WebSocket tail, sync",
        _WS,
        (Share(FLOOR, 0.55), Faster("websocket-client", 18), Faster("aiohttp", 2)),
        "line",
        "lines130-200000",
        200_000,
        picture=True,
    ),
    Row(
        "ws-async",
        "WebSocket tail, async",
        _WS_ASYNC,
        (Share(FLOOR, 0.7), Faster("aiohttp", 1.7)),
        "line",
        "lines130-200000",
        200_000,
        picture=True,
    ),
    Row(
        "http",
        "HTTP tail, sync",
        _HTTP,
        (Faster("requests", 2),),
        "line",
        "lines130-200000",
        200_000,
        picture=True,
    ),
    Row(
        "http-async",
        "HTTP tail, async",
        _HTTP_ASYNC,
        (Faster("aiohttp", 2),),
        "line",
        "lines130-200000",
        200_000,
        picture=True,
    ),
    *_kinds(),
    Row(
        "first-line",
        "first line after connecting, sync",
        (_ours("first_line"), _peer("websockets", "peer_websockets.py", "first_line")),
        (Share("websockets", 1, "wall"),),
        "tail",
        "lines130-1",
        200,
        metrics=("wall", "cpu"),
    ),
    Row(
        "first-line-async",
        "first line after connecting, async",
        (_ours("first_line_async"), _peer("websockets", "peer_websockets.py", "first_line_async")),
        (Share("websockets", 1, "wall"),),
        "tail",
        "lines130-1",
        200,
        metrics=("wall", "cpu"),
    ),
    Row(
        "delay",
        "delay of a line behind its writing, sync",
        (_ours("delay"), _peer("websockets", "peer_websockets.py", "delay")),
        (Share("websockets", 1, "p50"), Share("websockets", 1, "p99")),
        "line",
        "paced130-1500",
        1_500,
        metrics=("p50", "p99"),
    ),
    Row(
        "delay-async",
        "delay of a line behind its writing, async",
        (_ours("delay_async"), _peer("websockets", "peer_websockets.py", "delay_async")),
        (Share("websockets", 1, "p50"), Share("websockets", 1, "p99")),
        "line",
        "paced130-1500",
        1_500,
        metrics=("p50", "p99"),
    ),
    Row(
        "get-job",
        "get_job, sync, typed result",
        (
            _ours("get_job"),
            _peer("httpx", "peer_httpx.py", "get_job"),
            _peer("requests", "peer_requests.py", "get_job"),
            _published("get_job"),
            _peer("http.client + json", "peer_floor.py", "get_job", reference=True),
        ),
        (Share("httpx", 0.95), Share("published client", 1)),
        "call",
        items=1_500,
        picture=True,
    ),
    Row(
        "get-job-async",
        "get_job, async, typed result",
        (
            _ours("get_job_async"),
            _peer("httpx", "peer_httpx.py", "get_job_async"),
            _peer("aiohttp", "peer_aiohttp.py", "get_job"),
            _published("get_job_async"),
        ),
        (Share("httpx", 0.95), Share("published client", 1)),
        "call",
        items=1_000,
        picture=True,
    ),
    Row(
        "many-jobs",
        "100 get_job at once, async",
        (
            _ours("many_jobs"),
            _peer("httpx", "peer_httpx.py", "many_jobs"),
            _peer("aiohttp", "peer_aiohttp.py", "many_jobs"),
            _published("many_jobs"),
        ),
        (Share("httpx", 0.35), Share("published client", 1)),
        "call",
        items=1_000,
        picture=True,
    ),
    Row(
        "list-jobs",
        "a page of 1 000 jobs, sync",
        (
            _ours("list_jobs"),
            _peer("httpx", "peer_httpx.py", "list_jobs"),
            _peer("requests", "peer_requests.py", "list_jobs"),
            _published("list_jobs"),
            Contender("Ray's JobSubmissionClient", "agent", "peer_ray.py", "list_jobs", "ray"),
        ),
        (Share("Ray's JobSubmissionClient", 1),),
        "page",
        items=30,
    ),
    Row(
        "tasks",
        "10 000 tasks, decoded and typed",
        (
            _ours("tasks"),
            _peer(JSON, "peer_floor.py", "tasks", reference=True),
            _peer("pydantic", "peer_pydantic.py", "tasks"),
            _peer("stock generated models", "peer_stock.py", "tasks"),
        ),
        (Share(JSON, 1.8), AheadOfAll()),
        "list",
        items=10,
        picture=True,
    ),
    Row(
        "tasks-memory",
        "10 000 tasks, memory",
        (
            _ours("tasks_memory"),
            _peer(JSON, "peer_floor.py", "tasks_memory", reference=True),
            _peer("pydantic", "peer_pydantic.py", "tasks_memory"),
            _peer("stock generated models", "peer_stock.py", "tasks_memory"),
        ),
        (Share(JSON, 1.3, "memory"),),
        "list",
        metrics=("memory",),
        rounds=1,
    ),
    Row(
        "client",
        "making a client, the second and later ones",
        (
            _ours("make_client"),
            _peer("httpx", "peer_httpx.py", "make_client"),
            _published("make_client"),
        ),
        (AtMost("cpu", 0.001),),
        "client",
        items=40,
        metrics=("cpu", "wall"),
    ),
    Row(
        "import",
        "import",
        (
            Contender(OURS, "ours", "", "synapse_sdk.clients.agent"),
            Contender("import httpx", "ours", "", "httpx", reference=True),
            Contender("published client", "published", "", "synapse_sdk.clients.agent"),
        ),
        (Share("import httpx", 0.3, "wall"),),
        "import",
        items=5,
        metrics=("wall", "cpu"),
    ),
    Row(
        "size",
        "installed size without extras",
        (
            Contender(OURS, "ours", "", "size"),
            Contender("published client", "published", "", "size"),
        ),
        (AtMost("size", 12e6),),
        "environment",
        metrics=("size",),
        rounds=1,
    ),
    Row(
        "agent-finished-ws",
        "agent: 200 000 finished lines to one client, WebSocket",
        (Contender(OURS, "ours", "ours.py", "finished_ws"),),
        (AtLeast("rate", 150_000),),
        "line",
        items=200_000,
        metrics=("rate", "agent share", "client share"),
        rounds=3,
    ),
    Row(
        "agent-finished-http",
        "agent: 200 000 finished lines to one client, HTTP",
        (Contender(OURS, "ours", "ours.py", "finished_http"),),
        (AtLeast("rate", 150_000),),
        "line",
        items=200_000,
        metrics=("rate", "agent share", "client share"),
        rounds=3,
    ),
    Row(
        "agent-tails",
        "agent: 100 tails of one live job",
        (Contender(OURS, "ours", "ours.py", "tails_at_once"),),
        (),
        "line",
        items=100,
        metrics=("rate", "agent share", "client share", "p50", "p99"),
        rounds=1,
    ),
)
