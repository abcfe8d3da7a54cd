"""`make spec-pull`: what a running agent's document says is shown, and taken over change by change."""

from __future__ import annotations

import copy
import gzip
import http.server
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tables import each_row

from tools.spec import document as spec_document
from tools.spec import fetch as spec_fetch
from tools.spec import overlay as spec_overlay
from tools.spec import pull as spec_pull

from .agent_server import Answer, Server, document, sends
from .small_spec import Spec, small

pytestmark = pytest.mark.slow

TOKEN = "S3CRET-token"


SPEC = """\
# Edited by hand.
openapi: 3.1.0
info: {title: Ours, version: "1"}
servers: [{url: "http://127.0.0.1:8000"}]
tags: [{name: things, description: Things.}]
paths:
  /things/{thing_id}/:
    parameters: [{$ref: "#/components/parameters/ThingId"}]
    get:
      operationId: get_thing  # the method's name
      tags: [things]
      summary: Get a thing
      security: [{token: []}]
      responses:
        "200":
          description: The thing.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Thing"}
components:
  securitySchemes:
    token: {type: apiKey, in: header, name: Authorization}
  parameters:
    ThingId: {name: thing_id, in: path, required: true, schema: {type: string}}
  schemas:
    Thing:
      type: object
      description: A thing.
      required: [name]
      properties:
        name: {type: string, description: Its name., example: x}
        # Ours know better.
        size: {type: [integer, "null"], description: "Its size, in bytes.", example: 3}
"""


def fastapi() -> Spec:
    """What FastAPI would serve for that and more, as its own words and order have it."""
    thing = {"$ref": "#/components/schemas/Thing"}
    path = {
        "name": "thing_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "title": "Thing Id"},
    }

    def answers(schema: Spec) -> Spec:
        return {"200": {"description": "Successful", "content": {"application/json": {"schema": schema}}}}

    return {
        "openapi": "3.1.0",
        "info": {"title": "FastAPI", "version": "0.1.0"},
        "paths": {
            "/boxes/": {
                "get": {
                    "summary": "List Boxes",
                    "operationId": "list_boxes_boxes__get",
                    "responses": answers({"type": "array", "items": {"$ref": "#/components/schemas/Box"}}),
                }
            },
            "/things/{thing_id}/": {
                "get": {
                    "summary": "Read It",
                    "operationId": "read_it_things__thing_id___get",
                    "parameters": [path],
                    "responses": answers(thing),
                }
            },
        },
        "components": {
            "schemas": {
                "Box": {
                    "title": "Box",
                    "type": "object",
                    "properties": {"things": {"type": "array", "items": thing}},
                },
                "Thing": {
                    "title": "Thing",
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"title": "Name", "type": "string"},
                        "size": {"title": "Size", "anyOf": [{"type": "integer"}, {"type": "null"}]},
                    },
                },
            }
        },
    }


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(spec_fetch.TOKEN_VARIABLE, raising=False)
    path = tmp_path / "spec" / "openapi.yaml"
    path.parent.mkdir()
    path.write_text(SPEC, encoding="utf-8")
    return path


def pull(spec: Path, upstream: Spec, capsys: pytest.CaptureFixture[str], take: str = "") -> list[str]:
    with Server(document(upstream)) as server:
        assert spec_pull.main([server.url, "--spec", str(spec), "--take", take]) == 0
        assert [path for path, _ in server.seen] == ["/openapi.json"]
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.replace(server.url, "AGENT").splitlines()


def changed(spec: Path) -> list[str]:
    """The lines that are not as they were, with a sign in front."""
    old, new = SPEC.splitlines(), spec.read_text(encoding="utf-8").splitlines()
    return [f"-{line}" for line in old if line not in new] + [f"+{line}" for line in new if line not in old]


# Showing


