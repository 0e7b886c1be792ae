"""The kinds that a cluster serves without any CustomResourceDefinition."""

from collections.abc import Callable, Mapping

from controller.ports import Document, Resource
from sim.apiserver.names import path_segment
from sim.apiserver.namespaces import NamespaceStrategy
from sim.apiserver.registry import PLAIN_FIELDS, Served
from sim.apiserver.selectors import FieldGetter
from sim.apiserver.store import Store
from sim.apiserver.strategy import Strategy

EVENT_TTL_US = 3_600_000_000  # kube-apiserver --event-ttl, default 1 h
_FINISHED = ("Succeeded", "Failed")


class Generational(Strategy):
    """Kinds that count spec changes and write their status apart: Deployments, Jobs and so on."""

    generation = True
    subresources: tuple[str, ...] = ("status",)


class Scaled(Generational):
    """Kinds that also have a number of replicas to set."""

    subresources = ("status", "scale")


class Apart(Strategy):
    """Kinds with a status of its own but without generation: nodes, quotas."""

    subresources = ("status",)


class Returning(Strategy):
    """Kinds whose DELETE answers the object."""

    returns_deleted = True


class ReturningApart(Apart):
    returns_deleted = True


class Named(Strategy):
    """RBAC kinds: names may be anything that fits a URL path."""

    name_rule = staticmethod(path_segment)


class PodStrategy(Strategy):
    """Pods: deleted with grace once they are bound to a node, by their kubelet in the end."""

    generation = True
    subresources = ("status", "eviction", "binding", "ephemeralcontainers", "resize")
    returns_deleted = True
    graceful = True

    def prepare_create(self, new: Document) -> Document:
        return {**new, "status": {"phase": "Pending", "qosClass": "BestEffort"}}

    def grace_s(self, document: Document, asked_s: int | None) -> int:
        status, spec = document.get("status") or {}, document.get("spec") or {}
        if not spec.get("nodeName") or status.get("phase") in _FINISHED:
            return 0
        if asked_s is not None:
            return max(asked_s, 0)
        return int(spec.get("terminationGracePeriodSeconds", 30))


def field(*path: str) -> FieldGetter:
    """A field selector's getter: the value at ``path`` as text, ``""`` when absent."""

    def getter(document: Document) -> str:
        value: object = document
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return getter


def _fields(*paths: str) -> Mapping[str, FieldGetter]:
    return {**PLAIN_FIELDS, **{path: field(*path.split(".")) for path in paths}}


_EVENT_FIELDS = {
    **_fields(
        *(f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")),
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "type",
    ),
    "source": field("source", "component"),
}
_POD_FIELDS = _fields(
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_Row = tuple[str, str, str, str, bool, Callable[[], Strategy], tuple[str, ...]]
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_ROWS: tuple[_Row, ...] = (
    ("", "v1", "namespaces", "Namespace", False, NamespaceStrategy, ("ns",)),
    ("", "v1", "pods", "Pod", True, PodStrategy, ("po",)),
    ("", "v1", "events", "Event", True, Strategy, ("ev",)),
    ("", "v1", "configmaps", "ConfigMap", True, Strategy, ("cm",)),
    ("", "v1", "secrets", "Secret", True, Strategy, ()),
    ("", "v1", "serviceaccounts", "ServiceAccount", True, Returning, ("sa",)),
    ("", "v1", "services", "Service", True, ReturningApart, ("svc",)),
    ("", "v1", "nodes", "Node", False, Apart, ("no",)),
    ("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ReturningApart, ("pvc",)),
    ("", "v1", "resourcequotas", "ResourceQuota", True, ReturningApart, ("quota",)),
    ("", "v1", "limitranges", "LimitRange", True, Strategy, ("limits",)),
    ("apps", "v1", "deployments", "Deployment", True, Scaled, ("deploy",)),
    ("apps", "v1", "replicasets", "ReplicaSet", True, Scaled, ("rs",)),
    ("apps", "v1", "statefulsets", "StatefulSet", True, Scaled, ("sts",)),
    ("apps", "v1", "daemonsets", "DaemonSet", True, Generational, ("ds",)),
    ("batch", "v1", "jobs", "Job", True, Generational, ()),
    ("batch", "v1", "cronjobs", "CronJob", True, Generational, ("cj",)),
    ("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, Generational, ("pdb",)),
    ("coordination.k8s.io", "v1", "leases", "Lease", True, Strategy, ()),
    (_RBAC, "v1", "roles", "Role", True, Named, ()),
    (_RBAC, "v1", "rolebindings", "RoleBinding", True, Named, ()),
    (_RBAC, "v1", "clusterroles", "ClusterRole", False, Named, ()),
    (_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False, Named, ()),
    (_ADMISSION, "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False, Strategy, ()),
    (_ADMISSION, "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False, Strategy, ()),
    (_ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", False, Apart, ()),
    (_ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False, Strategy, ()),
)
_FIELDS: Mapping[str, Mapping[str, FieldGetter]] = {
    "pods": _POD_FIELDS,
    "events": _EVENT_FIELDS,
    "secrets": _fields("type"),
    "namespaces": _fields("status.phase"),
    "nodes": _fields("spec.unschedulable"),
    "replicasets.apps": _fields("status.replicas"),
    "jobs.batch": _fields("status.successful"),
}


def builtin(store: Store) -> list[Served]:
    """All builtin resources with empty tables."""
    found = []
    for group, version, plural, kind, namespaced, strategy, short_names in _ROWS:
        resource = Resource(group, version, plural, kind, namespaced)
        fields = _FIELDS.get(resource.group_resource, PLAIN_FIELDS)
        served = Served(
            resource,
            store.table(resource, EVENT_TTL_US if plural == "events" else 0),
            strategy(),
            f"{kind}List",
            fields,
            short_names=short_names,
        )
        found.append(served)
    return found
