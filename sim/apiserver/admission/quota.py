"""ResourceQuota admission: what one object counts for, what a namespace may use, and the refusals."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controller.ports import Document, Resource, WatchType
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import forbidden
from sim.apiserver.podresources import container_amounts, is_finished, pod_amounts
from sim.apiserver.podspec import qos_class
from sim.apiserver.quantity import canonical, is_binary, thousandths
from sim.apiserver.reader import Reader

RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
COUNTED = frozenset(
    ("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services")
)
"""Core resources that have a quota name of their own besides ``count/…``."""
COMPUTE = ("cpu", "memory", "ephemeral-storage")
_MUST_SPECIFY = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))

Usage = dict[str, int]
"""Thousandths by quota resource name."""
WriteStatus = Callable[[str, str, Document], None]
"""``write(namespace, name, status)``: store a quota's status, if the quota is still there."""


def usage_of(resource: Resource, document: Document) -> Usage:
    """What one stored object counts for. A finished pod counts only as an object."""
    usage = {f"count/{resource.group_resource}": 1000}
    if resource.group:
        return usage
    if resource.plural in COUNTED:
        usage[resource.plural] = 1000
    elif resource.plural == "pods" and not is_finished(document):
        usage.update(_pod_usage(document["spec"]))
    return usage


_KEPT = 4096
_pod_usages: dict[int, tuple[Document, Usage]] = {}


def _pod_usage(spec: Document) -> Usage:
    """Worked out once per spec: a pod is looked at when it is admitted, stored, finished and deleted."""
    known = _pod_usages.get(id(spec))
    if known is not None:
        return known[1]
    usage: Usage = {"pods": 1000}
    for key, amount in pod_amounts(spec, "requests").items():
        usage[f"requests.{key}"] = amount
        if key in COMPUTE:
            usage[key] = amount
    for key, amount in pod_amounts(spec, "limits").items():
        usage[f"limits.{key}"] = amount
    if len(_pod_usages) >= _KEPT:
        _pod_usages.clear()
    _pod_usages[id(spec)] = (spec, usage)  # holding the spec keeps its id its own
    return usage


def in_scope(quota: Document, resource: Resource, document: Document) -> bool:
    """Whether a quota's ``scopes`` take the object in; with scopes it takes in pods only."""
    scopes = quota["spec"].get("scopes")
    if not scopes:
        return True
    if resource.plural != "pods" or resource.group:
        return False
    spec = document["spec"]
    ends = spec.get("activeDeadlineSeconds") is not None
    best_effort = qos_class(spec) == "BestEffort"
    holds = {
        "Terminating": ends,
        "NotTerminating": not ends,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
    }
    return all(holds.get(scope, False) for scope in scopes)


class Quotas:
    """The stored quotas by namespace; knows nothing else. Calls everyone of :attr:`on_change` after each change."""

    def __init__(self, reader: Reader) -> None:
        self.on_change: tuple[Callable[[], None], ...] = ()
        self._by_namespace: dict[str, dict[str, Document]] = {}
        for stored in reader.items(RESOURCE_QUOTAS):
            self._keep(stored)
        reader.observe(self._changed, RESOURCE_QUOTAS)

    def _keep(self, stored: Document) -> None:
        metadata = stored["metadata"]
        self._by_namespace.setdefault(metadata["namespace"], {})[metadata["name"]] = stored

    def _changed(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        if resource.plural != RESOURCE_QUOTAS.plural or resource.group:
            return
        if type_ != "DELETED":
            self._keep(new)
        else:
            namespace = new["metadata"]["namespace"]
            del self._by_namespace[namespace][new["metadata"]["name"]]
            if not self._by_namespace[namespace]:
                del self._by_namespace[namespace]
        for tell in self.on_change:
            tell()

    def any(self) -> bool:
        return bool(self._by_namespace)

    def of(self, namespace: str) -> Mapping[str, Document] | None:
        """Quotas by name, or None where the namespace has none."""
        return self._by_namespace.get(namespace)

    def namespaces(self) -> Iterable[str]:
        return tuple(self._by_namespace)


class QuotaAdmission:
    """A validating plugin for CREATE of every resource: refuses what exceeds a quota, charges what does not.

    The charge is written to the quota's status at once, as the real plugin does; what is freed is given back later,
    by the quota controller. Free in namespaces without a quota.
    """

    def __init__(self, quotas: Quotas, write_status: WriteStatus) -> None:
        self._quotas = quotas
        self._write_status = write_status

    def __call__(self, request: AdmissionRequest) -> None:
        """Raises ApiError 403."""
        quotas = self._quotas.of(request.namespace)
        if quotas is None or request.new is None or request.subresource:
            return
        usage = usage_of(request.resource, request.new)
        charged: list[tuple[str, Document]] = []
        for name, quota in quotas.items():
            status = self._charge(request, name, quota, usage)
            if status is not None:
                charged.append((name, status))
        if not request.dry_run:
            for name, status in charged:
                self._write_status(request.namespace, name, status)

    def _charge(self, request: AdmissionRequest, name: str, quota: Document, usage: Usage) -> Document | None:
        if not in_scope(quota, request.resource, request.new or {}):
            return None
        status = quota.get("status") or {}
        hard: Mapping[str, str] = status.get("hard") or {}
        limited = hard or quota["spec"].get("hard") or {}
        if request.resource.plural == "pods" and not request.resource.group:
            missing = _unspecified(limited.keys() & _MUST_SPECIFY, request.new or {})
            if missing:
                raise forbidden(request.resource, request.name, f"failed quota: {name}: must specify {missing}")
        touched = {key: amount for key, amount in usage.items() if key in limited and amount}
        if not touched:
            return None
        used: Mapping[str, str] = status.get("used") or {}
        unknown = sorted(key for key in touched if key not in hard or key not in used)
        if unknown:
            text = f"status unknown for quota: {name}, resources: {','.join(unknown)}"
            raise forbidden(request.resource, request.name, text)
        exceeded = [key for key, amount in touched.items() if thousandths(used[key]) + amount > thousandths(hard[key])]
        if exceeded:
            raise forbidden(request.resource, request.name, _exceeded(name, sorted(exceeded), usage, used, hard))
        return {**status, "used": {**used, **{key: _added(used[key], touched[key], hard[key]) for key in touched}}}


def _added(used: str, amount: int, hard: str) -> str:
    return canonical(thousandths(used) + amount, binary=is_binary(used) or (used == "0" and is_binary(hard)))


def _exceeded(name: str, keys: list[str], usage: Usage, used: Mapping[str, Any], hard: Mapping[str, Any]) -> str:
    requested = ",".join(f"{key}={canonical(usage[key], binary=is_binary(hard[key]))}" for key in keys)
    in_use = ",".join(f"{key}={used[key]}" for key in keys)
    limited = ",".join(f"{key}={hard[key]}" for key in keys)
    return f"exceeded quota: {name}, requested: {requested}, used: {in_use}, limited: {limited}"


def _unspecified(wanted: Iterable[str], pod: Document) -> str:
    """Containers that leave out what a quota on compute resources makes obligatory."""
    wanted = sorted(wanted)
    if not wanted:
        return ""
    missing: dict[str, list[str]] = {}
    spec = pod["spec"]
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        requests, limits = container_amounts(container, "requests"), container_amounts(container, "limits")
        for key in wanted:
            side, _, plain = key.rpartition(".")
            if plain not in (limits if side == "limits" else requests):
                missing.setdefault(key, []).append(container["name"])
    return "; ".join(f"{key} for: {','.join(sorted(names))}" for key, names in missing.items())
