"""Generated methods: what each call hands to its transport, and how answers are decoded."""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tables import each_row

from synapse_agent_api import __version__, models
from synapse_agent_api.api import AgentApi, AsyncAgentApi
from synapse_agent_api.client import NO_BODY, Arguments, Operation
from synapse_agent_api.errors import DecodeError

ROOT = Path(__file__).parents[2]
RAW = YAML(typ="safe").load((ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8"))

# (name of the method, method, path, operation)
OPERATIONS = [
    (
        name,
        method,
        path,
        {**operation, "parameters": [*operation.get("parameters", []), *item.get("parameters", [])]},
    )
    for path, item in RAW["paths"].items()
    for method, operation in item.items()
    if method in {"get", "put", "post", "patch", "delete"}
    for name in (operation["operationId"], *operation.get("x-aliases", []))
]
each_operation = each_row(
    ("name", "method", "path", "operation"), OPERATIONS, ids=[name for name, *_ in OPERATIONS]
)
NAMES = [name for name, *_ in OPERATIONS]

CLASSES = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "AuthorizationError",
    404: "NotFoundError",
    409: "HTTPError",
    416: "HTTPError",
    422: "ValidationError",
    429: "RateLimitError",
}


class Recorder:
    """A transport that answers nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Operation[Any], Arguments]] = []

    def call(self, operation: Operation[Any], arguments: Arguments, /) -> Any:
        self.calls.append((operation, arguments))
        return operation


class AsyncRecorder(Recorder):
    async def call(self, operation: Operation[Any], arguments: Arguments, /) -> Any:  # type: ignore[override]
        return super().call(operation, arguments)


def sync_client() -> Any:
    client = AgentApi()
    client._api_client = Recorder()
    return client


def async_client() -> Any:
    client = AsyncAgentApi()
    client._api_client = AsyncRecorder()
    return client


def sent(name: str, /, *args: Any, **kwargs: Any) -> tuple[Operation[Any], Arguments]:
    """Call a method on both clients; both must send the same."""
    one, other = sync_client(), async_client()
    getattr(one, name)(*args, **kwargs)
    asyncio.run(getattr(other, name)(*args, **kwargs))
    [(operation, arguments)] = one._api_client.calls
    [(same, others)] = other._api_client.calls
    assert operation is same
    assert [getattr(arguments, slot) for slot in Arguments.__slots__] == [
        getattr(others, slot) for slot in Arguments.__slots__
    ]
    return operation, arguments


def required(name: str) -> list[Any]:
    parameters = list(inspect.signature(getattr(AgentApi, name)).parameters.values())[1:]
    return [f"a_{item.name}" for item in parameters if item.default is item.empty]


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = RAW
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def test_version_is_the_specs():
    assert __version__ == RAW["info"]["version"]


def test_the_classes_have_the_operations_and_nothing_else():
    for api in (AgentApi, AsyncAgentApi):
        walks = {each["x-pagination"]["method"] for *_, each in OPERATIONS if "x-pagination" in each}
        assert {name for name in dir(api) if not name.startswith("_")} == {*NAMES, *walks}


@each_operation
def test_both_classes_have_the_method(name, method, path, operation):
    sync, other = getattr(AgentApi, name), getattr(AsyncAgentApi, name)
    assert inspect.signature(sync) == inspect.signature(other)
    assert sync.__doc__ == other.__doc__
    assert not inspect.iscoroutinefunction(sync)
    assert inspect.iscoroutinefunction(other)


@each_operation
def test_the_docstring_is_complete(name, method, path, operation):
    method_ = getattr(AgentApi, name)
    doc = inspect.getdoc(method_) or ""
    words = " ".join(doc.split())
    assert "  >>> " in doc
    assert f"client.{name}(" in doc
    assert " ".join(operation["description"].split())[:60] in words
    for parameter in list(inspect.signature(method_).parameters)[1:]:
        assert f"\n    {parameter}: " in doc
    for parameter in map(resolve, operation["parameters"]):
        assert " ".join(parameter["description"].split())[:60] in words
    for status, response in operation["responses"].items():
        if status >= "400":
            error_class = resolve(response).get("x-error-class") or CLASSES.get(int(status), "ServerError")
            error = f"{error_class}: {status}, "
            # What every operation documents is said once, in the class of all methods.
            assert (error in doc) != (error in (AgentApi.__doc__ or ""))
    assert ("Returns:" in doc) == (inspect.signature(method_).return_annotation != "None")
    assert all(len(line) <= 110 for line in doc.splitlines())
    if name != operation["operationId"]:
        assert doc.startswith(f"Alias of {operation['operationId']}: ")


@each_operation
def test_method_and_path(name, method, path, operation):
    described, arguments = sent(name, *required(name))
    assert described.id == operation["operationId"]
    assert described.method == method.upper()
    assert described.path == path.removeprefix("/")
    assert described.summary == operation["operationId"].replace("_", " ")
    assert set(described.decoders) == {int(s) for s in operation["responses"] if s.startswith("2")}
    placeholders = {
        parameter["name"] for parameter in map(resolve, operation["parameters"]) if parameter["in"] == "path"
    }
    assert arguments.path == {name: f"a_{name}" for name in placeholders}
    assert described.path.format(**arguments.path)
    if "requestBody" not in operation:
        assert arguments.body is NO_BODY
        assert arguments.files is None


def example(schema: dict[str, Any]) -> Any:
    """The spec's own example of a schema."""
    if "example" in schema:
        return schema["example"]
    if "$ref" in schema:
        return example(resolve(schema))
    if "properties" in schema:
        return {name: example(item) for name, item in schema["properties"].items()}
    if "items" in schema:
        return [example(schema["items"])]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in (*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])):
        return example(choice)
    raise AssertionError(f"no example: {schema}")


