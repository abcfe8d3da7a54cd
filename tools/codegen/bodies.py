"""Turn request bodies into parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from openapi_python_client.parser.bodies import Body, BodyType
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties.model_property import ModelProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.union import UnionProperty

from ..spec.media import bodies_to_send
from .errors import GenerationError
from .models import Models
from .text import literal
from .types import ParsedSpec, Raw, is_file
from .views import BodyView, Parameter

__all__ = ["Bodies"]


class Bodies:
    """The request bodies of a spec."""

    def __init__(self, spec: ParsedSpec, models: Models) -> None:
        self.spec = spec
        self.models = models

    def view(self, endpoint: Endpoint, raw: Raw, parameter: Callable[..., Parameter]) -> BodyView:
        """Return what the template of an operation prints of its body."""
        if not endpoint.bodies:
            return BodyView()
        bodies = sorted(endpoint.bodies, key=lambda body: body.body_type != BodyType.JSON)
        models = [self.model(body) for body in bodies]
        names = bodies_to_send(raw["requestBody"]["content"])
        kind, media_type = next(iter(names.items())) if len(names) == 1 else ("json", names.get("json", ""))
        if None in models:
            if len(bodies) > 1 or kind in ("form", "multipart"):
                what = "a body that may be a form is an object with fields"
                raise GenerationError.at(f"{raw['where']}/requestBody", what, "give its schema properties")
            return self.whole(bodies[0], kind, media_type, parameter)
        parameters, props = self.fields(models, raw, parameter)
        optional_body = not bodies[0].prop.required
        nullable = any(
            isinstance(inner, NoneProperty)
            for body in bodies
            if isinstance(body.prop, UnionProperty)
            for inner in body.prop.inner_properties
        )
        multipart = "" if "multipart" not in names else "always" if len(names) == 1 else "files"
        return BodyView(
            parameters,
            props,
            empty=""
            if kind != "json"
            else " or None"
            if nullable
            else " or NO_BODY"
            if optional_body
            else "",
            content_type="" if multipart or media_type == "application/json" else literal(media_type),
            multipart=multipart,
        )

    def whole(self, body: Body, kind: str, media_type: str, parameter: Callable[..., Parameter]) -> BodyView:
        """Take a body that has no fields as one argument."""
        prop = body.prop
        one: Parameter = parameter(prop, "whole", prop.description, required=prop.required)
        code = "_encode({body})" if kind == "json" else "{body}"
        if not prop.required:
            code = f"NO_BODY if {{body}} is None else {code}"
        if kind == "text":
            media_type = f"{media_type}; charset=utf-8" if ";" not in media_type else media_type
        content_type = "" if media_type == "application/json" else literal(media_type)
        return BodyView([one], [prop], code=code, content_type=content_type)

    def fields(
        self, models: Sequence[ModelProperty | None], raw: Raw, parameter: Callable[..., Parameter]
    ) -> tuple[list[Parameter], list[Any]]:
        """Take each field of an object, or of several to choose from, as an argument."""
        content = raw["requestBody"]["content"]
        said = [self.spec.flat(content[name].get("schema")) for name in bodies_to_send(content).values()]
        # What the agent fills in is not asked for.
        read_only = {name for each in said for name, item in each.items() if item.get("readOnly") is True}
        places: dict[str, list[tuple[ModelProperty, Any]]] = {}
        for model in models:
            assert model is not None
            for prop in self.models.properties(model):
                if prop.name not in read_only:
                    places.setdefault(str(prop.python_name), []).append((model, prop))
        parameters: list[Parameter] = []
        for place in places.values():
            model, prop = place[0]
            # With two bodies to choose from, a field is needed only where both need it.
            required = len(place) == len(models) and all(one.required for _, one in place)
            optional_so_far = any(item.default is not None for item in parameters)
            parameters.append(
                parameter(
                    prop,
                    "file" if is_file(prop) else "body",
                    self.models.description(model, prop),
                    required=required,
                    keyword_only=not required and (prop.python_name != "params" or optional_so_far),
                )
            )
        return parameters, [place[0][1] for place in places.values()]

    def model(self, body: Body) -> ModelProperty | None:
        """Find the object with fields that a body is, if it is one."""
        candidates = body.prop.inner_properties if isinstance(body.prop, UnionProperty) else [body.prop]
        models = [
            self.spec.models[inner.class_info.name]
            for inner in candidates
            if isinstance(inner, ModelProperty) and self.spec.content(inner) is False
        ]
        others = [inner for inner in candidates if not isinstance(inner, ModelProperty | NoneProperty)]
        return models[0] if len(models) == 1 and not others else None
