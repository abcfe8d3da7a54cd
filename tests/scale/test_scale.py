"""What long logs and many tails cost. `make scale` does the same with a gigabyte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scale.processes import measure, server

pytestmark = pytest.mark.heavy

MIB = 2**20

# A hundred megabytes.
LINES, SIZE = 200_000, 500
TAILS, LINES_EACH = 1_000, 100


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.mark.parametrize("backend", ["sync", "asyncio"])
@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_long_log_leaves_memory_flat(url: str, backend: str, protocol: str) -> None:
    result = measure(url, "bulk", backend, protocol, SIZE, LINES)
    assert result["lines"] == LINES
    assert result["growth"] < 10 * MIB


def test_a_long_log_without_offsets_leaves_memory_flat(url: str) -> None:
    result = measure(url, "bulk_bare", "sync", "websocket", SIZE, LINES)
    assert result["lines"] == LINES
    assert result["growth"] < 10 * MIB


@pytest.mark.parametrize("protocol", ["websocket", "http"])
def test_a_thousand_tails_at_once(url: str, protocol: str) -> None:
    result = measure(url, "crowd", protocol, TAILS, SIZE, LINES_EACH)
    assert result["fewest"] == result["most"] == LINES_EACH
    print(f"\n{result['per_tail'] / 1024:.0f} KiB a tail")
    assert result["per_tail"] < 256 * 1024