@each_operation
def test_answers_are_decoded(name, method, path, operation):
    described, _ = sent(name, *required(name))
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            continue
        decode = described.decoders[int(status)]
        content = resolve(response).get("content")
        if content is None:
            assert decode(None) is None
            continue
        schema = content["application/json"]["schema"]
        came = example(schema)
        result = decode(came)
        kind = resolve(schema).get("type")
        if kind == "array":
            item_class = getattr(models, schema["items"]["$ref"].rsplit("/", 1)[-1])
            assert [type(item) for item in result] == [item_class] * len(came)
            assert [item.to_dict() for item in result] == came
            assert decode([]) == []
            for wrong in ("<html>", {}, None, [1], ["x"], [None]):
                with pytest.raises(DecodeError):
                    decode(wrong)
        elif kind == "object" and "properties" in resolve(schema):
            assert type(result) is getattr(models, schema["$ref"].rsplit("/", 1)[-1])
            assert result.to_dict() == came
            for wrong in ("<html>", [], None, 3):
                with pytest.raises(DecodeError):
                    decode(wrong)
        else:
            assert result == came


def test_logs_are_text_in_three_forms():
    operation, _ = sent("get_job_logs", "a")
    decode = operation.decoders[200]
    assert operation.text
    assert decode("a\nb") == "a\nb"
    assert decode("") == ""
    assert decode({"logs": "a\nb"}) == "a\nb"
    for wrong in ({}, {"logs": None}, {"logs": ["a"]}, {"detail": "x"}, None, [], 1):
        with pytest.raises(DecodeError):
            decode(wrong)
    assert not sent("get_job", "a")[0].text


def test_aliases_are_the_same_operation():
    assert sent("list_job_logs", "a")[0] is sent("get_job_logs", "a")[0]
    assert sent("get_gatekeeping_policy")[0] is sent("get_runtime_policy")[0]
    operation, arguments = sent("update_gatekeeping_policy", max_concurrent_jobs=5)
    assert operation is sent("update_runtime_policy")[0]
    assert arguments.body == {"max_concurrent_jobs": 5}


def test_query():
    assert sent("list_plugin_releases")[1].query == {"page_size": 100}
    assert sent("list_plugin_releases", 2, 20)[1].query == {"page": 2, "page_size": 20}
    assert sent("list_plugin_releases", page_size=5)[1].query == {"page_size": 5}
    assert sent("get_cluster_resources")[1].query == {"use_cache": True}
    assert sent("get_cluster_resources", False)[1].query == {"use_cache": False}
    assert sent("get_cluster_resources", use_cache=None)[1].query == {}


def test_run():
    _, arguments = sent("run_plugin_release", "detector@1.0.0", "train", {"epochs": 3}, job_id="train-42")
    assert arguments.path == {"lookup": "detector@1.0.0"}
    assert arguments.body == {"action": "train", "params": {"epochs": 3}, "job_id": "train-42"}
    _, arguments = sent("run_plugin_release", "detector@1.0.0", "train")
    assert arguments.body == {"action": "train"}
    _, arguments = sent("run_debug_plugin_release", "train", {"a": 1}, plugin_path="/p", modules={"m": "x"})
    assert arguments.body == {
        "action": "train",
        "params": {"a": 1},
        "plugin_path": "/p",
        "modules": {"m": "x"},
    }
    with pytest.raises(TypeError):
        sync_client().run_plugin_release("detector@1.0.0", "train", {}, ["numpy"])
    with pytest.raises(TypeError):
        sync_client().run_plugin_release("detector@1.0.0")


