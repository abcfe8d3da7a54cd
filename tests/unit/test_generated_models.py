"""Generated models: typed attributes beside the dict that came, whatever came."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tables import each_row

from synapse_agent_api import models
from synapse_agent_api.errors import DecodeError
from synapse_agent_api.types import Model, OpenStrEnum, as_date, as_datetime, decode_models, encode, present

SPEC = Path(__file__).parents[2] / "spec" / "openapi.yaml"
RAW = YAML(typ="safe").load(SPEC.read_text(encoding="utf-8"))

CLASSES = [getattr(models, name) for name in models.__all__]
MODELS = [item for item in CLASSES if issubclass(item, Model)]
ENUMS = [item for item in CLASSES if issubclass(item, OpenStrEnum)]

WRONG = ["x", "", 1, -1.5, True, [], {}, [1, None, "x", {}, []], {"a": 1}, [[{}]]]


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        node: Any = RAW
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = node
    return schema


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


def whole(model: type[Model]) -> dict[str, Any]:
    """An example with every property."""
    properties = RAW["components"]["schemas"][model.__name__]["properties"]
    return copy.deepcopy({name: example(item) for name, item in properties.items()})


def fields(model: type[Model]) -> Mapping[str, str]:
    return model._names


def same(attribute: Any, came: Any) -> bool:
    """Whether an attribute says what came; a date may be written in several ways."""
    if isinstance(attribute, datetime.datetime):
        return attribute == datetime.datetime.fromisoformat(came)
    return encode(attribute) == came


each_enum = each_row("enum", ENUMS, ids=lambda enum: enum.__name__)
each_model = each_row("model", MODELS, ids=lambda model: model.__name__)


def test_there_are_models_and_enums():
    assert {"Job", "Node", "Task", "RuntimePolicy"} <= {model.__name__ for model in MODELS}
    assert {"JobStatus", "TaskState"} <= {enum.__name__ for enum in ENUMS}


@each_model
def test_what_came_is_kept(model):
    came = whole(model)
    item = model.from_dict(copy.deepcopy(came))
    assert dict(item) == came == item.to_dict()
    assert json.loads(json.dumps(dict(item))) == came
    assert list(item) == list(came) == list(item.keys())
    assert list(item.items()) == list(came.items())
    assert list(item.values()) == list(came.values())
    assert len(item) == len(came)
    for name in came:
        assert name in item
        assert item[name] == came[name] == item.get(name)
    assert isinstance(item, Mapping)


@each_model
def test_every_property_is_an_attribute(model):
    schema = RAW["components"]["schemas"][model.__name__]
    assert set(fields(model).values()) == set(schema["properties"])
    assert [field.name for field in attrs.fields(model)] == list(fields(model))
    item = model.from_dict(whole(model))
    for name, wire in fields(model).items():
        assert same(getattr(item, name), item[wire])


@each_model
def test_the_docstring_explains_every_attribute(model):
    for name in fields(model):
        assert f"    {name}: " in (model.__doc__ or "")


@each_model
def test_to_dict_is_a_deep_copy(model):
    item = model.from_dict(whole(model))
    for value in (given := item.to_dict()).values():
        if isinstance(value, list | dict):
            value.clear()
    given["x"] = 1
    assert item.to_dict() == whole(model)


@each_model
def test_missing_and_null_read_as_none(model):
    nothing = model.from_dict({})
    assert dict(nothing) == {} == nothing.to_dict()
    for name, wire in fields(model).items():
        assert getattr(nothing, name) is None
        came = whole(model)
        del came[wire]
        item = model.from_dict(came)
        assert getattr(item, name) is None
        assert wire not in item
        assert item.get(wire, "default") == "default"
        with pytest.raises(KeyError):
            item[wire]
        null = model.from_dict(whole(model) | {wire: None})
        assert getattr(null, name) is None
        assert wire in null
        assert null[wire] is None
        assert repr(item)
        assert repr(null)


@each_model
@each_row("wrong", WRONG, ids=repr)
def test_a_value_of_another_type_is_kept(model, wrong):
    for name, wire in fields(model).items():
        came = whole(model) | {wire: wrong}
        item = model.from_dict(copy.deepcopy(came))
        assert same(getattr(item, name), wrong)
        assert item.to_dict() == came
        assert repr(item)
        assert pickle.loads(pickle.dumps(item)) == item


@each_model
def test_unknown_fields_are_kept(model):
    came = whole(model) | {"added_later": {"a": [1]}, "other-name": 2}
    item = model.from_dict(came)
    assert item["added_later"] == {"a": [1]}
    assert item["other-name"] == 2
    assert item.to_dict() == came
    assert not hasattr(item, "added_later")
    assert item != model.from_dict(whole(model))


@each_model
@each_row("wrong", [None, [], "<html>", b"", 3, True, [{}]], ids=repr)
def test_what_is_no_object_is_refused(model, wrong):
    with pytest.raises(DecodeError, match=f"expected {model.__name__}, got ") as caught:
        model.from_dict(wrong)
    assert isinstance(caught.value, ValueError)
    assert caught.value.expected == model.__name__
    assert "html" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.expected, again.got) == (str(caught.value), model.__name__, caught.value.got)
    assert str(copy.copy(caught.value)) == str(caught.value)


@each_model
def test_any_mapping_will_do(model):
    item = model.from_dict(whole(model))
    assert model.from_dict(item) == item


@each_model
def test_copies_and_pickles(model):
    item = model.from_dict(whole(model) | {"added_later": 1})
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(item, protocol))
        assert type(again) is model
        assert again == item
        assert dict(again) == dict(item)
        for name in fields(model):
            assert getattr(again, name) == getattr(item, name)
    assert copy.copy(item) == item
    deep = copy.deepcopy(item)
    assert deep == item
    for wire, value in item.items():
        assert not isinstance(value, dict | list) or deep[wire] is not value


@each_model
def test_frozen(model):
    item = model.from_dict(whole(model))
    for name in fields(model):
        with pytest.raises(AttributeError):
            setattr(item, name, None)
        with pytest.raises(AttributeError):
            delattr(item, name)
    with pytest.raises(AttributeError):
        item.something_else = 1
    with pytest.raises(TypeError):
        item["x"] = 1
    assert not hasattr(item, "__dict__")


@each_model
def test_equality(model):
    item = model.from_dict(whole(model))
    assert item == model.from_dict(whole(model))
    assert (item != model.from_dict(whole(model))) is False
    assert item != model.from_dict({"something": "else"})
    assert item != dict(item)
    other = next(one for one in MODELS if one is not model)
    assert item != other.from_dict(whole(model))
    with pytest.raises(TypeError):
        hash(item)


@each_model
def test_repr_is_short_and_has_no_raw_dict(model):
    came = {wire: {"password": "hunter2"} for wire in fields(model).values()} | {"token": "hunter2"}
    assert repr(model.from_dict(came)) == f"{model.__name__}()"
    long = repr(model.from_dict(dict.fromkeys(fields(model).values(), "x" * 10_000)))
    assert len(long) < 700
    assert repr(model.from_dict(whole(model))).startswith(f"{model.__name__}(")


@each_model
def test_the_constructor_gives_what_is_not_none(model):
    came = whole(model)
    decoded = model.from_dict(came)
    item = model(**{name: getattr(decoded, name) for name in fields(model)})
    assert dict(item) == item.to_dict()
    assert json.loads(json.dumps(dict(item))) == dict(item)
    assert set(item) == {wire for wire, value in came.items() if value is not None}
    for name in fields(model):
        assert getattr(model.from_dict(item.to_dict()), name) == getattr(decoded, name)
    assert item == model.from_dict(item.to_dict())
    assert pickle.loads(pickle.dumps(item)) == item
    assert copy.deepcopy(item) == item
    assert repr(item) == repr(decoded)
    with pytest.raises(TypeError):
        model("positional")


def test_attributes_are_typed():
    job = models.Job.from_dict(whole(models.Job))
    assert job.status is models.JobStatus.RUNNING
    assert job["status"] == "RUNNING"
    assert type(job["status"]) is str
    assert isinstance(job.driver_info, models.JobDriverInfo)
    assert type(job["driver_info"]) is dict
    assert job.type is models.JobType.SUBMISSION
    node = models.Node.from_dict(whole(models.Node))
    assert node.gpus is not None
    assert isinstance(node.gpus[0], models.GpuDevice)
    application = models.ServeApplication.from_dict(whole(models.ServeApplication))
    assert isinstance(application.deployments["Detector"], models.ServeDeployment)
    snapshot = models.ClusterSnapshot.from_dict(whole(models.ClusterSnapshot))
    assert isinstance(snapshot.collected_at, datetime.datetime)
    assert snapshot.collected_at.tzinfo is not None


def test_a_list_with_an_odd_item_keeps_it():
    node = models.Node.from_dict(whole(models.Node) | {"gpus": [None, {"index": 3}, "x"]})
    assert node.gpus == [None, models.GpuDevice.from_dict({"index": 3}), "x"]


def test_a_list_of_models():
    came = [{"name": f"task {number}", "state": "RUNNING"} for number in range(2_000)]
    tasks = decode_models(came, "list of Task", models.Task)
    assert [type(task) for task in tasks] == [models.Task] * 2_000
    assert [dict(task) for task in tasks] == came
    assert [task.name for task in tasks] == [item["name"] for item in came]
    assert {task.state for task in tasks} == {models.TaskState.RUNNING}
    assert decode_models([], "list of Task", models.Task) == []
    assert decode_models([tasks[3], {}], "list of Task", models.Task) == [tasks[3], models.Task.from_dict({})]


@each_row("odd", [None, [], "x", 1, True], ids=repr)
def test_one_odd_item_makes_an_answer_wrong(odd):
    with pytest.raises(DecodeError, match="expected Task, got"):
        decode_models([{}, {}, odd, {}], "list of Task", models.Task)
    with pytest.raises(DecodeError, match="expected list of Task, got"):
        decode_models(odd if odd != [] else {}, "list of Task", models.Task)


@each_model
def test_attrs_knows_the_class(model):
    came = whole(model)
    item = model.from_dict(came)
    assert attrs.has(model)
    assert attrs.fields_dict(model).keys() == fields(model).keys()
    shallow = attrs.asdict(item, recurse=False)
    assert shallow == {name: getattr(item, name) for name in fields(model)}
    deep = attrs.asdict(item)
    assert not [value for value in deep.values() if isinstance(value, Model)]
    assert deep == attrs.asdict(model.from_dict(copy.deepcopy(came)))
    for name in fields(model):
        changed = attrs.evolve(item, **{name: None})
        assert type(changed) is model
        assert getattr(changed, name) is None
        rest = [other for other in fields(model) if other != name]
        assert [getattr(changed, other) for other in rest] == [getattr(item, other) for other in rest]
    assert dict(item) == whole(model)


@each_model
def test_a_field_is_the_same_object_each_time(model):
    item = model.from_dict(whole(model))
    for name in fields(model):
        assert getattr(item, name) is getattr(item, name)


@each_model
def test_the_constructor_keeps_what_it_is_given(model):
    given: dict[str, Any] = {name: [{"a": name}] for name in fields(model)}
    item = model(**given)
    for _ in range(2):
        for name, value in given.items():
            assert getattr(item, name) is value
        assert item.to_dict() == {wire: given[name] for name, wire in fields(model).items()}


@each_model
def test_a_subclass_may_add_to_a_model(model):
    class Mine(model):
        def first(self) -> Any:
            return getattr(self, next(iter(fields(model))))

    came = whole(model)
    item = Mine.from_dict(came)
    assert type(item) is Mine
    assert item.first() == getattr(model.from_dict(came), next(iter(fields(model))))
    assert dict(item) == came
    assert item != model.from_dict(came)
    made = Mine(**{name: getattr(item, name) for name in fields(model)})
    assert made.first() == item.first()


def test_dates():
    assert as_datetime("2026-01-01T00:00:00Z") == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert as_datetime("soon") == "soon"
    assert as_datetime(None) is None
    assert as_datetime(5) == 5
    assert as_date("2026-01-31") == datetime.date(2026, 1, 31)
    assert as_date("2026-02-31") == "2026-02-31"


def test_encode_makes_json_of_anything_a_caller_passes():
    job = models.Job.from_dict({"status": "NEW"})
    when = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    value = {"job": job, "many": (job, [models.JobStatus.FAILED, when]), "date": when.date(), "n": None}
    assert json.loads(json.dumps(encode(value))) == {
        "job": {"status": "NEW"},
        "many": [{"status": "NEW"}, ["FAILED", "2026-01-01T00:00:00+00:00"]],
        "date": "2026-01-01",
        "n": None,
    }
    assert present({"a": None, "b": False, "c": 0, "d": ""}) == {"b": False, "c": 0, "d": ""}


class TestEnums:
    @each_enum
    def test_members_are_the_specs(self, enum):
        assert [member.value for member in enum] == RAW["components"]["schemas"][enum.__name__]["enum"]
        for member in enum:
            assert enum(member.value) is member
            assert isinstance(member, str)
            assert member == member.value

    @each_enum
    @each_row("value", ["added later", "", "é\n\x00", "name", "PENDING " * 100])
    def test_an_unknown_value_is_its_string(self, enum, value):
        member = enum(value)
        assert type(member) is enum
        assert member == value
        assert value == member
        assert hash(member) == hash(value)
        assert {value: 1}[member] == 1
        assert str(member) == f"{member}" == member.value == value
        assert json.dumps(member) == json.dumps(value)
        assert member == enum(value)
        assert member in {enum(value)}
        assert repr(member)
        assert value not in [known.value for known in enum]
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(member, protocol))
            assert type(again) is enum
            assert again == member
        assert copy.copy(member) == copy.deepcopy(member) == member

    @each_enum
    def test_known_members_stay_singletons(self, enum):
        for member in enum:
            assert copy.copy(member) is copy.deepcopy(member) is member
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                assert pickle.loads(pickle.dumps(member, protocol)) is member

    @each_enum
    def test_what_is_no_string_is_refused(self, enum):
        with pytest.raises(ValueError, match="is not a valid"):
            enum(3)


def test_an_unknown_enum_value_comes_through():
    job = models.Job.from_dict({"status": "PAUSED"})
    assert type(job.status) is models.JobStatus
    assert job.status == "PAUSED"
    assert repr(job) == "Job(status='PAUSED')"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@each_model
def test_nothing_an_agent_sends_raises(model):
    @settings(max_examples=25, deadline=None)
    @given(st.dictionaries(st.sampled_from(list(fields(model).values())) | st.text(), JSON, max_size=8))
    def check(came):
        item = model.from_dict(copy.deepcopy(came))
        assert dict(item) == came == item.to_dict()
        assert copy.deepcopy(item) == item == pickle.loads(pickle.dumps(item))
        assert len(repr(item)) < 700
        for name, wire in fields(model).items():
            assert same(getattr(item, name), came.get(wire))

    check()


def test_models_are_imported_when_asked_for():
    assert set(models.__all__) <= set(dir(models))
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(models, "Nonsense" + "")
    namespace: dict[str, Any] = {}
    exec("from synapse_agent_api.models import *", namespace)
    assert set(models.__all__) <= set(namespace)


def test_errors_and_requests_have_no_classes():
    assert not {"ErrorBody", "FieldError", "PluginRunRequest", "JsonObject", "StringMap"} & set(
        models.__all__
    )
