"""Check the version of openapi-python-client, whose templates are not part of its versioning."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from .errors import GenerationError

__all__ = ["require_generator"]

# Its template API has changed in patch releases.
GENERATOR = ("openapi-python-client", "0.29.1")


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
