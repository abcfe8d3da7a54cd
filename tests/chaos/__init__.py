"""Logs known line by line, agents that send them, and a proxy that breaks their connections."""
