"""Helpers that stand on their own."""

__all__: list[str] = []
