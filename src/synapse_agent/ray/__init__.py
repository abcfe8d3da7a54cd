"""The Ray cluster: its dashboard's HTTP API, and a cluster that the agent starts and stops itself."""
