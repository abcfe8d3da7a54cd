"""Generate the package."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import EndpointCollection

from ..spec.document import SpecError, read
from ..spec.rules import check
from .adapt import adapted
from .docstrings import api_doc, tag_doc, tag_words
from .errors import GenerationError
from .models import Models
from .operations import Operations
from .request_schemas import request_schemas
from .safety import refuse_code
from .text import LINE_LENGTH
from .types import ParsedSpec, Raw, unique
from .views import OperationView

__all__ = ["SPEC", "TARGET", "Views", "configuration", "generate", "parse", "require_sound"]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec" / "openapi.yaml"
TEMPLATES = ROOT / "templates"
TARGET = ROOT / "generated" / "synapse_agent_api"

# Neither this repository's ruff settings and ignored files nor those around the temporary folder may matter.
ISOLATED = (
    *("--isolated", "--no-respect-gitignore", "--no-cache", "-q"),
    *("--target-version", "py311", "--line-length", str(LINE_LENGTH)),
)
# Templates end every list with a comma; ruff decides what fits on a line.
RUFF = (
    (
        *("check", *ISOLATED, "--select", "I,F401", "--fix-only"),
        *("--config", "lint.isort.split-on-trailing-comma=false", "."),
    ),
    ("format", *ISOLATED, "--config", "format.skip-magic-trailing-comma=true", "."),
)


def generate(spec: Path, output: Path) -> None:
    """Generate the package.

    Args:
        spec: The OpenAPI document.
        output: Where the package goes; a folder that does not exist.

    Raises:
        GenerationError: The spec is not good enough, or a tool failed.
    """
    raw = load(spec)
    config = configuration(output)
    parsed = parse(raw, config)
    project = Project(openapi=parsed.data, config=config, custom_template_path=TEMPLATES)
    project.env.globals.update(template_globals(parsed))
    with contextlib.redirect_stdout(io.StringIO()):
        raise_errors(project.build())
    requests = project.env.get_template("requests.py.jinja").render()
    (output / "requests.py").write_text(requests, encoding="utf-8")
    for path in sorted(output.rglob("*.py")):
        refuse_code(path.read_text(encoding="utf-8"), path.relative_to(output))
    (output / "py.typed").touch()
    for arguments in RUFF:
        # -P, or python would take the types.py there for its own.
        command = [sys.executable, "-P", "-m", "ruff", *arguments]
        done = subprocess.run(command, cwd=output, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GenerationError(f"ruff {arguments[0]} failed:\n{done.stdout}{done.stderr}".rstrip())


def configuration(output: Path) -> Config:
    """Return the settings of openapi-python-client."""
    settings = ConfigFile(package_name_override="synapse_agent_api", post_hooks=[])
    return Config.from_sources(settings, MetaType.NONE, SPEC, "utf-8", overwrite=False, output_path=output)


def parse(raw: Raw, config: Config) -> ParsedSpec:
    """Parse a document that breaks no sound rule."""
    data = GeneratorData.from_dict(adapted(raw), config=config)
    if isinstance(data, GeneratorError):
        raise_errors([data])
        raise AssertionError
    raise_errors(
        [*data.errors, *(e for tag in data.endpoint_collections_by_tag.values() for e in tag.parse_errors)]
    )
    return ParsedSpec(raw, data)


def load(spec: Path) -> Raw:
    """Read the spec, as YAML or JSON, and refuse what would not become the right code."""
    try:
        raw = read(spec)
    except SpecError as error:
        raise GenerationError(str(error)) from None
    require_sound(raw)
    return raw


def require_sound(raw: Raw) -> None:
    """Refuse a document that breaks a sound rule."""
    found = check(raw, sound_only=True)
    if found:
        raise GenerationError("\n".join(map(str, found)))


def raise_errors(errors: Iterable[GeneratorError]) -> None:
    """Raise what openapi-python-client reports: its warnings mean that it left something out."""
    found = [f"{error.header} {error.detail or ''}".strip() for error in errors]
    if found:
        raise GenerationError("\n".join(found))


class Views:
    """The operations, models and enums of a spec, without the classes that no method needs."""

    def __init__(self, spec: ParsedSpec) -> None:
        self.models = Models(spec)
        operations = Operations(spec, self.models)
        self.operations = {
            str(endpoint.name): operations.view(endpoint)
            for collection in spec.data.endpoint_collections_by_tag.values()
            for endpoint in collection.endpoints
        }
        names = Counter(name for view in self.operations.values() for name in view.names)
        for name, times in names.items():
            if times > 1:
                raise GenerationError(f"#/paths: there would be {times} methods {name}; rename one")
        # Requests are parameters here, and errors are exceptions: neither needs a class.
        wanted = self.models.reach(item for view in self.operations.values() for item in view.classes)
        spec.data.models = [model for model in spec.data.models if model.class_info.name in wanted]
        spec.data.enums = [enum for enum in spec.data.enums if enum.class_info.name in wanted]


def template_globals(spec: ParsedSpec) -> dict[str, Any]:
    """Return what the templates call."""
    data, views = spec.data, Views(spec)

    def operation_views(collection: EndpointCollection) -> list[OperationView]:
        return [views.operations[str(endpoint.name)] for endpoint in collection.endpoints]

    def method_names() -> list[str]:
        return [
            name
            for collection in data.endpoint_collections_by_tag.values()
            for view in operation_views(collection)
            for name in (view.name, *(alias.name for alias in view.aliases))
        ]

    return {
        "api_doc": lambda: api_doc(spec),
        "classes_of": lambda many: unique(item for view in many for item in view.classes),
        "enum_doc": views.models.enum_doc,
        "method_names": method_names,
        "model_view": views.models.view,
        "operation_view": lambda endpoint: views.operations[str(endpoint.name)],
        "operation_views": operation_views,
        "operations": spec.operations,
        "public_classes": lambda: unique(item.class_info for item in (*data.models, *data.enums)),
        "request_schemas": lambda: request_schemas(spec),
        "tag_doc": lambda collection: tag_doc(spec, collection),
        "tag_words": tag_words,
        "typing_imports": typing_imports,
        "types_used": types_used,
    }


def typing_imports(views: Sequence[OperationView]) -> list[str]:
    """Return the lines that import what the annotations of some methods need."""
    used = " ".join(view.signatures for view in views)
    paged = any(view.pages for view in views)
    abc = [
        *(["AsyncIterator", "Iterator"] if paged else []),
        *(name for name in ("Mapping", "Sequence") if re.search(rf"\b{name}\[", used)),
    ]
    typing = [
        "TYPE_CHECKING",
        *(["Any"] if re.search(r"\bAny\b", used) else []),
        *(["Literal", "overload"] if any(view.waits for view in views) else []),
    ]
    return [
        *([f"from collections.abc import {', '.join(abc)}"] if abc else []),
        *(["import datetime"] if "datetime." in used else []),
        f"from typing import {', '.join(typing)}",
    ]


def types_used(views: Sequence[OperationView]) -> list[str]:
    """Return the names of `types` in the annotations of some methods."""
    used = " ".join(view.signatures for view in views)
    return [name for name in ("FileContent", "FileTarget", "Model") if re.search(rf"\b{name}\b", used)]
