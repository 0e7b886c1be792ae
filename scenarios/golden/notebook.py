"""What is written on a stage, noted in the form in which recordings keep it."""

import asyncio
from collections.abc import Sequence
from typing import Any

from controller.ports import Document, Resource, WatchType
from scenarios.golden.circumstances import BLOCKER
from scenarios.golden.form import (
    KINDS,
    Incarnations,
    normal_annotations,
    normal_labels,
    normal_managers,
    normal_owners,
    normal_status,
)

_POD_SPEC = ("restartPolicy", "activeDeadlineSeconds", "serviceAccountName")


class Notebook:
    """``writes`` by symbol, ``ordered`` the same in store order, ``told`` the Events, of one namespace.

    ``instants`` are those of ``ordered``, in seconds of the running loop; ``managers`` as in a recording.
    """

    def __init__(self, namespace: str) -> None:
        self.writes: dict[str, list[dict[str, Any]]] = {}
        self.ordered: list[tuple[str, dict[str, Any]]] = []
        self.instants: list[float] = []
        self.managers: dict[str, list[list[str]]] = {}
        self.told: set[tuple[str, str, str]] = set()
        self._namespace = namespace
        self._symbols = Incarnations()

    def observed(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        """To be told of every write: :meth:`Stage.observe` does that."""
        metadata = new["metadata"]
        if metadata.get("namespace") != self._namespace:
            return
        if resource.plural == "events":
            if type_ == "ADDED":
                involved = new["involvedObject"]
                self.told.add((f"{involved['kind']}/{involved['name']}", new["reason"], new.get("message") or ""))
            return
        kind = KINDS.get(resource.plural)
        if kind is None or metadata["name"] == BLOCKER:
            return
        symbol = self._symbols.of(metadata["uid"], kind, metadata["name"])
        write = self._write(type_, kind, new)
        self.writes.setdefault(symbol, []).append(write)
        if kind != "Pod" and metadata.get("managedFields"):
            self._note_managers(symbol, metadata["managedFields"])
        self.ordered.append((symbol, write))
        self.instants.append(asyncio.get_running_loop().time())

    def _note_managers(self, symbol: str, entries: Sequence[Document]) -> None:
        keys = ("manager", "operation", "subresource")
        managers = normal_managers([one[key] for key in keys if key in one] for one in entries)
        states = self.managers.setdefault(symbol, [])
        if states[-1:] != [managers]:
            states.append(managers)

    def _write(self, type_: str, kind: str, document: Document) -> dict[str, Any]:
        metadata = document["metadata"]
        write: dict[str, Any] = {
            "type": type_,
            "labels": normal_labels(metadata.get("labels"), self._symbols),
            "annotations": normal_annotations(metadata.get("annotations")),
            "deleting": "deletionTimestamp" in metadata,
        }
        if type_ == "ADDED":
            write["owners"] = normal_owners(metadata.get("ownerReferences"), self._symbols)
        if kind == "Pod":
            if type_ == "ADDED":
                write |= {key: document["spec"].get(key) for key in _POD_SPEC}
            return write
        write["generation"] = metadata["generation"]
        write["finalizers"] = metadata.get("finalizers", [])
        if type_ == "ADDED":
            write["spec"] = document["spec"]
        if document.get("status"):
            write["status"] = normal_status(document["status"], flags=True)
        return write
