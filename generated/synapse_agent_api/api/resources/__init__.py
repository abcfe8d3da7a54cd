"""The methods for resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.cluster_snapshot import ClusterSnapshot
    from ...models.feasibility import Feasibility
    from ...models.runtime_policy import RuntimePolicy
    from ...models.workload_kind import WorkloadKind

__all__ = ["AsyncResourcesApi", "ResourcesApi"]


class ResourcesApi:
    """Resources of the cluster, their use, and the limits for new workloads.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def get_cluster_resources(self, use_cache: bool = True) -> ClusterSnapshot:
        """Get the cluster's resources.

        A snapshot of what the cluster has and uses: CPU in cores, memory and object store in bytes, GPUs,
        nodes, running jobs and serve replicas.

        Args:
            use_cache: Take a snapshot that may be some seconds old (see `resource_cache_ttl_seconds` of the
                policy) rather than collect a new one.

        Returns:
            The snapshot.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_cluster_resources(use_cache=False).gpu.available_gpus
        """
        from .get_cluster_resources import OPERATION as _operation
        from .get_cluster_resources import arguments as _arguments

        return self._api_client.call(_operation, _arguments(use_cache))

    def check_feasibility(
        self,
        kind: WorkloadKind | str,
        *,
        num_cpus: float | None = 1.0,
        num_gpus: float | None = 0.0,
        memory_bytes: int | None = None,
        replicas: int | None = 1,
        metadata: Mapping[str, Any] | None = None,
    ) -> Feasibility:
        """Check whether a workload fits.

        Asks whether the agent would let a workload in now, by what is free in the cluster and by its policy.
        A workload that doesn't fit is not an error: `allowed` is false and `reasons` says why. Nothing is
        reserved.

        Raises 422 for an invalid body.

        Args:
            kind: What kind of workload it is.
            num_cpus: How much CPU each replica needs, in cores.
            num_gpus: How many GPUs each replica needs; a fraction shares one.
            memory_bytes: How much memory each replica needs, in bytes.
            replicas: How many replicas are wanted.
            metadata: Further information for the agent.

        Returns:
            The answer.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.check_feasibility("job", num_cpus=4, num_gpus=1).allowed
        """
        from .check_feasibility import OPERATION as _operation
        from .check_feasibility import arguments as _arguments

        return self._api_client.call(
            _operation,
            _arguments(
                kind,
                num_cpus=num_cpus,
                num_gpus=num_gpus,
                memory_bytes=memory_bytes,
                replicas=replicas,
                metadata=metadata,
            ),
        )

    def get_runtime_policy(self) -> RuntimePolicy:
        """Get the runtime policy.

        The limits for new workloads. Utilisations are in percent, 0 to 100.

        Returns:
            The policy.

        Example:
            >>> client.get_runtime_policy().max_concurrent_jobs
        """
        from .get_runtime_policy import OPERATION as _operation
        from .get_runtime_policy import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    def get_gatekeeping_policy(self) -> RuntimePolicy:
        """Alias of get_runtime_policy: get the runtime policy.

        The limits for new workloads. Utilisations are in percent, 0 to 100.

        Returns:
            The policy.

        Example:
            >>> client.get_gatekeeping_policy().max_concurrent_jobs
        """
        return self.get_runtime_policy()

    def update_runtime_policy(
        self,
        *,
        max_concurrent_jobs: int | None = None,
        max_concurrent_serve_replicas: int | None = None,
        gatekeeping_enabled: bool | None = None,
        cpu_max_utilization_percent: float | None = None,
        memory_max_utilization_percent: float | None = None,
        gpu_max_utilization_percent: float | None = None,
        gpu_max_memory_percent: float | None = None,
        max_concurrent_ray_jobs: int | None = None,
        resource_cache_ttl_seconds: float | None = None,
    ) -> RuntimePolicy:
        """Update the runtime policy.

        Changes the limits that are given and leaves the others. Workloads that run already are not touched.

        Raises 422 for a value out of its range.

        Args:
            max_concurrent_jobs: How many jobs may run at once; 0 lifts the limit. The default is 3.
            max_concurrent_serve_replicas: How many serve replicas there may be. The default is 16.
            gatekeeping_enabled: Whether the limits are applied at all. The default is true.
            cpu_max_utilization_percent: How busy the CPUs may be, in percent, 0 to 100. The default is 90.
            memory_max_utilization_percent: How much memory may be in use, in percent, 0 to 100. The default
                is 90.
            gpu_max_utilization_percent: How busy the GPUs may be, in percent, 0 to 100. The default is 90.
            gpu_max_memory_percent: How much GPU memory may be in use, in percent, 0 to 100. The default is
                90.
            max_concurrent_ray_jobs: How many Ray jobs may run at once, from any source; 0, the default, lifts
                the limit.
            resource_cache_ttl_seconds: How old a cached snapshot of the cluster may be, in seconds. The
                default is 5.

        Returns:
            The whole policy as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.update_runtime_policy(max_concurrent_jobs=5)
        """
        from .update_runtime_policy import OPERATION as _operation
        from .update_runtime_policy import arguments as _arguments

        return self._api_client.call(
            _operation,
            _arguments(
                max_concurrent_jobs=max_concurrent_jobs,
                max_concurrent_serve_replicas=max_concurrent_serve_replicas,
                gatekeeping_enabled=gatekeeping_enabled,
                cpu_max_utilization_percent=cpu_max_utilization_percent,
                memory_max_utilization_percent=memory_max_utilization_percent,
                gpu_max_utilization_percent=gpu_max_utilization_percent,
                gpu_max_memory_percent=gpu_max_memory_percent,
                max_concurrent_ray_jobs=max_concurrent_ray_jobs,
                resource_cache_ttl_seconds=resource_cache_ttl_seconds,
            ),
        )

    def update_gatekeeping_policy(
        self,
        *,
        max_concurrent_jobs: int | None = None,
        max_concurrent_serve_replicas: int | None = None,
        gatekeeping_enabled: bool | None = None,
        cpu_max_utilization_percent: float | None = None,
        memory_max_utilization_percent: float | None = None,
        gpu_max_utilization_percent: float | None = None,
        gpu_max_memory_percent: float | None = None,
        max_concurrent_ray_jobs: int | None = None,
        resource_cache_ttl_seconds: float | None = None,
    ) -> RuntimePolicy:
        """Alias of update_runtime_policy: update the runtime policy.

        Changes the limits that are given and leaves the others. Workloads that run already are not touched.

        Raises 422 for a value out of its range.

        Args:
            max_concurrent_jobs: How many jobs may run at once; 0 lifts the limit. The default is 3.
            max_concurrent_serve_replicas: How many serve replicas there may be. The default is 16.
            gatekeeping_enabled: Whether the limits are applied at all. The default is true.
            cpu_max_utilization_percent: How busy the CPUs may be, in percent, 0 to 100. The default is 90.
            memory_max_utilization_percent: How much memory may be in use, in percent, 0 to 100. The default
                is 90.
            gpu_max_utilization_percent: How busy the GPUs may be, in percent, 0 to 100. The default is 90.
            gpu_max_memory_percent: How much GPU memory may be in use, in percent, 0 to 100. The default is
                90.
            max_concurrent_ray_jobs: How many Ray jobs may run at once, from any source; 0, the default, lifts
                the limit.
            resource_cache_ttl_seconds: How old a cached snapshot of the cluster may be, in seconds. The
                default is 5.

        Returns:
            The whole policy as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.update_gatekeeping_policy(max_concurrent_jobs=5)
        """
        return self.update_runtime_policy(
            max_concurrent_jobs=max_concurrent_jobs,
            max_concurrent_serve_replicas=max_concurrent_serve_replicas,
            gatekeeping_enabled=gatekeeping_enabled,
            cpu_max_utilization_percent=cpu_max_utilization_percent,
            memory_max_utilization_percent=memory_max_utilization_percent,
            gpu_max_utilization_percent=gpu_max_utilization_percent,
            gpu_max_memory_percent=gpu_max_memory_percent,
            max_concurrent_ray_jobs=max_concurrent_ray_jobs,
            resource_cache_ttl_seconds=resource_cache_ttl_seconds,
        )


