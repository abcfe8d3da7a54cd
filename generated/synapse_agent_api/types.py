"""What every model shares: the base class, open enums, and the decoding of single values."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from enum import Enum, IntEnum, StrEnum
from itertools import repeat
from types import MemberDescriptorType
from typing import Any, BinaryIO, ClassVar, TypeAlias, TypeGuard, TypeVar, cast

from .errors import DecodeError

# Model and the functions that make its fields are one thing.
# pyright: reportPrivateUsage=false

__all__ = [
    "FileContent",
    "FileTarget",
    "JsonObject",
    "Model",
    "OpenIntEnum",
    "OpenStrEnum",
    "encode",
    "pairs",
    "present",
]

FileContent: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO
"""A file to send: its path, its bytes, or a binary file that is open for reading."""

FileTarget: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A file to write to: its path, or a binary file that is open for writing."""

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object of any shape."""

_T = TypeVar("_T")
_ModelT = TypeVar("_ModelT", bound="Model")

_REPR_FIELDS = 6
_REPR_LENGTH = 60


class _Open:
    """The base of enums that accept values they do not know."""

    # Enum would pickle by name on some versions, and a value it doesn't know has none.
    def __reduce_ex__(self, proto: object) -> tuple[Any, ...]:
        return type(self), (cast("Enum", self).value,)

    def __copy__(self: _T) -> _T:
        return self

    def __deepcopy__(self: _T, memo: object) -> _T:
        return self


class OpenStrEnum(_Open, StrEnum):
    """A string enum that accepts values it does not know.

    An agent may be newer than this client. A value outside the list becomes a member of its own that equals,
    hashes, prints, pickles and serialises as the string it is; it is not added to the list of members.

    Example:
        >>> class Colour(OpenStrEnum):
        ...     RED = "red"
        >>> Colour("mauve") == "mauve"
        True
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenStrEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = str(value)
        return member


class OpenIntEnum(_Open, IntEnum):
    """An integer enum that accepts values it does not know, as `OpenStrEnum` does.

    Example:
        >>> class Level(OpenIntEnum):
        ...     LOW = 1
        >>> Level(7) == 7
        True
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if type(value) is not int:
            return None
        member = int.__new__(cls, value)
        member._name_ = str(value)
        member._value_ = value
        return member


_EnumT = TypeVar("_EnumT", bound=Enum)


class Model(Mapping[str, Any]):
    """What an agent sent: typed attributes, and beside them the dict that came.

    Attributes read as None where a field is missing or null, also for a field that the spec calls required. A value
    of another type than the spec says is kept as it came. The mapping side (``job["status"]``, ``job.get("status")``,
    ``"status" in job``, ``dict(job)``) shows what came, fields that this client doesn't know included.

    Instances are immutable, equal when class and content are, and can be copied and pickled.

    Example:
        >>> job["status"], job.status, dict(job)["status"]
        ('RUNNING', <JobStatus.RUNNING: 'RUNNING'>, 'RUNNING')
    """

    __slots__ = ("_made", "_raw")

    _raw: dict[str, Any]
    """What came; only of a model that was decoded."""
    _made: dict[str, Any]
    """What would have come; only of a model that was made by its constructor, once it is asked for."""
    _names: ClassVar[Mapping[str, str]] = {}
    """The fields' names on the wire by their names as attributes."""
    _decoders: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """What makes the attribute of the value that came, by attribute, where it isn't the value itself."""

    @classmethod
    def from_dict(cls: type[_ModelT], data: object, /) -> _ModelT:
        """Decode what json.loads() made of an answer.

        Args:
            data: The object; it is kept, not copied.

        Returns:
            The model.

        Raises:
            DecodeError: It is no object.
        """
        self = _new(cls)
        _put_raw(self, decode_object(data, cls.__name__))
        return self

    @classmethod
    def _from_dicts(cls: type[_ModelT], items: Sequence[dict[str, Any]]) -> list[_ModelT]:
        # No Python code runs between two models: there the garbage collector would come in after every 700, and go
        # through all that came, which is half of what decoding 10 000 tasks would cost.
        models = list(map(_new, repeat(cls, len(items))))
        for model, raw in zip(models, items, strict=True):
            _put_raw(model, raw)
        return models

    def to_dict(self) -> dict[str, Any]:
        """Return what came, as a deep copy.

        A model that was made by its constructor gives the fields that are not None.

        Returns:
            A dict that json.dumps() takes.
        """
        return cast("dict[str, Any]", _copy(self._came()))

    def _came(self) -> dict[str, Any]:
        try:
            return self._raw
        except AttributeError:
            # Made by the constructor.
            if not hasattr(self, "_made"):
                fields = ((wire, getattr(self, name)) for name, wire in self._names.items())
                made = {wire: encode(value) for wire, value in fields if value is not None}
                object.__setattr__(self, "_made", made)
            return self._made

    def __getitem__(self, key: str) -> Any:
        return self._came()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._came()

    def __iter__(self) -> Iterator[str]:
        return iter(self._came())

    def __len__(self) -> int:
        return len(self._came())

    # Fields have names, so a key that is no string is a mistake; what Mapping says of it differs by type checker.
    def get(self, key: str, /, default: Any = None) -> Any:  # ty: ignore[incompatible-method-override]
        """Read a field as it came.

        Args:
            key: The field's name on the wire.
            default: What to answer where it did not come.

        Returns:
            The field's value, or the default.
        """
        return self._came().get(key, default)

    def keys(self) -> KeysView[str]:
        """Name the fields that came."""
        return self._came().keys()

    def values(self) -> ValuesView[Any]:
        """Return the values that came."""
        return self._came().values()

    def items(self) -> ItemsView[str, Any]:
        """Return names and values as they came."""
        return self._came().items()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._came() == other._came()

    # What came may hold lists and dicts.
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self._came(),)

    def __repr__(self) -> str:
        shown: list[str] = []
        for name in self._names:
            value = getattr(self, name)
            if value is None or not isinstance(value, str | int | float | datetime.date):
                continue
            if len(shown) == _REPR_FIELDS:
                shown.append("...")
                break
            text = repr(value.value if isinstance(value, Enum) else value)
            shown.append(f"{name}={text if len(text) <= _REPR_LENGTH else text[: _REPR_LENGTH - 3] + '...'}")
        return f"{type(self).__name__}({', '.join(shown)})"


