from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...client import Arguments, Operation
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.build_accepted import BuildAccepted

__all__ = ["OPERATION", "arguments"]


def _decode_202(data: object) -> BuildAccepted:
    from ...models.build_accepted import BuildAccepted

    return BuildAccepted.from_dict(data)


OPERATION: Operation[BuildAccepted] = Operation(
    id="create_docker_container",
    method="POST",
    path="containers/docker/",
    summary="create docker container",
    decoders={202: _decode_202},
    waits_for="build",
)


def arguments(
    plugin_release: str,
    params: Mapping[str, Any] | None = None,
    *,
    envs: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Arguments:
    """Build the request."""
    _body = _present(
        {
            "plugin_release": plugin_release,
            "params": params,
            "envs": envs,
            "metadata": metadata,
            "labels": labels,
        }
    )
    return Arguments(body=_body)
