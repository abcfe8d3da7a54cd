"""The methods of `FakeAgent` that set up its resources and their behaviour."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast, overload

from synapse_agent_api.models import (
    Container,
    GpuDevice,
    Health,
    JobStatus,
    Node,
    PluginRelease,
    RuntimePolicy,
    ServeApplication,
    Task,
)

from ..utils.network import validate_resource_id
from ._build import FakeBuild
from ._job import FakeJob
from ._job_record import JobRecord
from ._release import release_shape
from ._reply import ApiError
from ._scripts import run_script
from ._shape import shape
from ._state import JobScript, State, now

__all__ = ["Scripting"]

_GIB = 1024**3


class Scripting:
    """The resources of the agent, and the behaviour of its jobs and builds."""

    _state: State

    # --- jobs

    def add_job(
        self,
        job_id: str,
        *,
        status: str | Iterable[str] = "RUNNING",
        logs: Iterable[str] = (),
        entrypoint: str = "python -m plugin",
        extra: Mapping[str, object] | None = None,
    ) -> FakeJob:
        """Add a job.

        Args:
            job_id: The submission id: 1 to 100 letters, digits, `-` and `_`.
            status: PENDING, RUNNING, SUCCEEDED, FAILED or STOPPED. With several, each `get_job` (also within
                `wait_for_job`) returns the next one.
            logs: The lines that the log already has.
            entrypoint: The command that the job reports.
            extra: Fields of the response to replace or add, as a newer agent might.

        Returns:
            The job, which the test controls.

        Raises:
            ValueError: A job with this id exists, or `status` is empty.
            ValidationError: 400, `job_id` is not a valid id.

        Example:
            >>> with FakeAgent() as agent:
            ...     job = agent.add_job("train", status=["PENDING", "RUNNING", "SUCCEEDED"])
            ...     agent.client().wait_for_job("train", poll_interval=0.01).status
            <JobStatus.SUCCEEDED: 'SUCCEEDED'>
        """
        validate_resource_id(job_id, "job")
        statuses = [status] if isinstance(status, str) else list(status)
        if not statuses:
            raise ValueError("a job needs a status")
        with self._state.changes:
            try:
                record = self._state.add_job(job_id, statuses, entrypoint=entrypoint, extra=extra)
            except ApiError as error:
                raise ValueError(str(error)) from None
            record.data += "".join(f"{line}\n" for line in logs).encode("utf-8", "surrogateescape")
        return FakeJob(record)

    @property
    def jobs(self) -> Mapping[str, FakeJob]:
        """The jobs by id, the oldest first: those that were added, and those of runs."""
        with self._state.changes:
            return {job_id: FakeJob(record) for job_id, record in self._state.jobs.items()}

    @overload
    def on_run(self, action: str | None, script: Callable[[FakeJob], object], /) -> None: ...
    @overload
    def on_run(
        self, action: str | None, /, *, lines: Iterable[str] = (), status: str = "SUCCEEDED"
    ) -> None: ...
    @overload
    def on_run(self, action: str | None, /, *, hold: bool) -> None: ...
    def on_run(
        self,
        action: str | None,
        script: Callable[[FakeJob], object] | None = None,
        /,
        *,
        lines: Iterable[str] = (),
        status: str = "SUCCEEDED",
        hold: bool = False,
    ) -> None:
        """Set what the jobs of runs do from now on. By default they write two lines and succeed at once.

        Args:
            action: The plugin's action; None for all actions without their own script.
            script: A function that is called with the job in a new thread. When it returns, the job succeeds,
                unless the function has ended it; when it raises, the job fails with the traceback in its log.
                After a client has stopped the job, the next `job.log` ends the function.
            lines: Lines that the job logs at once.
            status: The status of the job after that.
            hold: Leave the job PENDING; the test controls it.

        Example:
            >>> def train(job):
            ...     for epoch in range(job.params["epochs"]):
            ...         job.log(f"epoch {epoch}")
            >>> with FakeAgent() as agent:
            ...     agent.on_run("train", train)
            ...     client = agent.client()
            ...     run = client.run_debug_plugin_release("train", {"epochs": 2})
            ...     list(client.tail_job_logs(run.job_id))
            ['epoch 0', 'epoch 1']
        """
        function: Callable[[JobRecord], object] | None = None
        if script is not None:
            chosen = script
            function = lambda record: run_script(record, chosen)  # noqa: E731
        with self._state.changes:
            self._state.scripts[action] = JobScript(function, tuple(lines), str(JobStatus(status)), hold)

    def on_call(self, action: str, answer: Callable[[dict[str, Any]], object]) -> None:
        """Set the result of a serve action, whose run is a call and not a job.

        Args:
            action: The plugin's action.
            answer: A function that is called with the parameters in a new thread. Its result is returned by
                `run_plugin_release`; an exception becomes a response with status 500.

        Example:
            >>> with FakeAgent() as agent:
            ...     agent.on_call("double", lambda params: {"x": 2 * params["x"]})
            ...     agent.client().run_debug_plugin_release("double", {"x": 4})
            {'x': 8}
        """
        with self._state.changes:
            self._state.calls[action] = answer

    # --- plugin releases

    def add_plugin_release(
        self,
        lookup: str,
        *,
        actions: Mapping[str, str] | Iterable[str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> PluginRelease:
        """Add a plugin release.

        Args:
            lookup: The release as `code@version`.
            actions: The names of its job actions; or a mapping of names to methods: "job", "task", "serve" or
                "restapi". A run of another action gets a 404. None allows all actions.
            config: The content of the plugin's config.yaml, instead of `actions`.

        Raises:
            ValueError: `lookup` is not `code@version`.
        """
        plugin, at, version = lookup.partition("@")
        if not (plugin and at and version):
            raise ValueError(f"lookup must be code@version, not {lookup!r}")
        if config is None:
            made: dict[str, Any] = {"code": plugin, "version": version}
            if actions is not None:
                methods = dict.fromkeys(actions, "job")
                if isinstance(actions, Mapping):
                    methods.update(cast("Mapping[str, str]", actions))
                made["actions"] = {
                    name: {"entrypoint": f"plugin:{name}", "method": method}
                    for name, method in methods.items()
                }
            config = made
        with self._state.changes:
            release = release_shape(self._state.number(), plugin, version, config)
            self._state.releases[release["id"]] = release
        return PluginRelease.from_dict(release)

    # --- the cluster

    def add_node(self, node_id: str | None = None, **fields: Any) -> Node:
        """Add a node, or replace the one with this id. The agent starts with one node, "head".

        Args:
            node_id: The id; a random one by default.
            fields: Further fields of `Node`, such as `resources_total={"CPU": 4, "GPU": 1}`.

        Raises:
            TypeError: `Node` has no such field.
        """
        node_id = node_id or secrets.token_hex(28)
        alive = fields.get("alive", fields.get("state", "ALIVE") == "ALIVE")
        defaults: dict[str, Any] = {
            "node_ip": "10.0.0.5",
            "is_head_node": False,
            "state": "ALIVE" if alive else "DEAD",
            "node_name": "10.0.0.5",
            "resources_total": {"CPU": 8.0, "memory": 32.0 * _GIB},
            "labels": {},
            "start_time_ms": now(),
            "end_time_ms": 0 if alive else now(),
            "alive": alive,
        }
        with self._state.changes:
            node = shape(Node, {**defaults, "node_id": node_id}, fields)
            self._state.nodes[node_id] = node
        return Node.from_dict(node)

    def set_gpus(self, gpus: int | Iterable[Mapping[str, Any]] | None) -> None:
        """Set the GPUs of the agent's node. By default there are none, and the GPU status raises an error.

        Args:
            gpus: The number of free GPUs; or the fields of `GpuDevice` for each; None for no GPUs.
        """
        devices: list[dict[str, Any]] | None = None
        if gpus is not None:
            given = [dict[str, Any]()] * gpus if isinstance(gpus, int) else gpus
            devices = [shape(GpuDevice, _gpu(index), fields) for index, fields in enumerate(given)]
        with self._state.changes:
            self._state.gpus = devices

    def add_task(
        self, name: str, *, task_id: str | None = None, state: str = "RUNNING", **fields: Any
    ) -> Task:
        """Add a Ray task.

        Args:
            name: The name.
            task_id: The id; a random one by default.
            state: The state, such as RUNNING, FINISHED or FAILED.
            fields: Further fields of `Task`.

        Raises:
            TypeError: `Task` has no such field.
        """
        task_id = task_id or secrets.token_hex(24)
        defaults: dict[str, Any] = {
            "attempt_number": 0,
            "job_id": "01000000",
            "type": "NORMAL_TASK",
            "func_or_class_name": name,
            "parent_task_id": "f" * 40 + "01000000",
            "creation_time_ms": now(),
        }
        with self._state.changes:
            task = shape(Task, {**defaults, "task_id": task_id, "name": name, "state": state}, fields)
            self._state.tasks[task_id] = task
        return Task.from_dict(task)

    def add_serve_application(
        self, name: str, *, status: str = "RUNNING", replicas: int = 1, **fields: Any
    ) -> ServeApplication:
        """Add a serve application with one deployment.

        Args:
            name: The name, such as "detector@1.0.0".
            status: The status.
            replicas: The number of replicas of its deployment.
            fields: Further fields of `ServeApplication`.

        Raises:
            TypeError: `ServeApplication` has no such field.
        """
        deployment = {
            "name": "Deployment",
            "status": "HEALTHY",
            "message": "",
            "replicas": [{"replica_id": f"replica-{n}", "state": "RUNNING"} for n in range(replicas)],
        }
        defaults: dict[str, Any] = {
            "route_prefix": f"/{name.partition('@')[0]}",
            "message": "",
            "last_deployed_time_s": now() / 1000,
            "deployments": {"Deployment": deployment},
        }
        with self._state.changes:
            application = shape(ServeApplication, {**defaults, "name": name, "status": status}, fields)
            self._state.applications[name] = application
        return ServeApplication.from_dict(application)

    # --- containers

    def add_container(self, *, status: str = "running", **fields: Any) -> Container:
        """Add a container without a build.

        Args:
            status: "running" or "stopped".
            fields: Further fields of `Container`.

        Raises:
            TypeError: `Container` has no such field.
        """
        with self._state.changes:
            number = self._state.number()
            defaults = {"container_id": secrets.token_hex(6), "kind": "plugin_runtime"}
            container = shape(Container, {"id": number, **defaults, "status": status}, fields)
            self._state.containers[container["id"]] = container
        return Container.from_dict(dict(container))

    @property
    def builds(self) -> Mapping[str, FakeBuild]:
        """The builds by id, the oldest first."""
        with self._state.changes:
            return {name: FakeBuild(self._state, record) for name, record in self._state.builds.items()}

    @property
    def hold_builds(self) -> bool:
        """Whether builds wait for the test to end them; may be set at any time."""
        return self._state.hold_builds

    @hold_builds.setter
    def hold_builds(self, hold: bool) -> None:
        self._state.hold_builds = hold

    # --- the agent itself

    @property
    def policy(self) -> RuntimePolicy:
        """The current policy."""
        with self._state.changes:
            return RuntimePolicy.from_dict(dict(self._state.policy))

    def set_policy(self, **limits: Any) -> None:
        """Change limits of the policy, which apply to runs. The default is 3 jobs at once.

        Args:
            limits: Fields of `RuntimePolicy`, such as `max_concurrent_jobs=0`, which means no limit.

        Raises:
            TypeError: `RuntimePolicy` has no such field.
        """
        with self._state.changes:
            self._state.policy = shape(RuntimePolicy, self._state.policy, limits)

    def set_health(self, status: str = "ok", **fields: Any) -> None:
        """Set the result of the health check.

        Args:
            status: "ok", or another word for a problem.
            fields: Further fields of `Health`, such as `ray_available=False`.

        Raises:
            TypeError: `Health` has no such field.
        """
        with self._state.changes:
            self._state.health = shape(Health, {"ray_available": True, "status": status}, fields)

    @property
    def hold_system(self) -> bool:
        """Whether updates and restarts last until `finish_system_operation`; may be set at any time."""
        return self._state.hold_system

    @hold_system.setter
    def hold_system(self, hold: bool) -> None:
        self._state.hold_system = hold

    def finish_system_operation(self) -> None:
        """End the current update or restart."""
        with self._state.changes:
            self._state.system_status = {"in_progress": False}


def _gpu(index: int) -> dict[str, Any]:
    return {
        "index": index,
        "name": "NVIDIA A100",
        "uuid": f"GPU-{index:04x}",
        "utilization_gpu": 0.0,
        "memory_used": 0,
        "memory_total": 40_960,
        "processes_pids": [],
    }
