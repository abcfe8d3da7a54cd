"""Times, sizes and words as people read them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import cast

from ._exit import USAGE, CommandError

__all__ = ["age", "bytes_", "duration", "number", "parse_bytes", "parse_time", "stamp", "words"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_FACTORS = {"": 1} | {
    f"{unit}{i}": base**power for i, base in (("", 1000), ("i", 1024)) for power, unit in enumerate("kmgt", 1)
}


def duration(seconds: float) -> str:
    """Return a duration, such as "1h2m", in two parts at most.

    Example:
        >>> duration(3725), duration(4.24)
        ('1h2m', '4.2s')
    """
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size}{unit}{rest}{smaller}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"


def age(milliseconds: object, now: float | None = None) -> str:
    """Return how long ago a time was; empty if it is unknown."""
    if not isinstance(milliseconds, (int, float)) or milliseconds <= 0:
        return ""
    seconds = (time.time() if now is None else now) - milliseconds / 1000
    return duration(seconds)


def stamp(milliseconds: object) -> str:
    """Return a time as local time; empty if it is unknown."""
    if not isinstance(milliseconds, (int, float)) or milliseconds <= 0:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone().isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)


def bytes_(value: object) -> str:
    """Return a number of bytes with its unit.

    Example:
        >>> bytes_(1536)
        '1.5 KiB'
    """
    if not isinstance(value, (int, float)):
        return ""
    size = float(value)
    power = 0
    while abs(size) >= 1024 and power < len(_UNITS) - 1:
        size /= 1024
        power += 1
    return f"{size:.1f} {_UNITS[power]}" if power else f"{size:.0f} B"


def parse_bytes(text: str) -> int:
    """Parse a size such as "512", "4GiB" or "1.5G".

    Raises:
        ValueError: It is not a size.
    """
    kept = text.strip().lower().removesuffix("b")
    unit = kept.lstrip("0123456789.")
    if unit.strip() not in _FACTORS:
        raise ValueError(text)
    return int(float(kept[: len(kept) - len(unit)]) * _FACTORS[unit.strip()])


def number(value: object) -> str:
    """Return a number without needless zeros; empty for None."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.4g}"
    return "" if value is None else str(value)


def words(values: object) -> str:
    """Return a dict as `name=value, …`."""
    if isinstance(values, dict):
        return ", ".join(
            f"{name}={number(value)}" for name, value in cast("dict[str, object]", values).items()
        )
    return "" if values is None else str(values)


def parse_time(text: str, now: float | None = None) -> float:
    """Return a time in seconds since the epoch, given as how long ago it was or in ISO 8601.

    Raises:
        CommandError: It is neither.

    Example:
        >>> parse_time("10m", now=1_000_000), parse_time("1970-01-02T00:00:00Z")
        (999400.0, 86400.0)
    """
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(text[-1:])
    number = text[:-1]
    try:
        if seconds is not None and number.isascii() and number.replace(".", "", 1).isdigit():
            return (time.time() if now is None else now) - float(number) * seconds
        # Without an offset, it is local time.
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        hint = "90s, 10m, 2h and 1d are times, and so is 2026-01-31T08:00"
        raise CommandError(f"{text!r} is not a time", hint=hint, code=USAGE) from None
