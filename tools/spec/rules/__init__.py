"""The rules for writing the spec, each with a message that says how to mend what breaks it.

The `sound` ones keep the generated code right: `make generate` refuses what breaks one, wherever the document
comes from. The others are for authors, and only `make spec-lint` checks them.
"""

from __future__ import annotations

# Importing them puts their rules into RULES.
from . import author, sound, wire
from .registry import RULES, Finding, check

__all__ = ["RULES", "Finding", "author", "check", "sound", "wire"]
