"""Turn parsed operations into views."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openapi_python_client.parser.bodies import Body, BodyType
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.model_property import ModelProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.responses import NONE_SOURCE, TEXT_SOURCE, Response

from .docstrings import operation_doc
from .errors import GenerationError
from .models import Models
from .text import literal, plain, sentence
from .types import ParsedSpec, Raw, optional, union, unique
from .views import Alias, Decoder, OperationView, Parameter, Waits

__all__ = ["Operations"]


class Operations:
    """The operations of a spec."""

    def __init__(self, spec: ParsedSpec, models: Models) -> None:
        self.spec = spec
        self.models = models

    def view(self, endpoint: Endpoint) -> OperationView:
        """Return what the templates of an operation print."""
        spec, name = self.spec, str(endpoint.name)
        raw = spec.operations[name]
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
            classes.append(spec.models[waits.returns].class_info)
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
            doc=operation_doc(spec, raw, parameters, returns, waits=waits),
            aliases=[
                Alias(alias, operation_doc(spec, raw, parameters, returns, alias, waits)) for alias in names
            ],
            waits=waits,
        )

    def waits(self, name: str, raw: Raw) -> Waits | None:
        """Read what an operation's x-wait says."""
        wait = raw.get("x-wait")
        if wait is None:
            return None
        texts = ("for", "result", "until", "returns")
        if not isinstance(wait, Mapping) or set(wait) != {*texts, "timeout"}:
            raise GenerationError(f"{name}: x-wait has {', '.join(texts)} and timeout")
        if not all(isinstance(wait[key], str) for key in texts) or type(wait["timeout"]) not in (int, float):
            raise GenerationError(f"{name}: x-wait has four texts, and a number as its timeout")
        if wait["result"] not in self.spec.models:
            raise GenerationError(f"{name}: x-wait: there is no model {wait['result']!r}")
        return Waits(literal(wait["for"]), wait["result"], sentence(wait["returns"]))

    def with_wait(self, name: str, raw: Raw, parameters: Sequence[Parameter]) -> list[Parameter]:
        """Add what a method that can wait takes besides."""
        taken = {item.name for item in parameters} & {"wait", "timeout", "poll_interval"}
        if taken:
            raise GenerationError(f"{name}: x-wait needs the name {', '.join(sorted(taken))} for itself")

        def keyword_only(what: str, annotation: str, default: str, doc: str) -> Parameter:
            opens = what == "wait" and not any(item.keyword_only for item in parameters)
            return Parameter(what, "", "wait", annotation, default, True, doc, opens)

        wait = raw["x-wait"]
        return [
            *parameters,
            keyword_only("wait", "bool", "False", f"Return only when {sentence(wait['until'])}"),
            keyword_only(
                "timeout",
                "float | None",
                literal(float(wait["timeout"])),
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
        """Return whether a status is a success; refuse a range of statuses."""
        low, high = answer.status_code.range or (0, 0)
        if 200 <= low < 300 and low != high:
            raise GenerationError(f"{answer.status_code.pattern}: success statuses are named one by one")
        return 200 <= low < 300

    def decoder(self, answer: Response) -> Decoder:
        """Return what decodes the responses of one status."""
        spec = self.spec
        status = (answer.status_code.range or (0, 0))[0]
        if answer.source == NONE_SOURCE:
            return Decoder(status, "decode_nothing", "None", "", [])
        if answer.source == TEXT_SOURCE:
            return Decoder(status, "decode_text", "str", "", [])
        annotation = spec.annotation(answer.prop)
        code = spec.as_answer(answer.prop)
        classes = unique(spec.classes(answer.prop))
        if code.isidentifier():
            return Decoder(status, code, annotation, "", classes)
        expected = re.sub(r"\W+", " ", annotation).strip().replace("list ", "list of ")
        body = code.removeprefix("lambda data: ") if code.startswith("lambda") else f"{code}(data)"
        body = re.sub(r'\(data, "\w+", ', f'(data, "{expected}", ', body, count=1)
        return Decoder(status, f"_decode_{status}", annotation, body, classes)

    def parameters(self, endpoint: Endpoint, raw: Raw) -> tuple[list[Parameter], str, str, list[Class]]:
        """List a method's parameters in order, and say what the body is when none of its fields is given."""
        spec = self.spec
        if endpoint.header_parameters or endpoint.cookie_parameters:
            raise GenerationError(f"{endpoint.name}: headers and cookies are the transport's")
        texts = {
            (item.get("in"), item.get("name")): item.get("description")
            or spec.resolve(item.get("schema")).get("description")
            for item in map(spec.resolve, raw["parameters"])
        }

        def parameter(
            prop: Any, where: str, doc: object, *, required: bool, keyword_only: bool = False
        ) -> Parameter:
            annotation = spec.annotation(prop, argument=True)
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
        return done, whole_body, empty_body, [i for prop in every for i in spec.classes(prop)]

    def body(self, endpoint: Endpoint, parameter: Any) -> tuple[list[Parameter], str, str, list[Any]]:
        """Turn the fields of a body into parameters."""
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
            for prop in self.models.properties(model):
                fields.setdefault(str(prop.python_name), []).append((model, prop))
        parameters: list[Parameter] = []
        for place in fields.values():
            model, prop = place[0]
            # With two bodies to choose from, a field is needed only where both need it.
            required = len(place) == len(models) and all(one.required for _, one in place)
            where = "file" if isinstance(prop, FileProperty) else "body"
            optional_so_far = any(item.default is not None for item in parameters)
            keyword_only = not required and (prop.python_name != "params" or optional_so_far)
            doc = self.models.description(model, prop)
            parameters.append(parameter(prop, where, doc, required=required, keyword_only=keyword_only))
        empty = " or None" if nullable else " or NO_BODY" if optional_body else ""
        return parameters, "", empty, [place[0][1] for place in fields.values()]

    def body_model(self, body: Body) -> ModelProperty | None:
        """Find the object with fields that a body is, if it is one."""
        candidates = body.prop.inner_properties if isinstance(body.prop, UnionProperty) else [body.prop]
        models = [
            self.spec.models[inner.class_info.name]
            for inner in candidates
            if isinstance(inner, ModelProperty) and self.spec.content(inner) is False
        ]
        others = [inner for inner in candidates if not isinstance(inner, ModelProperty | NoneProperty)]
        return models[0] if len(models) == 1 and not others else None
