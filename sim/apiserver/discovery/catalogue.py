"""The served resources and subresources of each group version, with the verbs that each has."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from controller.ports import Resource
from sim.apiserver.definitions import DEFINITIONS
from sim.apiserver.registry import Served
from sim.apiserver.reviews.kinds import REVIEWS

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

GroupVersion = tuple[str, str]
_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_CUSTOM_ALL = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_DYING = ("delete", "deletecollection", "get", "list", "watch")
_CHANGE = ("get", "patch", "update")
_CONNECT = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")
_IN_ALL = frozenset(
    (
        *("pods", "services", "replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps"),
        *("daemonsets.apps", "jobs.batch", "cronjobs.batch", "horizontalpodautoscalers.autoscaling"),
    )
)
_EXTENSIONS = frozenset(("apiextensions.k8s.io", "admissionregistration.k8s.io"))
_SCALE = ("Scale", ("autoscaling", "v1"), _CHANGE)
_OWN: GroupVersion = ("", "")
_SUBRESOURCES: Mapping[str, Mapping[str, tuple[str, GroupVersion, tuple[str, ...]]]] = {
    "pods": {
        "attach": ("PodAttachOptions", _OWN, _CONNECT),
        "binding": ("Binding", _OWN, ("create",)),
        "eviction": ("Eviction", ("policy", "v1"), ("create",)),
        "exec": ("PodExecOptions", _OWN, _CONNECT),
        "log": ("Pod", _OWN, ("get",)),
        "portforward": ("PodPortForwardOptions", _OWN, _CONNECT),
        "proxy": ("PodProxyOptions", _OWN, _PROXY),
    },
    "namespaces": {"finalize": ("Namespace", _OWN, ("update",))},
    "serviceaccounts": {"token": ("TokenRequest", ("authentication.k8s.io", "v1"), ("create",))},
}
"""Subresources that are no part of the object: kind, where the kind lives when elsewhere, verbs."""
_GROUPS = (
    *("", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
    *("autoscaling", "batch", "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io"),
    *("storage.k8s.io", "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io"),
    *("coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io"),
)
"""The builtin groups in the order in which a server lists them; custom groups follow by name."""
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Subresource(NamedTuple):
    """``group_version`` is empty where the kind is of the resource's own."""

    name: str
    kind: str
    group_version: GroupVersion
    verbs: tuple[str, ...]


class Entry(NamedTuple):
    resource: Resource
    singular: str
    verbs: tuple[str, ...]
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    subresources: tuple[Subresource, ...]
    custom: bool
    stored: bool

    def storage_hash(self) -> str:
        """Tells clients when a kind is stored in another way (apiserver ``discovery.StorageVersionHash``)."""
        resource = self.resource
        kind = f"{resource.group}/{resource.version}/{resource.kind}"
        return base64.b64encode(hashlib.sha256(kind.encode()).digest()[:8]).decode()


def version_rank(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes prefers them: stable before beta before alpha, newer before older."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return (stage, -int(match[1]), -int(match[3] or 0), version)


def group_versions(server: "ApiServer") -> dict[str, list[str]]:
    """Versions by group, both in the order in which a server lists them."""
    found: dict[str, set[str]] = {}
    for served in server.registry.all():
        found.setdefault(served.resource.group, set()).add(served.resource.version)
    for resource in REVIEWS:
        found.setdefault(resource.group, set()).add(resource.version)
    known = [group for group in _GROUPS if group in found]
    others = sorted(group for group in found if group not in _GROUPS)
    return {group: sorted(found[group], key=version_rank) for group in (*known, *others)}


def entries(server: "ApiServer", group: str, version: str) -> list[Entry]:
    """The resources of one group version by name; empty when it is not served."""
    found = [
        _entry(server, served)
        for served in server.registry.all()
        if (served.resource.group, served.resource.version) == (group, version)
    ]
    found += [
        Entry(one, one.kind.lower(), ("create",), (), (), (), custom=False, stored=False)
        for one in REVIEWS
        if (one.group, one.version) == (group, version)
    ]
    return sorted(found, key=lambda one: one.resource.plural)


def _entry(server: "ApiServer", served: Served) -> Entry:
    resource = served.resource
    if served.custom:
        return _custom_entry(server, served)
    verbs = tuple(verb for verb in _ALL if verb != "deletecollection") if served.key == "namespaces" else _ALL
    categories = ("all",) if served.key in _IN_ALL else ("api-extensions",) if resource.group in _EXTENSIONS else ()
    return Entry(
        resource, resource.kind.lower(), verbs, served.short_names, categories, _subresources(served), False, True
    )


def _subresources(served: Served) -> tuple[Subresource, ...]:
    special = _SUBRESOURCES.get(served.key, {})
    found = {name: Subresource(name, *rest) for name, rest in special.items()}
    for name in served.strategy.subresources:
        if name == "scale":
            found[name] = Subresource(name, *_SCALE)
        elif name not in found:
            found[name] = Subresource(name, served.resource.kind, _OWN, _CHANGE)
    return tuple(found[name] for name in sorted(found))


def _custom_entry(server: "ApiServer", served: Served) -> Entry:
    resource = served.resource
    definition = server.find(DEFINITIONS, "", f"{resource.plural}.{resource.group}")
    names = definition["spec"]["names"] if definition is not None else {}
    dying = definition is not None and "deletionTimestamp" in definition["metadata"]
    subresources: list[Subresource] = []
    if "status" in served.strategy.subresources:
        subresources.append(Subresource("status", resource.kind, _OWN, _CHANGE))
    if "scale" in served.strategy.subresources:
        subresources.append(Subresource("scale", *_SCALE))
    return Entry(
        resource,
        names.get("singular") or resource.kind.lower(),
        _DYING if dying else _CUSTOM_ALL,
        served.short_names,
        tuple(names.get("categories") or ()),
        tuple(subresources),
        custom=True,
        stored=True,
    )


def preferred(versions: Sequence[str]) -> str:
    return versions[0]
