"""API calls: the decisions without I/O, and a sync and an async client that send the requests."""

__all__: list[str] = []
