"""`make scale`: a gigabyte in a million lines, and a thousand tails at once; prints what they cost."""

from __future__ import annotations

import sys

from scale.processes import measure, server

_LINES, _SIZE = 1_000_000, 1_000
_TAILS, _LINES_EACH = 1_000, 1_000


def main() -> int:
    failed = 0
    with server() as url:
        for job in ("bulk", "bulk_bare"):
            for protocol in ("websocket", "http"):
                for backend in ("sync", "asyncio"):
                    result = measure(url, job, backend, protocol, _SIZE, _LINES)
                    growth = result["growth"] / 2**20
                    failed += result["lines"] != _LINES or growth >= 10
                    offsets = "offsets" if job == "bulk" else "no offsets"
                    print(
                        f"{_LINES:,} lines, {_LINES * _SIZE / 1e9:.0f} GB, {protocol}, {backend}, {offsets}: "
                        f"{result['lines']:,.0f} delivered in {result['seconds']:.1f} s, "
                        f"memory grew by {growth:.1f} MiB",
                        flush=True,
                    )
        for protocol in ("websocket", "http"):
            result = measure(url, "crowd", protocol, _TAILS, 100, _LINES_EACH)
            failed += result["fewest"] != _LINES_EACH or result["most"] != _LINES_EACH
            print(
                f"{_TAILS:,} tails at once, {protocol}: {result['fewest']:,.0f} to {result['most']:,.0f} of "
                f"{_LINES_EACH:,} lines each in {result['seconds']:.1f} s, "
                f"{result['per_tail'] / 1024:.0f} KiB a tail",
                flush=True,
            )
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
