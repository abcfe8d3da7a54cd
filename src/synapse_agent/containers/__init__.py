"""Containers of plugins: built, started and removed on a Docker-compatible engine."""