class AsyncResourcesApi:
    """Resources of the cluster, their use, and the limits for new workloads.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def get_cluster_resources(self, use_cache: bool = True) -> ClusterSnapshot:
        """Get the cluster's resources.

        A snapshot of what the cluster has and uses: CPU in cores, memory and object store in bytes, GPUs,
        nodes, running jobs and serve replicas.

        Args:
            use_cache: Take a snapshot that may be some seconds old (see `resource_cache_ttl_seconds` of the
                policy) rather than collect a new one.

        Returns:
            The snapshot.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_cluster_resources(use_cache=False).gpu.available_gpus
        """
        from .get_cluster_resources import OPERATION as _operation
        from .get_cluster_resources import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(use_cache))

    async def check_feasibility(
        self,
        kind: WorkloadKind | str,
        *,
        num_cpus: float | None = 1.0,
        num_gpus: float | None = 0.0,
        memory_bytes: int | None = None,
        replicas: int | None = 1,
        metadata: Mapping[str, Any] | None = None,
    ) -> Feasibility:
        """Check whether a workload fits.

        Asks whether the agent would let a workload in now, by what is free in the cluster and by its policy.
        A workload that doesn't fit is not an error: `allowed` is false and `reasons` says why. Nothing is
        reserved.

        Raises 422 for an invalid body.

        Args:
            kind: What kind of workload it is.
            num_cpus: How much CPU each replica needs, in cores.
            num_gpus: How many GPUs each replica needs; a fraction shares one.
            memory_bytes: How much memory each replica needs, in bytes.
            replicas: How many replicas are wanted.
            metadata: Further information for the agent.

        Returns:
            The answer.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.check_feasibility("job", num_cpus=4, num_gpus=1).allowed
        """
        from .check_feasibility import OPERATION as _operation
        from .check_feasibility import arguments as _arguments

        return await self._api_client.call(
            _operation,
            _arguments(
                kind,
                num_cpus=num_cpus,
                num_gpus=num_gpus,
                memory_bytes=memory_bytes,
                replicas=replicas,
                metadata=metadata,
            ),
        )

    async def get_runtime_policy(self) -> RuntimePolicy:
        """Get the runtime policy.

        The limits for new workloads. Utilisations are in percent, 0 to 100.

        Returns:
            The policy.

        Example:
            >>> client.get_runtime_policy().max_concurrent_jobs
        """
        from .get_runtime_policy import OPERATION as _operation
        from .get_runtime_policy import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    async def get_gatekeeping_policy(self) -> RuntimePolicy:
        """Alias of get_runtime_policy: get the runtime policy.

        The limits for new workloads. Utilisations are in percent, 0 to 100.

        Returns:
            The policy.

        Example:
            >>> client.get_gatekeeping_policy().max_concurrent_jobs
        """
        return await self.get_runtime_policy()

    async def update_runtime_policy(
        self,
        *,
        max_concurrent_jobs: int | None = None,
        max_concurrent_serve_replicas: int | None = None,
        gatekeeping_enabled: bool | None = None,
        cpu_max_utilization_percent: float | None = None,
        memory_max_utilization_percent: float | None = None,
        gpu_max_utilization_percent: float | None = None,
        gpu_max_memory_percent: float | None = None,
        max_concurrent_ray_jobs: int | None = None,
        resource_cache_ttl_seconds: float | None = None,
    ) -> RuntimePolicy:
        """Update the runtime policy.

        Changes the limits that are given and leaves the others. Workloads that run already are not touched.

        Raises 422 for a value out of its range.

        Args:
            max_concurrent_jobs: How many jobs may run at once; 0 lifts the limit. The default is 3.
            max_concurrent_serve_replicas: How many serve replicas there may be. The default is 16.
            gatekeeping_enabled: Whether the limits are applied at all. The default is true.
            cpu_max_utilization_percent: How busy the CPUs may be, in percent, 0 to 100. The default is 90.
            memory_max_utilization_percent: How much memory may be in use, in percent, 0 to 100. The default
                is 90.
            gpu_max_utilization_percent: How busy the GPUs may be, in percent, 0 to 100. The default is 90.
            gpu_max_memory_percent: How much GPU memory may be in use, in percent, 0 to 100. The default is
                90.
            max_concurrent_ray_jobs: How many Ray jobs may run at once, from any source; 0, the default, lifts
                the limit.
            resource_cache_ttl_seconds: How old a cached snapshot of the cluster may be, in seconds. The
                default is 5.

        Returns:
            The whole policy as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.update_runtime_policy(max_concurrent_jobs=5)
        """
        from .update_runtime_policy import OPERATION as _operation
        from .update_runtime_policy import arguments as _arguments

        return await self._api_client.call(
            _operation,
            _arguments(
                max_concurrent_jobs=max_concurrent_jobs,
                max_concurrent_serve_replicas=max_concurrent_serve_replicas,
                gatekeeping_enabled=gatekeeping_enabled,
                cpu_max_utilization_percent=cpu_max_utilization_percent,
                memory_max_utilization_percent=memory_max_utilization_percent,
                gpu_max_utilization_percent=gpu_max_utilization_percent,
                gpu_max_memory_percent=gpu_max_memory_percent,
                max_concurrent_ray_jobs=max_concurrent_ray_jobs,
                resource_cache_ttl_seconds=resource_cache_ttl_seconds,
            ),
        )

    async def update_gatekeeping_policy(
        self,
        *,
        max_concurrent_jobs: int | None = None,
        max_concurrent_serve_replicas: int | None = None,
        gatekeeping_enabled: bool | None = None,
        cpu_max_utilization_percent: float | None = None,
        memory_max_utilization_percent: float | None = None,
        gpu_max_utilization_percent: float | None = None,
        gpu_max_memory_percent: float | None = None,
        max_concurrent_ray_jobs: int | None = None,
        resource_cache_ttl_seconds: float | None = None,
    ) -> RuntimePolicy:
        """Alias of update_runtime_policy: update the runtime policy.

        Changes the limits that are given and leaves the others. Workloads that run already are not touched.

        Raises 422 for a value out of its range.

        Args:
            max_concurrent_jobs: How many jobs may run at once; 0 lifts the limit. The default is 3.
            max_concurrent_serve_replicas: How many serve replicas there may be. The default is 16.
            gatekeeping_enabled: Whether the limits are applied at all. The default is true.
            cpu_max_utilization_percent: How busy the CPUs may be, in percent, 0 to 100. The default is 90.
            memory_max_utilization_percent: How much memory may be in use, in percent, 0 to 100. The default
                is 90.
            gpu_max_utilization_percent: How busy the GPUs may be, in percent, 0 to 100. The default is 90.
            gpu_max_memory_percent: How much GPU memory may be in use, in percent, 0 to 100. The default is
                90.
            max_concurrent_ray_jobs: How many Ray jobs may run at once, from any source; 0, the default, lifts
                the limit.
            resource_cache_ttl_seconds: How old a cached snapshot of the cluster may be, in seconds. The
                default is 5.

        Returns:
            The whole policy as it is now.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.update_gatekeeping_policy(max_concurrent_jobs=5)
        """
        return await self.update_runtime_policy(
            max_concurrent_jobs=max_concurrent_jobs,
            max_concurrent_serve_replicas=max_concurrent_serve_replicas,
            gatekeeping_enabled=gatekeeping_enabled,
            cpu_max_utilization_percent=cpu_max_utilization_percent,
            memory_max_utilization_percent=memory_max_utilization_percent,
            gpu_max_utilization_percent=gpu_max_utilization_percent,
            gpu_max_memory_percent=gpu_max_memory_percent,
            max_concurrent_ray_jobs=max_concurrent_ray_jobs,
            resource_cache_ttl_seconds=resource_cache_ttl_seconds,
        )
