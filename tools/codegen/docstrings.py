"""Write the docstrings of operations and of their classes."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from openapi_python_client.parser.openapi import EndpointCollection
from openapi_python_client.strings import PythonIdentifier, safe_for_docstring

from .errors import GenerationError
from .text import docstring, literal, paragraphs, plain, section, sentence, uncapitalised, wrapped
from .types import ParsedSpec, Raw
from .views import Parameter, Waits

__all__ = ["api_doc", "download_doc", "operation_doc", "pages_doc", "tag_doc", "tag_words"]

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


def operation_doc(
    spec: ParsedSpec,
    raw: Raw,
    parameters: Sequence[Parameter],
    returns: str,
    alias: str = "",
    waits: Waits | None = None,
) -> str:
    """Write a method's docstring."""
    indent, name = 8, raw["operationId"]
    summary = sentence(plain(raw.get("summary")) or name.replace("_", " ").capitalize())
    answers = sorted((str(status), spec.resolve(answer)) for status, answer in raw["responses"].items())
    successes = [(status, plain(answer.get("description"))) for status, answer in answers if status[0] == "2"]
    several = len(successes) > 1
    common = common_errors(spec)
    raises = [(error.name, error.text) for error in errors_of(spec, raw) if error not in common]
    returned = " ".join(f"{s}: {sentence(t)}" if several else sentence(t) for s, t in successes)
    if waits is not None:
        returned += f" With `wait`, {uncapitalised(waits.done)}"
        raises.append(("ClientTimeoutError", WAITED_TOO_LONG))
    return docstring(
        [
            wrapped(f"Alias of {name}: {uncapitalised(summary)}" if alias else summary, indent + 3),
            paragraphs(plain(raw.get("description")), indent),
            "Deprecated: later versions may go without it." if raw.get("deprecated") is True else "",
            section("Args", [(item.name, item.doc or "See the description.") for item in parameters], indent),
            section("Returns", [] if returns == "None" else [("", returned)], indent),
            section("Raises", raises, indent),
            "Example:\n" + textwrap.indent(example(spec, raw, parameters, alias), "    "),
        ],
        indent,
    )


def download_doc(spec: ParsedSpec, raw: Raw, name: str, parameters: Sequence[Parameter]) -> str:
    """Write the docstring of the method that writes an operation's bytes to a file."""
    indent, operation = 8, raw["operationId"]
    call = example(spec, raw, parameters, name)
    return docstring(
        [
            f"Do what {operation} does, and write the bytes to a file as they come.",
            section("Args", [(item.name, item.doc or "See the description.") for item in parameters], indent),
            section("Returns", [("", "How many bytes were written.")], indent),
            section(
                "Raises",
                [
                    ("ValidationError", "400, the file can't be written."),
                    ("ClientError", f"As `{operation}` does; a file that a path names is left as it was."),
                ],
                indent,
            ),
            "Example:\n" + textwrap.indent(call, "    "),
        ],
        indent,
    )


def pages_doc(raw: Raw, parameters: Sequence[Parameter]) -> str:
    """Write the docstring of the method that walks a list page by page."""
    indent, operation, told = 8, raw["operationId"], raw["x-pagination"]
    errors = [
        ("ServerError", "200, a page leads to another origin, or in a circle."),
        ("ClientError", f"As `{operation}` does."),
    ]
    if "next" not in told:
        errors[0] = ("ServerError", "200, a page leads in a circle.")
    call = told.get("example") or f"list(client.{told['method']}())"
    return docstring(
        [
            wrapped(sentence(plain(told["summary"])), indent + 3),
            paragraphs(plain(told.get("description")), indent),
            section("Args", [(item.name, item.doc or "See the description.") for item in parameters], indent),
            section("Returns", [("", f"An iterator. {sentence(plain(told.get('returns')))}")], indent),
            section("Raises", errors, indent),
            "Example:\n" + textwrap.indent(prompted(str(call)), "    "),
        ],
        indent,
    )


