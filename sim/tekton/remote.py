"""References to other places: a ResolutionRequest per reference, and what came back (``pkg/remoteresolution``)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from controller.ports import ApiError, Document, Resource
from sim.tekton.access import RESOLUTION_REQUESTS, Access, controller_reference
from sim.tekton.conditions import condition_of
from sim.tekton.names import resolution_request_name

TYPE_LABEL = "resolution.tekton.dev/type"
_RECHECK_US = 1_000_000


class InProgress(Exception):
    """The request is made and not answered yet."""


class Refused(Exception):
    """The request failed for good."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A fetched object and its ``refSource``."""

    document: Document
    source: Document | None


class Remote:
    def __init__(self, access: Access) -> None:
        self._access = access
        self.recheck_us = _RECHECK_US if access.options.version.resolution_requeue else None
        """When to look again although no event came; before v1.15 nothing but the run's own timeout did."""

    async def fetch(self, resource: Resource, owner: Document, reference: Document, name: str = "") -> Resolved:
        """What ``owner``'s reference points to; ``name`` is that of its TaskRun, which is to find the same request.

        Raises InProgress, Refused, or ApiError if the request was refused.
        """
        metadata = owner["metadata"]
        params = reference.get("params") or []
        namespace, resolver = metadata["namespace"], reference["resolver"]
        name = resolution_request_name(resolver, namespace, name or metadata["name"], params)
        request = self._access.requests.get(namespace, name)
        if request is None:
            await self._submit(namespace, name, resolver, params, controller_reference(resource, owner))
            raise InProgress
        status = request.get("status") or {}
        condition = condition_of(status)
        if condition is None or condition["status"] == "Unknown":
            raise InProgress
        if condition["status"] == "False":
            raise Refused(f"error requesting remote resource: {condition.get('message', '')}")
        try:
            document = decode(status["data"])
        except ValueError as error:
            raise Refused(f"invalid runtime object: {error}") from error
        return Resolved(document, status.get("refSource"))

    async def _submit(self, namespace: str, name: str, resolver: str, params: Any, owner: Mapping[str, Any]) -> None:
        body = {
            "apiVersion": RESOLUTION_REQUESTS.api_version,
            "kind": RESOLUTION_REQUESTS.kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {TYPE_LABEL: resolver},
                "ownerReferences": [owner],
            },
            "spec": {"params": params},
        }
        try:
            await self._access.resolution.create(RESOLUTION_REQUESTS, namespace, body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise


def encode(document: Document) -> str:
    """An object as ``status.data`` of a ResolutionRequest carries it."""
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


@lru_cache(maxsize=1024)
def decode(data: str) -> Document:
    """The object in ``status.data``, JSON or YAML; one shared document per text. Raises ValueError."""
    text = base64.b64decode(data)
    try:
        document: Any = json.loads(text)
    except ValueError:
        try:
            document = yaml.safe_load(text.decode())
        except yaml.YAMLError as error:
            raise ValueError(f"yaml: {getattr(error, 'problem', error)}") from None
    if not isinstance(document, dict):
        raise ValueError("cannot unmarshal a plain value into an object")
    return document
