"""The REST layer of the Synapse SDK, generated from spec/openapi.yaml by `make generate`. Don't edit it."""

__all__ = ["__version__"]

__version__ = "2026.2.0"
