"""Defaults that signatures name, so that importing a client needs nothing that only its use does."""

from __future__ import annotations

__all__ = ["DEFAULT_MAX_RETRIES"]

DEFAULT_MAX_RETRIES = 2
