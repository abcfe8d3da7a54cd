"""Operation of the agent: health, probes, metrics."""
