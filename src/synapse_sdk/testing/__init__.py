"""A fake agent, for tests of code that uses this SDK: no Ray, no network, scripted jobs, logs and faults.

`FakeAgent` is a context manager; `synapse_sdk.testing.pytest_plugin` has it as a pytest fixture. Nothing here
imports pytest.

Example:
    >>> with FakeAgent() as agent:
    ...     agent.add_job("train", status="SUCCEEDED", logs=["epoch 1"])
    ...     list(agent.client().tail_job_logs("train"))
    <FakeJob train: SUCCEEDED, 8 bytes of log>
    ['epoch 1']
"""

from ._agent import FakeAgent
from ._build import FakeBuild
from ._job import FakeJob
from ._recorded import RecordedRequest

__all__ = ["FakeAgent", "FakeBuild", "FakeJob", "RecordedRequest"]
