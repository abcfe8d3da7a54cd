from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...client import Arguments, Operation
from ...types import decode_value
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.run_accepted import RunAccepted

__all__ = ["OPERATION", "arguments"]


def _decode_202(data: object) -> RunAccepted:
    from ...models.run_accepted import RunAccepted

    return RunAccepted.from_dict(data)


OPERATION: Operation[RunAccepted | Any] = Operation(
    id="run_plugin_release",
    method="POST",
    path="plugin_releases/{lookup}/run/",
    summary="run plugin release",
    decoders={200: decode_value, 202: _decode_202},
)


def arguments(
    lookup: str,
    action: str,
    params: Mapping[str, Any] | None = None,
    *,
    requirements: Sequence[str] | None = None,
    job_id: str | None = None,
    language: str | None = None,
) -> Arguments:
    """Build the request."""
    _body = _present(
        {
            "action": action,
            "params": params,
            "requirements": requirements,
            "job_id": job_id,
            "language": language,
        }
    )
    return Arguments(path={"lookup": lookup}, body=_body)
