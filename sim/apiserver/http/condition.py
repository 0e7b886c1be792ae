"""Sentences about one object, such as ``wfe/demo phase=Completed``: what somebody lets time pass for."""

from typing import Any

from controller.ports import Document
from sim.apiserver.registry import Served
from sim.apiserver.server import ApiServer

_FORM = "'RESOURCE/NAME FIELD=VALUE', such as 'wfe/demo phase=Completed'"
_TEXT_MAX = 500


class BadCondition(ValueError):
    """No sentence about an object; one line that says why."""


class Condition:
    """Holds or not, whenever it is called.

    ``text`` is ``RESOURCE/NAME WORD``, or ``RESOURCE/NAMESPACE/NAME WORD``. The resource is a plural, a kind, a short
    name, or ``plural.group``. The word is ``exists``, ``deleted``, ``condition=TYPE``, ``condition=TYPE=STATUS`` or
    ``FIELD=VALUE``, where a field that does not begin with a part of the object is one of its status. Without a
    namespace any object of that name will do. Raises BadCondition.
    """

    def __init__(self, server: ApiServer, text: str) -> None:
        self.text = text
        subject, _, word = text.strip().partition(" ")
        place = subject.split("/")
        self._word = word.strip()
        if len(text) > _TEXT_MAX or len(place) not in (2, 3) or not all(place) or not self._word:
            raise BadCondition(f"{text[:_TEXT_MAX]!r} is no condition; expected {_FORM}")
        if self._word not in ("exists", "deleted") and "=" not in self._word:
            raise BadCondition(
                f"{self._word!r} is no condition; expected exists, deleted, condition=TYPE or FIELD=VALUE"
            )
        self._server = server
        self._resource = _served(server, place[0]).resource
        self._namespace = place[1] if len(place) == 3 else ""
        self._name = place[-1]
        self._seen = -1
        self._held = False

    def __call__(self) -> bool:
        version = self._server.store.version
        if version != self._seen:
            self._seen = version
            self._held = self._holds()
        return self._held

    def _holds(self) -> bool:
        found = self._found()
        if self._word in ("exists", "deleted"):
            return bool(found) == (self._word == "exists")
        return any(_says(document, self._word) for document in found)

    def _found(self) -> list[Document]:
        if self._namespace or not self._resource.namespaced:
            one = self._server.find(self._resource, self._namespace, self._name)
            return [] if one is None else [one]
        return [one for one in self._server.items(self._resource) if one["metadata"]["name"] == self._name]


def _served(server: ApiServer, word: str) -> Served:
    plural, _, group = word.lower().partition(".")
    for served in server.registry.all():
        resource = served.resource
        if group and resource.group != group:
            continue
        if plural in (resource.plural, resource.kind.lower(), *served.short_names):
            return served
    raise BadCondition(f"there is no resource {word[:_TEXT_MAX]!r}; expected {_FORM}")


def _says(document: Document, word: str) -> bool:
    field, _, value = word.partition("=")
    if field == "condition":
        type_, _, status = value.partition("=")
        conditions = (document.get("status") or {}).get("conditions") or ()
        return any(one.get("type") == type_ and one.get("status") == (status or "True") for one in conditions)
    parts = field.lstrip(".").split(".")
    at: Any = document if parts[0] in document else document.get("status")
    for part in parts:
        at = at.get(part) if isinstance(at, dict) else None
    if isinstance(at, bool):
        return value == str(at).lower()
    return at is not None and str(at) == value
