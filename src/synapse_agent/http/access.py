"""Lines of the log about requests: every request, every change, every failure of the agent."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from .address import client_address
from .current import current_request
from .route import Role, route_of

__all__ = ["ON_ANSWER", "AccessLog"]

# Called with the operation, the status and the seconds of each answer.
ON_ANSWER: web.AppKey[Callable[[str, int, float], None] | None] = web.AppKey("on_answer")

_access = logging.getLogger("synapse_agent.access")
_audit = logging.getLogger("synapse_agent.audit")


class AccessLog(AbstractAccessLogger):
    """Write a line for each request, and an audit line for each that is meant to change something.

    The level is INFO, or WARNING for a status of 500 or above.
    """

    @property
    def enabled(self) -> bool:
        return True

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the lines for a request that was answered in `time` seconds."""
        info = current_request()
        route = route_of(request) if info is not None and isinstance(request, web.Request) else None
        failed = response.status >= 500 and not (
            route is not None and route.public
        )  # a probe's no is an answer
        level = logging.WARNING if failed else logging.INFO
        if info is None:  # not HTTP, so aiohttp answered it: its senders must not fill the log
            level = logging.DEBUG
        if info is not None and isinstance(request, web.Request) and (observe := request.app[ON_ANSWER]):
            observe("" if route is None else route.operation, response.status, time)
        if not _access.isEnabledFor(level) and not _audit.isEnabledFor(logging.INFO):
            return
        fields: dict[str, object] = {
            "method": request.method,
            # As sent, so without control characters, and without the query, which may hold secrets.
            "path": request.rel_url.raw_path,
            "status": response.status,
            "address": client_address(request),
            "who": info and info.user,
            "error": info and info.error,
        }
        timing = {"seconds": round(time, 4), "sent": response.body_length}
        _access.log(level, "request", extra={"fields": fields | timing})
        if route is not None and route.role > Role.READ and response.status != 401:
            fields["operation"] = route.operation
            fields["user"] = _fingerprint(request, "SYNAPSE-User")
            fields["tenant"] = _fingerprint(request, "SYNAPSE-Tenant")
            _audit.info("change", extra={"fields": fields})


def _fingerprint(request: web.BaseRequest, header: str) -> str | None:
    """Return what tells users or tenants apart without giving away their tokens."""
    value = request.headers.get(header)
    if value is None:
        return None
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:12]
