"""What the resolvers for git, hubs, URLs and the cluster say of a bundle's request, which is none of theirs.

On becoming the leader each of them looks at *all* requests, not only at those of its type (recorded with both
releases), and a request that it cannot read it fails for good.
"""

import contextlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from controller.ports import ApiError, Cluster, ConnectionLost
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.loop import Loop
from sim.tekton.access import PIPELINES, TASKS, Lister
from sim.tekton.conditions import is_done
from sim.tekton.deadlines import Timepiece
from sim.tekton.latency import MISS
from sim.tekton.refusal import mark_failed
from sim.tekton.version import Version

FOREIGN = ("git", "hub", "cluster", "http")
_KINDS = ("task", "pipeline", "stepaction")
Verdict = Callable[[Mapping[str, Any]], str]
"""What is wrong with the parameters of a request, or ``""``."""


def _git(given: Mapping[str, Any]) -> str:
    if given.get("url") and given.get("repo"):
        return "cannot specify both 'url' and 'repo'"
    return "" if "pathInRepo" in given else "missing required git resolver params: pathInRepo"


def _http(given: Mapping[str, Any]) -> str:
    return "" if given.get("url") else "missing required http resolver params: url"


def _hub(given: Mapping[str, Any]) -> str:
    kind = given.get("kind", "task")
    if kind not in _KINDS:
        return f"failed to validate params: kind param must be one of: {', '.join(_KINDS)}"
    missing = [name for name in ("name", "version") if name not in given]
    return f"failed to validate params: missing required hub resolver params: {', '.join(missing)}" if missing else ""


def _cluster(given: Mapping[str, Any]) -> str:
    kind = given.get("kind") or "task"
    if kind not in _KINDS:
        return f"unknown or unsupported resource kind '{kind}'"
    missing = [name for name in ("name", "namespace") if not given.get(name)]
    return f"missing required cluster resolver params: {', '.join(missing)}" if missing else ""


def _cluster_anywhere(given: Mapping[str, Any]) -> str:
    """Before the namespace was required; its default is empty, which is not missing."""
    return _cluster({"namespace": "default", **given})


class ForeignResolver:
    """One of the four. ``name`` is its resolver's: ``git``, ``hub``, ``http`` or ``cluster``."""

    def __init__(
        self,
        name: str,
        version: Version,
        loop: Loop,
        time: Timepiece,
        resolution: Cluster,
        tekton: Cluster,
        requests: Lister,
        stream: Random,
    ) -> None:
        self._loop = loop
        self._time = time
        self._stream = stream
        self._resolution = resolution
        self._tekton = tekton
        self._requests = requests
        self._skips_resolved = version.resolver_skips_resolved
        cluster = _cluster if version.cluster_resolver_needs_namespace else _cluster_anywhere
        self._verdict: Verdict = {"git": _git, "http": _http, "hub": _hub, "cluster": cluster}[name]
        self._looks_up = name == "cluster"

    async def reconcile(self, key: Key) -> Result | None:
        """Judge one request. Raises PermanentError once it is marked as failed."""
        request = self._requests.get(*key)
        if request is None:
            raise PermanentError(f'error getting "resolutionrequest" "{key[0]}/{key[1]}"')
        status = request.get("status") or {}
        if is_done(status) or (self._skips_resolved and status.get("data")):
            return None
        given = {one["name"]: one["value"] for one in request["spec"].get("params") or ()}
        verdict = self._verdict(given)
        text = f'invalid resource request "{key[0]}/{key[1]}": {verdict}'
        if not verdict:
            if not self._looks_up:
                return None
            text = await self._absent(key, given)
        await mark_failed(self._resolution, self._time, key, text)
        raise PermanentError(text)

    async def _absent(self, key: Key, given: Mapping[str, Any]) -> str:
        """What the cluster resolver gets for a name in no namespace."""
        resource = PIPELINES if given.get("kind") == "pipeline" else TASKS
        name = given["name"]
        with contextlib.suppress(ApiError, ConnectionLost):
            await self._tekton.get(resource, "", name)
        await self._loop.pause(MISS.sample_us(self._stream))
        where = f"the server could not find the requested resource (get {resource.group_resource} {name})"
        return f'error getting "clusterresolver" "{key[0]}/{key[1]}": {where}'
