"""Turn parsed operations into views."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import BYTES_SOURCE, NONE_SOURCE, TEXT_SOURCE, Response
from openapi_python_client.strings import PythonIdentifier

from ..spec.media import kind_of
from .bodies import Bodies
from .decoding import words
from .docstrings import download_doc, operation_doc
from .errors import GenerationError, UnionError
from .extensions import Extensions
from .models import Models
from .text import literal, plain, sentence
from .types import ParsedSpec, Raw, optional, union, unique
from .views import Alias, BodyView, Decoder, Download, OperationView, Parameter

__all__ = ["Operations"]

DATES = (DateTimeProperty, DateProperty)
PLACES = frozenset({"path", "query", "header", "cookie"})


class Operations:
    """The operations of a spec."""

    def __init__(self, spec: ParsedSpec, models: Models) -> None:
        self.spec = spec
        self.models = models
        self.bodies = Bodies(spec, models)
        self.extensions = Extensions(spec, models)

    def view(self, endpoint: Endpoint) -> OperationView:
        """Return what the templates of an operation print."""
        spec, name = self.spec, str(endpoint.name)
        raw = spec.operations[name]
        parameters, body, prop_classes = self.parameters(endpoint, raw)
        answers = [answer for answer in endpoint.responses.patterns if self.is_success(answer)]
        decoders = [self.decoder(answer, raw) for answer in answers]
        returns = union(decoder.annotation for decoder in decoders)
        binary = any(decoder.function == "decode_bytes" for decoder in decoders)
        text = any(decoder.function == "decode_text" for decoder in decoders)
        waits = self.extensions.waits(name, raw)
        classes = [*(i for decoder in decoders for i in decoder.classes), *prop_classes]
        pages = self.extensions.pages(raw, parameters, answers[0].prop)
        download = self.download(raw, parameters) if binary and raw["method"] == "get" else None
        if waits is not None:
            parameters = self.extensions.with_wait(name, raw, parameters)
            classes.append(spec.models[waits.returns].class_info)
        return OperationView(
            name=name,
            id=literal(raw["operationId"]),
            method=literal(raw["method"].upper()),
            path=literal(raw["path"].removeprefix("/")),
            words=literal(name.replace("_", " ")),
            parameters=parameters,
            returns=returns,
            decoders=decoders,
            text=text,
            accept=self.accept(raw) if text or binary else "",
            body=body,
            classes=unique(classes),
            doc=operation_doc(spec, raw, parameters, returns, waits=waits),
            aliases=[
                Alias(alias, operation_doc(spec, raw, parameters, returns, alias, waits))
                for alias in map(str, raw.get("x-aliases", []))
            ],
            waits=waits,
            download=download,
            pages=pages,
        )

    def accept(self, raw: Raw) -> str:
        """Return the media type of an answer that is bytes, or a text of its own kind, as a literal."""
        for status, answer in raw["responses"].items():
            for media_type in self.spec.resolve(answer).get("content", {}) if str(status)[:1] == "2" else ():
                if kind_of(media_type) != "json" and media_type != "text/plain":
                    return literal(media_type)
        return ""

    def download(self, raw: Raw, parameters: Sequence[Parameter]) -> Download:
        """Return the method that writes the answer to a file."""
        name = f"{raw['operationId']}_to_file"
        if any(item.name == "to" for item in parameters):
            what = f"the parameter to, which {name}() has for the file"
            raise GenerationError.at(raw["where"], what, "rename it")
        doc = "The file to write: its path, or a binary file that is open for writing."
        opens = not any(item.keyword_only for item in parameters)
        to = Parameter("to", "", "to", "FileTarget", None, True, doc, opens)
        return Download(name, [*parameters, to], download_doc(self.spec, raw, name, [*parameters, to]))

    @staticmethod
    def is_success(answer: Response) -> bool:
        """Return whether a status is a success."""
        low, _ = answer.status_code.range or (0, 0)
        return 200 <= low < 300

    def decoder(self, answer: Response, raw: Raw) -> Decoder:
        """Return what decodes the responses of one status."""
        spec = self.spec
        status = (answer.status_code.range or (0, 0))[0]
        if answer.source == NONE_SOURCE:
            return Decoder(status, "decode_nothing", "None", "", [])
        if answer.source == TEXT_SOURCE:
            return Decoder(status, "decode_text", "str", "", [])
        if answer.source == BYTES_SOURCE:
            return Decoder(status, "decode_bytes", "bytes", "", [])
        annotation = spec.annotation(answer.prop)
        try:
            code = self.models.decoding.as_answer(answer.prop)
        except UnionError as error:
            raise error.at(f"{raw['where']}/responses/{status}") from None
        classes = unique(spec.classes(answer.prop))
        if code.isidentifier():
            return Decoder(status, code, annotation, "", classes)
        body = code.removeprefix("lambda data: ") if code.startswith("lambda") else f"{code}(data)"
        body = re.sub(r'\(data, "\w+", ', f'(data, "{words(annotation)}", ', body, count=1)
        return Decoder(status, f"_decode_{status}", annotation, body, classes)

    def parameters(self, endpoint: Endpoint, raw: Raw) -> tuple[list[Parameter], BodyView, list[Class]]:
        """List a method's parameters in order, with what the body is made of."""
        spec = self.spec
        # The parser takes headers for cookies, as it is asked to.
        headers = {item["name"] for item in raw["parameters"] if item.get("in") == "header"}
        texts = {
            (item.get("in"), item.get("name")): item.get("description")
            or spec.resolve(item.get("schema")).get("description")
            for item in raw["parameters"]
        }

        def parameter(
            prop: Any, where: str, doc: object, *, required: bool, keyword_only: bool = False
        ) -> Parameter:
            annotation = spec.annotation(prop, argument=True)
            default = None
            if not required:
                # A default in the body of a PATCH would overwrite what was not given.
                known = prop.default is not None and endpoint.method.lower() != "patch"
                default = default_of(prop) if known else "None"
                annotation = annotation if known else optional(annotation)
            wire = plain(prop.name)
            return Parameter(
                name=str(PythonIdentifier(wire, "field_")) if where in PLACES else str(prop.python_name),
                wire=literal(wire),
                where=where,
                annotation=annotation,
                default=default,
                keyword_only=keyword_only,
                doc=sentence(plain(doc or prop.description)),
            )

        def placed(prop: Any, where: str) -> Parameter:
            doc = texts.get((where, plain(prop.name)))
            required = prop.required or where == "path"
            outside = where in ("header", "cookie") and not required
            return parameter(prop, where, doc, required=required, keyword_only=outside)

        path = [placed(prop, "path") for prop in endpoint.path_parameters]
        query = [placed(prop, "query") for prop in endpoint.query_parameters]
        outside = [
            placed(prop, "header" if prop.name in headers else "cookie")
            for prop in endpoint.cookie_parameters
        ]
        body = self.bodies.view(endpoint, raw, parameter)
        path, query, outside, of_body = apart(path, query, outside, body.parameters)
        # A body without fields is one argument.
        code = body.code.replace("{body}", of_body[0].name) if body.code else ""
        body = replace(body, parameters=of_body, code=code)
        every = [*path, *of_body, *query, *outside]
        required = [item for item in every if item.default is None]
        positional = [item for item in every if item.default is not None and not item.keyword_only]
        keywords = [item for item in every if item.default is not None and item.keyword_only]
        if keywords:
            keywords[0] = replace(keywords[0], opens_keywords=True)
        done = [*required, *positional, *keywords]
        names = [item.name for item in done]
        for name in names:
            if names.count(name) > 1:
                raise GenerationError.at(raw["where"], f"two parameters would be called {name}", "rename one")
        props = [
            *endpoint.path_parameters,
            *endpoint.query_parameters,
            *endpoint.cookie_parameters,
            *body.props,
        ]
        return done, body, [i for prop in props for i in spec.classes(prop)]


