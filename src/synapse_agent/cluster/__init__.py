"""Nodes, tasks, Serve applications and resources of the cluster."""
