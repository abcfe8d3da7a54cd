"""Plugins and their releases: read, checked, stored, packed for a job."""