def apart(*groups: Sequence[Parameter]) -> list[list[Parameter]]:
    """Suffix parameters that share a name with their place; the first, such as the path's, keeps it."""
    counts = Counter(item.name for group in groups for item in group)
    suffixes = {"whole": "body", "file": "body"}
    return [
        [
            replace(item, name=f"{item.name}_{suffixes.get(item.where, item.where)}")
            if counts[item.name] > 1 and item.where != "path" and not is_first(item, groups)
            else item
            for item in group
        ]
        for group in groups
    ]


def is_first(item: Parameter, groups: Sequence[Sequence[Parameter]]) -> bool:
    """Return whether a parameter has its name before all others that share it."""
    order = ("path", "body", "file", "whole", "query", "header", "cookie")
    same = [other for group in groups for other in group if other.name == item.name]
    return min(same, key=lambda other: order.index(other.where)) is item


def default_of(prop: Any) -> str:
    """Write a parameter's default."""
    value = prop.default.raw_value
    if isinstance(prop, UnionProperty):
        prop = next((inner for inner in prop.inner_properties if isinstance(inner, DATES)), prop)
    match prop:
        case DateTimeProperty():
            return f"datetime.datetime.fromisoformat({literal(value)})"
        case DateProperty():
            return f"datetime.date.fromisoformat({literal(value)})"
    return literal(value)