class Error(NamedTuple):
    """An error that an operation documents: its status, its exception, and a sentence about it."""

    status: int
    name: str
    text: str


def errors_of(spec: ParsedSpec, raw: Raw) -> list[Error]:
    """Return the documented errors of an operation, sorted by status."""
    found: list[Error] = []
    for status, node in sorted(raw["responses"].items()):
        if status.isdecimal() and int(status) >= 400:
            response = spec.resolve(node)
            text = f"{status}, {uncapitalised(sentence(plain(response.get('description'))))}"
            found.append(Error(int(status), error_class(int(status), response.get("x-error-class")), text))
    return found


def common_errors(spec: ParsedSpec) -> list[Error]:
    """Return the errors of every operation, for each status what most operations say of it.

    Those are the ones that nine operations in ten document, so that a new operation which leaves one out
    does not move it into the docstrings of all others.
    """
    each = [errors_of(spec, raw) for raw in spec.operations.values()]
    statuses = Counter(status for errors in each for status in {error.status for error in errors})
    counts = Counter(error for errors in each for error in errors)
    most = {error.status: error for error, _ in reversed(counts.most_common())}
    return [most[status] for status in sorted(most) if len(each) > 1 and statuses[status] >= 0.9 * len(each)]


def api_doc(spec: ParsedSpec) -> str:
    """Write the docstring of the classes that have all methods."""
    errors = [(error.name, error.text) for error in common_errors(spec)]
    return docstring(
        [
            "Every method of the API; a subclass sets `_api_client`.",
            wrapped("A method's docstring names the errors that are its own.", 4),
            section("Errors of every method", [*errors, UNREACHABLE], 4),
        ],
        4,
    )


def error_class(status: int, named: object = None) -> str:
    """Name the SDK's exception for a status, unless the spec names a special one."""
    if isinstance(named, str):
        if not named.isidentifier():
            raise GenerationError(f"x-error-class {named!r} is no class name")
        return named
    return ERRORS.get(status) or ("ServerError" if status >= 500 else "HTTPError")


def example(spec: ParsedSpec, raw: Raw, parameters: Sequence[Parameter], alias: str) -> str:
    """Write an example: the spec's own, or one made from the parameters' examples."""
    name = raw["operationId"]
    for sample in raw.get("x-codeSamples", []):
        if str(sample.get("lang", "")).lower() == "python":
            source = str(sample["source"]).strip()
            if alias:
                source = re.sub(rf"\bclient\.{re.escape(name)}\(", f"client.{alias}(", source)
            return prompted(source)
    values: list[str] = []
    examples = {
        item.get("name"): item.get("example", spec.resolve(item.get("schema")).get("example"))
        for item in map(spec.resolve, raw["parameters"])
    }
    for item in parameters:
        if item.name == "to" and item.where == "to":
            values.append('to="file"')
        elif item.default is None:
            value = examples.get(ast.literal_eval(item.wire))
            values.append(safe_for_docstring(literal(value)) if isinstance(value, str | int) else item.name)
    return f">>> client.{alias or name}({', '.join(values)})"


def prompted(source: str) -> str:
    """Write code as in an interactive session."""
    lines = safe_for_docstring(source).splitlines()
    return "\n".join(f"{'...' if line[:1].isspace() else '>>>'} {line}" for line in lines)


def _tag(spec: ParsedSpec, collection: EndpointCollection) -> Raw:
    """Find the spec's entry for a tag."""
    for tag in spec.raw.get("tags", []):
        if PythonIdentifier(tag.get("name", ""), "tag") == collection.tag:
            return dict(tag)
    return {}


def tag_words(collection: EndpointCollection) -> str:
    """Name a tag in words."""
    return str(collection.tag).replace("_", " ")


def tag_doc(spec: ParsedSpec, collection: EndpointCollection) -> str:
    """Describe a tag's classes."""
    text = (
        sentence(plain(_tag(spec, collection).get("description"))) or f"{tag_words(collection).capitalize()}."
    )
    return docstring([paragraphs(text, 4), "A subclass sets `_api_client`."], 4)
