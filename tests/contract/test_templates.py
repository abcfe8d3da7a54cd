"""Each template in templates/ keeps a promise that the stock template, without it, breaks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from jinja2 import TemplateError
from tables import each_row

from tools.codegen import generate, safety

pytestmark = pytest.mark.slow

TEMPLATES = ROOT / "templates"

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "7.8.9"},
    "tags": [{"name": "things", "description": "Things."}],
    "paths": {
        "/things/{thing_id}/": {
            "get": {
                "operationId": "get_thing",
                "tags": ["things"],
                "summary": "Get a thing",
                "parameters": [
                    {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                ],
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Colour": {"type": "string", "enum": ["red", "green"]},
            "Size": {"type": "integer", "enum": [1, 2]},
            "Thing": {
                "type": "object",
                "required": ["name", "colour"],
                "properties": {
                    "name": {"type": "string"},
                    "colour": {"$ref": "#/components/schemas/Colour"},
                    "size": {"$ref": "#/components/schemas/Size"},
                    "made_at": {"type": "string", "format": "date-time"},
                },
            },
        }
    },
}

# By template: what it promises, and a program that fails where the promise is broken.
PROMISES = {
    "api_init.py.jinja": (
        "one class has the methods of all tags",
        """
from synapse_agent_api.api import AgentApi, AsyncAgentApi
assert AgentApi.get_thing and AsyncAgentApi.get_thing
""",
    ),
    "requests.py.jinja": (
        "the schemas of requests are there, for fakes",
        """
from synapse_agent_api.requests import REQUESTS
assert REQUESTS["get_thing"]["parameters"]["query"] == {"page": {"type": "integer"}}
""",
    ),
    "client.py.jinja": (
        "generated code has neither connections nor tokens: it hands operations to a transport",
        """
import synapse_agent_api.client as client, sys
assert not hasattr(client, "AuthenticatedClient")
assert "httpx" not in sys.modules
assert "secret" not in repr(client.Arguments(body={"token": "secret"}))
""",
    ),
    "endpoint_init.py.jinja": (
        "a tag is a sync and an async class with the same documented methods",
        """
import inspect
from synapse_agent_api.api.things import AsyncThingsApi, ThingsApi
one, other = ThingsApi.get_thing, AsyncThingsApi.get_thing
assert inspect.signature(one) == inspect.signature(other) and one.__doc__ == other.__doc__
assert inspect.iscoroutinefunction(other) and ">>>" in one.__doc__
""",
    ),
    "endpoint_macros.py.jinja": (
        "a method takes the operation's parameters, the required ones first and the others by name",
        """
import inspect
from synapse_agent_api.api import AgentApi
parameters = inspect.signature(AgentApi.get_thing).parameters
assert [str(p.default) for p in parameters.values()][1:] == [str(inspect.Parameter.empty), "None"]
""",
    ),
    "endpoint_module.py.jinja": (
        "an operation is described once for both clients, without sending anything itself",
        """
from synapse_agent_api.api.things import get_thing as module
assert (module.OPERATION.method, module.OPERATION.path) == ("GET", "things/{thing_id}/")
assert module.arguments("x", page=2).query == {"page": 2}
assert not hasattr(module, "sync_detailed")
""",
    ),
    "errors.py.jinja": (
        "an answer of another shape is an error that says what was due, and can be pickled",
        """
import pickle
from synapse_agent_api.errors import DecodeError
error = pickle.loads(pickle.dumps(DecodeError("Thing", [1])))
assert str(error) == "expected Thing, got an array"
""",
    ),
    "model.py.jinja": (
        "a model keeps what it doesn't know, misses nothing, and reads like a dict",
        """
from synapse_agent_api.models.thing import Thing
came = {"added_later": 1, "made_at": None}
thing = Thing.from_dict(came)
assert thing.name is None and thing.made_at is None
assert thing.to_dict() == came and thing["added_later"] == 1 and "name" not in thing
""",
    ),
    "models_init.py.jinja": (
        "a model is imported when it is asked for",
        """
import sys
from synapse_agent_api import models
assert "synapse_agent_api.models.thing" not in sys.modules
assert models.Thing.__name__ == "Thing"
""",
    ),
    "package_init.py.jinja": (
        "the package knows the spec's version",
        """
import synapse_agent_api
assert synapse_agent_api.__version__ == "7.8.9"
""",
    ),
    "int_enum.py.jinja": (
        "an enum of numbers takes a value that an agent adds later",
        """
from synapse_agent_api.models.size import Size
assert Size(3) == 3 and isinstance(Size(3), Size)
""",
    ),
    "str_enum.py.jinja": (
        "an enum takes a value that an agent adds later",
        """
from synapse_agent_api.models.colour import Colour
assert Colour("mauve") == "mauve" and isinstance(Colour("mauve"), Colour)
""",
    ),
    "types.py.jinja": (
        "nothing is UNSET, and models can be copied and pickled",
        """
import copy, pickle
from synapse_agent_api import types
from synapse_agent_api.models.thing import Thing
assert not hasattr(types, "UNSET")
thing = Thing(name="x", colour="red")
assert copy.deepcopy(thing) == thing == pickle.loads(pickle.dumps(thing))
assert thing.to_dict() == {"name": "x", "colour": "red"}
""",
    ),
}


# Without these, the others generate nothing at all.
NEEDED = {"endpoint_macros.py.jinja", "endpoint_module.py.jinja", "requests.py.jinja"}


def package(folder: Path, templates: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Generate from the document above with these templates."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(DOCUMENT))
    monkeypatch.setattr(generate, "TEMPLATES", templates)
    generate.generate(spec, folder / "out" / "synapse_agent_api")
    return folder / "out"


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return package(tmp_path_factory.mktemp("whole"), TEMPLATES, monkeypatch)


def test_every_template_has_a_promise() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == set(PROMISES)


@each_row("template", PROMISES, ids=[promise for promise, _ in PROMISES.values()])
def test_a_template_keeps_its_promise(whole: Path, template: str) -> None:
    done = run(whole, PROMISES[template][1])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("template", PROMISES, ids=[f"without {name}" for name in PROMISES])
def test_the_stock_template_breaks_it(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = tmp_path / "templates"
    shutil.copytree(TEMPLATES, fewer)
    (fewer / template).unlink()
    # The stock ones may import what ours never do, which is no promise of a template.
    monkeypatch.setattr(safety, "IMPORTED", safety.IMPORTED | {"attr", "httpx", "http", "io", "ssl"})
    try:
        folder = package(tmp_path, fewer, monkeypatch)
    except (TemplateError, generate.GenerationError):
        assert template in NEEDED
        return
    done = run(folder, PROMISES[template][1])
    assert done.returncode == 1, f"{template} could go: {PROMISES[template][0]} all the same"
