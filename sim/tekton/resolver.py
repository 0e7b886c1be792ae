"""The bundle resolver, a process of its own: pulls what a ResolutionRequest asks for and writes it into its status."""

from random import Random
from typing import Any

from controller.ports import ApiError, Cluster, ConnectionLost, Document
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.loop import Loop
from sim.tekton.access import RESOLUTION_REQUESTS, SERVICE_ACCOUNTS, Lister
from sim.tekton.attempt import message_of
from sim.tekton.bundles import BundleCatalogue, BundleError, Entry, RegistryError
from sim.tekton.conditions import is_done, set_condition
from sim.tekton.deadlines import Timepiece
from sim.tekton.options import TektonOptions

_NAME = "bundleresolver"
_CACHE_US = 300_000_000  # the resolver's cache keeps an image for five minutes, a thousand images at most
_CACHE_MAX = 1000
_ABSENT: Document = {}


class _Invalid(Exception):
    """The request itself is wrong."""


class BundleResolver:
    def __init__(
        self,
        loop: Loop,
        time: Timepiece,
        options: TektonOptions,
        cluster: Cluster,
        requests: Lister,
        bundles: BundleCatalogue,
        stream: Random,
    ) -> None:
        self._loop = loop
        self._time = time
        self._options = options
        self._cluster = cluster
        self._requests = requests
        self._bundles = bundles
        self._stream = stream
        self._pulled_us: dict[str, int] = {}

    async def reconcile(self, key: Key) -> Result | None:
        """Resolve one request. Raises PermanentError once it is marked as failed, ApiError to be tried again."""
        request = self._requests.get(*key)
        if request is None:
            raise PermanentError(f'error getting "resolutionrequest" "{key[0]}/{key[1]}"')
        status = request.get("status") or {}
        if is_done(status) or (self._options.version.resolver_skips_resolved and status.get("data")):
            return None
        try:
            entry = await self._resolve(key, request["spec"].get("params") or ())
        except (_Invalid, RegistryError, BundleError) as error:
            text = self._told(key, error)
            await self.mark_failed(key, text)
            raise PermanentError(text) from error
        body: Document = {
            "status": {
                "data": entry.data,
                "annotations": entry.annotations,
                "refSource": entry.source,
                "source": entry.source,
            }
        }
        try:
            await self._cluster.patch(RESOLUTION_REQUESTS, *key, body, subresource="status")
        except (ApiError, ConnectionLost) as error:
            text = f'error updating resource request "{key[0]}/{key[1]}" with data: {message_of(error)}'
            await self.mark_failed(key, text)
            raise PermanentError(text) from error
        return None

    def _told(self, key: Key, error: Exception) -> str:
        where = f'"{key[0]}/{key[1]}"'
        if isinstance(error, _Invalid):
            return f"invalid resource request {where}: {error}"
        text = f"cannot retrieve the oci image: {error}" if isinstance(error, RegistryError) else str(error)
        return f'error getting "{_NAME}" {where}: {text}'

    async def _resolve(self, key: Key, params: Any) -> Entry:
        given = {one["name"]: one["value"] for one in params}
        for name in ("bundle", "name"):
            if not given.get(name):
                raise _Invalid(f'parameter "{name}" required')
        image, kind, name = given["bundle"], given.get("kind", "task"), given["name"]
        try:
            await self._cluster.get(SERVICE_ACCOUNTS, key[0], given.get("serviceAccount", "default"))
        except ApiError as error:
            if error.code != 404:  # without the account the registry is asked anonymously
                raise
        mode = given.get("cache", "auto")
        cached = mode == "always" or (mode == "auto" and "@sha256:" in image)
        now_us = self._time.now_us()
        if not (cached and now_us - self._pulled_us.get(image, -_CACHE_US) < _CACHE_US):
            delay = self._options.pull if self._bundles.has(image) else self._options.pull_failure
            await self._loop.pause(delay.sample_us(self._stream))
        entry = self._bundles.fetch(image, kind, name)
        if cached:
            self._pulled_us.pop(image, None)
            self._pulled_us[image] = now_us
            if len(self._pulled_us) > _CACHE_MAX:
                del self._pulled_us[next(iter(self._pulled_us))]
        return entry

    async def mark_failed(self, key: Key, text: str) -> None:
        """Best effort, as in the real one: what cannot be marked runs into the global timeout."""
        try:
            newest = await self._cluster.get(RESOLUTION_REQUESTS, *key)
            status = dict(newest.get("status") or _ABSENT)
            if is_done(status):
                return
            set_condition(status, "False", "ResolutionFailed", text, self._time.timestamp())
            await self._cluster.update(RESOLUTION_REQUESTS, *key, {**newest, "status": status}, subresource="status")
        except (ApiError, ConnectionLost):
            return
