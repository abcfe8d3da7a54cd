"""Read the extensions by which a spec says that an operation can be waited for, or walked page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.model_property import ModelProperty

from ..spec.document import shown
from .docstrings import pages_doc
from .errors import GenerationError
from .models import Models
from .text import literal, plain, sentence
from .types import ParsedSpec, Raw, union
from .views import Pages, Parameter, Waits

__all__ = ["Extensions"]

PAGINATION = frozenset(
    {"method", "summary", "description", "returns", "example", "size", "next", "cursor", "results", "filters"}
)
CURSORS = ({"parameter", "header"}, {"parameter", "field"})


class Extensions:
    """The extensions of operations."""

    def __init__(self, spec: ParsedSpec, models: Models) -> None:
        self.spec = spec
        self.models = models

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

    def pages(self, raw: Raw, parameters: Sequence[Parameter], answer: Any) -> Pages | None:
        """Read what an operation's x-pagination says."""
        told = raw.get("x-pagination")
        if told is None:
            return None

        def refused(what: str, mend: str) -> GenerationError:
            return GenerationError.at(f"{raw['where']}/x-pagination", what, mend)

        if not isinstance(told, Mapping) or not {"method", "summary"} <= told.keys() <= PAGINATION:
            raise refused(
                "no pagination", f"give it a method, a summary, and of {', '.join(sorted(PAGINATION))}"
            )

        def query_parameter(name: object) -> Parameter:
            found = [item for item in parameters if item.where == "query" and item.wire == literal(name)]
            if not found:
                raise refused(f"{shown(name)} is no query parameter", "name one that the operation has")
            return found[0]

        fields = self.fields(answer)
        holder = fields.get(str(told["results"])) if "results" in told else answer
        if not isinstance(holder, ListProperty):
            raise refused("results is no list in the answer", "name the field that has the items")
        cursor = told.get("cursor")
        if ("next" in told) == (cursor is not None):
            raise refused(
                "neither next nor cursor, or both", "name the field with the next page's URL, or a cursor"
            )
        if cursor is not None:
            if not isinstance(cursor, Mapping) or cursor.keys() not in CURSORS:
                raise refused("a cursor from nowhere", "give it a parameter, and a header or a field")
            query_parameter(cursor["parameter"])
        for name in (told.get("next"), (cursor or {}).get("field")):
            if name is not None and name not in fields:
                raise refused(f"{shown(name)} is no field of the answer", "mend the name")
        # What is required is asked for as ever.
        taken = [replace(item, opens_keywords=False) for item in parameters if item.default is None]
        passed = {item.name: item.name for item in taken}
        keywords: list[Parameter] = []
        for item in map(query_parameter, told.get("filters", ())):
            is_list = item.annotation.startswith("Sequence[str]")
            annotation = union([item.annotation, "Mapping[str, str]"]) if is_list else item.annotation
            keywords.append(replace(item, annotation=annotation, keyword_only=True))
            passed[item.name] = f"_pairs({item.name})" if is_list else item.name
        if "size" in told:
            size = query_parameter(told["size"])
            default = size.default if size.default not in (None, "None") else "100"
            doc = "How many to ask for at once."
            keywords.append(
                replace(size, name="page_size", annotation="int", default=default, keyword_only=True, doc=doc)
            )
            passed[size.name] = "page_size"
        if keywords:
            keywords[0] = replace(keywords[0], opens_keywords=True)
        settings = {
            **{key: told.get(key) for key in ("results", "next", "size")},
            **{f"cursor_{key}": value for key, value in (cursor or {}).items()},
            "filters": tuple(told.get("filters", ())),
        }
        for key in ("results", "next", "cursor_field"):
            if settings.get(key):
                settings[key] = self.models.attribute(fields[settings[key]])
        return Pages(
            name=str(told["method"]),
            parameters=[*taken, *keywords],
            passed=passed,
            items=self.spec.annotation(holder.inner_property),
            settings={key: repr(value) for key, value in settings.items() if value},
            doc=pages_doc(raw, [*taken, *keywords]),
        )

    def fields(self, answer: Any) -> dict[str, Any]:
        """Return the fields of an answer, by their names on the wire."""
        if not isinstance(answer, ModelProperty) or answer.class_info.name not in self.spec.models:
            return {}
        model = self.spec.models[answer.class_info.name]
        return {plain(prop.name): prop for prop in self.models.properties(model)}
