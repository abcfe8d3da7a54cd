"""What the fake agent answers to each operation; importing this registers them all."""

from . import cluster, containers, jobs, releases, resources, system

__all__ = ["cluster", "containers", "jobs", "releases", "resources", "system"]
