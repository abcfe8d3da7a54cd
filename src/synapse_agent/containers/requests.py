"""Read requests for containers: JSON, or a form with the plugin's archive."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiohttp import BodyPartReader, web

from ..errors import ApiError, FieldError, InvalidBodyError
from ..http.body import parse_json
from ..http.validation import Fields, is_text, read_object

__all__ = ["RESERVED", "ContainerRequest", "Upload", "read_container_form", "read_container_request"]

KINDS = ("plugin_runtime", "code_server")

# The agent sets these, since it must know where the container listens.
RESERVED = frozenset({"HOST", "PORT"})

_MAX_ARCHIVE = 200 * 1024 * 1024
_MAX_FIELD = 1024 * 1024
_MAX_FIELDS = 32
_MAX_INTEGER = 2**63
_CHUNK = 256 * 1024

# Neither an environment nor JSON in UTF-8 can hold these.
_UNUSABLE = re.compile(r"[\0\ud800-\udfff]")

# Linux's limit for one variable, name included.
_MAX_VARIABLE = 128 * 1024 - 1


@dataclass(frozen=True, slots=True)
class ContainerRequest:
    """A checked request for a container."""

    plugin_release: str  # empty if an archive is sent
    kind: str
    model: int | None
    params: dict[str, object]
    envs: dict[str, str]
    metadata: dict[str, object]
    labels: dict[str, str]
    backend_container_id: int | str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded archive."""

    path: Path


async def read_container_request(request: web.Request, *, docker: bool = False) -> ContainerRequest:
    """Read the JSON body; `docker` for the operation with fewer fields."""
    return _checked(await read_object(request), uploaded=False, docker=docker)


@asynccontextmanager
async def read_container_form(
    request: web.Request, parent: Path
) -> AsyncGenerator[tuple[ContainerRequest, Upload], None]:
    """Read a form: yield its fields and its archive, a file below `parent` until the context ends."""
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=parent, prefix="upload-"))
    try:
        try:
            body, upload = await _read_form(request, directory)
        except ValueError as error:  # raised by aiohttp for a malformed form
            raise ApiError(400, f"the body is not a valid multipart form: {error}") from None
        yield _checked(body, uploaded=True, docker=False), upload
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


async def _read_form(request: web.Request, directory: Path) -> tuple[dict[str, object], Upload]:
    body: dict[str, object] = {}
    upload: Upload | None = None
    reader = await request.multipart()
    for _ in range(_MAX_FIELDS):
        part = await reader.next()
        if part is None:
            break
        if not isinstance(part, BodyPartReader) or not part.name:
            raise ApiError(400, "the form has a part without a name")
        if part.name == "file":
            if upload is not None:
                raise InvalidBodyError(
                    [FieldError(("body", "file"), "occurs twice; send one file", "too_many", None)]
                )
            upload = await _store(part, directory / "plugin.zip")
        else:
            body[part.name] = await _read_field(request, part)
    else:
        raise ApiError(400, f"the form has more than {_MAX_FIELDS} fields")
    if upload is None:
        raise InvalidBodyError([FieldError(("body", "file"), "is required", "missing", None)])
    return body, upload


async def _store(part: BodyPartReader, path: Path) -> Upload:
    size = 0
    with path.open("wb") as file:
        while chunk := await part.read_chunk(_CHUNK):
            size += len(chunk)
            if size > _MAX_ARCHIVE:
                raise ApiError(413, f"file: the archive is larger than {_MAX_ARCHIVE >> 20} MiB")
            file.write(chunk)
    return Upload(path)


async def _read_field(request: web.Request, part: BodyPartReader) -> object:
    raw = bytearray()
    while chunk := await part.read_chunk():
        raw += chunk
        if len(raw) > _MAX_FIELD:
            raise ApiError(413, f"{part.name}: the field is larger than {_MAX_FIELD >> 20} MiB")
    name = str(part.name)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise InvalidBodyError(
            [FieldError(("body", name), "must be UTF-8", "string_unicode", None)]
        ) from None
    # A form has only strings: an object is sent as JSON, a number as digits.
    if name in ("params", "envs", "metadata", "labels"):
        try:
            return await parse_json(request, bytes(raw))
        except ApiError:
            raise InvalidBodyError(
                [FieldError(("body", name), "must be a JSON object", "json_invalid", None)]
            ) from None
    if name in ("model", "backend_container_id") and text.removeprefix("-").isdigit() and text.isascii():
        return int(text) if len(text) <= 100 else text
    return text


def _checked(body: Mapping[str, object], *, uploaded: bool, docker: bool) -> ContainerRequest:
    if docker:  # other fields are ignored
        known = ("plugin_release", "params", "envs", "metadata", "labels")
        body = {name: value for name, value in body.items() if name in known}
    fields = Fields(body)
    if not uploaded and body.get("plugin_release") is None:
        wanted = "is required" if docker else "is required, unless the plugin's archive is sent as `file`"
        fields.add_error(FieldError(("body", "plugin_release"), wanted, "missing", None))
    backend = body.get("backend_container_id")
    if backend is not None and not _is_backend_id(backend):
        words = "must be a 64-bit integer, or a string of 1 to 1000 characters without control characters"
        fields.add("backend_container_id", words, "int_type")
    checked = ContainerRequest(
        plugin_release=fields.text("plugin_release"),
        kind=fields.choice("kind", KINDS) or KINDS[0],
        model=_integer(fields, body, "model"),
        params=fields.object("params"),
        envs=_envs(fields),
        metadata=fields.object("metadata"),
        labels=_labels(fields),
        backend_container_id=cast("int | str | None", backend),
    )
    fields.check()
    return checked


def _is_backend_id(value: object) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < _MAX_INTEGER
    return is_text(value, 1000)


def _integer(fields: Fields, body: Mapping[str, object], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if (
        isinstance(value, float) and value.is_integer() and abs(value) < _MAX_INTEGER
    ):  # JSON Schema counts 1.0 as an integer
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MAX_INTEGER:
        fields.add(name, "must be an integer that fits into 64 bits", "int_type")
        return None
    return value


def _texts(fields: Fields, name: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in fields.object(name).items():
        if not isinstance(value, str):
            _refuse(fields, name, key, "must be a string", "string_type")
        elif not key or _UNUSABLE.search(key + value):
            words = "must have a name, and neither NUL nor lone surrogates"
            _refuse(fields, name, key, words, "string_pattern_mismatch")
        elif len(f"{key}={value}".encode()) > _MAX_VARIABLE:
            _refuse(fields, name, key, f"must have at most {_MAX_VARIABLE} bytes", "string_too_long")
        else:
            texts[key] = value
    return texts


def _envs(fields: Fields) -> dict[str, str]:
    envs = _texts(fields, "envs")
    for name in envs:
        if "=" in name:
            _refuse(fields, "envs", name, "must not have '=' in its name", "string_pattern_mismatch")
        elif name in RESERVED:
            _refuse(fields, "envs", name, "is set by the agent", "reserved")
    return envs


def _labels(fields: Fields) -> dict[str, str]:
    labels = _texts(fields, "labels")
    for name in labels:
        if name.startswith("synapse."):
            _refuse(fields, "labels", name, "must not begin with synapse., which the agent uses", "reserved")
    return labels


def _refuse(fields: Fields, name: str, key: str, msg: str, type_: str) -> None:
    # The value may be a secret, so it is not repeated.
    fields.add_error(FieldError(("body", name, key), msg, type_, None))
