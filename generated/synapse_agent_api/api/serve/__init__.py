"""The methods for serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.serve_application import ServeApplication

__all__ = ["AsyncServeApi", "ServeApi"]


class ServeApi:
    """Ray Serve applications.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def list_serve_applications(self) -> list[ServeApplication]:
        """List serve applications.

        The Ray Serve applications with their deployments.

        Raises 501 where the agent's Ray has no Serve.

        Returns:
            The applications.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> [app.name for app in client.list_serve_applications()]
        """
        from .list_serve_applications import OPERATION as _operation
        from .list_serve_applications import arguments as _arguments

        return self._api_client.call(_operation, _arguments())

    def get_serve_application(self, name: str) -> ServeApplication:
        """Get a serve application.

        One Ray Serve application with its deployments. `last_deployed_time_s` is in seconds since the epoch.

        Raises 404 when no application has this name, and 501 where the agent's Ray has no Serve.

        Args:
            name: The application's name, percent-encoded on the wire. `.` and `..` are refused.

        Returns:
            The application.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_serve_application("detector@1.0.0").status
        """
        from .get_serve_application import OPERATION as _operation
        from .get_serve_application import arguments as _arguments

        return self._api_client.call(_operation, _arguments(name))

    def delete_serve_application(self, name: str) -> None:
        """Delete a serve application.

        Removes one application. Its replicas take some seconds to stop; its status is DELETING until then.

        Raises 404 when no application has this name, and 501 where the agent's Ray has no Serve.

        Args:
            name: The application's name, percent-encoded on the wire. `.` and `..` are refused.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_serve_application("detector@1.0.0")
        """
        from .delete_serve_application import OPERATION as _operation
        from .delete_serve_application import arguments as _arguments

        return self._api_client.call(_operation, _arguments(name))


class AsyncServeApi:
    """Ray Serve applications.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def list_serve_applications(self) -> list[ServeApplication]:
        """List serve applications.

        The Ray Serve applications with their deployments.

        Raises 501 where the agent's Ray has no Serve.

        Returns:
            The applications.

        Raises:
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> [app.name for app in client.list_serve_applications()]
        """
        from .list_serve_applications import OPERATION as _operation
        from .list_serve_applications import arguments as _arguments

        return await self._api_client.call(_operation, _arguments())

    async def get_serve_application(self, name: str) -> ServeApplication:
        """Get a serve application.

        One Ray Serve application with its deployments. `last_deployed_time_s` is in seconds since the epoch.

        Raises 404 when no application has this name, and 501 where the agent's Ray has no Serve.

        Args:
            name: The application's name, percent-encoded on the wire. `.` and `..` are refused.

        Returns:
            The application.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.get_serve_application("detector@1.0.0").status
        """
        from .get_serve_application import OPERATION as _operation
        from .get_serve_application import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(name))

    async def delete_serve_application(self, name: str) -> None:
        """Delete a serve application.

        Removes one application. Its replicas take some seconds to stop; its status is DELETING until then.

        Raises 404 when no application has this name, and 501 where the agent's Ray has no Serve.

        Args:
            name: The application's name, percent-encoded on the wire. `.` and `..` are refused.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_serve_application("detector@1.0.0")
        """
        from .delete_serve_application import OPERATION as _operation
        from .delete_serve_application import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(name))
