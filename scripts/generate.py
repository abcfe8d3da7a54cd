"""Generate generated/synapse_agent_api from spec/openapi.yaml, or check that it is up to date.

    python scripts/generate.py            regenerate it whole
    python scripts/generate.py --check    exit 1 and name the files that differ from what would be generated

openapi-python-client parses the spec and templates/ lays the code out. What a template is too clumsy for is
here: which parameters a method takes and how they are typed, how an answer is decoded, and the docstrings.

The spec's text counts as untrusted: `spec_document` and the sound ones of `spec_rules` refuse what would go
wrong, and the rest gets into code only as an identifier that openapi-python-client made, through `literal()`,
or through `wrapped()`, which use the stock escaping filters. `refuse_code` looks at what came of it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import keyword
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec" / "openapi.yaml"
TEMPLATES = ROOT / "templates"
TARGET = ROOT / "generated" / "synapse_agent_api"

# Its template API has changed in patch releases.
GENERATOR = ("openapi-python-client", "0.29.1")
# Neither this repository's ruff settings and ignored files nor those around the temporary folder may matter.
LINE_LENGTH = 110
ISOLATED = (
    *("--isolated", "--no-respect-gitignore", "--no-cache", "-q"),
    *("--target-version", "py311", "--line-length", str(LINE_LENGTH)),
)
# Templates end every list with a comma; ruff decides what fits on a line.
RUFF = (
    (
        "check",
        *ISOLATED,
        "--select",
        "I,F401",
        "--fix-only",
        "--config",
        "lint.isort.split-on-trailing-comma=false",
        ".",
    ),
    ("format", *ISOLATED, "--config", "format.skip-magic-trailing-comma=true", "."),
)

# What of a schema decides whether a value is taken.
DECISIVE = (
    "type",
    "format",
    "enum",
    "const",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "items",
    "required",
    "properties",
    "additionalProperties",
    "anyOf",
    "oneOf",
    "default",
)
REQUESTS_MODULE = '''"""What each operation takes, as JSON Schema without references, for fakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["REQUESTS"]

