"""An HTTP gateway over a Ray cluster: the agent that `synapse_sdk` talks to.

Run it with `synapse-agent serve`, or `python -m synapse_agent serve`.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
