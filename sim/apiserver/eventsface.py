"""``events.k8s.io/v1``: the newer face of the core Events, the same objects under other field names."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.builtin import field
from sim.apiserver.errors import Cause
from sim.apiserver.registry import PLAIN_FIELDS, Registry, Served
from sim.apiserver.selectors import FieldGetter
from sim.apiserver.strategy import Strategy

EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
_CORE: Mapping[str, str] = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_NEWER = {core: newer for newer, core in _CORE.items()}
_FIELDS: Mapping[str, FieldGetter] = {
    **PLAIN_FIELDS,
    **{f"regarding.{part}": field("involvedObject", part) for part in ("kind", "namespace", "name", "uid")},
    "reason": field("reason"),
    "reportingController": field("reportingComponent"),
    "type": field("type"),
}


class NewerEvents(Strategy):
    """Takes bodies in the newer spelling and hands them on in the core's."""

    def __init__(self, core: Strategy) -> None:
        self._core = core

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, Sequence[str]]:
        renamed: dict[str, Any] = {_CORE.get(key, key): value for key, value in body.items()}
        return self._core.decode(renamed, old, subresource)

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return self._core.validate_create(new)

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        return self._core.validate_update(new, old, subresource)


class NewerFace(Served):
    """Shows stored core Events in the newer spelling."""

    __slots__ = ()

    def present(self, document: Document) -> Document:
        shown = {_NEWER.get(key, key): value for key, value in document.items()}
        shown["apiVersion"] = self.api_version
        return shown


def serve(registry: Registry) -> None:
    """Serve the core Events a second time."""
    core = registry.named("", "events")
    registry.add(NewerFace(EVENTS, core.table, NewerEvents(core.strategy), "EventList", _FIELDS, foreign=True))
