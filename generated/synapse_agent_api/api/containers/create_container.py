from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...client import Arguments, Operation
from ...types import FileContent
from ...types import present as _present

if TYPE_CHECKING:
    from ...models.build_accepted import BuildAccepted
    from ...models.container_kind import ContainerKind

__all__ = ["OPERATION", "arguments"]


def _decode_202(data: object) -> BuildAccepted:
    from ...models.build_accepted import BuildAccepted

    return BuildAccepted.from_dict(data)


OPERATION: Operation[BuildAccepted] = Operation(
    id="create_container",
    method="POST",
    path="containers/",
    summary="create container",
    decoders={202: _decode_202},
    waits_for="build",
)


def arguments(
    *,
    plugin_release: str | None = None,
    model: int | None = None,
    params: Mapping[str, Any] | None = None,
    envs: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    kind: ContainerKind | str | None = None,
    backend_container_id: int | str | None = None,
    file: FileContent | None = None,
) -> Arguments:
    """Build the request."""
    _body = _present(
        {
            "plugin_release": plugin_release,
            "model": model,
            "params": params,
            "envs": envs,
            "metadata": metadata,
            "labels": labels,
            "kind": kind,
            "backend_container_id": backend_container_id,
        }
    )
    _files = {"file": file}
    _given = {name: file for name, file in _files.items() if file is not None}
    return Arguments(body=_body, files=_given or None)
