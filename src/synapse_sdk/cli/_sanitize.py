"""Text from outside, made fit for a terminal."""

from __future__ import annotations

import re

__all__ = ["one_line", "printable"]

# Colours and the like: they are dropped, and the text in between stays readable.
_COLOUR = r"\x1b\[[0-9;:]*m"
# All controls but the tab; what reorders text (bidirectional controls); halves of surrogate pairs.
_CONTROL = r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_UNSAFE = re.compile(f"{_COLOUR}|{_CONTROL}")
_SPACES = re.compile(r"\s+")


def printable(text: str) -> str:
    r"""Return a line that a terminal only prints, and does not obey.

    Colours are dropped, and every other control is shown as a terminal's user knows it: `^[` for an escape,
    `^G` for a bell, `^M` for a carriage return in the middle, `<9B>` for a C1 control, `<U+202E>` for what
    turns text round.

    Example:
        >>> printable("\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07")
        'red ^[]52;c;aGk=^G'
    """
    if text.isprintable():
        return text
    return _UNSAFE.sub(_shown, text.removesuffix("\r"))


def one_line(value: object) -> str:
    """Return a value as one printable line, for a cell or a sentence."""
    return printable(_SPACES.sub(" ", str(value)).strip())


def _shown(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) > 1:
        return ""
    code = ord(found)
    if code < 0x20 or code == 0x7F:
        return f"^{chr(code ^ 0x40)}"
    return f"<{code:02X}>" if code < 0x100 else f"<U+{code:04X}>"
