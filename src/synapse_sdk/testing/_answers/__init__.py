"""The response of the fake agent to each operation; importing this package registers all."""

from . import cluster, containers, jobs, releases, resources, system

__all__ = ["cluster", "containers", "jobs", "releases", "resources", "system"]
