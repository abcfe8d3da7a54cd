"""Blocks of logs in memory, the longest unused dropped first."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["BlockCache"]


class BlockCache:
    """Keeps blocks, each the beginning of its part of a log or the whole of it.

    Args:
        capacity: Bytes of all blocks together.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0

    def get(self, log: str, index: int) -> bytes:
        """Return what is there of a block."""
        block = self._blocks.get((log, index))
        if block is None:
            return b""
        self._blocks.move_to_end((log, index))
        return block

    def put(self, log: str, index: int, block: bytes) -> None:
        self._size += len(block) - len(self._blocks.pop((log, index), b""))
        self._blocks[log, index] = block
        while self._size > self._capacity and len(self._blocks) > 1:
            self._size -= len(self._blocks.popitem(last=False)[1])

    def drop(self, log: str) -> None:
        """Drop the blocks of one log."""
        for key in [key for key in self._blocks if key[0] == log]:
            self._size -= len(self._blocks.pop(key))
