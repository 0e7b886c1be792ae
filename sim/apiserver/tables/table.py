"""From an object or a List to the Table that a client asked for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from controller.ports import Document
from sim.apiserver.tables import corecells, workloadcells
from sim.apiserver.tables.ages import instant
from sim.apiserver.tables.columns import COLUMNS, DEFAULT, Column
from sim.apiserver.tables.custom import custom_columns
from sim.apiserver.tables.podcells import pod_cells, pod_conditions

Cells = Callable[[Document, datetime], list[Any]]
_INITIAL_END = "k8s.io/initial-events-end"
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_FLOW = "flowcontrol.apiserver.k8s.io"
_CELLS: Mapping[str, Cells] = {
    "pods": pod_cells,
    "namespaces": corecells.namespace,
    "configmaps": corecells.config_map,
    "secrets": corecells.secret,
    "serviceaccounts": corecells.service_account,
    "services": corecells.service,
    "nodes": corecells.node,
    "events": corecells.event,
    "persistentvolumeclaims": corecells.volume_claim,
    "resourcequotas": corecells.quota,
    "deployments.apps": workloadcells.deployment,
    "replicasets.apps": workloadcells.replica_set,
    "statefulsets.apps": workloadcells.stateful_set,
    "daemonsets.apps": workloadcells.daemon_set,
    "jobs.batch": workloadcells.job,
    "cronjobs.batch": workloadcells.cron_job,
    "poddisruptionbudgets.policy": workloadcells.disruption_budget,
    "leases.coordination.k8s.io": corecells.lease,
    f"rolebindings.{_RBAC}": corecells.binding,
    f"clusterrolebindings.{_RBAC}": corecells.binding,
    "priorityclasses.scheduling.k8s.io": corecells.priority_class,
    f"validatingwebhookconfigurations.{_ADMISSION}": corecells.webhooks,
    f"mutatingwebhookconfigurations.{_ADMISSION}": corecells.webhooks,
    f"flowschemas.{_FLOW}": corecells.flow_schema,
    f"prioritylevelconfigurations.{_FLOW}": corecells.priority_level,
    "scale": corecells.scale,
}


class Tabulator:
    """Makes Tables of one kind. ``declared`` are a custom kind's printer columns, None for a builtin kind."""

    def __init__(self, key: str, declared: Sequence[Mapping[str, Any]] | None, now: Callable[[], datetime]) -> None:
        self._now = now
        self._pods = key == "pods"
        self._columns: tuple[Column, ...]
        self._cells: Cells
        if declared is not None:
            self._columns, self._cells = custom_columns(declared)
        else:
            key = "events" if key.startswith("events.") else key
            self._columns, self._cells = COLUMNS.get(key, DEFAULT), _CELLS.get(key, _created)

    def table(self, answer: Document, version: str, include: str, items: Sequence[Document] | None) -> Document:
        """``version`` of meta.k8s.io; ``include`` is Metadata, Object or None; ``items`` those of a List."""
        metadata = answer.get("metadata") or {}
        kept = ("resourceVersion", "continue", "remainingItemCount") if items is not None else ("resourceVersion",)
        return {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{version}",
            "metadata": {key: metadata[key] for key in kept if metadata.get(key)},
            "columnDefinitions": [column.definition() for column in self._columns],
            "rows": [self._row(one, version, include) for one in ([answer] if items is None else items)],
        }

    def _row(self, document: Document, version: str, include: str) -> Document:
        row: dict[str, Any] = {"cells": self._made(document)}
        if self._pods and (conditions := pod_conditions(document)):
            row["conditions"] = conditions
        if _INITIAL_END in (document["metadata"].get("annotations") or {}):
            include = "Metadata"  # whoever reads a watch has to see where its beginning ends
        row["object"] = None if include == "None" else document if include == "Object" else partial(document, version)
        return row

    def _made(self, document: Document) -> list[Any]:
        if "name" in document["metadata"]:
            return self._cells(document, self._now())
        return ["", *([None] * (len(self._columns) - 1))]  # a bookmark: nothing but a version


def _created(document: Document, _now: datetime) -> list[Any]:
    metadata = document["metadata"]
    created = metadata.get("creationTimestamp")
    return [metadata["name"], instant(created).strftime("%Y-%m-%dT%H:%M:%SZ") if created else None]


def partial(document: Document, version: str) -> Document:
    """The PartialObjectMetadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": document["metadata"],
    }
