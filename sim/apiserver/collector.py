"""The garbage collector of kube-controller-manager: ownership is by uid, and nothing happens at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from controller.ports import ApiError, Document, Propagation, Resource, WatchType
from sim.apiserver.deletion import FOREGROUND, ORPHAN
from sim.apiserver.identity import User
from sim.apiserver.watch import Lag

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_MANAGER = "kube-controller-manager"
COLLECTOR = User(
    "system:serviceaccount:kube-system:generic-garbage-collector", ("system:masters", "system:serviceaccounts")
)
_Item = tuple[Resource, str, str]
_RETRY_US = 100_000


class Collector:
    """Deletes what lost its last owner; ends foreground deletions and orphanings.

    ``lag`` is the time between a change and the collector's reaction to it. While :attr:`paused` nothing is done;
    what has come up is done on :meth:`resume`.
    """

    def __init__(self, server: "ApiServer", *, lag: Lag) -> None:
        self.paused = False
        self.lag = lag
        self._server = server
        self._random = server.streams("apiserver.collector")
        self._dependents: dict[str, dict[_Item, None]] = {}
        self._waiting: list[_Item] = []
        server.store.observers.append(self._changed)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        waiting, self._waiting = self._waiting, []
        for item in waiting:
            self._later(item)

    def _changed(self, type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        before = None if old is None else old["metadata"].get("ownerReferences")
        after = None if type_ == "DELETED" else metadata.get("ownerReferences")
        if before is not after:
            self._relate(resource, metadata, before or (), after or ())
        if type_ == "DELETED":
            for item in self._dependents.get(metadata["uid"], ()):
                self._later(item)
            for reference in before or ():
                self._owner_of(metadata, reference)
        elif "deletionTimestamp" in metadata:
            finalizers = metadata.get("finalizers", ())
            if FOREGROUND in finalizers or ORPHAN in finalizers:
                self._later((resource, metadata.get("namespace", ""), metadata["name"]))

    def _relate(
        self, resource: Resource, metadata: Document, before: Sequence[Document], after: Sequence[Document]
    ) -> None:
        item = (resource, metadata.get("namespace", ""), metadata["name"])
        for reference in before:
            owned = self._dependents.get(reference["uid"])
            if owned is not None:
                owned.pop(item, None)
                if not owned:
                    del self._dependents[reference["uid"]]
        absent = False
        for reference in after:
            self._dependents.setdefault(reference["uid"], {})[item] = None
            absent = absent or self._owner(item[1], reference) is None
        if absent:
            self._later(item)
        for reference in before:
            if reference not in after:
                self._owner_of(metadata, reference)

    def _owner_of(self, metadata: Document, reference: Document) -> None:
        """An owner that waits in the foreground looks again when a dependent has gone."""
        namespace = metadata.get("namespace", "")
        owner = self._owner(namespace, reference)
        if owner is not None and FOREGROUND in owner["metadata"].get("finalizers", ()):
            served = self._server.registry.of_kind(reference["apiVersion"], reference["kind"])
            if served is not None:
                self._later((served.table.resource, owner["metadata"].get("namespace", ""), reference["name"]))

    def _owner(self, namespace: str, reference: Document) -> Document | None:
        """The living owner that a reference means: the same coordinates and the same uid."""
        served = self._server.registry.of_kind(reference["apiVersion"], reference["kind"])
        if served is None:
            return None
        found = served.table.find(namespace if served.resource.namespaced else "", reference["name"])
        return found if found is not None and found["metadata"]["uid"] == reference["uid"] else None

    def _later(self, item: _Item) -> None:
        if self.paused:
            self._waiting.append(item)
        else:
            self._server.loop.after(self.lag.sample_us(self._random), self._attempt, item)

    def _attempt(self, item: _Item) -> None:
        if self.paused:
            self._waiting.append(item)
            return
        resource, namespace, name = item
        found = self._server.registry.find(resource).table.find(namespace, name)
        if found is None:
            return
        try:
            self._treat(item, found)
        except ApiError as error:
            if error.code == 404:
                return
            self._server.loop.after(_RETRY_US, self._attempt, item)

    def _treat(self, item: _Item, found: Document) -> None:
        metadata = found["metadata"]
        finalizers = metadata.get("finalizers", ())
        if "deletionTimestamp" in metadata:
            if ORPHAN in finalizers:
                self._orphan(item, metadata)
            elif FOREGROUND in finalizers:
                self._finish_foreground(item, metadata)
            return
        references = metadata.get("ownerReferences", ())
        if references:
            self._collect(item, metadata, references)

    def _orphan(self, item: _Item, metadata: Document) -> None:
        for dependent in list(self._dependents.get(metadata["uid"], ())):
            self._cut(dependent, {metadata["uid"]})
        self._drop_finalizer(item, metadata, ORPHAN)

    def _finish_foreground(self, item: _Item, metadata: Document) -> None:
        uid = metadata["uid"]
        blocking = False
        for dependent in list(self._dependents.get(uid, ())):
            found = self._find(dependent)
            if found is None:
                continue
            references = found["metadata"]["ownerReferences"]
            if any(one["uid"] == uid and one.get("blockOwnerDeletion") for one in references):
                blocking = True
            if "deletionTimestamp" not in found["metadata"]:
                self._later(dependent)
        if not blocking:
            self._drop_finalizer(item, metadata, FOREGROUND)

    def _collect(self, item: _Item, metadata: Document, references: Sequence[Document]) -> None:
        """Delete an object whose owners are gone or wait for it; cut dead references where one owner lives."""
        solid: list[str] = []
        waiting: list[str] = []
        dead: list[str] = []
        for reference in references:
            owner = self._owner(item[1], reference)
            if owner is None:
                dead.append(reference["uid"])
            elif "deletionTimestamp" in owner["metadata"] and FOREGROUND in owner["metadata"].get("finalizers", ()):
                waiting.append(reference["uid"])
            else:
                solid.append(reference["uid"])
        if solid:
            if dead or waiting:
                self._cut(item, {*dead, *waiting})
            return
        propagation: Propagation = "Background"
        finalizers = metadata.get("finalizers", ())
        if waiting and self._dependents.get(metadata["uid"]):
            propagation = "Foreground"
        elif ORPHAN in finalizers:
            propagation = "Orphan"
        elif FOREGROUND in finalizers:
            propagation = "Foreground"
        if not waiting and self._crosses_namespaces(references):
            self._report_crossing(item, metadata)
        resource, namespace, name = item
        self._server.delete(COLLECTOR, resource, namespace, name, propagation=propagation, uid=metadata["uid"])

    def _crosses_namespaces(self, references: Sequence[Document]) -> bool:
        """Whether an owner of that uid lives, only elsewhere."""
        for reference in references:
            served = self._server.registry.of_kind(reference["apiVersion"], reference["kind"])
            if served is None:
                continue
            for namespace in served.table.rows:
                found = served.table.find(namespace, reference["name"])
                if found is not None and found["metadata"]["uid"] == reference["uid"]:
                    return True
        return False

    def _report_crossing(self, item: _Item, metadata: Document) -> None:
        resource, namespace, name = item
        for reference in metadata["ownerReferences"]:
            text = (
                f"ownerRef [{reference['apiVersion']}/{reference['kind']}, namespace: {namespace}, name: "
                f'{reference["name"]}, uid: {reference["uid"]}] does not exist in namespace "{namespace}"'
            )
            stamp = self._server.clock.timestamp()
            event = {
                "metadata": {"generateName": f"{name}."},
                "involvedObject": {
                    "kind": resource.kind,
                    "apiVersion": resource.api_version,
                    "namespace": namespace,
                    "name": name,
                    "uid": metadata["uid"],
                },
                "reason": "OwnerRefInvalidNamespace",
                "message": text,
                "type": "Warning",
                "source": {"component": "garbage-collector-controller"},
                "reportingComponent": "garbage-collector-controller",
                "count": 1,
                "firstTimestamp": stamp,
                "lastTimestamp": stamp,
            }
            self._server.create(
                COLLECTOR, self._server.resource("", "events"), namespace or "default", event, manager=_MANAGER
            )

    def _find(self, item: _Item) -> Document | None:
        return self._server.registry.find(item[0]).table.find(item[1], item[2])

    def _cut(self, item: _Item, uids: set[str]) -> None:
        """Remove the references to ``uids`` from an object."""
        found = self._find(item)
        if found is None:
            return
        kept = [one for one in found["metadata"].get("ownerReferences", ()) if one["uid"] not in uids]
        body = {"metadata": {"ownerReferences": kept or None, "uid": found["metadata"]["uid"]}}
        self._server.patch(COLLECTOR, item[0], item[1], item[2], body, manager=_MANAGER)

    def _drop_finalizer(self, item: _Item, metadata: Document, finalizer: str) -> None:
        kept = [one for one in metadata["finalizers"] if one != finalizer]
        self._server.patch(
            COLLECTOR, item[0], item[1], item[2], {"metadata": {"finalizers": kept or None}}, manager=_MANAGER
        )
