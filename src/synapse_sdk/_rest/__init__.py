"""REST calls over httpx: one core without I/O, and a thin loop each for sync and async."""

__all__: list[str] = []
