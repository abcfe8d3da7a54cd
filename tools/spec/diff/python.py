"""Find what of a new document breaks users of the client that the old one generates."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openapi_python_client.parser.properties.enum_property import EnumProperty

from ...codegen.errors import GenerationError
from ...codegen.generate import Views, configuration, parse, require_sound
from ...codegen.views import OperationView, Parameter
from ..document import problems, shown
from .api import Api, Key
from .changes import Change
from .schemas import same_value

__all__ = ["Surface", "python_changes", "reassigned", "surface"]


class Surface(NamedTuple):
    """What a user of the generated client sees.

    Attributes:
        methods: The operations by the names of their methods, aliases included.
        tags: The class that each method is in.
        models: The attributes of each model, with their types.
        enums: The members of each enum, with their values.
    """

    methods: Mapping[str, OperationView]
    tags: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    enums: Mapping[str, Mapping[str, Any]]


def surface(document: Mapping[str, Any]) -> Surface:
    """Return what users see of the client that a document generates.

    Raises:
        GenerationError: None can be generated.
    """
    for problem in problems(document):
        raise GenerationError(problem)
    require_sound(document)
    try:
        spec = parse(document, configuration(Path("unused")))
        views = Views(spec)
    except GenerationError:
        raise
    except Exception as error:  # noqa: BLE001 - its parser may raise anything on what no rule here knows
        raise GenerationError(f"{type(error).__name__}: {shown(error)}") from None
    methods = {
        name: view
        for view in views.operations.values()
        for name in (view.name, *(alias.name for alias in view.aliases))
    }
    tags = {
        str(endpoint.name): "".join(word.capitalize() for word in str(collection.tag).split("_")) + "Api"
        for collection in spec.data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    }
    models = {
        str(model.class_info.name): {f.name: f.annotation for f in views.models.view(model).fields}
        for model in spec.data.models
    }
    enums: dict[str, dict[str, Any]] = {
        str(enum.class_info.name): dict(enum.values.items())
        for enum in spec.data.enums
        if isinstance(enum, EnumProperty)
    }
    return Surface(methods, {name: tags[view.name] for name, view in methods.items()}, models, enums)


def python_changes(old: Surface, new: Surface) -> Iterator[Change]:
    """Compare what users see of two clients."""
    types = _Types([*old.enums, *new.enums])
    for name, view in {**old.methods, **new.methods}.items():
        was, now = old.methods.get(name), new.methods.get(name)
        # For an alias, too, that is its operation.
        subject = view.name
        if now is None:
            yield Change(subject, "python", True, f"`{name}()` is gone")
        elif was is None:
            yield Change(subject, "python", False, f"`{name}()` is new", new=True)
        else:
            if old.tags[name] != new.tags[name]:
                words = f"`{name}()` is a method of {new.tags[name]} now, and of the clients as before"
                yield Change(subject, "python", True, words)
            for breaks, words in _method(name, was, now, types):
                yield Change(subject, "python", breaks, words)
            for called in _added(was, now):
                yield Change(subject, "python", False, f"`{name}()` takes `{called}` as well", new=True)
    yield from _members(old.models, new.models, types.within)
    yield from _members(old.enums, new.enums, lambda narrow, wide: narrow == wide)


def reassigned(apis: tuple[Api, Api], surfaces: tuple[Surface, Surface]) -> Iterator[Change]:
    """Find methods that call an operation now which another one called, or none, while theirs goes on."""
    calls: list[dict[str, Key]] = []
    for api, side in zip(apis, surfaces, strict=True):
        by_id = {operation.id: key for key, operation in api.operations.items()}
        calls.append({name: by_id[view.name] for name, view in side.methods.items()})
    for name in calls[0].keys() & calls[1].keys():
        was, now = calls[0][name], calls[1][name]
        if was != now and (was in apis[1].operations or now in apis[0].operations):
            lines = [
                f"{key[0].upper()} {api.operations[key].path}"
                for api, key in ((apis[1], now), (apis[0], was))
            ]
            words = f"`{name}()` calls `{shown(lines[0])}`, not `{shown(lines[1])}`"
            yield Change(surfaces[1].methods[name].name, "python", True, words)


def _method(name: str, old: OperationView, new: OperationView, types: _Types) -> Iterator[tuple[bool, str]]:
    if old.answers != new.answers:
        # A caller can't have used a result of None.
        breaks = old.answers != "None" and not types.within(new.answers, old.answers)
        yield breaks, f"`{name}()` returns `{new.answers}`, not `{old.answers}`"
    before = {parameter.name: parameter for parameter in old.parameters}
    after = {parameter.name: parameter for parameter in new.parameters}
    for called, was in before.items():
        now = after.get(called)
        if now is None:
            yield True, f"`{name}()` has no parameter `{called}` any more"
            continue
        if not _same_default(was.default, now.default):
            if now.default is None:
                yield True, f"`{name}()` requires `{called}`"
            else:
                each = [shown(side.default or "none", 60) for side in (now, was)]
                yield (
                    was.default is not None,
                    f"`{name}()` has {each[0]} as the default of `{called}`, not {each[1]}",
                )
        if was.annotation != now.annotation:
            breaks = not types.within(was.annotation, now.annotation)
            yield breaks, f"`{name}()` takes `{called}` as `{now.annotation}`, not as `{was.annotation}`"
        positions = _position(old.parameters, called), _position(new.parameters, called)
        if positions[1] is None and positions[0] is not None:
            yield True, f"`{name}()` takes `{called}` by name only"
        elif positions[0] is not None and positions[0] != positions[1]:
            yield True, f"`{name}()` takes `{called}` at another position"
    for called, now in after.items():
        if called not in before and now.default is None:
            yield True, f"`{name}()` requires the new parameter `{called}`"


def _added(old: OperationView, new: OperationView) -> list[str]:
    before = {parameter.name for parameter in old.parameters}
    return [item.name for item in new.parameters if item.name not in before and item.default is not None]


def _same_default(old: str | None, new: str | None) -> bool:
    if old is None or new is None:
        return old == new
    return same_value(ast.literal_eval(old), ast.literal_eval(new))


def _position(parameters: Sequence[Parameter], name: str) -> int | None:
    # What follows a `*` is by name only, and so is everything that a wait adds.
    for position, parameter in enumerate(parameters):
        if parameter.keyword_only:
            return None
        if parameter.name == name:
            return position
    return None


def _members(
    old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]], within: Any
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Change(name, "python", True, f"`{name}` is gone")
            continue
        if name not in old:
            yield Change(name, "python", False, f"`{name}` is new", new=True)
            continue
        for member in dict.fromkeys([*old[name], *new[name]]):
            was, now = old[name].get(member), new[name].get(member)
            if now is None:
                yield Change(name, "python", True, f"`{name}.{member}` is gone")
            elif was is None:
                yield Change(name, "python", False, f"`{name}.{member}` is new", new=True)
            elif was != now:
                words = f"`{name}.{member}` is `{shown(now, 80)}`, not `{shown(was, 80)}`"
                yield Change(name, "python", not within(now, was), words)


class _Types:
    """Which types are a part of which; enums are texts, as they are in the generated code."""

    def __init__(self, enums: Sequence[str]) -> None:
        self.wider = {"bool": "int", "int": "float", "list": "Sequence", "dict": "Mapping"}
        self.wider |= dict.fromkeys(enums, "str")

    def within(self, narrow: str, wide: str) -> bool:
        """Return whether a value of one type is one of the other."""
        return self._within(_parsed(narrow), _parsed(wide))

    def _within(self, narrow: ast.expr, wide: ast.expr) -> bool:
        if isinstance(narrow, ast.BinOp):
            return self._within(narrow.left, wide) and self._within(narrow.right, wide)
        if isinstance(wide, ast.BinOp):
            return self._within(narrow, wide.left) or self._within(narrow, wide.right)
        if isinstance(narrow, ast.Subscript) and isinstance(wide, ast.Subscript):
            return self._named(ast.unparse(narrow.value), ast.unparse(wide.value)) and self._within(
                narrow.slice, wide.slice
            )
        if isinstance(narrow, ast.Tuple) and isinstance(wide, ast.Tuple):
            return all(map(self._within, narrow.elts, wide.elts))
        return self._named(ast.unparse(narrow), ast.unparse(wide))

    def _named(self, narrow: str, wide: str) -> bool:
        return (
            wide == "Any"
            or narrow == wide
            or (narrow in self.wider and self._named(self.wider[narrow], wide))
        )


def _parsed(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body