def encode(value: object) -> Any:
    """Turn models, enums and dates inside a value into what json.dumps() takes.

    Args:
        value: The value; containers in it are copied.

    Returns:
        The value for JSON.
    """
    match value:
        case Enum():
            return value.value
        case str() | int() | float() | None:
            return value
        case datetime.datetime() | datetime.date():
            return value.isoformat()
        case Mapping():
            return {key: encode(item) for key, item in cast("Mapping[Any, object]", value).items()}
        case list() | tuple() | set() | frozenset():
            return [encode(item) for item in cast("list[object]", value)]
        case _:
            return value


def present(values: Mapping[str, object]) -> dict[str, Any]:
    """Leave out what is None, and encode the rest.

    Args:
        values: Parameters by name.

    Returns:
        Those that were given.
    """
    return {name: encode(value) for name, value in values.items() if value is not None}


def pairs(value: Sequence[str] | Mapping[str, str] | None) -> Sequence[str] | None:
    """Write a mapping as the list of `key=value` that a query has.

    Args:
        value: The mapping, or that list, or one of its items.

    Returns:
        The list.
    """
    if isinstance(value, Mapping):
        return [f"{key}={item}" for key, item in value.items()]
    return [value] if isinstance(value, str) else value


def _copy(value: object) -> object:
    if type(value) is dict:
        return {key: _copy(item) for key, item in cast("dict[Any, object]", value).items()}
    if type(value) is list:
        return [_copy(item) for item in cast("list[object]", value)]
    return value


# Used by the generated code. Those named "decode" are for a whole answer and raise; those named "as" are for a
# field of a model, and keep what they can't read.

_new = object.__new__
_put_raw: Callable[[Model, object], None] = Model.__dict__["_raw"].__set__


def decode_when_read(model: type[_ModelT]) -> type[_ModelT]:
    """Make properties of a model's fields, which decode what came.

    The slots that attrs made for them stay behind them. They hold what the constructor was given, and what has been
    decoded and is costly to decode again.

    Args:
        model: The class, as attrs left it.

    Returns:
        The same class.
    """
    for name, wire in model._names.items():
        decoder = model._decoders.get(name)
        slot: MemberDescriptorType = model.__dict__[name]
        if decoder is None:
            read = _read_as_it_came(slot, wire)
        elif isinstance(decoder, type):
            read = _read_enum(slot, wire, cast("type[Enum]", decoder))
        else:
            read = _read_decoded(slot, wire, decoder)
        # The constructor of a frozen class sets its attributes by object.__setattr__, which comes by here.
        setattr(model, name, property(read, slot.__set__))
    return model


def _read_as_it_came(slot: MemberDescriptorType, wire: str) -> Callable[[Model], Any]:
    given = slot.__get__

    def read(self: Model) -> Any:
        try:
            return self._raw.get(wire)
        except AttributeError:
            return given(self)

    return read


