"""CustomResourceDefinitions: creating one serves its resource, deleting one takes its objects along."""

from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Resource, WatchType
from sim.apiserver.builtin import field
from sim.apiserver.custom import CustomStrategy
from sim.apiserver.identity import User
from sim.apiserver.registry import PLAIN_FIELDS, Served
from sim.apiserver.schema import compile_schema
from sim.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
CONTROLLER = User("system:apiserver", ("system:masters",))
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_RETRY_US = 100_000


class DefinitionStrategy(Strategy):
    generation = True
    subresources = ("status",)

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, tuple[str, ...]]:  # noqa: ARG002
        spec = body.get("spec") or {}
        names = dict(spec.get("names") or {})
        names.setdefault("singular", str(names.get("kind", "")).lower())
        names.setdefault("listKind", f"{names.get('kind', '')}List")
        conversion = spec.get("conversion") or {"strategy": "None"}
        return {**body, "spec": {**spec, "conversion": conversion, "names": names}}, ()

    def prepare_delete(self, marked: dict[str, Any]) -> dict[str, Any]:
        """A first DELETE waits until the objects of the kind are gone."""
        metadata = marked["metadata"]
        finalizers = metadata.get("finalizers", [])
        if _CLEANUP not in finalizers:
            marked["metadata"] = {**metadata, "finalizers": [*finalizers, _CLEANUP]}
        return marked


class Definitions:
    """Keeps the registry in step with the CustomResourceDefinition objects."""

    def __init__(self, server: "ApiServer", *, delay_us: int) -> None:
        self._server = server
        self._delay_us = delay_us
        table = server.store.table(DEFINITIONS)
        self._served = Served(
            DEFINITIONS, table, DefinitionStrategy(), "CustomResourceDefinitionList", short_names=("crd", "crds")
        )
        server.registry.add(self._served)
        table.observers.append(self._changed)

    def _changed(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        if type_ == "DELETED":
            self._server.registry.remove(new["spec"]["group"], new["spec"]["names"]["plural"])
            return
        if old is None or old["spec"] is not new["spec"]:
            self._serve(new)
        if "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in (old or new)["metadata"]:
            self._server.loop.after(self._delay_us, self._empty, new["metadata"]["name"], new["metadata"]["uid"])

    def establish(self, document: Document) -> Document:
        """Write the conditions that say the resource is served."""
        stamp = self._server.clock.timestamp()
        accepted = {
            "lastTransitionTime": stamp,
            "message": "no conflicts found",
            "reason": "NoConflicts",
            "status": "True",
            "type": "NamesAccepted",
        }
        established = {
            "lastTransitionTime": stamp,
            "message": "the initial names have been accepted",
            "reason": "InitialNamesAccepted",
            "status": "True",
            "type": "Established",
        }
        stored = [one["name"] for one in document["spec"]["versions"] if one.get("storage")]
        status = {
            "acceptedNames": document["spec"]["names"],
            "conditions": [accepted, established],
            "storedVersions": stored,
        }
        return self._server.patch(
            CONTROLLER,
            DEFINITIONS,
            "",
            document["metadata"]["name"],
            {"status": status},
            subresource="status",
            manager="kube-apiserver",
        )

    def _serve(self, document: Document) -> None:
        """Serve every served version; the table and its objects stay when a definition changes."""
        spec = document["spec"]
        names, group = spec["names"], spec["group"]
        namespaced = spec.get("scope") == "Namespaced"
        versions = spec["versions"]
        storage = next(one for one in versions if one.get("storage"))
        resources = {
            one["name"]: Resource(group, one["name"], names["plural"], names["kind"], namespaced) for one in versions
        }
        try:
            table = self._server.registry.named(group, names["plural"]).table
        except ApiError:
            table = self._server.store.table(resources[storage["name"]])
        self._server.registry.remove(group, names["plural"])
        for version in versions:
            if version.get("served"):
                self._server.registry.add(_served(version, resources[version["name"]], names, table))

    def _empty(self, name: str, uid: str) -> None:
        """Delete the objects of a definition that is being deleted, then let it go."""
        server = self._server
        found = self._served.table.find("", name)
        if found is None or found["metadata"]["uid"] != uid:
            return
        try:
            served = server.registry.named(found["spec"]["group"], found["spec"]["names"]["plural"])
        except ApiError:
            served = None
        if served is not None and served.table.count():
            for one in list(served.table.in_order()):
                metadata = one["metadata"]
                server.delete(CONTROLLER, served.resource, metadata.get("namespace", ""), metadata["name"])
            if served.table.count():
                server.loop.after(_RETRY_US, self._empty, name, uid)
                return
        kept = [one for one in found["metadata"].get("finalizers", ()) if one != _CLEANUP]
        server.patch(CONTROLLER, DEFINITIONS, "", name, {"metadata": {"finalizers": kept or None}})


def _served(version: Document, resource: Resource, names: Document, table: Any) -> Served:
    subresources = tuple(version.get("subresources") or ())
    schema = compile_schema((version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"})
    fields = dict(PLAIN_FIELDS)
    for selectable in version.get("selectableFields") or ():
        path = selectable["jsonPath"].lstrip(".")
        fields[path] = field(*path.split("."))
    warning = ""
    if version.get("deprecated"):
        warning = version.get("deprecationWarning") or f"{resource.api_version} {resource.kind} is deprecated"
    return Served(
        resource,
        table,
        CustomStrategy(schema, subresources),
        names["listKind"],
        fields,
        short_names=tuple(names.get("shortNames") or ()),
        warning=warning,
        custom=True,
        foreign=resource.version != table.resource.version,
    )
