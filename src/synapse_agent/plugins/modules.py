"""Names of Python modules in a plugin, and the names that a plugin must not use."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

__all__ = ["hidden_module", "module_file", "module_problems", "parent_packages"]

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")

# A plugin's files come first on the import path of Ray's workers, so a file with one of these names ends
# each worker of its job at start: Ray then starts another, and the job stays pending. Beside Python's own
# modules these are the ones that a worker of Ray 2.60 imports.
_RESERVED = sys.stdlib_module_names | {
    *("attr", "attrs", "certifi", "charset_normalizer", "filelock", "google", "idna", "jsonschema"),
    *("jsonschema_specifications", "msgpack", "packaging", "ray", "referencing", "requests", "rpds"),
    *("sitecustomize", "typing_extensions", "urllib3", "usercustomize", "yaml"),
}


def module_file(name: str) -> str | None:
    """Return the path of the module `name` in a package; None for an invalid name.

    A name is `a.b` or `a/b.py`. No other form is accepted, so no name leads out of the package.
    """
    dotted = name.removesuffix(".py").replace("/", ".") if name.endswith(".py") else name
    if len(name) > 200 or not _MODULE.match(dotted):
        return None
    return f"{dotted.replace('.', '/')}.py"


def hidden_module(path: str) -> str | None:
    """Return the module of Python or Ray that a file of this path would hide, or None."""
    top, _, rest = path.partition("/")
    name = top if rest.startswith("__init__.") else "" if rest else top.partition(".")[0]
    return name if name in _RESERVED and path.endswith((".py", ".so")) else None


def module_problems(paths: Iterable[str], others: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield each of `paths` that can't be used with the rest or with `others`, and the reason."""
    seen: dict[str, str] = {}
    for path in (*others, *paths):
        seen.setdefault(_identity(path), path)
    for path in paths:
        hidden = hidden_module(path)
        if hidden is not None:
            yield path, f"would hide the module {hidden} of Python or Ray: rename it"
        same = seen[_identity(path)]
        if same != path:
            yield path, f"is the same module as {same}"
        for parent in parent_packages(path):
            file = seen.get(parent)
            if file == f"{parent}.py":
                yield path, f"is in the package {parent}, but {file} is a module of that name"


def parent_packages(path: str) -> Iterator[str]:
    """Yield the folders above a file, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _identity(path: str) -> str:
    """Return the same text for `a.py` and `a/__init__.py`, of which Python imports only one."""
    return path.removesuffix(".py").removesuffix("/__init__") if path.endswith(".py") else path
