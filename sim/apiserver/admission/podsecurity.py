"""PodSecurity admission: namespaces that let only pods of a level in. Checks and texts: k8s.io/pod-security-admission.

Of the baseline level, what concerns AppArmor, SELinux, procMount, sysctls, probes and Windows is left out.
"""

from collections.abc import Callable, Iterable, Sequence

from controller.ports import Document, Resource, WatchType
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import forbidden
from sim.apiserver.reader import Reader

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_LEVEL, _VERSION = "pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/enforce-version"
_DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_CORE_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_EMPTY: Document = {}


class PodSecurity:
    """Validates pods on CREATE; ``on_change`` is called when the namespaces it looks after have changed."""

    def __init__(self, reader: Reader) -> None:
        self.on_change: Callable[[], None] | None = None
        self._levels: dict[str, tuple[str, str]] = {}
        for stored in reader.items(NAMESPACES):
            self._keep(stored)
        reader.observe(self._changed, NAMESPACES)

    def any(self) -> bool:
        return bool(self._levels)

    def _keep(self, namespace: Document) -> None:
        metadata = namespace["metadata"]
        labels = metadata.get("labels") or _EMPTY
        level = labels.get(_LEVEL)
        if level in ("baseline", "restricted"):
            self._levels[metadata["name"]] = (level, labels.get(_VERSION) or "latest")
        else:
            self._levels.pop(metadata["name"], None)

    def _changed(self, type_: WatchType, _: Resource, _old: Document | None, new: Document) -> None:
        before = self.any()
        if type_ == "DELETED":
            self._levels.pop(new["metadata"]["name"], None)
        else:
            self._keep(new)
        if self.any() is not before and self.on_change is not None:
            self.on_change()

    def check(self, request: AdmissionRequest) -> None:
        """Raises ApiError 403 that names everything the pod lacks for its namespace's level."""
        known = self._levels.get(request.namespace)
        if known is None or request.new is None or request.subresource:
            return
        level, version = known
        checks = (*_BASELINE, *(_RESTRICTED if level == "restricted" else _OVERLAPPING))
        spec = request.new["spec"]
        containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
        wrongs = [f"{reason} ({detail})" for reason, test in checks if (detail := test(spec, containers))]
        if wrongs:
            text = f'violates PodSecurity "{level}:{version}": {", ".join(wrongs)}'
            raise forbidden(request.resource, request.name, text)


_Containers = Sequence[Document]
_Test = Callable[[Document, _Containers], str]


def _own(container: Document) -> Document:
    return container.get("securityContext") or _EMPTY


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _named(kind: str, names: Sequence[str]) -> str:
    return f"{kind}{'s' if len(names) > 1 else ''} {_quoted(names)}"


def _host_namespaces(spec: Document, _: _Containers) -> str:
    return ", ".join(f"{name}=true" for name in ("hostIPC", "hostNetwork", "hostPID") if spec.get(name))


def _host_ports(_: Document, containers: _Containers) -> str:
    by_name = {
        one["name"]: [port["hostPort"] for port in one.get("ports") or () if port.get("hostPort")] for one in containers
    }
    names = [name for name, ports in by_name.items() if ports]
    if not names:
        return ""
    ports = sorted({str(port) for found in by_name.values() for port in found})
    verb, noun = "use" if len(names) > 1 else "uses", "hostPorts" if len(ports) > 1 else "hostPort"
    return f"{_named('container', names)} {verb} {noun} {', '.join(ports)}"


def _privileged(_: Document, containers: _Containers) -> str:
    names = [one["name"] for one in containers if _own(one).get("privileged")]
    return f"{_named('container', names)} must not set securityContext.privileged=true" if names else ""


def _added(containers: _Containers, allowed: frozenset[str]) -> str:
    added = {
        one["name"]: set((_own(one).get("capabilities") or _EMPTY).get("add") or ()) - allowed for one in containers
    }
    names = [name for name, found in added.items() if found]
    if not names:
        return ""
    capabilities = _quoted(sorted(set().union(*added.values())))
    return f"{_named('container', names)} must not include {capabilities} in securityContext.capabilities.add"


