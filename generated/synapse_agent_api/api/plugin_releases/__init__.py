"""The methods for plugin releases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...client import AsyncTransport, Transport
    from ...models.plugin_release import PluginRelease
    from ...models.plugin_release_page import PluginReleasePage
    from ...models.run_accepted import RunAccepted

__all__ = ["AsyncPluginReleasesApi", "PluginReleasesApi"]


class PluginReleasesApi:
    """Plugin releases, and runs of their actions.

    A subclass sets `_api_client`.
    """

    _api_client: Transport

    def list_plugin_releases(self, page: int | None = None, page_size: int = 100) -> PluginReleasePage:
        """List plugin releases.

        One page of the plugin releases that the agent has.

        Raises 404 for a page past the last, and 422 for a page below 1.

        Args:
            page: Which page, counted from 1. The first where it is not given.
            page_size: How many results a page holds at most.

        Returns:
            The page.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_plugin_releases(page=1, page_size=20).results
        """
        from .list_plugin_releases import OPERATION as _operation
        from .list_plugin_releases import arguments as _arguments

        return self._api_client.call(_operation, _arguments(page, page_size))

    def iter_plugin_releases(self, *, page_size: int = 100) -> Iterator[PluginRelease]:
        """Walk all plugin releases, one page after the other, each asked for when it is needed.

        Args:
            page_size: How many to ask for at once.

        Returns:
            An iterator. What changes at the agent meanwhile may be seen twice, or missed.

        Raises:
            ServerError: 200, a page leads to another origin, or in a circle.
            ClientError: As `list_plugin_releases` does.

        Example:
            >>> [release.plugin for release in client.iter_plugin_releases()]
        """
        from .list_plugin_releases import OPERATION as _operation
        from .list_plugin_releases import PAGINATION as _pagination
        from .list_plugin_releases import arguments as _arguments

        _given = _arguments(page_size=page_size)
        yield from self._api_client.pages(_operation, _given, _pagination)

    def create_plugin_release(self, plugin: str, version: str) -> PluginRelease:
        """Create a plugin release.

        Makes the agent fetch a release from its source and keep it ready to run.

        Raises 404 when there is no such plugin or version, 409 when the agent has the release already, 422
        for a body it doesn't take or a release that is not sound, and 501 where the agent has no source.

        Args:
            plugin: The plugin's code.
            version: The version.

        Returns:
            The release.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.create_plugin_release("detector", "1.0.0").id
        """
        from .create_plugin_release import OPERATION as _operation
        from .create_plugin_release import arguments as _arguments

        return self._api_client.call(_operation, _arguments(plugin, version))

    def get_plugin_release(self, lookup: str) -> PluginRelease:
        """Get a plugin release.

        One plugin release with its configuration.

        Raises 404 when the agent has no such release.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.

        Returns:
            The release.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_plugin_release("detector@1.0.0").config
        """
        from .get_plugin_release import OPERATION as _operation
        from .get_plugin_release import arguments as _arguments

        return self._api_client.call(_operation, _arguments(lookup))

    def delete_plugin_release(self, lookup: str) -> None:
        """Delete a plugin release.

        Makes the agent forget a release. Jobs that run from it go on.

        Raises 404 when the agent has no such release.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_plugin_release("detector@1.0.0")
        """
        from .delete_plugin_release import OPERATION as _operation
        from .delete_plugin_release import arguments as _arguments

        return self._api_client.call(_operation, _arguments(lookup))

    def run_plugin_release(
        self,
        lookup: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        requirements: Sequence[str] | None = None,
        job_id: str | None = None,
        language: str | None = None,
    ) -> RunAccepted | Any:
        """Run a plugin release.

        Runs one action of a release. For an action that runs as a job it returns as soon as the job is
        submitted, with the job's id and status; for a serve action it calls the application that is deployed
        under the release's name, `code@version`, and returns the plugin's own JSON.

        Raises 400 when the application refuses the call, 404 when the agent has no such release or the
        release no such action, 409 when a job has this `job_id` already or the application of a serve action
        is not running, 422 for a body the agent or the application doesn't take, 429 when its policy allows
        no more jobs, and 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed
        and none is available.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.
            action: The action's name in the plugin's config.yaml.
            params: The action's parameters.
            requirements: Further Python packages to install for this run, in pip's syntax.
            job_id: The id for the job, 1 to 100 letters, digits, `-` and `_`; the agent makes one otherwise.
            language: The language for the action's messages, as an ISO 639-1 code.

        Returns:
            200: What the plugin's serve action answered, whatever JSON that is. 202: The job is submitted.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.run_plugin_release("detector@1.0.0", "train", {"epochs": 3}, job_id="train-42")
        """
        from .run_plugin_release import OPERATION as _operation
        from .run_plugin_release import arguments as _arguments

        return self._api_client.call(
            _operation,
            _arguments(lookup, action, params, requirements=requirements, job_id=job_id, language=language),
        )

    def run_debug_plugin_release(
        self,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        plugin_path: str | None = None,
        config: Mapping[str, Any] | None = None,
        modules: Mapping[str, str] | None = None,
        requirements: Sequence[str] | None = None,
        job_id: str | None = None,
        language: str | None = None,
    ) -> RunAccepted | Any:
        """Run a plugin from source.

        Runs one action of a plugin that is not released: from a path on the agent's machine, or from sources
        sent along. For an action that runs as a job it returns as soon as the job is submitted, with the
        job's id and status; for a serve action it returns the plugin's own JSON.

        Raises 404 when the plugin has no such action or the path is not there, 409 when a job has this
        `job_id` already, 422 for an invalid body, 429 when its policy allows no more jobs, and 503 with
        `error_type` `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            action: The action's name in the plugin's configuration.
            params: The action's parameters.
            plugin_path: Where the plugin is on the agent's machine, below a directory that the agent's
                `--plugin-path` names.
            config: The plugin's configuration, instead of the config.yaml at `plugin_path`.
            modules: Sources of Python modules by name, instead of those at `plugin_path`. None may have the
                name of a module of Python or Ray.
            requirements: Further Python packages to install for this run, in pip's syntax.
            job_id: The id for the job, 1 to 100 letters, digits, `-` and `_`; the agent makes one otherwise.
            language: The language for the action's messages, as an ISO 639-1 code.

        Returns:
            200: What the plugin's serve action answered, whatever JSON that is. 202: The job is submitted.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.run_debug_plugin_release("train", {"epochs": 3}, plugin_path="/plugins/detector")
        """
        from .run_debug_plugin_release import OPERATION as _operation
        from .run_debug_plugin_release import arguments as _arguments

        return self._api_client.call(
            _operation,
            _arguments(
                action,
                params,
                plugin_path=plugin_path,
                config=config,
                modules=modules,
                requirements=requirements,
                job_id=job_id,
                language=language,
            ),
        )


class AsyncPluginReleasesApi:
    """Plugin releases, and runs of their actions.

    A subclass sets `_api_client`.
    """

    _api_client: AsyncTransport

    async def list_plugin_releases(self, page: int | None = None, page_size: int = 100) -> PluginReleasePage:
        """List plugin releases.

        One page of the plugin releases that the agent has.

        Raises 404 for a page past the last, and 422 for a page below 1.

        Args:
            page: Which page, counted from 1. The first where it is not given.
            page_size: How many results a page holds at most.

        Returns:
            The page.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.list_plugin_releases(page=1, page_size=20).results
        """
        from .list_plugin_releases import OPERATION as _operation
        from .list_plugin_releases import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(page, page_size))

    async def iter_plugin_releases(self, *, page_size: int = 100) -> AsyncIterator[PluginRelease]:
        """Walk all plugin releases, one page after the other, each asked for when it is needed.

        Args:
            page_size: How many to ask for at once.

        Returns:
            An iterator. What changes at the agent meanwhile may be seen twice, or missed.

        Raises:
            ServerError: 200, a page leads to another origin, or in a circle.
            ClientError: As `list_plugin_releases` does.

        Example:
            >>> [release.plugin for release in client.iter_plugin_releases()]
        """
        from .list_plugin_releases import OPERATION as _operation
        from .list_plugin_releases import PAGINATION as _pagination
        from .list_plugin_releases import arguments as _arguments

        _given = _arguments(page_size=page_size)
        async for _item in self._api_client.pages(_operation, _given, _pagination):
            yield _item

    async def create_plugin_release(self, plugin: str, version: str) -> PluginRelease:
        """Create a plugin release.

        Makes the agent fetch a release from its source and keep it ready to run.

        Raises 404 when there is no such plugin or version, 409 when the agent has the release already, 422
        for a body it doesn't take or a release that is not sound, and 501 where the agent has no source.

        Args:
            plugin: The plugin's code.
            version: The version.

        Returns:
            The release.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.create_plugin_release("detector", "1.0.0").id
        """
        from .create_plugin_release import OPERATION as _operation
        from .create_plugin_release import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(plugin, version))

    async def get_plugin_release(self, lookup: str) -> PluginRelease:
        """Get a plugin release.

        One plugin release with its configuration.

        Raises 404 when the agent has no such release.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.

        Returns:
            The release.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.

        Example:
            >>> client.get_plugin_release("detector@1.0.0").config
        """
        from .get_plugin_release import OPERATION as _operation
        from .get_plugin_release import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(lookup))

    async def delete_plugin_release(self, lookup: str) -> None:
        """Delete a plugin release.

        Makes the agent forget a release. Jobs that run from it go on.

        Raises 404 when the agent has no such release.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.

        Example:
            >>> client.delete_plugin_release("detector@1.0.0")
        """
        from .delete_plugin_release import OPERATION as _operation
        from .delete_plugin_release import arguments as _arguments

        return await self._api_client.call(_operation, _arguments(lookup))

    async def run_plugin_release(
        self,
        lookup: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        requirements: Sequence[str] | None = None,
        job_id: str | None = None,
        language: str | None = None,
    ) -> RunAccepted | Any:
        """Run a plugin release.

        Runs one action of a release. For an action that runs as a job it returns as soon as the job is
        submitted, with the job's id and status; for a serve action it calls the application that is deployed
        under the release's name, `code@version`, and returns the plugin's own JSON.

        Raises 400 when the application refuses the call, 404 when the agent has no such release or the
        release no such action, 409 when a job has this `job_id` already or the application of a serve action
        is not running, 422 for a body the agent or the application doesn't take, 429 when its policy allows
        no more jobs, and 503 with `error_type` `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed
        and none is available.

        Args:
            lookup: The release as `code@version`, percent-encoded on the wire, or its id. `.` and `..` are
                refused.
            action: The action's name in the plugin's config.yaml.
            params: The action's parameters.
            requirements: Further Python packages to install for this run, in pip's syntax.
            job_id: The id for the job, 1 to 100 letters, digits, `-` and `_`; the agent makes one otherwise.
            language: The language for the action's messages, as an ISO 639-1 code.

        Returns:
            200: What the plugin's serve action answered, whatever JSON that is. 202: The job is submitted.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.run_plugin_release("detector@1.0.0", "train", {"epochs": 3}, job_id="train-42")
        """
        from .run_plugin_release import OPERATION as _operation
        from .run_plugin_release import arguments as _arguments

        return await self._api_client.call(
            _operation,
            _arguments(lookup, action, params, requirements=requirements, job_id=job_id, language=language),
        )

    async def run_debug_plugin_release(
        self,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        plugin_path: str | None = None,
        config: Mapping[str, Any] | None = None,
        modules: Mapping[str, str] | None = None,
        requirements: Sequence[str] | None = None,
        job_id: str | None = None,
        language: str | None = None,
    ) -> RunAccepted | Any:
        """Run a plugin from source.

        Runs one action of a plugin that is not released: from a path on the agent's machine, or from sources
        sent along. For an action that runs as a job it returns as soon as the job is submitted, with the
        job's id and status; for a serve action it returns the plugin's own JSON.

        Raises 404 when the plugin has no such action or the path is not there, 409 when a job has this
        `job_id` already, 422 for an invalid body, 429 when its policy allows no more jobs, and 503 with
        `error_type` `gpu_unavailable` (`GpuUnavailableError`) when a GPU is needed and none is available.

        Args:
            action: The action's name in the plugin's configuration.
            params: The action's parameters.
            plugin_path: Where the plugin is on the agent's machine, below a directory that the agent's
                `--plugin-path` names.
            config: The plugin's configuration, instead of the config.yaml at `plugin_path`.
            modules: Sources of Python modules by name, instead of those at `plugin_path`. None may have the
                name of a module of Python or Ray.
            requirements: Further Python packages to install for this run, in pip's syntax.
            job_id: The id for the job, 1 to 100 letters, digits, `-` and `_`; the agent makes one otherwise.
            language: The language for the action's messages, as an ISO 639-1 code.

        Returns:
            200: What the plugin's serve action answered, whatever JSON that is. 202: The job is submitted.

        Raises:
            ValidationError: 400, a parameter is not what it should be.
            NotFoundError: 404, the resource does not exist.
            HTTPError: 409, it exists already, or its state forbids this now.
            ValidationError: 422, the parameters or the body are well-formed and not acceptable; each field's
                error is listed.
            ServerError: 501, this agent has no machinery for this.
            GpuUnavailableError: 503, no GPU is available (`error_type` is `gpu_unavailable`), or the agent
                can't serve now (any other body). Nothing was done.

        Example:
            >>> client.run_debug_plugin_release("train", {"epochs": 3}, plugin_path="/plugins/detector")
        """
        from .run_debug_plugin_release import OPERATION as _operation
        from .run_debug_plugin_release import arguments as _arguments

        return await self._api_client.call(
            _operation,
            _arguments(
                action,
                params,
                plugin_path=plugin_path,
                config=config,
                modules=modules,
                requirements=requirements,
                job_id=job_id,
                language=language,
            ),
        )