def _read_enum(slot: MemberDescriptorType, wire: str, enum: type[Enum]) -> Callable[[Model], Any]:
    given = slot.__get__
    kind = _value_type(enum)
    members: dict[object, Enum] = {member.value: member for member in enum}
    known = members.get

    def read(self: Model) -> Any:
        try:
            value = self._raw.get(wire)
        except AttributeError:
            return given(self)
        return (known(value) or enum(value)) if type(value) is kind else value

    return read


def _value_type(enum: type[Enum]) -> type:
    return int if issubclass(enum, OpenIntEnum) else str


def _read_decoded(
    slot: MemberDescriptorType, wire: str, decode: Callable[[Any], Any]
) -> Callable[[Model], Any]:
    kept, keep = slot.__get__, slot.__set__

    def read(self: Model) -> Any:
        try:
            return kept(self)
        except AttributeError:
            value = decode(self._raw.get(wire))
            keep(self, value)
            return value

    return read


def as_enum(value: Any, enum: type[Enum]) -> Any:
    return enum(value) if type(value) is _value_type(enum) else value


def as_kind(value: Any, decoders: Mapping[type, Callable[[Any], Any]]) -> Any:
    decode = decoders.get(cast("type[object]", type(value)))
    return value if decode is None else decode(value)


def as_tagged(value: Any, name: str, models: Mapping[str | int, type[Model]]) -> Any:
    if type(value) is not dict:
        return value
    tag: object = cast("dict[str, object]", value).get(name)
    model = models.get(tag) if isinstance(tag, str | int) else None
    # A newer agent may have another kind of it, which is read like a dict.
    return (model or Model).from_dict(cast("object", value))


def as_model(value: Any, model: type[Model]) -> Any:
    return model.from_dict(cast("object", value)) if type(value) is dict else value


def as_models(value: Any, model: type[Model]) -> Any:
    if type(value) is not list:
        return value
    items = cast("list[object]", value)
    return model._from_dicts(items) if _are_dicts(items) else [as_model(item, model) for item in items]


def _are_dicts(items: list[object]) -> TypeGuard[list[dict[str, Any]]]:
    return {*map(type, items)} <= {dict}


def as_list(value: Any, decode: Callable[[Any], Any]) -> Any:
    return [decode(item) for item in cast("list[object]", value)] if type(value) is list else value


def as_dict(value: Any, decode: Callable[[Any], Any]) -> Any:
    if type(value) is not dict:
        return value
    return {key: decode(item) for key, item in cast("dict[str, object]", value).items()}


def as_datetime(value: Any) -> Any:
    try:
        return datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def as_date(value: Any) -> Any:
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def decode_object(value: object, expected: str = "object") -> dict[str, Any]:
    if type(value) is dict:
        return cast("dict[str, Any]", value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    raise DecodeError(expected, value)


def decode_list(value: object, expected: str, decode: Callable[[object], _T]) -> list[_T]:
    if isinstance(value, list):
        return [decode(item) for item in cast("list[object]", value)]
    raise DecodeError(expected, value)


def decode_models(value: object, expected: str, model: type[_ModelT]) -> list[_ModelT]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return model._from_dicts(items) if _are_dicts(items) else [model.from_dict(item) for item in items]
    raise DecodeError(expected, value)


def decode_dict(value: object, expected: str, decode: Callable[[object], _T]) -> dict[str, _T]:
    return {key: decode(item) for key, item in decode_object(value, expected).items()}


def decode_text(value: object) -> str:
    # Agents in the field answer the text itself, or an object around it.
    if isinstance(value, dict):
        value = cast("dict[str, object]", value).get("logs", cast("object", value))
    if isinstance(value, str):
        return value
    raise DecodeError("text", value)


def decode_plain(value: object, expected: str, *kinds: type[_T]) -> _T:
    if type(value) in kinds:
        return cast("_T", value)
    raise DecodeError(expected, value)


def decode_enum(value: object, enum: type[_EnumT]) -> _EnumT:
    return enum(decode_plain(value, enum.__name__, _value_type(enum)))


def decode_date(value: object) -> datetime.date:
    return decode_plain(as_date(value), "a date", datetime.date)


def decode_datetime(value: object) -> datetime.datetime:
    return decode_plain(as_datetime(value), "a date-time", datetime.datetime)


def decode_kind(value: Any, expected: str, decoders: Mapping[type, Callable[[Any], Any]]) -> Any:
    decode = decoders.get(cast("type[object]", type(value)))
    if decode is None:
        raise DecodeError(expected, value)
    return decode(value)


def decode_bytes(value: object) -> bytes:
    return decode_plain(value, "bytes", bytes)


def decode_value(value: object) -> Any:
    return value


def decode_nothing(value: object) -> None:
    del value
