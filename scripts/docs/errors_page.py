"""The page of the errors: their tree, and each by itself."""

from __future__ import annotations

from collections.abc import Iterator

from spec import header
from synapse_sdk.clients import exceptions
from synapse_sdk.clients.exceptions import ClientError

MODULE = "synapse_sdk.clients.exceptions"


def page() -> str:
    lines = header(
        "Errors",
        "The tree of exceptions, and the status code of each.",
        source="the docstrings of the exceptions",
    )
    lines += [
        f"Every failure is a [`ClientError`][{MODULE}.ClientError] from `{MODULE}`. No exception of a library"
        " below gets out; it is the `__cause__`. Errors can be pickled and copied, and tokens are in none.",
        "",
        "## The tree",
        "",
        *tree(ClientError, 0),
        "",
        "An error status without a class of its own (409, 413, …) is a plain `HTTPError`. 400 is also what"
        " the client raises itself for a bad id, timeout, protocol, limit or URL, before anything is sent.",
        "",
        "## Each by itself",
        "",
    ]
    for name in exceptions.__all__:
        lines += [
            f"::: {MODULE}.{name}",
            "    options:",
            "      show_root_heading: true",
            "      heading_level: 3",
            "      inherited_members: false",
            "",
        ]
    return "\n".join(lines)


def tree(error: type[Exception], depth: int) -> Iterator[str]:
    words = (error.__doc__ or "").partition("\n")[0]
    yield f"{'    ' * depth}- [`{error.__name__}`][{MODULE}.{error.__name__}]: {words}"
    for child in error.__subclasses__():
        yield from tree(child, depth + 1)
