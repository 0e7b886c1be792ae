"""The bundle resolver: pulls what a ResolutionRequest asks for and writes it into its status."""

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from controller.ports import ApiError, Cluster, ConnectionLost, Document
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.loop import Loop
from sim.tekton import imagereference, keychain
from sim.tekton.access import RESOLUTION_REQUESTS, Lister
from sim.tekton.attempt import message_of
from sim.tekton.bundles import BundleCatalogue, BundleError, Entry, RegistryError
from sim.tekton.conditions import is_done
from sim.tekton.deadlines import Timepiece
from sim.tekton.goformat import listed
from sim.tekton.latency import RESOLVER_WIND_UP_US
from sim.tekton.options import TektonOptions
from sim.tekton.pulling import Puller
from sim.tekton.refusal import mark_failed
from sim.tekton.remote import decode
from sim.tekton.resolvercache import CacheKey, ResolverCache, annotated, key_of, mode_of
from sim.tekton.transience import is_transient

_NAME = "bundleresolver"
_ETCD_MAX = 1_572_864  # bytes that etcd takes at once, by default
_KINDS = ("PipelineRun", "Pipeline", "TaskRun", "Task", "Run", "CustomRun", "StepAction")


class _Invalid(Exception):
    """The request itself is wrong."""


class BundleResolver:
    """``core`` reads accounts and secrets, ``resolution`` writes the requests."""

    def __init__(
        self,
        loop: Loop,
        time: Timepiece,
        options: TektonOptions,
        core: Cluster,
        resolution: Cluster,
        requests: Lister,
        bundles: BundleCatalogue,
        pulls: Random,
        registry: Random,
    ) -> None:
        self._loop = loop
        self._time = time
        self._options = options
        self._core = core
        self._resolution = resolution
        self._requests = requests
        self._puller = Puller(loop, options, bundles, pulls, registry)
        self._cache = ResolverCache(options.cache_ttl_us, options.cache_max)
        self._flights: dict[CacheKey, asyncio.Future[Entry]] = {}
        """Pulls under way that may be waited for together."""

    async def reconcile(self, key: Key) -> Result | None:
        """Resolve one request. Raises PermanentError once it is marked as failed, ApiError to be tried again."""
        request = self._requests.get(*key)
        if request is None:
            raise PermanentError(f'error getting "resolutionrequest" "{key[0]}/{key[1]}"')
        status = request.get("status") or {}
        if is_done(status) or (self._options.version.resolver_skips_resolved and status.get("data")):
            return None
        given = {one["name"]: one["value"] for one in request["spec"].get("params") or ()}
        try:
            mode = mode_of(given, self._options.cache_mode)
        except ValueError as error:
            # Not a failure to the real one, which tries again until the request's own time is over.
            raise ConnectionLost(str(error)) from error
        try:
            entry = await self._resolve(key, given, mode)
        except (_Invalid, RegistryError, BundleError, ApiError, ConnectionLost) as error:
            if is_transient(error):
                raise
            raise await self._failed(key, _told(key, error)) from error
        try:
            if len(entry.data) > _ETCD_MAX:
                raise ApiError(500, "", "etcdserver: request is too large")
            await self._resolution.patch(RESOLUTION_REQUESTS, *key, _written(entry), subresource="status")
        except (ApiError, ConnectionLost) as error:
            if is_transient(error):
                raise
            text = f'error updating resource request "{key[0]}/{key[1]}" with data: {message_of(error)}'
            raise await self._failed(key, text) from error
        await self._loop.pause(RESOLVER_WIND_UP_US)
        return None

    async def _failed(self, key: Key, text: str) -> PermanentError:
        await mark_failed(self._resolution, self._time, key, text)
        return PermanentError(text)

    async def _resolve(self, key: Key, given: Mapping[str, Any], mode: str) -> Entry:
        """The entry asked for. Raises _Invalid, RegistryError, BundleError, ApiError, ConnectionLost."""
        image = _image_of(given)
        if not (mode == "always" or (mode == "auto" and "@sha256:" in image)):
            return await self._pull(key, given, image)
        wanted = key_of(given)
        cached = self._cache.get(wanted, self._time.now_us())
        if cached is not None:
            return self._annotated(cached, "retrieve")
        if not self._options.version.resolver_shares_pulls:
            return await self._stored(key, given, image, wanted)
        flight = self._flights.get(wanted)
        if flight is None:
            flight = self._flights[wanted] = asyncio.ensure_future(self._stored(key, given, image, wanted))
            flight.add_done_callback(lambda _: self._flights.pop(wanted))
        return await asyncio.shield(flight)

    async def _stored(self, key: Key, given: Mapping[str, Any], image: str, wanted: CacheKey) -> Entry:
        entry = self._annotated(await self._pull(key, given, image), "store")
        self._cache.put(wanted, entry, self._time.now_us())
        return entry

    async def _pull(self, key: Key, given: Mapping[str, Any], image: str) -> Entry:
        account = given.get("serviceAccount") or "default"
        logins = await keychain.registries(self._core, key[0], account, given.get("secret") or "")
        entry = await self._puller.pull(image, given.get("kind") or "task", given["name"], logins)
        if self._options.version.resolver_checks_data:
            _check(entry.data)
        return entry

    def _annotated(self, entry: Entry, operation: str) -> Entry:
        return Entry(entry.data, annotated(entry.annotations, operation, self._time.timestamp()), entry.source)


def _image_of(given: Mapping[str, Any]) -> str:
    """Check the parameters. Raises _Invalid with the resolver's words, for the first of them that is wrong."""
    image = given.get("bundle")
    if not image:
        raise _Invalid('parameter "bundle" required')
    try:
        imagereference.parse(image)
    except ValueError as error:
        raise _Invalid(f"invalid bundle reference: {error}") from error
    if not given.get("name"):
        raise _Invalid('parameter "name" required')
    return str(image)


def _check(data: str) -> None:
    """Raises BundleError for what is no object of Tekton's."""
    try:
        document = decode(data)
    except ValueError as error:
        raise BundleError(f"resolved resource validation error: decoding error: {error}") from error
    group = str(document.get("apiVersion", "")).partition("/")[0]
    if group != "tekton.dev" or document.get("kind") not in _KINDS:
        raise BundleError(
            "resolved resource validation error: resolved data is not of a supported type, "
            f"must be of Group: tekton.dev, Kinds: {listed(_KINDS)}"
        )


def _told(key: Key, error: Exception) -> str:
    where = f'"{key[0]}/{key[1]}"'
    if isinstance(error, _Invalid):
        return f"invalid resource request {where}: {error}"
    text = f"cannot retrieve the oci image: {error}" if isinstance(error, RegistryError) else message_of(error)
    return f'error getting "{_NAME}" {where}: {text}'


def _written(entry: Entry) -> Document:
    return {
        "status": {
            "data": entry.data,
            "annotations": entry.annotations,
            "refSource": entry.source,
            "source": entry.source,
        }
    }