def test_models_and_enums_may_be_parameters():
    job = models.Job.from_dict({"status": "RUNNING"})
    _, arguments = sent("run_plugin_release", "a@1", "train", {"job": job, "status": models.JobStatus.FAILED})
    body = json.loads(json.dumps(arguments.body))
    assert body["params"] == {"job": {"status": "RUNNING"}, "status": "FAILED"}
    _, arguments = sent("check_feasibility", models.WorkloadKind.JOB, num_gpus=2)
    assert type(arguments.body["kind"]) is str  # type: ignore[index]


def test_run_gives_a_job_or_the_plugins_own_json():
    operation, _ = sent("run_plugin_release", "a@1", "train")
    assert operation.decoders[202]({"job_id": "j"}) == models.RunAccepted.from_dict({"job_id": "j"})
    for came in ({"boxes": []}, [1], "x", None, 3):
        assert operation.decoders[200](came) == came


def test_update_without_tags_sends_null():
    assert sent("update_system")[1].body is None
    assert sent("update_system", api_tag="2")[1].body == {"api_tag": "2"}


def test_patch_sends_only_what_is_given():
    assert sent("update_runtime_policy")[1].body == {}
    assert sent("update_runtime_policy", gatekeeping_enabled=False)[1].body == {"gatekeeping_enabled": False}


def test_feasibility_sends_the_defaults():
    _, arguments = sent("check_feasibility", "job", num_cpus=4)
    assert arguments.body["kind"] == "job"  # type: ignore[index]
    assert arguments.body["num_cpus"] == 4  # type: ignore[index]


@each_row(
    "file", ["plugin.zip", Path("plugin.zip"), b"PK", io.BytesIO(b"PK")], ids=lambda f: type(f).__name__
)
def test_a_file_makes_it_multipart(file):
    _, arguments = sent("create_container", plugin_release="a@1", params={"x": 1}, file=file)
    assert arguments.files == {"file": file}
    assert arguments.body == {"plugin_release": "a@1", "params": {"x": 1}}


def test_without_a_file_it_is_json():
    _, arguments = sent("create_container", plugin_release="a@1")
    assert arguments.files is None
    assert arguments.body == {"plugin_release": "a@1"}


def test_a_container_id_may_be_a_number():
    assert sent("get_container", 7)[1].path == {"container_id": 7}
    assert sent("update_container", 7, "running")[1].body == {"status": "running"}


def test_operations_and_arguments_are_immutable_and_say_no_secrets():
    operation, arguments = sent("run_plugin_release", "a@1", "train", {"password": "hunter2"})
    for item in (operation, arguments):
        with pytest.raises(AttributeError, match="immutable"):
            item.path = "x"  # type: ignore[union-attr]
        with pytest.raises(AttributeError, match="immutable"):
            del item.path
        with pytest.raises(AttributeError):
            item.other = "x"  # type: ignore[union-attr]
        assert "hunter2" not in repr(item)
    assert repr(operation) == "<Operation run_plugin_release: POST plugin_releases/{lookup}/run/>"
    assert "a@1" in repr(arguments)


def test_no_body_is_one_thing():
    assert repr(NO_BODY) == "NO_BODY"
    assert pickle.loads(pickle.dumps(NO_BODY)) is NO_BODY
    assert Arguments().body is NO_BODY
    assert Arguments(body=None).body is None
    assert (Arguments().path, Arguments().query, Arguments().files) == ({}, {}, None)


def python(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        command, cwd=ROOT / "generated", capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_models_and_attrs_are_imported_when_an_answer_is_decoded():
    python(
        "import sys\n"
        "from synapse_agent_api.api import AgentApi\n"
        "import synapse_agent_api.models\n"
        "class T:\n"
        "    def call(self, operation, arguments): return operation\n"
        "c = AgentApi(); c._api_client = T()\n"
        "operation = c.get_job('a')\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'attr', 'attrs', 'httpx'} or '.models.' in m]\n"
        "assert not bad, bad\n"
        "operation.decoders[200]({})\n"
        "assert 'synapse_agent_api.models.job' in sys.modules\n"
        "assert 'synapse_agent_api.models.task' not in sys.modules\n"
    )


def test_every_module_imports_by_itself():
    package = ROOT / "generated" / "synapse_agent_api"
    names = [
        ".".join(p.relative_to(package.parent).with_suffix("").parts) for p in sorted(package.rglob("*.py"))
    ]
    python(
        "import importlib, sys\n"
        f"for name in {[name.removesuffix('.__init__') for name in names]!r}:\n"
        "    for loaded in [m for m in sys.modules if m.startswith('synapse_agent_api')]:\n"
        "        del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )


def test_only_attrs_comes_from_outside():
    package = ROOT / "generated" / "synapse_agent_api"
    for path in package.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if not words or words[0] not in {"import", "from"} or len(words) < 2 or line.endswith("."):
                continue
            module = words[1]
            if not module.startswith(".") and module.split(".")[0] not in sys.stdlib_module_names:
                assert (module, path.parent.name) == ("attrs", "models"), f"{path}: {line}"