def test_what_is_another_there_is_shown_and_nothing_is_touched(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = pull(spec, fastapi(), capsys)
    # Titles, ids, order, null, servers and texts are none.
    assert said == [
        "AGENT: 2 changes",
        "   1  GET /boxes/: the operation is new",
        "   2  Box: the schema is new",
        'nothing is taken over; TAKE="1 2" takes those, TAKE=all all that were not edited by hand',
    ]
    assert [path.name for path in spec.parent.iterdir()] == ["openapi.yaml"]
    assert spec.read_text() == SPEC


def test_a_real_fastapi(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fastapi_package = pytest.importorskip("fastapi", reason="FastAPI comes with Ray")
    pydantic = pytest.importorskip("pydantic")
    thing = pydantic.create_model("Thing", name=(str, ...), size=(int | None, ...))
    thing.model_fields["size"].default = None
    thing.model_rebuild(force=True)
    box = pydantic.create_model("Box", things=(list[thing], ...))
    app = fastapi_package.FastAPI()

    def read_it(thing_id: str) -> Any:
        return {"name": thing_id}

    def make_box(box: Any) -> Any:
        return box

    make_box.__annotations__["box"] = box
    app.get("/things/{thing_id}/", response_model=thing)(read_it)
    app.post("/boxes/", response_model=box)(make_box)
    said = pull(spec, app.openapi(), capsys, take="1")
    assert said[:3] == [
        "AGENT: 2 changes",
        "   1  POST /boxes/: the operation is new",
        "   2  Box: the schema is new",
    ]
    after = spec_document.read(spec)
    assert after["paths"]["/boxes/"]["post"]["operationId"] == "make_box"
    assert set(after["components"]["schemas"]) == {"Thing", "Box"}
    assert list(after["paths"]["/boxes/"]["post"]["responses"]) == ["200"]


def test_an_agent_that_serves_our_own(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pull(spec, spec_document.read(spec), capsys) == ["AGENT: 0 changes"]


# Taking over


def test_one_is_taken_with_what_it_refers_to(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = pull(spec, fastapi(), capsys, take="1")
    assert said[-1] == "taken over: 1; see it with `git diff`, then run `make spec-lint`"
    after = spec_document.read(spec)
    assert after["paths"]["/boxes/"]["get"]["operationId"] == "list_boxes"
    assert "Box" in after["components"]["schemas"]
    # What was there is there as it was, comments included.
    assert [line for line in changed(spec) if line.startswith("-")] == []
    assert "# the method's name" in spec.read_text()
    assert pull(spec, fastapi(), capsys) == ["AGENT: 0 changes"]


def test_what_an_agent_changes_later_is_told_from_what_was_edited_by_hand(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = fastapi()
    pull(spec, upstream, capsys, take="all")
    text = spec.read_text().replace('size: {type: [integer, "null"]', "size: {type: integer")
    text = text.replace("name: {type: string, ", "name: {type: string, minLength: 1, ")
    spec.write_text(text)
    assert pull(spec, upstream, capsys) == ["AGENT: 0 changes"]
    fields = upstream["components"]["schemas"]["Thing"]["properties"]
    fields["size"] = {"type": "number"}
    fields["colour"] = {"title": "Colour", "type": "string"}
    upstream["components"]["schemas"]["Thing"]["required"].append("colour")
    said = pull(spec, upstream, capsys, take="all")
    assert said[:4] == [
        "AGENT: 3 changes",
        '   1  Thing: what is required gains "colour"',
        '   2  Thing: the field size is {"type": "number"}, and here {"type": "integer"} '
        "(edited by hand here)",
        "   3  Thing: the field colour is new",
    ]
    assert said[-1].startswith("taken over: 2;")
    thing = spec_document.read(spec)["components"]["schemas"]["Thing"]
    assert thing["required"] == ["name", "colour"]
    assert thing["properties"]["colour"] == {"type": "string"}
    assert (thing["properties"]["size"]["type"], thing["properties"]["name"]["minLength"]) == ("integer", 1)
    # By its number, it is taken, and our words for it stay.
    said = pull(spec, upstream, capsys, take="1")
    assert said[1].endswith("(edited by hand here)")
    size = spec_document.read(spec)["components"]["schemas"]["Thing"]["properties"]["size"]
    assert size == {"type": "number", "description": "Its size, in bytes.", "example": 3}
    assert "# Ours know better." in spec.read_text()
    assert pull(spec, upstream, capsys) == ["AGENT: 0 changes"]


def test_parameters_answers_and_what_is_gone(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    pull(spec, upstream, capsys, take="all")
    operation = upstream["paths"]["/things/{thing_id}/"]["get"]
    operation["parameters"].append({"name": "deep", "in": "query", "schema": {"type": "boolean"}})
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/Box"
    }
    del upstream["paths"]["/boxes/"]
    said = pull(spec, upstream, capsys, take="all")
    assert [line.partition("  ")[2] for line in said[1:4]] == [
        " 1  GET /things/{thing_id}/: the answer 200 is "
        '{"application/json": {"$ref": "#/components/schemas/Box"}}, and here '
        '{"application/json": {"$ref": "#/components/schemas/Thing"}}',
        " 2  GET /boxes/: the operation is gone",
        " 3  GET /things/{thing_id}/: the query parameter deep is new",
    ]
    after = spec_document.read(spec)
    assert list(after["paths"]) == ["/things/{thing_id}/"]
    got = after["paths"]["/things/{thing_id}/"]["get"]
    assert got["parameters"] == [{"name": "deep", "in": "query", "schema": {"type": "boolean"}}]
    assert got["responses"]["200"]["description"] == "The thing."
    assert pull(spec, upstream, capsys) == ["AGENT: 0 changes"]


def test_a_changed_parameter_keeps_its_place(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    operation = upstream["paths"]["/things/{thing_id}/"]["get"]
    wide, deep = ({"name": name, "in": "query", "schema": {"type": "boolean"}} for name in ("wide", "deep"))
    operation["parameters"] += [wide, deep]
    pull(spec, upstream, capsys, take="all")
    wide["schema"] = {"type": "integer"}
    pull(spec, upstream, capsys, take="all")
    # Their order is that of the method's arguments.
    assert spec_document.read(spec)["paths"]["/things/{thing_id}/"]["get"]["parameters"] == [wide, deep]


def test_without_a_record_what_we_have_may_be_edited_by_hand(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = fastapi()
    del upstream["components"]["schemas"]["Thing"]["properties"]["size"]
    said = pull(spec, upstream, capsys, take="all")
    assert "   1  Thing: the field size is gone (perhaps edited by hand here)" in said
    assert "size" in spec_document.read(spec)["components"]["schemas"]["Thing"]["properties"]


def test_operations_are_called_as_the_mapping_says(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (spec.parent / "operation-ids.yaml").write_text("operations: {GET /boxes/: find_boxes}\n")
    pull(spec, fastapi(), capsys, take="1")
    assert spec_document.read(spec)["paths"]["/boxes/"]["get"]["operationId"] == "find_boxes"


def test_the_overlay_adds_what_is_ours(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (spec.parent / "overlay.yaml").write_text(
        """
overlay: 1.0.0
info: {title: x, version: "1"}
actions:
  - target: $.paths['/boxes/'].get
    update: {tags: [boxes], x-aliases: [find_boxes]}
  - target: $.paths['/gone/']
    update: {summary: x}
"""
    )
    said = pull(spec, fastapi(), capsys, take="1")
    assert said[0] == "overlay: nothing there at $.paths['/gone/']"
    taken = spec_document.read(spec)["paths"]["/boxes/"]["get"]
    assert (taken["tags"], taken["x-aliases"]) == (["boxes"], ["find_boxes"])


@pytest.mark.parametrize("take", ["0", "3", "x", "1 9", "-1", "1;2"])
def test_numbers_that_are_none(take: str, spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Server(document(fastapi())) as server:
        assert spec_pull.main([server.url, "--spec", str(spec), f"--take={take}"]) == 2
    assert "numbers from 1 to 2, or all" in capsys.readouterr().err
    assert spec.read_text() == SPEC


def test_what_is_gone_is_listed_until_it_is_taken(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    del upstream["paths"]["/things/{thing_id}/"]
    gone = "GET /things/{thing_id}/: the operation is gone (perhaps edited by hand here)"
    for take in ("all", "all", ""):
        assert any(line.endswith(gone) for line in pull(spec, upstream, capsys, take))
    pull(spec, upstream, capsys, take="1")
    assert "/things/{thing_id}/" not in spec_document.read(spec)["paths"]
    assert pull(spec, upstream, capsys) == ["AGENT: 0 changes"]


def test_a_change_that_was_not_taken_is_listed_again(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    pull(spec, upstream, capsys, take="all")
    upstream["components"]["schemas"]["Thing"]["properties"]["name"] = {"type": "integer"}
    upstream["components"]["schemas"]["Thing"]["properties"]["colour"] = {"type": "string"}
    (number,) = [line.split()[0] for line in pull(spec, upstream, capsys) if "colour" in line]
    pull(spec, upstream, capsys, take=number)
    assert [line for line in pull(spec, upstream, capsys) if "the field name" in line]


def test_what_a_partial_agent_lacks_is_one_line(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SPEC
    for number in range(9):
        text = text.replace(
            "  schemas:\n", f"  schemas:\n    More{number}: {{type: object, properties: {{}}}}\n"
        )
    spec.write_text(text)
    said = pull(spec, fastapi(), capsys)
    # Each schema says what it is and what it needs.
    assert said[0] == "AGENT: 11 changes"
    assert said[1].startswith(
        "   1  9 schemas that are here are not there (perhaps edited by hand here): More8, "
    )
    assert said[2:4] == ["   2  GET /boxes/: the operation is new", "   3  Box: the schema is new"]
    pull(spec, fastapi(), capsys, take="1")
    assert set(spec_document.read(spec)["components"]["schemas"]) == {"Thing"}


def test_a_renamed_schema_is_remembered(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    text = json.dumps(upstream).replace("schemas/Thing", "schemas/ThingOut")
    upstream = json.loads(text)
    upstream["components"]["schemas"]["ThingOut"] = upstream["components"]["schemas"].pop("Thing")
    advice = "ThingOut has the fields of our Thing; if it is that, write x-renamed-schemas: {ThingOut: Thing}"
    assert any(line.startswith(advice) for line in pull(spec, upstream, capsys))
    (spec.parent / "overlay.yaml").write_text("overlay: 1.0.0\nx-renamed-schemas: {ThingOut: Thing}\n")
    said = pull(spec, upstream, capsys, take="all")
    assert [line.partition("  ")[2].strip() for line in said[1:3]] == [
        "1  GET /boxes/: the operation is new",
        "2  Box: the schema is new",
    ]
    assert spec_document.read(spec)["components"]["schemas"]["Box"]["properties"]["things"]["items"] == {
        "$ref": "#/components/schemas/Thing"
    }
    # Its later changes are offered.
    upstream["components"]["schemas"]["ThingOut"]["properties"]["colour"] = {"type": "string"}
    assert "   1  Thing: the field colour is new" in pull(spec, upstream, capsys)


def test_what_is_said_beside_parameters_and_bodies_is_seen(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = fastapi()
    pull(spec, upstream, capsys, take="all")
    get = upstream["paths"]["/things/{thing_id}/"]["get"]
    get["deprecated"] = True
    get["security"] = [{"session": []}]
    get["responses"]["409"] = {"description": "Busy."}
    get["responses"]["200"]["headers"] = {"X-Next": {"schema": {"type": "string"}}}
    upstream["components"]["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
    said = pull(spec, upstream, capsys, take="1 2 3 4")
    # Of security and errors it had said nothing before, so that ours may be by hand.
    assert sorted(line.partition("{thing_id}/: ")[2] for line in said[1:5]) == [
        "the deprecation is new",
        'the errors gain "409"',
        "the header x-next of the answer 200 is new",
        'the security is [{"session": []}], and here [{"token": []}] (perhaps edited by hand here)',
    ]
    after = spec_document.read(spec)
    got = after["paths"]["/things/{thing_id}/"]["get"]
    assert (got["deprecated"], got["security"]) == (True, [{"session": []}])
    assert got["responses"]["409"] == {"description": "Busy."}
    assert "X-Next" in got["responses"]["200"]["headers"]
    assert after["components"]["securitySchemes"].keys() == {"token", "session"}
    assert pull(spec, upstream, capsys) == ["AGENT: 0 changes"]


def test_a_body_that_becomes_required(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upstream = fastapi()
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    upstream["paths"]["/boxes/"]["post"] = {
        "operationId": "make_box",
        "requestBody": {"content": content},
        "responses": {"204": {"description": "Done."}},
    }
    pull(spec, upstream, capsys, take="all")
    upstream["paths"]["/boxes/"]["post"]["requestBody"]["required"] = True
    said = pull(spec, upstream, capsys, take="all")
    assert said[1] == "   1  POST /boxes/: the body's `required` is true, and here false"
    assert spec_document.read(spec)["paths"]["/boxes/"]["post"]["requestBody"]["required"] is True


def test_a_new_operation_brings_its_scheme_and_files_are_binary(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream = fastapi()
    file = {"type": "string", "contentMediaType": "application/octet-stream", "title": "File"}
    form = {"type": "object", "required": ["file"], "properties": {"file": file}}
    upstream["security"] = [{"session": []}]
    upstream["components"]["securitySchemes"] = {"session": {"type": "http", "scheme": "bearer"}}
    upstream["components"]["schemas"]["Upload"] = form
    upstream["paths"]["/uploads/"] = {
        "post": {
            "operationId": "upload_uploads__post",
            "requestBody": {
                "required": True,
                "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Upload"}}},
            },
            "responses": {"204": {"description": "Done."}},
        }
    }
    lines = pull(spec, upstream, capsys)
    (number,) = [line.split()[0] for line in lines if "POST /uploads/: the operation is new" in line]
    pull(spec, upstream, capsys, take=number)
    after = spec_document.read(spec)
    assert after["paths"]["/uploads/"]["post"]["security"] == [{"session": []}]
    assert after["components"]["securitySchemes"]["session"] == {"type": "http", "scheme": "bearer"}
    assert after["components"]["schemas"]["Upload"]["properties"]["file"] == {
        "type": "string",
        "format": "binary",
    }


# Overlays


def test_an_overlay_s_actions() -> None:
    document = {"a": {"x": 1, "l": [1]}, "tags": [{"name": "p"}, {"name": "q"}], "info": {}}
    actions = [
        {"target": "$.a", "update": {"x": 2, "y": {"z": 1}, "l": [2]}},
        {"target": "$.a.y", "update": {"w": 2}},
        {"target": "$.tags[?@.name=='p']", "remove": True},
        {"target": "$.tags", "update": {"name": "r"}},
        {"target": "$", "update": {"new": True}},
        {"target": "$.nothing", "remove": True},
    ]
    result, missing = spec_overlay.apply(copy.deepcopy(document), {"overlay": "1.0.0", "actions": actions})
    assert result == {
        "a": {"x": 2, "l": [1, 2], "y": {"z": 1, "w": 2}},
        "tags": [{"name": "q"}, {"name": "r"}],
        "info": {},
        "new": True,
    }
    assert missing == ["$.nothing"]


@each_row(
    ("overlay", "message"),
    [
        ({}, "`overlay: 1.0.0` is needed"),
        ({"overlay": "1.0.0", "actions": [{"update": {}}]}, "action 1: no target"),
        ({"overlay": "1.0.0", "actions": [{"target": "$.."}]}, "action 1: "),
        ({"overlay": "1.0.0", "actions": [{"target": "$.a"}]}, "neither `update` nor `remove"),
        ({"overlay": "1.0.0", "actions": [{"target": "$.a", "update": {}}]}, "only objects and lists"),
        ({"overlay": "1.0.0", "actions": [{"target": "$", "remove": True}]}, "can't be removed"),
    ],
)
def test_overlays_that_are_none(overlay: dict[str, Any], message: str) -> None:
    with pytest.raises(spec_document.SpecError, match=message):
        spec_overlay.apply({"a": 1}, overlay)


def test_our_overlay_finds_what_it_is_for() -> None:
    folder = spec_pull.SPEC.parent
    overlay = YAML(typ="safe").load((folder / "overlay.yaml").read_text(encoding="utf-8"))
    assert spec_overlay.apply(spec_document.read(spec_pull.SPEC), overlay)[1] == []


# What an agent may try


@pytest.fixture
def fails(spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pull with a token from an agent that answers so; give back the error."""

    def failed(answer: Answer, **servers: Server) -> str:
        monkeypatch.setenv(spec_fetch.TOKEN_VARIABLE, TOKEN)
        with Server(answer) as server:
            assert spec_pull.main([server.url, "--spec", str(spec), "--take", "all"]) == 2
            assert all(token == TOKEN for _, token in server.seen)
        said = capsys.readouterr()
        assert said.out == ""
        assert TOKEN not in said.err
        assert spec.read_text() == SPEC
        assert [path.name for path in spec.parent.iterdir()] == ["openapi.yaml"]
        return said.err

    return failed


def test_no_redirect_to_another_origin_is_followed(fails: Any) -> None:
    with Server(document(fastapi())) as other:
        said = fails(sends(b"", 302, Location=f"{other.url}openapi.json"))
        assert other.seen == []
    assert "redirected to another origin, which is not followed" in said


def test_a_redirect_within_the_origin_is_followed(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(spec_fetch.TOKEN_VARIABLE, TOKEN)

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        moved = handler.path == "/openapi.json"
        (sends(b"", 307, Location="/v1/openapi.json") if moved else document(small()))(handler)

    with Server(answer) as server:
        assert spec_fetch.fetch(server.url) == small()
        assert server.seen == [("/openapi.json", TOKEN), ("/v1/openapi.json", TOKEN)]


def test_redirects_without_end(fails: Any) -> None:
    assert "redirected more than 5 times" in fails(sends(b"", 302, Location="/openapi.json"))


def test_a_document_without_end(fails: Any) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            # The client has seen enough.
            return

    assert "larger than" in fails(answer)


def test_one_that_is_small_on_the_wire_only(fails: Any) -> None:
    said = fails(sends(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"))
    assert "compressed, which was not asked for" in said


def test_one_that_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not go_on.wait(0.02):
                handler.wfile.write(b" ")
        except OSError:
            # The client has waited long enough.
            return

    with Server(answer) as server:
        try:
            with pytest.raises(spec_document.SpecError, match="takes too long"):
                spec_fetch.fetch(server.url, seconds=0.3)
        finally:
            go_on.set()


@each_row(
    ("answer", "message"),
    [
        (sends(b"no", 401), "answered 401; is SYNAPSE_AGENT_TOKEN set?"),
        (sends(b"no", 500), "answered 500"),
        (sends(b"<html>"), "openapi.json: "),
        (sends(b'{"a": 1, "a": 2}'), "is there twice"),
        (sends(b"[" * 3_000), "nested more than"),
        (sends(b'{"openapi": "3.1.0", "x": {"$ref": "file:///etc/passwd"}}'), "nothing outside"),
        (sends(b"a: \xff"), "can't decode"),
        (sends(b"HTTP/1.0 200 OK\r\n\x1b[2J", 200, Content_Type="text/plain"), "openapi.json: "),
    ],
)
def test_what_is_no_document(answer: Answer, message: str, fails: Any) -> None:
    said = fails(answer)
    assert message in said
    assert "\x1b" not in said


@each_row("url", ["ftp://host/", "file:///etc/passwd", "http://", "http://user:S3CRET@host/", "nothing"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(spec_document.SpecError) as caught:
        spec_fetch.document_url(url)
    assert "S3CRET" not in str(caught.value)


@each_row(
    ("url", "document"),
    [
        ("http://host:1/", "http://host:1/openapi.json"),
        ("https://host/agents/7", "https://host/agents/7/openapi.json"),
        ("http://host/api/openapi.yaml", "http://host/api/openapi.yaml"),
    ],
)
def test_where_the_document_is(url: str, document: str) -> None:
    assert str(spec_fetch.document_url(url)) == document


def test_a_token_that_can_be_none_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(spec_fetch.TOKEN_VARIABLE, f"{TOKEN}\n")
    with pytest.raises(spec_document.SpecError) as caught:
        spec_fetch.fetch("http://127.0.0.1:9/")
    assert TOKEN not in str(caught.value)
