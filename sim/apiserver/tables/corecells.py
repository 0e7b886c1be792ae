"""What a person sees of namespaces, ConfigMaps, Secrets, nodes, events and the other small kinds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controller.ports import Document
from sim.apiserver.tables.ages import since
from sim.apiserver.tables.workloadcells import labels

_NONE: Mapping[str, Any] = {}
_ROLE_LABEL = "node-role.kubernetes.io/"
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _age(document: Document, now: datetime) -> str:
    return since(document["metadata"].get("creationTimestamp"), now)


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])


def namespace(document: Document, now: datetime) -> list[Any]:
    return [_name(document), (document.get("status") or _NONE).get("phase", ""), _age(document, now)]


def config_map(document: Document, now: datetime) -> list[Any]:
    size = len(document.get("data") or ()) + len(document.get("binaryData") or ())
    return [_name(document), size, _age(document, now)]


def secret(document: Document, now: datetime) -> list[Any]:
    return [_name(document), document.get("type", ""), len(document.get("data") or ()), _age(document, now)]


def service_account(document: Document, now: datetime) -> list[Any]:
    return [_name(document), len(document.get("secrets") or ()), _age(document, now)]


def service(document: Document, now: datetime) -> list[Any]:
    spec = document.get("spec") or _NONE
    ports = []
    for one in spec.get("ports") or ():
        outside = f":{one['nodePort']}" if one.get("nodePort") else ""
        ports.append(f"{one.get('port')}{outside}/{one.get('protocol', 'TCP')}")
    inside = (spec.get("clusterIPs") or [spec.get("clusterIP")])[0] or "<none>"
    kind = spec.get("type", "ClusterIP")
    shown = (_external(document, spec, kind), ",".join(ports) or "<none>")
    return [_name(document), kind, inside, *shown, _age(document, now), labels(spec.get("selector"))]


def _external(document: Document, spec: Mapping[str, Any], kind: str) -> str:
    own = list(spec.get("externalIPs") or ())
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind != "LoadBalancer":
        return ",".join(own) or "<none>"
    balancer = (document.get("status") or _NONE).get("loadBalancer") or _NONE
    found = sorted({str(one.get("ip") or one.get("hostname")) for one in balancer.get("ingress") or ()})
    return ",".join([*found, *own]) or "<pending>"


def node(document: Document, now: datetime) -> list[Any]:
    metadata, spec = document["metadata"], document.get("spec") or _NONE
    status = document.get("status") or _NONE
    ready = [one.get("status") for one in status.get("conditions") or () if one.get("type") == "Ready"]
    words = ["Unknown" if not ready else "Ready" if ready[0] == "True" else "NotReady"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    info = status.get("nodeInfo") or _NONE
    seen = [info.get(field) or "<unknown>" for field in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    addresses = [_address(status, kind) for kind in ("InternalIP", "ExternalIP")]
    return [
        metadata["name"],
        ",".join(words),
        ",".join(_roles(metadata.get("labels") or _NONE)) or "<none>",
        _age(document, now),
        info.get("kubeletVersion", ""),
        *addresses,
        *seen,
    ]


def _roles(found: Mapping[str, str]) -> list[str]:
    roles = {key.removeprefix(_ROLE_LABEL) for key in found if key.startswith(_ROLE_LABEL)}
    if found.get("kubernetes.io/role"):
        roles.add(found["kubernetes.io/role"])
    return sorted(role for role in roles if role)


def _address(status: Mapping[str, Any], kind: str) -> str:
    return next((str(one.get("address")) for one in status.get("addresses") or () if one.get("type") == kind), "<none>")


def event(document: Document, now: datetime) -> list[Any]:
    involved = document.get("involvedObject") or document.get("regarding") or _NONE
    series = document.get("series") or _NONE
    micro = document.get("eventTime")
    first = document.get("firstTimestamp") or document.get("deprecatedFirstTimestamp") or micro
    last = series.get("lastObservedTime") or document.get("lastTimestamp") or first
    count = series.get("count") or document.get("count") or document.get("deprecatedCount") or 1
    source = document.get("source") or document.get("deprecatedSource") or _NONE
    component = source.get("component") or document.get("reportingComponent") or document.get("reportingController", "")
    host = source.get("host") or document.get("reportingInstance", "")
    target = f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"
    return [
        since(last, now),
        document.get("type", ""),
        document.get("reason", ""),
        target if involved.get("name") else str(involved.get("kind", "")).lower(),
        involved.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        str(document.get("message") or document.get("note", "")).strip(),
        since(first, now),
        count,
        _name(document),
    ]


def volume_claim(document: Document, now: datetime) -> list[Any]:
    spec, status = document.get("spec") or _NONE, document.get("status") or _NONE
    phase = "Terminating" if document["metadata"].get("deletionTimestamp") else status.get("phase", "")
    bound = bool(spec.get("volumeName"))
    modes = ",".join(_MODES.get(mode, mode) for mode in status.get("accessModes") or ()) if bound else ""
    size = (status.get("capacity") or _NONE).get("storage", "0") if bound else ""
    classes = (spec.get("storageClassName") or "", spec.get("volumeAttributesClassName") or "<unset>")
    mode = spec.get("volumeMode") or "<unset>"
    return [_name(document), phase, spec.get("volumeName", ""), size, modes, *classes, _age(document, now), mode]


def quota(document: Document, now: datetime) -> list[Any]:
    status = document.get("status") or _NONE
    used = status.get("used") or _NONE
    requests: list[str] = []
    limits: list[str] = []
    for key, hard in sorted((status.get("hard") or _NONE).items()):
        (limits if key.startswith("limits.") else requests).append(f"{key}: {used.get(key, '0')}/{hard}")
    return [_name(document), ", ".join(requests), ", ".join(limits), _age(document, now)]


def lease(document: Document, now: datetime) -> list[Any]:
    return [_name(document), (document.get("spec") or _NONE).get("holderIdentity") or "", _age(document, now)]


def binding(document: Document, now: datetime) -> list[Any]:
    role = document.get("roleRef") or _NONE
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for one in document.get("subjects") or ():
        kind = one.get("kind", "")
        shown = f"{one.get('namespace', '')}/{one.get('name', '')}" if kind == "ServiceAccount" else one.get("name", "")
        subjects.setdefault(kind, []).append(shown)
    listed = [", ".join(subjects[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [_name(document), f"{role.get('kind', '')}/{role.get('name', '')}", _age(document, now), *listed]


def priority_class(document: Document, now: datetime) -> list[Any]:
    policy = document.get("preemptionPolicy") or "PreemptLowerPriority"
    default = bool(document.get("globalDefault"))
    return [_name(document), document.get("value", 0), default, _age(document, now), policy]


def webhooks(document: Document, now: datetime) -> list[Any]:
    return [_name(document), len(document.get("webhooks") or ()), _age(document, now)]


def flow_schema(document: Document, now: datetime) -> list[Any]:
    spec = document.get("spec") or _NONE
    level = (spec.get("priorityLevelConfiguration") or _NONE).get("name", "")
    method = (spec.get("distinguisherMethod") or _NONE).get("type") or "<none>"
    dangling = [
        one
        for one in (document.get("status") or _NONE).get("conditions") or ()
        if one.get("type") == "Dangling" and one.get("status") == "True"
    ]
    missing = "True" if dangling else "False"
    return [_name(document), level, spec.get("matchingPrecedence", 0), method, _age(document, now), missing]


def priority_level(document: Document, now: datetime) -> list[Any]:
    spec = document.get("spec") or _NONE
    limited = spec.get("limited") or spec.get("exempt") or _NONE
    shares = limited.get("nominalConcurrencyShares", "<none>")
    queuing = (limited.get("limitResponse") or _NONE).get("queuing") or _NONE
    queues = [queuing.get(field, "<none>") for field in ("queues", "handSize", "queueLengthLimit")]
    return [_name(document), spec.get("type", ""), shares, *queues, _age(document, now)]


def scale(document: Document, now: datetime) -> list[Any]:
    counts = [(document.get(part) or _NONE).get("replicas", 0) for part in ("spec", "status")]
    return [_name(document), *counts, _age(document, now)]
