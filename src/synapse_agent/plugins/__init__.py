"""Plugins: their configuration, files, packages and releases."""