def _default_capabilities(_: Document, containers: _Containers) -> str:
    return _added(containers, _DEFAULT_CAPABILITIES)


def _host_paths(spec: Document, _: _Containers) -> str:
    names = [one["name"] for one in spec.get("volumes") or () if one.get("hostPath") is not None]
    return _named("volume", names) if names else ""


def _escalation(_: Document, containers: _Containers) -> str:
    names = [one["name"] for one in containers if _own(one).get("allowPrivilegeEscalation") is not False]
    return f"{_named('container', names)} must set securityContext.allowPrivilegeEscalation=false" if names else ""


def _dropped_capabilities(_: Document, containers: _Containers) -> str:
    names = [
        one["name"] for one in containers if "ALL" not in ((_own(one).get("capabilities") or _EMPTY).get("drop") or ())
    ]
    kept = f'{_named("container", names)} must set securityContext.capabilities.drop=["ALL"]' if names else ""
    return "; ".join(text for text in (kept, _added(containers, frozenset({"NET_BIND_SERVICE"}))) if text)


def _core_volumes(spec: Document, _: _Containers) -> str:
    found = [
        (one["name"], kind)
        for one in spec.get("volumes") or ()
        if not _CORE_VOLUMES & one.keys()
        for kind in sorted(one.keys() - {"name"})
    ]
    if not found:
        return ""
    names, kinds = [name for name, _ in found], sorted({kind for _, kind in found})
    verb = "use" if len(names) > 1 else "uses"
    return f"{_named('volume', names)} {verb} {_named('restricted volume type', kinds)}"


def _setters(pod_is_bad: bool, names: Sequence[str]) -> str:
    return " and ".join([*(["pod"] if pod_is_bad else ()), *([_named("container", names)] if names else ())])


def _non_root(spec: Document, containers: _Containers) -> str:
    if spec.get("hostUsers") is False:  # root in a user namespace of its own is nobody's root
        return ""
    whole = _own(spec).get("runAsNonRoot")
    bad = _setters(whole is False, [one["name"] for one in containers if _own(one).get("runAsNonRoot") is False])
    if bad:
        return f"{bad} must not set securityContext.runAsNonRoot=false"
    names = [one["name"] for one in containers if _own(one).get("runAsNonRoot") is None and not whole]
    return f"pod or {_named('container', names)} must set securityContext.runAsNonRoot=true" if names else ""


def _user(spec: Document, containers: _Containers) -> str:
    bad = _setters(
        _own(spec).get("runAsUser") == 0, [one["name"] for one in containers if _own(one).get("runAsUser") == 0]
    )
    return f"{bad} must not set runAsUser=0" if bad else ""


def _seccomp(spec: Document, containers: _Containers) -> str:
    def kind(one: Document) -> str:
        return str((_own(one).get("seccompProfile") or _EMPTY).get("type", ""))

    confined = ("RuntimeDefault", "Localhost")
    wrong = [one for one in containers if kind(one) and kind(one) not in confined]
    whole = kind(spec)
    bad = _setters(bool(whole) and whole not in confined, [one["name"] for one in wrong])
    if bad:
        kinds = sorted({kind(one) for one in wrong} | ({whole} if whole and whole not in confined else set()))
        return f"{bad} must not set securityContext.seccompProfile.type to {_quoted(kinds)}"
    names = [one["name"] for one in containers if not kind(one) and not whole]
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"pod or {_named('container', names)} {must}" if names else ""


_BASELINE: tuple[tuple[str, _Test], ...] = (
    ("host namespaces", _host_namespaces),
    ("hostPort", _host_ports),
    ("privileged", _privileged),
)
_OVERLAPPING: tuple[tuple[str, _Test], ...] = (
    ("non-default capabilities", _default_capabilities),
    ("hostPath volumes", _host_paths),
)
_RESTRICTED: tuple[tuple[str, _Test], ...] = (
    ("allowPrivilegeEscalation != false", _escalation),
    ("unrestricted capabilities", _dropped_capabilities),
    ("restricted volume types", _core_volumes),
    ("runAsNonRoot != true", _non_root),
    ("runAsUser=0", _user),
    ("seccompProfile", _seccomp),
)
