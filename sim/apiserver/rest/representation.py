"""Answers as the client wants them: Tables and PartialObjectMetadata in place of objects, Lists and watch events."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, WatchEvent
from sim.apiserver.definitions import DEFINITIONS
from sim.apiserver.errors import bad_request
from sim.apiserver.registry import Served
from sim.apiserver.rest.negotiation import Choice
from sim.apiserver.tables.table import Tabulator, partial
from sim.apiserver.watch import Stream

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_INCLUDES = ("", "Metadata", "Object", "None")
_CORE_PACKAGES = {"": "core", "rbac.authorization.k8s.io": "rbac", "events.k8s.io": "core"}


class Representation:
    """What ``choice`` makes of the answers about one kind. Raises ApiError 400 for options it cannot follow."""

    def __init__(
        self, server: "ApiServer", served: Served, subresource: str, choice: Choice, query: Mapping[str, str]
    ) -> None:
        self._served = served
        self._choice = choice
        self._include = query.get("includeObject", "")
        self._headers = query.get("noHeaders") not in ("true", "1")
        self._tabulator: Tabulator | None = None
        if choice.transform == "Table":
            if self._include not in _INCLUDES:
                wrong = f"Invalid value: \"{self._include}\": must be 'Metadata', 'Object', 'None', or empty"
                raise bad_request(f"Unable to convert to Table as requested: includeObject: {wrong}")
            key = "scale" if subresource == "scale" else served.key
            declared = printer_columns(server, served) if served.custom and key != "scale" else None
            self._tabulator = Tabulator(key, declared, server.clock.utcnow)

    def document(self, answer: Document) -> Document:
        """An object or List in this representation; a Status stays one. Raises ApiError 406."""
        if answer.get("kind") == "Status":
            return answer
        listed = answer.get("items") if answer.get("kind") == self._served.list_kind else None
        items = None if listed is None else [self._named(one) for one in listed]
        version, asked = self._choice.version, self._choice.transform
        if self._tabulator is not None:
            table = self._tabulator.table(answer, version, self._include, items)
            return table if self._headers else {**table, "columnDefinitions": None}
        if asked == "PartialObjectMetadata":
            if items is not None:
                raise _mismatch(
                    f"you requested {asked}, but the requested object is a list", self._go_type(listed=True)
                )
            return partial(answer, version)
        if items is None:
            raise _mismatch(
                f"you requested {asked}, but the requested object is not a list", self._go_type(listed=False)
            )
        return {
            "kind": asked,
            "apiVersion": f"meta.k8s.io/{version}",
            "metadata": {key: value for key, value in answer["metadata"].items() if value},
            "items": [partial(one, version) for one in items],
        }

    def stream(self, inner: Stream) -> Stream:
        """The events of ``inner`` in this representation."""
        return ConvertedStream(inner, self.event)

    def event(self, event: WatchEvent) -> WatchEvent:
        """One event of a watch; only the first Table carries its columns."""
        if event.type == "ERROR":
            return event
        if self._tabulator is None and self._choice.transform == "PartialObjectMetadataList":
            return event  # as the real server: it cannot, and sends the object
        made = WatchEvent(event.type, self.document(event.object))
        self._headers = False
        return made

    def _named(self, item: Document) -> Document:
        """An item of a typed List with its type told again, for who wants whole objects."""
        if "kind" in item:
            return item
        resource = self._served.resource
        return {"kind": resource.kind, "apiVersion": resource.api_version, **item}

    def _go_type(self, *, listed: bool) -> str:
        """The type that the real server names in its refusals."""
        if self._served.custom:
            return "*unstructured.UnstructuredList" if listed else "*unstructured.Unstructured"
        group = self._served.resource.group
        package = _CORE_PACKAGES.get(group) or group.partition(".")[0]
        return f"*{package}.{self._served.list_kind if listed else self._served.resource.kind}"


def _mismatch(text: str, go_type: str) -> ApiError:
    return ApiError(406, "NotAcceptable", f"{text} ({go_type})")


def printer_columns(server: "ApiServer", served: Served) -> list[Mapping[str, Any]]:
    """The columns that the definition of a custom kind declares for the served version."""
    resource = served.resource
    definition = server.find(DEFINITIONS, "", f"{resource.plural}.{resource.group}")
    versions = definition["spec"]["versions"] if definition is not None else ()
    found = [one for one in versions if one["name"] == resource.version]
    return list(found[0].get("additionalPrinterColumns") or ()) if found else []


class ConvertedStream(Stream):
    """Another stream's events, each as ``convert`` shows it; everything else is the other stream's."""

    __slots__ = ("_convert", "_inner")

    def __init__(self, inner: Stream, convert: Callable[[WatchEvent], WatchEvent]) -> None:  # a Stream's own is not run
        self._inner = inner
        self._convert = convert

    async def __anext__(self) -> list[WatchEvent]:
        return [self._convert(event) for event in await self._inner.__anext__()]

    def take(self) -> list[WatchEvent]:
        return [self._convert(event) for event in self._inner.take()]

    def alert(self, ring: Callable[[], None]) -> None:
        self._inner.alert(ring)

    @property
    def ended(self) -> bool:
        return self._inner.ended

    def close(self) -> None:
        self._inner.close()
