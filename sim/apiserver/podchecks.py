"""Validation of pods: the fields whose absence or misuse a controller can run into. Texts: core/v1 validation."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from controller.ports import Document
from sim.apiserver.causes import bad_value, duplicate, literal, unsupported
from sim.apiserver.errors import Cause, forbidden_field, required
from sim.apiserver.names import label
from sim.apiserver.quantity import canonical_text, thousandths

_KEPT = 2048
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_MAY_CHANGE = frozenset(("containers", "initContainers", "activeDeadlineSeconds", "tolerations"))
_IMMUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_label = lru_cache(maxsize=4096)(label)  # steps and volumes are named alike in most pods
_valid: dict[int, Document] = {}


def check_spec(spec: Any, path: str) -> list[Cause]:
    """Everything wrong with a defaulted pod spec at ``path`` (``spec``, ``spec.template.spec``)."""
    causes: list[Cause] = []
    if not spec or not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
        return causes
    given = spec.get("volumes")
    volumes = _check_volumes(given, f"{path}.volumes", causes) if given else ()
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            if id(container) not in _valid:
                _check_container(container, f"{path}.{field}[{index}]", causes)
            name = container.get("name", "")
            if name in names:
                causes.append(duplicate(f"{path}.{field}[{index}].name", name))
            names.add(name)
            for number, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    where = f"{path}.{field}[{index}].volumeMounts[{number}].name"
                    causes.append(Cause("FieldValueNotFound", where, f"Not found: {literal(mount.get('name', ''))}"))
    if spec["restartPolicy"] not in _RESTART_POLICIES:
        causes.append(unsupported(f"{path}.restartPolicy", spec["restartPolicy"], _RESTART_POLICIES))
    if spec["dnsPolicy"] not in _DNS_POLICIES:
        causes.append(unsupported(f"{path}.dnsPolicy", spec["dnsPolicy"], sorted(_DNS_POLICIES)))
    return causes


def _check_volumes(volumes: Sequence[Document], path: str, causes: list[Cause]) -> set[str]:
    names = {volume.get("name", "") for volume in volumes}
    if len(names) == len(volumes) and not any(not name or _label(name) for name in names):
        return names
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name", "")
        if not name:
            causes.append(required(f"{path}[{index}].name"))
        elif name in seen:
            causes.append(duplicate(f"{path}[{index}].name", name))
        else:
            causes.extend(bad_value(f"{path}[{index}].name", name, text) for text in _label(name))
        seen.add(name)
    return names


def _check_container(container: Document, path: str, causes: list[Cause]) -> None:
    found = len(causes)
    name = container.get("name")
    if not name:
        causes.append(required(f"{path}.name"))
    elif complaints := _label(name):
        causes.extend(bad_value(f"{path}.name", name, text) for text in complaints)
    image = container.get("image")
    if not image:
        causes.append(required(f"{path}.image"))
    elif image != image.strip():
        causes.append(bad_value(f"{path}.image", image, "must not have leading or trailing whitespace"))
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            causes.append(required(f"{path}.env[{index}].name"))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if not mount.get("mountPath"):
            causes.append(required(f"{path}.volumeMounts[{index}].mountPath"))
    policy = container.get("imagePullPolicy")
    if policy not in _PULL_POLICIES:
        causes.append(unsupported(f"{path}.imagePullPolicy", policy, _PULL_POLICIES))
    if container["resources"]:
        _check_resources(container["resources"], f"{path}.resources", causes)
    if len(causes) == found:
        if len(_valid) >= _KEPT:
            _valid.clear()
        _valid[id(container)] = container  # holding it keeps the id its own


def _check_resources(resources: Document, path: str, causes: list[Cause]) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for side, amounts in (("limits", limits), ("requests", requests)):
        for key, amount in amounts.items():
            if thousandths(amount) < 0:
                wrong = bad_value(f"{path}.{side}[{key}]", str(amount), "must be greater than or equal to 0")
                causes.append(wrong)
    for key, amount in requests.items():
        if key in limits and thousandths(amount) > thousandths(limits[key]):
            text = f"must be less than or equal to {key} limit of {canonical_text(limits[key])}"
            causes.append(bad_value(f"{path}.requests", canonical_text(amount), text))


def check_change(new: Document, old: Document) -> list[Cause]:
    """What an update may not change in a pod's spec: everything but images, a deadline and added tolerations."""
    before, after = old["spec"], new.get("spec") or {}
    if before is after:
        return []
    changed = [
        key for key in (*after, *(key for key in before if key not in after)) if after.get(key) != before.get(key)
    ]
    kept = after.get("tolerations") or ()
    wrong = (
        any(key not in _MAY_CHANGE for key in changed)
        or any(one not in kept for one in before.get("tolerations") or ())
        or not all(
            _only_images(after.get(field) or (), before.get(field) or ()) for field in ("containers", "initContainers")
        )
    )
    return [forbidden_field("spec", _IMMUTABLE)] if wrong else []


def _only_images(after: Sequence[Document], before: Sequence[Document]) -> bool:
    return len(after) == len(before) and all(
        {**new, "image": ""} == {**old, "image": ""} for new, old in zip(after, before, strict=True)
    )
