"""The namespace that plays on a real cluster have to themselves."""

import asyncio
from collections.abc import Awaitable, Callable

from controller.ports import ApiError, Resource
from scenarios.errors import BadInput
from scenarios.golden.circumstances import NAMESPACES
from scenarios.golden.live import WORKED_ON, PlayBroken, StageCluster
from sim.tekton.access import PODS, SERVICE_ACCOUNTS

_CLEARED_S = 60.0
_LOOK_S = 0.25
_Look = Callable[[], Awaitable[str]]
"""Answers what is still there, "" for nothing."""
_LABELS = {"app.kubernetes.io/managed-by": "rehearse", "pod-security.kubernetes.io/enforce": "baseline"}


class Premises:
    """Use as ``async with``: a namespace of that name is created, or an ``existing`` one used, and left as it was.

    Raises BadInput for one that is there although it should not be, is not although it should, or is in use.
    """

    def __init__(self, cluster: StageCluster, namespace: str, *, existing: bool) -> None:
        self.uid = ""
        self._cluster = cluster
        self._namespace = namespace
        self._existing = existing

    async def __aenter__(self) -> "Premises":
        try:
            found = await (self._found() if self._existing else self._created())
        except ApiError as error:
            raise BadInput(f"--namespace {self._namespace}", str(error), "a namespace that may be used") from None
        self.uid = found
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever happened: nothing of the plays stays. Raises PlayBroken if something does."""
        await self.clear()
        if self._existing:
            await self._remove_made(SERVICE_ACCOUNTS)
            return
        await self._delete(NAMESPACES, "", self._namespace)
        await self._until_gone(lambda: self._is_there(NAMESPACES, "", self._namespace))

    async def clear(self) -> None:
        """Delete all that a play made, and all that Tekton made of it. Raises PlayBroken if something stays."""
        for resource in {resource: None for resource, _, _ in self._cluster.made}:
            if resource not in (SERVICE_ACCOUNTS, NAMESPACES):
                await self._remove_made(resource)
        await self._until_gone(self._sweep)

    async def _created(self) -> str:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self._namespace, "labels": _LABELS}}
        try:
            created = await self._cluster.create(NAMESPACES, "", body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            raise BadInput(
                f"--namespace {self._namespace}", "exists already", "another name, or --use-existing-namespace"
            ) from None
        return str(created["metadata"]["uid"])

    async def _found(self) -> str:
        found = await self._cluster.get(NAMESPACES, "", self._namespace)
        for resource in WORKED_ON:
            if (await self._cluster.list(resource, self._namespace, limit=1))["items"]:
                where, what = f"--namespace {self._namespace}", f"there are {resource.plural} in it"
                raise BadInput(where, what, "a namespace that nobody uses")
        return str(found["metadata"]["uid"])

    async def _sweep(self) -> str:
        """Delete what is worked on; answers what is still there, "" for nothing."""
        left = ""
        for resource in WORKED_ON:
            for item in (await self._cluster.list(resource, self._namespace))["items"]:
                name = item["metadata"]["name"]
                left = f"{resource.plural} {name}"
                await self._delete(resource, self._namespace, name)
        return left

    async def _remove_made(self, resource: Resource) -> None:
        made = self._cluster.made
        for one in [one for one in made if one[0] == resource]:
            made.remove(one)
            await self._delete(*one)

    async def _delete(self, resource: Resource, namespace: str, name: str) -> None:
        grace_period_s = 0 if resource == PODS else None  # there is no kubelet that would end them
        try:
            await self._cluster.delete(
                resource, namespace, name, propagation="Background", grace_period_s=grace_period_s
            )
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    async def _is_there(self, resource: Resource, namespace: str, name: str) -> str:
        try:
            await self._cluster.get(resource, namespace, name)
        except ApiError as error:
            if error.code == 404:
                return ""
            raise
        return f"{resource.plural} {name}"

    async def _until_gone(self, look: _Look) -> None:
        left = ""
        try:
            async with asyncio.timeout(_CLEARED_S):
                while left := await look():
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise PlayBroken(f"{left} is still there {_CLEARED_S:.0f} s after its deletion") from None
