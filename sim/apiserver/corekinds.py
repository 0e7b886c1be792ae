"""Strategies of small core kinds: ConfigMaps, Secrets, Events, Leases."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.causes import bad_value, too_long, undecodable
from sim.apiserver.errors import Cause, forbidden_field
from sim.apiserver.known import known_fields
from sim.apiserver.shapes import undecodable as wrong_type
from sim.apiserver.strategy import Strategy

_COMMON = ("apiVersion", "kind", "metadata")
_DATA_LIMIT_BYTES = 1_048_576
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_TEXT = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_IMMUTABLE = "field is immutable when `immutable` is set"


class ConfigMaps(Strategy):
    """ConfigMaps, and what Secrets share with them."""

    kind = "ConfigMap"
    fields = frozenset((*_COMMON, "data", "binaryData", "immutable"))

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        for field in ("data", "binaryData"):
            for value in (body.get(field) or {}).values():
                if type(value) is not str:
                    raise wrong_type(self.kind, "v1", f"{self.kind}.{field}", value, "string")
        return known_fields(body, old, self.fields)

    def validate_create(self, new: Document) -> Sequence[Cause]:
        data, binary = new.get("data") or {}, new.get("binaryData") or {}
        causes: list[Cause] = []
        for field, entries in (("data", data), ("binaryData", binary)):
            causes.extend(
                bad_value(f"{field}[{key}]", key, _KEY_TEXT) for key in entries if _KEY.fullmatch(key) is None
            )
        size = sum(len(key) + len(value.encode()) for entries in (data, binary) for key, value in entries.items())
        if size > _DATA_LIMIT_BYTES:
            causes.append(too_long("[]", _DATA_LIMIT_BYTES))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        causes: list[Cause] = []
        if old.get("immutable"):
            if not new.get("immutable"):
                causes.append(forbidden_field("immutable", _IMMUTABLE))
            causes.extend(
                forbidden_field(field, _IMMUTABLE)
                for field in ("data", "binaryData")
                if new.get(field) != old.get(field)
            )
        return [*causes, *self.validate_create(new)]


class Secrets(ConfigMaps):
    kind = "Secret"
    fields = frozenset((*_COMMON, "data", "stringData", "immutable", "type"))

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, Sequence[str]]:
        body, unknown = super().decode(body, old, subresource)
        if body.get("stringData"):
            added = {key: base64.b64encode(text.encode()).decode() for key, text in body["stringData"].items()}
            body = {**body, "data": {**(body.get("data") or {}), **added}}
        body = {key: value for key, value in body.items() if key != "stringData"}
        return ({**body, "type": "Opaque"} if not body.get("type") else body), unknown

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        causes = super().validate_update(new, old, subresource)
        if new["type"] != old["type"]:
            return [bad_value("type", new["type"], "field is immutable"), *causes]
        return causes


class Events(Strategy):
    """Core Events; their object must live in their namespace."""

    FIELDS = frozenset(
        (
            *_COMMON,
            "involvedObject",
            "reason",
            "message",
            "source",
            "firstTimestamp",
            "lastTimestamp",
            "count",
            "type",
            "eventTime",
            "series",
            "action",
            "related",
            "reportingComponent",
            "reportingInstance",
        )
    )
    DEFAULTS: Mapping[str, Any] = {
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        involved = body.get("involvedObject")
        if involved is not None and type(involved) is not dict:
            raise wrong_type("Event", "v1", "Event.involvedObject", involved, "v1.ObjectReference")
        body, unknown = known_fields(body, old, self.FIELDS)
        return {**self.DEFAULTS, **body}, unknown

    def validate_create(self, new: Document) -> Sequence[Cause]:
        theirs = (new.get("involvedObject") or {}).get("namespace", "")
        own = new["metadata"].get("namespace", "")
        if theirs == own or (not theirs and own in ("", "default")):
            return ()
        return [bad_value("involvedObject.namespace", theirs, "does not match event.namespace")]


class Leases(Strategy):
    """Leases keep microseconds, and refuse times without them."""

    _RESOURCE = Resource("coordination.k8s.io", "v1", "leases", "Lease")
    _FIELDS = frozenset((*_COMMON, "spec"))
    _MICRO_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{6})?(.*)")

    def decode(
        self,
        body: Document,
        old: Document | None,
        subresource: str,  # noqa: ARG002
    ) -> tuple[Document, Sequence[str]]:
        spec = body.get("spec") or {}
        for field in ("acquireTime", "renewTime"):
            text = spec.get(field)
            match = self._MICRO_TIME.fullmatch(text) if text else None
            if match is not None and match.group(2) is None:
                raise undecodable(
                    self._RESOURCE,
                    f'parsing time "{text}" as "2006-01-02T15:04:05.000000Z07:00": '
                    f'cannot parse "{match.group(3)}" as ".000000"',
                )
        return known_fields(body, old, self._FIELDS)

    def validate_create(self, new: Document) -> Sequence[Cause]:
        spec = new.get("spec") or {}
        causes: list[Cause] = []
        duration = spec.get("leaseDurationSeconds")
        if duration is not None and duration <= 0:
            causes.append(bad_value("spec.leaseDurationSeconds", duration, "must be greater than 0"))
        transitions = spec.get("leaseTransitions")
        if transitions is not None and transitions < 0:
            causes.append(bad_value("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return self.validate_create(new)
