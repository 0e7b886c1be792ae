"""Statuses and events of workloads, written only where they differ."""

from collections.abc import Mapping
from typing import Any

from controller.ports import ApiError, Document, Resource
from sim.apiserver.names import subdomain
from sim.clock import Clock
from sim.cluster.api import Api

_EVENTS = Resource("", "v1", "events", "Event")
_MESSAGE_MAX = 1024


def transitioned(
    old: Document, type_: str, status: str, reason: str, message: str, now: str, *, updates: bool = True
) -> dict[str, Any]:
    """A condition; it keeps the times of the one in ``old`` where it says the same."""
    known = next((one for one in old.get("conditions") or () if one["type"] == type_), None)
    same = known is not None and (known["status"], known.get("reason")) == (status, reason)
    if known is not None and same and known.get("message", "") == message:
        return dict(known)
    since = known["lastTransitionTime"] if known is not None and known["status"] == status else now
    condition = {"type": type_, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    return {**condition, "lastUpdateTime": now} if updates else condition


def changed_status(old: Document, new: Mapping[str, Any], *, always: tuple[str, ...] = ()) -> dict[str, Any]:
    """A merge patch from the old status to the new one, empty where they are the same.

    What is zero or empty is not written, unless it is ``always``.
    """
    kept = {key: value for key, value in new.items() if key in always or value not in (0, [], None, "", {})}
    changed: dict[str, Any] = {key: value for key, value in kept.items() if key not in old or old[key] != value}
    changed |= dict.fromkeys(key for key in old if key not in kept)
    return {"status": changed} if changed else {}


class Event:
    """Tells events of one component about its objects."""

    def __init__(self, api: Api, clock: Clock, component: str) -> None:
        self._api = api
        self._clock = clock
        self._component = component
        self._told = 0

    def tell(self, resource: Resource, about: Document, type_: str, reason: str, message: str) -> None:
        """Best effort, as events are."""
        metadata, now = about["metadata"], self._clock.timestamp()
        self._told += 1
        name = f"{metadata['name'][:200]}.{self._clock.unix_us():x}{self._told % 4096:03x}"
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name if not subdomain(name) else f"event.{self._told}"},
            "involvedObject": {
                "kind": resource.kind,
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "apiVersion": resource.api_version,
                "resourceVersion": metadata["resourceVersion"],
            },
            "reason": reason,
            "message": message[:_MESSAGE_MAX],
            "source": {"component": self._component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": type_,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": "",
        }
        try:
            self._api.create(_EVENTS, metadata["namespace"], body)
        except ApiError:
            return
