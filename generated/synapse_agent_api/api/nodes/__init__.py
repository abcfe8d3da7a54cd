"""The methods for nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.gpu_status import GpuStatus
    from ...models.node import Node

__all__ = ["AsyncNodesApi", "NodesApi"]


class NodesApi:
    """The cluster's nodes, and the GPUs of the agent's own.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def get_gpu_status(self) -> GpuStatus:
        """Get the GPU status.

        The GPUs of the agent's node and a summary of them. Memory of a device is in MB, of the summary in
        bytes.

        Raises 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`) when GPUs can't be read, for
        want of a driver for example.

        Returns:
            The GPUs.

        Raises:
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.get_gpu_status().summary
        """
        from .get_gpu_status import OPERATION as _operation
        from .get_gpu_status import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    def list_nodes(self) -> list[Node]:
        """List nodes.

        The cluster's nodes, dead ones included, with the hardware that the agent knows of.

        Returns:
            The nodes.

        Example:
            >>> [node.node_ip for node in client.list_nodes()]
        """
        from .list_nodes import OPERATION as _operation
        from .list_nodes import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    def get_node(self, node_id: str) -> Node:
        """Get a node.

        One node of the cluster. Memory is in bytes, times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no node has it.

        Args:
            node_id: The node's id in Ray, hexadecimal.

        Returns:
            The node.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_node(node_id).alive
        """
        from .get_node import OPERATION as _operation
        from .get_node import arguments as _arguments

        return self._api_client.call(_operation, _arguments(node_id))


class AsyncNodesApi:
    """The cluster's nodes, and the GPUs of the agent's own.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def get_gpu_status(self) -> GpuStatus:
        """Get the GPU status.

        The GPUs of the agent's node and a summary of them. Memory of a device is in MB, of the summary in
        bytes.

        Raises 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`) when GPUs can't be read, for
        want of a driver for example.

        Returns:
            The GPUs.

        Raises:
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.get_gpu_status().summary
        """
        from .get_gpu_status import OPERATION as _operation
        from .get_gpu_status import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    async def list_nodes(self) -> list[Node]:
        """List nodes.

        The cluster's nodes, dead ones included, with the hardware that the agent knows of.

        Returns:
            The nodes.

        Example:
            >>> [node.node_ip for node in client.list_nodes()]
        """
        from .list_nodes import OPERATION as _operation
        from .list_nodes import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    async def get_node(self, node_id: str) -> Node:
        """Get a node.

        One node of the cluster. Memory is in bytes, times are in milliseconds since the epoch.

        Raises 400 for a malformed id and 404 when no node has it.

        Args:
            node_id: The node's id in Ray, hexadecimal.

        Returns:
            The node.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_node(node_id).alive
        """
        from .get_node import OPERATION as _operation
        from .get_node import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(node_id))
