"""An HTTP gateway over a Ray cluster: the agent that `synapse_sdk` talks to.

Run it with `synapse-agent serve`, or `python -m synapse_agent serve`.
"""

from synapse_sdk import __version__

__all__ = ["__version__"]
