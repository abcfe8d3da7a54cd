"""A Ray dashboard below a path prefix, without a cluster, which notes what it is asked for."""

from __future__ import annotations

import json
import threading
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
            inside = split.path.startswith(f"{prefix}/")
            status, value = (
                dashboard.answer(self.command, split.path[len(prefix) + 1 :]) if inside else (418, "")
            )
            body = (value if isinstance(value, str) else json.dumps(value)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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
