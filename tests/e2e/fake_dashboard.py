"""A Ray dashboard below a path prefix, without a cluster, which notes what it is asked for."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Dashboard", "dashboard_at"]


@dataclass
class Dashboard:
    """What it has, and what it was asked for."""

    url: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    tasks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    # Methods, paths and queries as they came.
    requests: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list[Any])
    authorizations: set[str | None] = field(default_factory=set[Any])
    # Logs by the names of their files, as a node's agent serves parts of them.
    logs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    # Bytes of logs that were sent.
    log_bytes: int = 0
    # For each path the most requests that were under way at a time.
    most_at_once: Counter[str] = field(default_factory=Counter[str])
    # Seconds that each answer takes, so that requests meet.
    seconds: float = 0.0
    _under_way: Counter[str] = field(default_factory=Counter[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def counted(self, path: str) -> Iterator[None]:
        with self._lock:
            self._under_way[path] += 1
            self.most_at_once[path] = max(self.most_at_once[path], self._under_way[path])
        try:
            yield
        finally:
            with self._lock:
                self._under_way[path] -= 1

    def part(self, name: str, wanted: str | None) -> tuple[int, str, bytes]:
        """The status, the Content-Range and the body of an answer for a part of a log."""
        log = self.logs[name]
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        assert found is not None, wanted
        start, end = int(found[1]), min(int(found[2]) + 1, len(log))
        if start >= len(log):
            return 416, f"bytes */{len(log)}", b""
        with self._lock:
            self.log_bytes += end - start
        return 206, f"bytes {start}-{end - 1}/{len(log)}", log[start:end]

    def paths(self, method: str = "GET") -> list[str]:
        return [path for asked, path, _ in self.requests if asked == method]

    def answer(self, method: str, path: str) -> tuple[int, object]:
        job_id = path.removeprefix("api/jobs/") if path.startswith("api/jobs/") else ""
        if path == "api/jobs/":
            return 200, list(self.jobs.values())
        if job_id:
            if job_id not in self.jobs:
                return 404, f"Job {job_id} does not exist"
            if method == "DELETE":
                del self.jobs[job_id]
                return 200, {"deleted": True}
            return 200, self.jobs[job_id]
        if path == "api/v0/tasks":
            return 200, {"data": {"result": {"result": self.tasks}}}
        if path == "api/version":
            return 200, {"ray_version": "2.60.0"}
        return 404, "nothing"


def add_job(dashboard: Dashboard, name: str, started: int | None, **fields: Any) -> None:
    dashboard.jobs[name] = {
        "type": "SUBMISSION",
        "job_id": None,
        "submission_id": name,
        "status": "SUCCEEDED",
        "entrypoint": "python x.py",
        "start_time": started,
        "metadata": {},
    } | fields


@contextmanager
def dashboard_at(prefix: str) -> Iterator[Dashboard]:
    """Serve a dashboard on a free port, below a path such as `/ray`; it answers 418 outside of that."""
    dashboard = Dashboard()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            split = urlsplit(self.path)
            dashboard.requests.append((self.command, split.path, parse_qsl(split.query)))
            dashboard.authorizations.add(self.headers.get("Authorization"))
            with dashboard.counted(split.path):
                self._send(split.path)

        def _send(self, path: str) -> None:
            time.sleep(dashboard.seconds)
            headers: dict[str, str] = {}
            if path.startswith("/logs/"):
                name = path.removeprefix("/logs/")
                status, headers["Content-Range"], body = dashboard.part(name, self.headers.get("Range"))
            else:
                status, body = self._json(path)
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _json(self, path: str) -> tuple[int, bytes]:
            inside = path.startswith(f"{prefix}/")
            status, value = dashboard.answer(self.command, path[len(prefix) + 1 :]) if inside else (418, "")
            return status, (value if isinstance(value, str) else json.dumps(value)).encode()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815 - http.server calls them so

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        dashboard.url = f"http://127.0.0.1:{server.server_port}{prefix}"
        try:
            yield dashboard
        finally:
            server.shutdown()
            thread.join()
