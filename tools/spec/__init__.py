"""Tools for `spec/openapi.yaml`: read it, check it, compare it, and update it from a running agent."""
