"""What becomes of each connection of a tail: drawn from a seed, so that it breaks the same bytes again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

__all__ = ["CLOSE_CODES", "Cut", "How", "Plan"]

How = Literal["rst", "fin", "stall", "half-open", "close", "bad gateway"]
"""RST; FIN; nothing any more though the connection stays; the agent gone and the client not told; an end by
the book of the protocol, which proves nothing; an error page in place of the stream."""

CLOSE_CODES = (1000, 1001, 1005, 1011, 1012)

# A tail gives up after eight connections in a row that brought nothing new. Three of ours leave room for
# those that a busy machine costs.
_FRUITLESS = 3
_ANYWHERE: tuple[How, ...] = ("rst", "fin", "stall", "half-open", "bad gateway")
_ONWARDS: tuple[How, ...] = ("rst", "fin", "close", "close", "stall", "half-open")
_WEIGHTS = {"rst": 6, "fin": 6, "stall": 1, "half-open": 1, "close": 6, "bad gateway": 2}


@dataclass(frozen=True)
class Cut:
    """One connection's end.

    Attributes:
        how: What is done to it.
        at: After how many bytes of the answer, its head included.
        onwards: Whether `at` counts from where the log is further than it was on any connection before.
        code: The code to close a WebSocket with.
    """

    how: How
    at: int
    onwards: bool
    code: int


@dataclass(frozen=True)
class Plan:
    """The cuts of one tail's stream connections, in order; those after the last one get through.

    At most three connections in a row may bring nothing new, and one ended by the book brings something: an
    agent that ends a stream so, with nothing new after the job's end, has said that the log is whole.
    """

    cuts: tuple[Cut, ...]
    status: tuple[Cut | None, ...]
    """The same for the questions for the job's status."""

    @classmethod
    def draw(cls, rng: random.Random, cuts: int, *, span: int) -> Plan:
        """Draw `cuts` cuts, each within `span` bytes."""
        drawn: list[Cut] = []
        fruitless = 0
        for _ in range(cuts):
            onwards = fruitless == _FRUITLESS or rng.random() < 0.6
            fruitless = 0 if onwards else fruitless + 1
            kinds = _ONWARDS if onwards else _ANYWHERE
            how = rng.choices(kinds, [_WEIGHTS[kind] for kind in kinds])[0]
            # As often within the first bytes, where head and handshake are, as far into the log.
            at = int(span ** rng.random()) - 1
            drawn.append(Cut(how, at, onwards, rng.choice(CLOSE_CODES)))
        status = [
            Cut(rng.choice(("rst", "fin")), rng.randrange(200), False, 0) if rng.random() < 0.05 else None
            for _ in range(cuts)
        ]
        return cls(tuple(drawn), tuple(status))
