"""The columns of the builtin kinds (Kubernetes ``pkg/printers/internalversion`` of 1.36)."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Column(NamedTuple):
    """``priority`` 0 is always shown, 1 only in wide output."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> dict[str, Any]:
        return self._asdict()


NAME = Column("Name", format="name", description="Name must be unique within a namespace.")
CREATED = Column("Created At", "date", description="When the object was created, in UTC.")
DEFAULT = (NAME, CREATED)
"""What a kind without columns of its own shows."""


def _columns(spec: str) -> tuple[Column, ...]:
    """``Name,Restarts,Desired:integer,Node+`` spells columns; ``+`` is one for wide output."""
    made: list[Column] = []
    for word in spec.split(","):
        wide = word.endswith("+")
        name, _, kind = word.removesuffix("+").partition(":")
        column = NAME if name == "Name" else Column(name, kind or "string")
        made.append(column._replace(priority=int(wide)))
    return tuple(made)


_PODS_OF = "Containers+,Images+,Selector+"
_BINDING = "Name,Role,Age,Users+,Groups+,ServiceAccounts+"
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    kind: _columns(spec)
    for kind, spec in {
        "pods": "Name,Ready,Status,Restarts,Age,IP+,Node+,Nominated Node+,Readiness Gates+",
        "namespaces": "Name,Status,Age",
        "configmaps": "Name,Data,Age",
        "secrets": "Name,Type,Data,Age",
        "serviceaccounts": "Name,Secrets,Age",
        "services": "Name,Type,Cluster-IP,External-IP,Port(s),Age,Selector+",
        "nodes": "Name,Status,Roles,Age,Version,Internal-IP+,External-IP+,OS-Image+,Kernel-Version+,Container-Runtime+",
        "events": "Last Seen,Type,Reason,Object,Subobject+,Source+,Message,First Seen+,Count+,Name+",
        "persistentvolumeclaims": (
            "Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,VolumeMode+"
        ),
        "resourcequotas": "Name,Request,Limit,Age",
        "deployments.apps": f"Name,Ready,Up-to-date,Available,Age,{_PODS_OF}",
        "replicasets.apps": f"Name,Desired:integer,Current:integer,Ready:integer,Age,{_PODS_OF}",
        "statefulsets.apps": "Name,Ready,Age,Containers+,Images+",
        "daemonsets.apps": (
            "Name,Desired:integer,Current:integer,Ready:integer,Up-to-date:integer,Available:integer,Node Selector,Age,"
            + _PODS_OF
        ),
        "jobs.batch": f"Name,Status,Completions,Duration,Age,{_PODS_OF}",
        "cronjobs.batch": f"Name,Schedule,Timezone,Suspend:boolean,Active:integer,Last Schedule,Age,{_PODS_OF}",
        "poddisruptionbudgets.policy": "Name,Min Available,Max Unavailable,Allowed Disruptions:integer,Age",
        "leases.coordination.k8s.io": "Name,Holder,Age",
        "rolebindings.rbac.authorization.k8s.io": _BINDING,
        "clusterrolebindings.rbac.authorization.k8s.io": _BINDING,
        "priorityclasses.scheduling.k8s.io": "Name,Value:integer,Global-Default:boolean,Age,PreemptionPolicy",
        "validatingwebhookconfigurations.admissionregistration.k8s.io": "Name,Webhooks:integer,Age",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io": "Name,Webhooks:integer,Age",
        "flowschemas.flowcontrol.apiserver.k8s.io": (
            "Name,PriorityLevel,MatchingPrecedence,DistinguisherMethod,Age,MissingPL"
        ),
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": (
            "Name,Type,NominalConcurrencyShares,Queues,HandSize,QueueLengthLimit,Age"
        ),
        "scale": "Name,Desired:integer,Available:integer,Age",
    }.items()
}
"""By group resource; ``scale`` are the Scale documents of every kind."""