REQUESTS: Final[Mapping[str, Any]] = {table}
"""By operationId: `parameters`, by place (path, query) and name, and `bodies`, by media type."""
'''

ERRORS = {
    400: "ValidationError",
    401: "AuthenticationError",
    403: "AuthorizationError",
    404: "NotFoundError",
    408: "ClientTimeoutError",
    422: "ValidationError",
    429: "RateLimitError",
}
UNREACHABLE = ("ClientError", "408 or 503, the agent doesn't answer in time or can't be reached.")

WAITED_TOO_LONG = "408, it was not over within `timeout`; the text says where it stood."

# Names that a field can't have as an attribute, because the base class has them.
MODEL_NAMES = frozenset({"from_dict", "get", "items", "keys", "to_dict", "values"})
# What generated modules import, and what of Python they may do besides.
IMPORTED = frozenset(
    {
        "__future__",
        "attrs",
        "collections.abc",
        "datetime",
        "enum",
        "importlib",
        "itertools",
        "os",
        "types",
        "typing",
    }
)
NEVER_NAMED = frozenset(
    {
        *("__builtins__", "__import__", "__loader__", "__spec__", "__subclasses__", "breakpoint", "compile"),
        *("eval", "exec", "input", "locals", "open", "vars"),
    }
)
# Names that an attribute's annotation may use, so that no attribute can have them.
TYPE_NAMES = frozenset({"bool", "datetime", "dict", "float", "int", "list", "object", "self", "str"})


class GenerationError(Exception):
    """The spec can't be turned into a client, or the tools for it are not there."""


def require_generator() -> None:
    """Refuse any version of openapi-python-client but the one that the templates are written for."""
    name, wanted = GENERATOR
    try:
        found = version(name)
    except PackageNotFoundError:
        raise GenerationError(
            f"{name} {wanted} is needed and not installed: pip install {name}=={wanted}"
        ) from None
    if found != wanted:
        raise GenerationError(
            f"{name} {found} is installed, and the templates are for {wanted}: pip install {name}=={wanted}"
        )


try:
    require_generator()
except GenerationError as error:
    sys.exit(f"error: {error}")

from openapi_python_client import Project  # noqa: E402
from openapi_python_client.config import Config, ConfigFile, MetaType  # noqa: E402
from openapi_python_client.parser import GeneratorData  # noqa: E402
from openapi_python_client.parser.bodies import Body, BodyType  # noqa: E402
from openapi_python_client.parser.errors import GeneratorError  # noqa: E402
from openapi_python_client.parser.openapi import Endpoint, EndpointCollection  # noqa: E402
from openapi_python_client.parser.properties.any import AnyProperty  # noqa: E402
from openapi_python_client.parser.properties.boolean import BooleanProperty  # noqa: E402
from openapi_python_client.parser.properties.const import ConstProperty  # noqa: E402
from openapi_python_client.parser.properties.date import DateProperty  # noqa: E402
from openapi_python_client.parser.properties.datetime import DateTimeProperty  # noqa: E402
from openapi_python_client.parser.properties.enum_property import EnumProperty  # noqa: E402
from openapi_python_client.parser.properties.file import FileProperty  # noqa: E402
from openapi_python_client.parser.properties.float import FloatProperty  # noqa: E402
from openapi_python_client.parser.properties.int import IntProperty  # noqa: E402
from openapi_python_client.parser.properties.list_property import ListProperty  # noqa: E402
from openapi_python_client.parser.properties.model_property import ModelProperty  # noqa: E402
from openapi_python_client.parser.properties.none import NoneProperty  # noqa: E402
from openapi_python_client.parser.properties.schemas import Class  # noqa: E402
from openapi_python_client.parser.properties.string import StringProperty  # noqa: E402
from openapi_python_client.parser.properties.union import UnionProperty  # noqa: E402
from openapi_python_client.parser.properties.uuid import UuidProperty  # noqa: E402
from openapi_python_client.parser.responses import NONE_SOURCE, TEXT_SOURCE, Response  # noqa: E402
from openapi_python_client.schema.untrusted_string import UntrustedString  # noqa: E402
from openapi_python_client.strings import (  # noqa: E402
    ClassName,
    PythonIdentifier,
    in_double_quote_literal,
    safe_for_docstring,
)
from spec_document import SpecError, read, resolve, shown  # noqa: E402
from spec_rules import METHODS, check  # noqa: E402

Raw = Mapping[str, Any]


# Text


def plain(text: object) -> str:
    """Unwrap a string of the spec."""
    if isinstance(text, UntrustedString):
        return text.get_untrusted_value()
    return text if isinstance(text, str) else ""


def literal(value: object) -> str:
    """Write a scalar of the spec as Python code."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if not isinstance(value, str):
        raise GenerationError(f"no literal for {value!r}")
    quoted = f'"{in_double_quote_literal(value)}"'
    # The stock filter drops control characters.
    return quoted if ast.literal_eval(quoted) == value else ascii(value)


def wrapped(text: str, indent: int, *, first: str = "", hang: int = 0) -> str:
    """Wrap one paragraph of a docstring; `hang` is what later lines are indented by."""
    lines = textwrap.wrap(
        safe_for_docstring(first + text),
        width=LINE_LENGTH - indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def paragraphs(text: str, indent: int) -> str:
    """Wrap a text that may have paragraphs and lists."""
    done: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        items = re.split(r"\n(?=\s*[-*] )", paragraph)
        done.append(
            "\n".join(wrapped(i.strip(), indent, hang=2 if i.lstrip()[:2] == "- " else 0) for i in items)
        )
    return "\n\n".join(part for part in done if part)


def sentence(text: str) -> str:
    """End a phrase as a sentence."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else text + "."


def docstring(parts: Iterable[str], indent: int) -> str:
    """Join a docstring's parts, indented for where it goes."""
    text = "\n\n".join(part for part in parts if part)
    # A quote in front would make four of the three that open the docstring.
    if text.startswith('"'):
        text = "\\" + text
    return textwrap.indent(text, " " * indent).strip()


def section(title: str, entries: Iterable[tuple[str, str]], indent: int) -> str:
    """Write one section of a Google style docstring; entries without text are left out."""
    lines = [
        textwrap.indent(
            wrapped(text, indent + 4, first=f"{name}: " if name else "", hang=4 if name else 0), "    "
        )
        for name, text in entries
        if text.strip()
    ]
    return "\n".join([f"{title}:", *lines]) if lines else ""


# What templates see


@dataclass(frozen=True)
class Field:
    """One attribute of a model."""

    name: str
    wire: str
    annotation: str
    required: bool
    decode: str | None


@dataclass(frozen=True)
class ModelView:
    """A model as its template wants it."""

    name: str
    doc: str
    fields: Sequence[Field]
    imports: Sequence[Class]
    late_imports: Sequence[Class]

    @property
    def decoders(self) -> Sequence[Field]:
        """The fields that are not what came."""
        return [field for field in self.fields if field.decode]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method."""

    name: str
    wire: str
    where: str
    annotation: str
    default: str | None
    keyword_only: bool
    doc: str
    opens_keywords: bool = False


@dataclass(frozen=True)
class Decoder:
    """What makes the result of one success status."""

    status: int
    function: str
    annotation: str
    body: str
    classes: Sequence[Class]


@dataclass(frozen=True)
class Alias:
    """Another name for an operation."""

    name: str
    doc: str


@dataclass(frozen=True)
class Waits:
    """What a method can wait for, as the spec's x-wait says."""

    what: str
    returns: str
    done: str


@dataclass(frozen=True)
class Overload:
    """One signature of a method that has several."""

    parameters: Sequence[Parameter]
    returns: str


@dataclass(frozen=True)
class OperationView:
    """An operation as its templates want it."""

    name: str
    id: str
    method: str
    path: str
    words: str
    parameters: Sequence[Parameter]
    returns: str
    decoders: Sequence[Decoder]
    text: bool
    whole_body: str
    empty_body: str
    classes: Sequence[Class]
    doc: str
    aliases: Sequence[Alias]
    waits: Waits | None = None

    @property
    def sent(self) -> list[Parameter]:
        """Those parameters that the request is made of."""
        return [parameter for parameter in self.parameters if parameter.where != "wait"]

    @property
    def answers(self) -> str:
        """What the method returns, waited for or not."""
        return self.returns if self.waits is None else union([self.returns, self.waits.returns])

    @property
    def overloads(self) -> list[Overload]:
        """The signatures that tell what comes with `wait`, and what without."""
        if self.waits is None:
            return []

        def variant(annotation: str, default: str | None, returns: str) -> Overload:
            changed = [
                replaced(item, annotation=annotation, default=default) if item.name == "wait" else item
                for item in self.parameters
            ]
            return Overload(changed, returns)

        return [
            variant("Literal[False]", "False", self.returns),
            variant("Literal[True]", None, self.waits.returns),
            variant("bool", None, self.answers),
        ]

    def of(self, where: str) -> list[Parameter]:
        """Pick the parameters that go to one place."""
        return [parameter for parameter in self.parameters if parameter.where == where]


@dataclass
class Document:
    """The spec, raw and parsed."""

    raw: Raw
    data: GeneratorData
    models: dict[str, ModelProperty] = field(init=False)
    enums: dict[str, EnumProperty] = field(init=False)

    def __post_init__(self) -> None:
        self.models = {model.class_info.name: model for model in self.data.models}
        self.enums = {}
        for enum in self.data.enums:
            if not isinstance(enum, EnumProperty) or enum.value_type is not str:
                raise GenerationError(f"enum {enum.class_info.name}: only enums of strings are supported")
            self.enums[enum.class_info.name] = enum

    def resolve(self, node: Any) -> Raw:
        """Follow a raw object's $refs."""
        # `spec_document` has seen to it that every $ref leads somewhere.
        while isinstance(node, Mapping) and "$ref" in node:
            node = resolve(self.raw, node["$ref"])
        return node if isinstance(node, Mapping) else {}

    @cached_property
    def schemas(self) -> dict[str, Raw]:
        """The raw schemas of components by the name their class gets."""
        schemas = self.raw.get("components", {}).get("schemas", {})
        return {ClassName(schema.get("title", name), "field_"): schema for name, schema in schemas.items()}

    @cached_property
    def operations(self) -> dict[str, Raw]:
        """The raw operations by their names, parameters of the path included."""
        return {
            operation["operationId"]: {
                **operation,
                "parameters": [*operation.get("parameters", []), *item.get("parameters", [])],
            }
            for item in self.raw.get("paths", {}).values()
            for method, operation in item.items()
            if method in METHODS
        }

    # Types

    def content(self, prop: ModelProperty) -> Any:
        """What an object without named fields holds, None for anything; False where it has fields."""
        model = self.models[prop.class_info.name]
        if model.required_properties or model.optional_properties:
            return False
        inner = model.additional_properties
        return None if inner is None or isinstance(inner, AnyProperty) else inner

    def classes(self, prop: Any) -> Iterator[Class]:
        """Name the classes in a property's type."""
        if isinstance(prop, EnumProperty):
            yield prop.class_info
        elif isinstance(prop, ListProperty):
            yield from self.classes(prop.inner_property)
        elif isinstance(prop, UnionProperty):
            for inner in prop.inner_properties:
                yield from self.classes(inner)
        elif isinstance(prop, ModelProperty):
            content = self.content(prop)
            if content is False:
                yield prop.class_info
            elif content is not None:
                yield from self.classes(content)

    def annotation(self, prop: Any, *, argument: bool = False) -> str:
        """Write a property's type; what a caller passes may be wider than what an attribute holds."""
        match prop:
            case AnyProperty():
                return "Any"
            case StringProperty() | UuidProperty() | ConstProperty():
                return "str"
            case BooleanProperty():
                return "bool"
            case IntProperty():
                return "int"
            case FloatProperty():
                return "float"
            case NoneProperty():
                return "None"
            case DateTimeProperty():
                return "datetime.datetime"
            case DateProperty():
                return "datetime.date"
            case FileProperty():
                return "FileContent"
            case EnumProperty():
                return f"{prop.class_info.name} | str" if argument else str(prop.class_info.name)
            case ListProperty():
                inner = self.annotation(prop.inner_property, argument=argument)
                return f"Sequence[{inner}]" if argument else f"list[{inner}]"
            case UnionProperty():
                parts = {self.annotation(inner, argument=argument): None for inner in prop.inner_properties}
                return union(parts)
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return (
                        f"{prop.class_info.name} | Mapping[str, Any]"
                        if argument
                        else str(prop.class_info.name)
                    )
                inner = "Any" if content is None else self.annotation(content, argument=argument)
                return f"Mapping[str, {inner}]" if argument else f"dict[str, {inner}]"
        raise GenerationError(f"{plain(prop.name)}: no type for {type(prop).__name__}")

    # Decoding

    def one_of(self, prop: UnionProperty) -> Any:
        """Pick the one member of a union that needs decoding; JSON types tell the others from it."""
        needy = [inner for inner in prop.inner_properties if self.as_field(inner, "value") is not None]
        kinds = [
            dict if isinstance(i, ModelProperty) else list if isinstance(i, ListProperty) else str
            for i in needy
        ]
        others = [inner for inner in prop.inner_properties if inner not in needy]
        if len(needy) > 1 or (str in kinds and any(isinstance(inner, StringProperty) for inner in others)):
            raise GenerationError(f"{plain(prop.name)}: a union whose members can't be told apart")
        return needy[0] if needy else None

    def field_decoder(self, prop: Any) -> str | None:
        """Name or write what decodes a field of a model; None where the value stays as it came."""
        inner = self.one_of(prop) if isinstance(prop, UnionProperty) else prop
        if isinstance(inner, EnumProperty):
            return str(inner.class_info.name)
        code = None if inner is None else self.as_field(inner, "value")
        if code is None:
            return None
        return code.removesuffix("(value)") if code.endswith("(value)") else f"lambda value: {code}"

    def as_field(self, prop: Any, value: str) -> str | None:
        """Write the code that decodes a value in a model, or None where the value stays as it came."""
        match prop:
            case EnumProperty():
                return f"as_enum({value}, {prop.class_info.name})"
            case DateTimeProperty():
                return f"as_datetime({value})"
            case DateProperty():
                return f"as_date({value})"
            case UnionProperty():
                inner = self.one_of(prop)
                return None if inner is None else self.as_field(inner, value)
            case ListProperty():
                if (
                    isinstance(prop.inner_property, ModelProperty)
                    and self.content(prop.inner_property) is False
                ):
                    return f"as_models({value}, {prop.inner_property.class_info.name})"
                inner = self.as_field(prop.inner_property, "item")
                return None if inner is None else f"as_list({value}, lambda item: {inner})"
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return f"as_model({value}, {prop.class_info.name})"
                inner = None if content is None else self.as_field(content, "item")
                return None if inner is None else f"as_dict({value}, lambda item: {inner})"
        return None

    def as_answer(self, prop: Any) -> str:
        """Name or write the function that decodes a whole answer."""
        match prop:
            case ModelProperty():
                content = self.content(prop)
                if content is False:
                    return f"{prop.class_info.name}.from_dict"
                if content is None:
                    return "decode_object"
                return f'lambda data: decode_dict(data, "object", {self.as_answer(content)})'
            case ListProperty():
                inner = self.as_answer(prop.inner_property)
                if inner.endswith(".from_dict"):
                    return f'lambda data: decode_models(data, "list", {inner.removesuffix(".from_dict")})'
                return f'lambda data: decode_list(data, "list", {inner})'
            case StringProperty():
                return "decode_text"
            case NoneProperty():
                return "decode_nothing"
        return "decode_value"


def alternatives(node: ast.expr) -> Iterator[str]:
    """Take a union apart; one inside a list or a dict stays whole."""
    if isinstance(node, ast.BinOp):
        yield from alternatives(node.left)
        yield from alternatives(node.right)
    else:
        yield ast.unparse(node)


def union(parts: Iterable[str]) -> str:
    """Join types, those that say least last."""
    each = dict.fromkeys(name for part in parts for name in alternatives(ast.parse(part, mode="eval").body))
    return " | ".join(sorted(each, key=lambda name: (name == "None", name == "Any")))


def optional(annotation: str) -> str:
    """Let a type be None."""
    return annotation if annotation == "Any" else union([annotation, "None"])


def unique(classes: Iterable[Class]) -> list[Class]:
    """Sort classes, each once."""
    return sorted({str(item.name): item for item in classes}.values(), key=lambda item: str(item.name))


class Views:
    """Turns what was parsed into what the templates print."""

    def __init__(self, document: Document) -> None:
        self.document = document

    # Models

    def properties(self, model: ModelProperty) -> list[Any]:
        """List a model's properties as the spec orders them."""
        found = [*(model.required_properties or []), *(model.optional_properties or [])]
        order = list(model.data.properties or {})
        return sorted(found, key=lambda prop: order.index(prop.name) if prop.name in order else len(order))

    def description(self, model: ModelProperty, prop: Any) -> str:
        """Find what the spec says of a property; openapi-python-client forgets it beside a reference."""
        schema = self.document.schemas.get(str(model.class_info.name), {})
        own = schema.get("properties", {}).get(plain(prop.name), {})
        return plain(own.get("description") or prop.description)

    def reach(self, classes: Iterable[Class]) -> set[str]:
        """Name all classes that some classes lead to, themselves included."""
        found: set[str] = set()
        todo = [str(item.name) for item in classes]
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            if name in self.document.models:
                model = self.document.models[name]
                todo.extend(
                    str(i.name) for prop in self.properties(model) for i in self.document.classes(prop)
                )
        return found

    def model(self, model: ModelProperty) -> ModelView:
        document, name = self.document, str(model.class_info.name)
        fields: list[Field] = []
        described: list[tuple[str, str]] = []
        for prop in self.properties(model):
            attribute = self.attribute(prop)
            annotation = document.annotation(prop)
            fields.append(
                Field(
                    name=attribute,
                    wire=literal(plain(prop.name)),
                    annotation=annotation if prop.required else optional(annotation),
                    required=prop.required,
                    decode=document.field_decoder(prop),
                )
            )
            described.append((attribute, sentence(self.description(model, prop))))
        names = [item.name for item in fields]
        if len(set(names)) != len(names):
            raise GenerationError(f"{name}: two properties would have one name, of {', '.join(names)}")
        used = unique(i for prop in self.properties(model) for i in document.classes(prop) if i.name != name)
        # A module that leads back here can only be imported when the class is there.
        late = [item for item in used if name in self.reach([item])]
        return ModelView(
            name=name,
            doc=docstring(
                [
                    paragraphs(sentence(plain(model.description)) or f"{name}.", 4),
                    section("Attributes", described, 4),
                ],
                4,
            ),
            fields=fields,
            imports=[item for item in used if item not in late],
            late_imports=late,
        )

    @staticmethod
    def attribute(prop: Any) -> str:
        """Name a property as an attribute: as on the wire, also when a builtin has that name."""
        name, wire = str(prop.python_name), plain(prop.name)
        if name == f"{wire}_" and not keyword.iskeyword(wire) and wire not in TYPE_NAMES:
            name = wire
        return f"{name}_" if name in MODEL_NAMES else name

    def enum_doc(self, enum: EnumProperty) -> str:
        """Describe an enum."""
        text = sentence(plain(enum.description)) or f"{enum.class_info.name}."
        return docstring([paragraphs(text, 4)], 4)

    # Operations

    def operation(self, endpoint: Endpoint) -> OperationView:
        document, name = self.document, str(endpoint.name)
        raw = document.operations[name]
        parameters, whole_body, empty_body, prop_classes = self.parameters(endpoint, raw)
        answers = [answer for answer in endpoint.responses.patterns if self.is_success(answer)]
        if not answers:
            raise GenerationError(f"{name}: no success response")
        decoders = [self.decoder(answer) for answer in answers]
        returns = union(decoder.annotation for decoder in decoders)
        text = [decoder.function == "decode_text" for decoder in decoders]
        names = [str(alias) for alias in raw.get("x-aliases", [])]
        waits = self.waits(name, raw)
        classes = [*(i for decoder in decoders for i in decoder.classes), *prop_classes]
        if waits is not None:
            parameters = self.with_wait(name, raw, parameters)
            classes.append(document.models[waits.returns].class_info)
        return OperationView(
            name=name,
            id=literal(raw["operationId"]),
            method=literal(endpoint.method.upper()),
            path=literal(plain(endpoint.path).removeprefix("/")),
            words=literal(name.replace("_", " ")),
            parameters=parameters,
            returns=returns,
            decoders=decoders,
            text=any(text),
            whole_body=whole_body,
            empty_body=empty_body,
            classes=unique(classes),
            doc=self.operation_doc(raw, parameters, returns, waits=waits),
            aliases=[
                Alias(alias, self.operation_doc(raw, parameters, returns, alias, waits)) for alias in names
            ],
            waits=waits,
        )

    def waits(self, name: str, raw: Raw) -> Waits | None:
        """Read what an operation's x-wait says."""
        told = raw.get("x-wait")
        if told is None:
            return None
        texts = ("for", "result", "until", "returns")
        if not isinstance(told, Mapping) or set(told) != {*texts, "timeout"}:
            raise GenerationError(f"{name}: x-wait has {', '.join(texts)} and timeout")
        if not all(isinstance(told[key], str) for key in texts) or type(told["timeout"]) not in (int, float):
            raise GenerationError(f"{name}: x-wait has four texts, and a number as its timeout")
        if told["result"] not in self.document.models:
            raise GenerationError(f"{name}: x-wait: there is no model {told['result']!r}")
        return Waits(literal(told["for"]), told["result"], sentence(told["returns"]))

    def with_wait(self, name: str, raw: Raw, parameters: Sequence[Parameter]) -> list[Parameter]:
        """Add what a method that can wait takes besides."""
        taken = {item.name for item in parameters} & {"wait", "timeout", "poll_interval"}
        if taken:
            raise GenerationError(f"{name}: x-wait needs the name {', '.join(sorted(taken))} for itself")

        def keyword_only(what: str, annotation: str, default: str, doc: str) -> Parameter:
            opens = what == "wait" and not any(item.keyword_only for item in parameters)
            return Parameter(what, "", "wait", annotation, default, True, doc, opens)

        told = raw["x-wait"]
        return [
            *parameters,
            keyword_only("wait", "bool", "False", f"Return only when {sentence(told['until'])}"),
            keyword_only(
                "timeout",
                "float | None",
                literal(float(told["timeout"])),
                "With `wait`, for how many seconds at most; None is for as long as it takes.",
            ),
            keyword_only(
                "poll_interval",
                "float",
                "2.0",
                "With `wait`, how many seconds pass between two looks; the first ones are quicker.",
            ),
        ]

    @staticmethod
    def is_success(answer: Response) -> bool:
        """Tell a documented success from an error; a range of statuses is refused."""
        low, high = answer.status_code.range or (0, 0)
        if 200 <= low < 300 and low != high:
            raise GenerationError(f"{answer.status_code.pattern}: success statuses are named one by one")
        return 200 <= low < 300

    def decoder(self, answer: Response) -> Decoder:
        document = self.document
        status = (answer.status_code.range or (0, 0))[0]
        if answer.source == NONE_SOURCE:
            return Decoder(status, "decode_nothing", "None", "", [])
        if answer.source == TEXT_SOURCE:
            return Decoder(status, "decode_text", "str", "", [])
        annotation = document.annotation(answer.prop)
        code = document.as_answer(answer.prop)
        classes = unique(document.classes(answer.prop))
        if code.isidentifier():
            return Decoder(status, code, annotation, "", classes)
        expected = re.sub(r"\W+", " ", annotation).strip().replace("list ", "list of ")
        body = code.removeprefix("lambda data: ") if code.startswith("lambda") else f"{code}(data)"
        body = re.sub(r'\(data, "\w+", ', f'(data, "{expected}", ', body, count=1)
        return Decoder(status, f"_decode_{status}", annotation, body, classes)

    def parameters(self, endpoint: Endpoint, raw: Raw) -> tuple[list[Parameter], str, str, list[Class]]:
        """List a method's parameters in order, and say what the body is when none of its fields is given."""
        document = self.document
        if endpoint.header_parameters or endpoint.cookie_parameters:
            raise GenerationError(f"{endpoint.name}: headers and cookies are the transport's")
        texts = {
            (item.get("in"), item.get("name")): item.get("description")
            or document.resolve(item.get("schema")).get("description")
            for item in map(document.resolve, raw["parameters"])
        }

        def parameter(
            prop: Any, where: str, doc: object, *, required: bool, keyword_only: bool = False
        ) -> Parameter:
            annotation = document.annotation(prop, argument=True)
            default = None
            if not required:
                # A default in the body of a PATCH would overwrite what was not given.
                known = prop.default is not None and endpoint.method.lower() != "patch"
                default = literal(prop.default.raw_value) if known else "None"
                annotation = annotation if known else optional(annotation)
            return Parameter(
                name=str(prop.python_name),
                wire=literal(plain(prop.name) if where != "path" else str(prop.python_name)),
                where=where,
                annotation=annotation,
                default=default,
                keyword_only=keyword_only,
                doc=sentence(plain(doc or prop.description)),
            )

        path = [
            parameter(prop, "path", texts.get(("path", plain(prop.name))), required=True)
            for prop in endpoint.path_parameters
        ]
        query = [
            parameter(prop, "query", texts.get(("query", plain(prop.name))), required=prop.required)
            for prop in endpoint.query_parameters
        ]
        body, whole_body, empty_body, props = self.body(endpoint, parameter)
        required = [item for item in (*path, *body, *query) if item.default is None]
        positional = [item for item in (*body, *query) if item.default is not None and not item.keyword_only]
        keywords = [item for item in body if item.keyword_only]
        if keywords:
            keywords[0] = Parameter(**{**keywords[0].__dict__, "opens_keywords": True})
        done = [*required, *positional, *keywords]
        names = [item.name for item in done]
        if len(set(names)) != len(names):
            raise GenerationError(f"{endpoint.name}: two parameters have one name, of {', '.join(names)}")
        every = [*endpoint.path_parameters, *endpoint.query_parameters, *props]
        return done, whole_body, empty_body, [i for prop in every for i in document.classes(prop)]

    def body(self, endpoint: Endpoint, parameter: Any) -> tuple[list[Parameter], str, str, list[Any]]:
        """Take a body apart into parameters."""
        if not endpoint.bodies:
            return [], "", "", []
        bodies = sorted(endpoint.bodies, key=lambda body: body.body_type != BodyType.JSON)
        kinds = [body.body_type for body in bodies]
        if kinds not in ([BodyType.JSON], [BodyType.FILES], [BodyType.JSON, BodyType.FILES]):
            raise GenerationError(f"{endpoint.name}: a body is JSON, multipart, or either")
        models = [self.body_model(body) for body in bodies]
        nullable = any(
            isinstance(inner, NoneProperty)
            for body in bodies
            if isinstance(body.prop, UnionProperty)
            for inner in body.prop.inner_properties
        )
        optional_body = not bodies[0].prop.required
        if models == [None]:
            prop = bodies[0].prop
            name = str(prop.python_name)
            whole = parameter(prop, "whole", prop.description, required=prop.required)
            given = f"NO_BODY if {name} is None else _encode({name})"
            return [whole], given if optional_body else f"_encode({name})", "", [prop]
        if None in models:
            raise GenerationError(f"{endpoint.name}: a body that may be multipart is an object with fields")
        fields: dict[str, list[tuple[ModelProperty, Any]]] = {}
        for model in models:
            assert model is not None
            for prop in self.properties(model):
                fields.setdefault(str(prop.python_name), []).append((model, prop))
        parameters: list[Parameter] = []
        for place in fields.values():
            model, prop = place[0]
            # With two bodies to choose from, a field is needed only where both need it.
            required = len(place) == len(models) and all(one.required for _, one in place)
            where = "file" if isinstance(prop, FileProperty) else "body"
            optional_so_far = any(item.default is not None for item in parameters)
            keyword_only = not required and (prop.python_name != "params" or optional_so_far)
            doc = self.description(model, prop)
            parameters.append(parameter(prop, where, doc, required=required, keyword_only=keyword_only))
        empty = " or None" if nullable else " or NO_BODY" if optional_body else ""
        return parameters, "", empty, [place[0][1] for place in fields.values()]

    def body_model(self, body: Body) -> ModelProperty | None:
        """Find the object with fields that a body is, if it is one."""
        candidates = body.prop.inner_properties if isinstance(body.prop, UnionProperty) else [body.prop]
        models = [
            self.document.models[inner.class_info.name]
            for inner in candidates
            if isinstance(inner, ModelProperty) and self.document.content(inner) is False
        ]
        others = [inner for inner in candidates if not isinstance(inner, ModelProperty | NoneProperty)]
        return models[0] if len(models) == 1 and not others else None

    def operation_doc(
        self,
        raw: Raw,
        parameters: Sequence[Parameter],
        returns: str,
        alias: str = "",
        waits: Waits | None = None,
    ) -> str:
        """Write a method's docstring."""
        document, indent, name = self.document, 8, raw["operationId"]
        summary = sentence(plain(raw.get("summary")) or name.replace("_", " ").capitalize())
        answers = sorted(
            (str(status), document.resolve(answer)) for status, answer in raw["responses"].items()
        )
        successes = [
            (status, plain(answer.get("description"))) for status, answer in answers if status[0] == "2"
        ]
        several = len(successes) > 1
        raises = [
            (
                self.error_class(int(status), answer.get("x-error-class")),
                f"{status}, {uncapitalised(sentence(plain(answer.get('description'))))}",
            )
            for status, answer in answers
            if status.isdecimal() and int(status) >= 400
        ]
        told = " ".join(f"{s}: {sentence(t)}" if several else sentence(t) for s, t in successes)
        if waits is not None:
            told += f" With `wait`, {uncapitalised(waits.done)}"
            raises.append(("ClientTimeoutError", WAITED_TOO_LONG))
        return docstring(
            [
                wrapped(f"Alias of {name}: {uncapitalised(summary)}" if alias else summary, indent + 3),
                paragraphs(plain(raw.get("description")), indent),
                "Deprecated: later versions may go without it." if raw.get("deprecated") is True else "",
                section(
                    "Args", [(item.name, item.doc or "See the description.") for item in parameters], indent
                ),
                section("Returns", [] if returns == "None" else [("", told)], indent),
                section("Raises", [*raises, UNREACHABLE], indent),
                "Example:\n" + textwrap.indent(self.example(raw, parameters, alias), "    "),
            ],
            indent,
        )

    @staticmethod
    def error_class(status: int, named: object = None) -> str:
        """Name the SDK's exception for a status, unless the spec names a special one."""
        if isinstance(named, str):
            if not named.isidentifier():
                raise GenerationError(f"x-error-class {named!r} is no class name")
            return named
        return ERRORS.get(status) or ("ServerError" if status >= 500 else "HTTPError")

    def example(self, raw: Raw, parameters: Sequence[Parameter], alias: str) -> str:
        """Write an example: the spec's own, or one made from the parameters' examples."""
        name = raw["operationId"]
        for sample in raw.get("x-codeSamples", []):
            if str(sample.get("lang", "")).lower() == "python":
                source = str(sample["source"]).strip()
                if alias:
                    source = re.sub(rf"\bclient\.{re.escape(name)}\(", f"client.{alias}(", source)
                lines = safe_for_docstring(source).splitlines()
                return "\n".join(f"{'...' if line[:1].isspace() else '>>>'} {line}" for line in lines)
        values: list[str] = []
        examples = {
            item.get("name"): item.get("example", self.document.resolve(item.get("schema")).get("example"))
            for item in map(self.document.resolve, raw["parameters"])
        }
        for item in parameters:
            if item.default is None:
                value = examples.get(ast.literal_eval(item.wire))
                values.append(
                    safe_for_docstring(literal(value)) if isinstance(value, str | int) else item.name
                )
        return f">>> client.{alias or name}({', '.join(values)})"

    # Tags

    def tag(self, collection: EndpointCollection) -> Raw:
        """Find the spec's entry for a tag."""
        for tag in self.document.raw.get("tags", []):
            if PythonIdentifier(tag.get("name", ""), "tag") == collection.tag:
                return dict(tag)
        return {}

    def tag_words(self, collection: EndpointCollection) -> str:
        """Name a tag in words."""
        return str(collection.tag).replace("_", " ")

    def tag_doc(self, collection: EndpointCollection) -> str:
        """Describe a tag's classes."""
        text = (
            sentence(plain(self.tag(collection).get("description")))
            or f"{self.tag_words(collection).capitalize()}."
        )
        return docstring([paragraphs(text, 4), "A subclass sets `_transport`."], 4)


def uncapitalised(text: str) -> str:
    """Let a sentence go on from a comma; names and abbreviations keep their capital."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text


# Running it


def load(spec: Path) -> Raw:
    """Read the spec, as YAML or JSON, and refuse what would not become the right code."""
    try:
        raw = read(spec)
    except SpecError as error:
        raise GenerationError(str(error)) from None
    found = check(raw, sound_only=True)
    if found:
        raise GenerationError("\n".join(map(str, found)))
    return raw


def flat(document: Document, node: Any, inside: frozenset[str] = frozenset()) -> Any:
    """Give a schema without references and `allOf`, and only what decides about a value.

    Where it leads to itself again, anything goes.
    """
    if isinstance(node, list):
        return [flat(document, item, inside) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        if node["$ref"] in inside:
            return {}
        inside |= {node["$ref"]}
    raw = document.resolve(node)
    whole: Raw = {}
    for part in raw.get("allOf", []):
        for key, value in flat(document, part, inside).items():
            match key:
                case "properties":
                    whole[key] = {**whole.get(key, {}), **value}
                case "required":
                    whole[key] = [*whole.get(key, []), *value]
                case _:
                    whole[key] = value
    for key in DECISIVE:
        if key not in raw:
            continue
        if key in ("const", "default", "enum"):
            whole[key] = raw[key]
        elif key == "properties":
            fields = {name: flat(document, item, inside) for name, item in raw[key].items()}
            whole[key] = {**whole.get(key, {}), **fields}
        else:
            whole[key] = flat(document, raw[key], inside)
    return whole


def requests(document: Document) -> str:
    """Write the module that tells what each operation takes, for whoever has to check it."""
    table: dict[str, Any] = {}
    for raw in document.operations.values():
        body = document.resolve(raw.get("requestBody", {}))
        parameters = [document.resolve(parameter) for parameter in raw["parameters"]]
        table[raw["operationId"]] = {
            "parameters": {
                place: {
                    parameter["name"]: flat(document, parameter.get("schema", {}))
                    for parameter in parameters
                    if parameter.get("in") == place
                }
                for place in ("path", "query")
            },
            "bodies": {
                media_type: flat(document, media.get("schema", {}))
                for media_type, media in body.get("content", {}).items()
            },
        }
    return REQUESTS_MODULE.format(table=repr(table))


def refuse_code(source: str, where: object) -> None:
    """Raise where a generated module is no Python, or does what none of ours does."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        # ruff would only say that it failed.
        raise GenerationError(f"{where}:{error.lineno}: {error.msg}: {error.text}") from None
    for node in ast.walk(tree):
        names: list[str] = []
        match node:
            case ast.Import():
                names = [item.name for item in node.names if item.name not in IMPORTED]
            case ast.ImportFrom(level=0) if node.module not in IMPORTED:
                names = [str(node.module)]
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) if name in NEVER_NAMED:
                names = [name]
        if names:
            raise GenerationError(f"{where}: generated code has no business with {', '.join(names)}")


def complain(errors: Iterable[GeneratorError]) -> None:
    """Raise when the generator has anything to say: its warnings mean that something was left out."""
    said = [f"{error.header} {error.detail or ''}".strip() for error in errors]
    if said:
        raise GenerationError("\n".join(said))


def generate(spec: Path, output: Path) -> None:
    """Generate the package.

    Args:
        spec: The OpenAPI document.
        output: Where the package goes; a folder that does not exist.

    Raises:
        GenerationError: The spec is not good enough, or a tool failed.
    """
    raw = load(spec)
    config = Config.from_sources(
        ConfigFile(package_name_override="synapse_agent_api", post_hooks=[]),
        MetaType.NONE,
        spec,
        "utf-8",
        overwrite=False,
        output_path=output,
    )
    # The parser puts its own objects into what it is given.
    data = GeneratorData.from_dict(json.loads(json.dumps(raw)), config=config)
    if isinstance(data, GeneratorError):
        complain([data])
        raise AssertionError
    complain(
        [*data.errors, *(e for tag in data.endpoint_collections_by_tag.values() for e in tag.parse_errors)]
    )
    document = Document(raw, data)
    views = Views(document)
    operations = {
        str(endpoint.name): views.operation(endpoint)
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    }
    # Requests are parameters here, and errors are exceptions: nobody needs a class for either.
    wanted = views.reach(item for view in operations.values() for item in view.classes)
    data.models = [model for model in data.models if model.class_info.name in wanted]
    data.enums = [enum for enum in data.enums if enum.class_info.name in wanted]

    def classes_of(many: Iterable[OperationView]) -> list[Class]:
        return unique(item for view in many for item in view.classes)

    def operation_views(collection: EndpointCollection) -> list[OperationView]:
        return [operations[str(endpoint.name)] for endpoint in collection.endpoints]

    def typing_imports(many: Sequence[OperationView]) -> list[str]:
        used = " ".join(
            [*(p.annotation for view in many for p in view.parameters), *(view.returns for view in many)]
        )
        waits = any(view.waits for view in many)
        abc = [name for name in ("Mapping", "Sequence") if re.search(rf"\b{name}\[", used)]
        typing = [
            "TYPE_CHECKING",
            *(["Any"] if re.search(r"\bAny\b", used) else []),
            *(["Literal", "overload"] if waits else []),
        ]
        return [
            *([f"from collections.abc import {', '.join(abc)}"] if abc else []),
            *(["import datetime"] if "datetime." in used else []),
            f"from typing import {', '.join(typing)}",
        ]

    def uses_files(many: Sequence[OperationView]) -> bool:
        return any("FileContent" in parameter.annotation for view in many for parameter in view.parameters)

    project = Project(openapi=data, config=config, custom_template_path=TEMPLATES)
    project.env.globals.update(
        operations=document.operations,
        operation_view=lambda endpoint: operations[str(endpoint.name)],
        operation_views=operation_views,
        model_view=views.model,
        enum_doc=views.enum_doc,
        tag_words=views.tag_words,
        tag_doc=views.tag_doc,
        classes_of=classes_of,
        typing_imports=typing_imports,
        uses_files=uses_files,
        method_names=lambda: [
            name
            for collection in data.endpoint_collections_by_tag.values()
            for view in operation_views(collection)
            for name in (view.name, *(alias.name for alias in view.aliases))
        ],
        public_classes=lambda: unique(item.class_info for item in (*data.models, *data.enums)),
    )
    with contextlib.redirect_stdout(io.StringIO()):
        complain(project.build())
    (output / "requests.py").write_text(requests(document), encoding="utf-8")
    for path in sorted(output.rglob("*.py")):
        refuse_code(path.read_text(encoding="utf-8"), path.relative_to(output))
    (output / "py.typed").touch()
    for arguments in RUFF:
        # -P, or python would take the types.py there for its own.
        command = [sys.executable, "-P", "-m", "ruff", *arguments]
        done = subprocess.run(command, cwd=output, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GenerationError(f"ruff {arguments[0]} failed:\n{done.stdout}{done.stderr}".rstrip())


def files(folder: Path) -> dict[str, bytes]:
    """Read a package's files by their names relative to it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(expected: Path, actual: Path) -> list[str]:
    """Name the files that are not the same, byte for byte, in two packages."""
    there, here = files(expected), files(actual)
    return [
        *(f"missing: {name}" for name in there if name not in here),
        *(f"stale:   {name}" for name in here if name not in there),
        *(f"differs: {name}" for name in there if name in here and there[name] != here[name]),
    ]


def replace(source: Path, target: Path) -> None:
    """Put one folder where another may be, whole."""
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Generate the REST layer from the spec.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if anything would change"
    )
    parser.add_argument("--spec", type=Path, default=SPEC, help="the OpenAPI document")
    parser.add_argument("--output", type=Path, default=TARGET, help="the package's folder")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="synapse-generate-") as folder:
        fresh = Path(folder) / "synapse_agent_api"
        try:
            generate(options.spec, fresh)
        except GenerationError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except Exception as error:  # noqa: BLE001 - its parser may raise anything on what no rule here knows
            print(
                f"error: the generator failed: {type(error).__name__}: {shown(error, 500)}", file=sys.stderr
            )
            return 1
        if not options.check:
            replace(fresh, options.output)
            return 0
        found = differences(fresh, options.output)
    if found:
        print(f"{options.output} is not what {options.spec} generates; run `make generate`:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
