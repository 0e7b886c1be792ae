"""LimitRange admission: defaults put into pods, and bounds they must keep. Texts: plugin LimitRanger."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controller.ports import Document, Resource, WatchType
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.errors import forbidden
from sim.apiserver.podresources import Amounts, container_amounts, pod_amounts
from sim.apiserver.quantity import canonical_text, thousandths
from sim.apiserver.reader import Reader

LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
_ANNOTATION = "kubernetes.io/limit-ranger"
_Side = Mapping[str, str]


class LimitRanger:
    """``default`` mutates pods on CREATE, ``check`` validates them; free in namespaces without a LimitRange."""

    def __init__(self, reader: Reader) -> None:
        self._ranges: dict[str, dict[str, Document]] = {}
        for stored in reader.items(LIMIT_RANGES):
            self._keep(stored)
        reader.observe(self._changed, LIMIT_RANGES)

    def _keep(self, stored: Document) -> None:
        metadata = stored["metadata"]
        self._ranges.setdefault(metadata["namespace"], {})[metadata["name"]] = stored

    def _changed(self, type_: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        if resource.plural != LIMIT_RANGES.plural or resource.group:
            return
        if type_ != "DELETED":
            self._keep(new)
            return
        ranges = self._ranges[new["metadata"]["namespace"]]
        del ranges[new["metadata"]["name"]]
        if not ranges:
            del self._ranges[new["metadata"]["namespace"]]

    def default(self, request: AdmissionRequest) -> Document:
        """The pod with what its LimitRanges fill in, and the annotation that says so."""
        pod = request.new
        assert pod is not None
        ranges = self._ranges.get(request.namespace)
        if ranges is None:
            return pod
        spec = dict(pod["spec"])
        notes: list[str] = []
        limits, requests = _defaults(ranges.values())
        for field, noun in (("containers", "container"), ("initContainers", "init container")):
            if spec.get(field):
                filled = [_filled(one, noun, limits, requests) for one in spec[field]]
                spec[field] = [container for container, _ in filled]
                notes.extend(note for _, note in filled if note)
        if not notes:
            return pod
        metadata = pod.get("metadata") or {}
        text = f"LimitRanger plugin set: {'; '.join(notes)}"
        annotations = {**(metadata.get("annotations") or {}), _ANNOTATION: text}
        return {**pod, "metadata": {**metadata, "annotations": annotations}, "spec": spec}

    def check(self, request: AdmissionRequest) -> None:
        """Raises ApiError 403 where a container or the pod is out of bounds."""
        ranges = self._ranges.get(request.namespace)
        if ranges is None or request.new is None:
            return
        spec = request.new["spec"]
        wrongs = [
            wrong
            for stored in ranges.values()
            for limit in (stored.get("spec") or {}).get("limits") or ()
            for wrong in _violations(limit, spec)
        ]
        if wrongs:
            text = wrongs[0] if len(wrongs) == 1 else f"[{', '.join(wrongs)}]"
            raise forbidden(request.resource, request.name, text)


def stored_limit(limit: Document) -> Document:
    """An entry of ``spec.limits`` with what the API derives: limits from maxima, requests from limits or minima."""
    if limit.get("type") != "Container":
        return limit
    default = {**_spelled(limit.get("max")), **_spelled(limit.get("default"))}
    request = {**_spelled(limit.get("min")), **default, **_spelled(limit.get("defaultRequest"))}
    derived: dict[str, Any] = {}
    if default:
        derived["default"] = default
    if request:
        derived["defaultRequest"] = request
    return {**limit, **derived}


def _spelled(side: _Side | None) -> dict[str, str]:
    return {key: canonical_text(value) for key, value in side.items()} if side else {}


def _defaults(ranges: Iterable[Document]) -> tuple[dict[str, str], dict[str, str]]:
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for stored in ranges:
        for limit in (stored.get("spec") or {}).get("limits") or ():
            if limit.get("type") == "Container":
                limits = {**(limit.get("default") or {}), **limits}
                requests = {**(limit.get("defaultRequest") or {}), **requests}
    return limits, requests


def _filled(container: Document, noun: str, limits: _Side, requests: _Side) -> tuple[Document, str]:
    resources = container.get("resources") or {}
    filled, notes = dict(resources), []
    for side, wanted, word in (("requests", requests, "request"), ("limits", limits, "limit")):
        present = resources.get(side) or {}
        missing = sorted(key for key in wanted if key not in present)
        if missing:
            filled[side] = {**present, **{key: wanted[key] for key in missing}}
            notes.append(f"{', '.join(missing)} {word} for {noun} {container['name']}")
    return ({**container, "resources": filled}, "; ".join(notes)) if notes else (container, "")


def _violations(limit: Document, spec: Document) -> Iterable[str]:
    scope = limit.get("type", "")
    if scope == "Container":
        for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
            sides = (container.get("resources") or {}).get
            amounts = container_amounts(container, "requests"), container_amounts(container, "limits")
            yield from _out_of_bounds(limit, scope, *amounts, _printer(sides("requests"), sides("limits")))
    elif scope == "Pod":
        amounts = pod_amounts(spec, "requests"), pod_amounts(spec, "limits")
        yield from _out_of_bounds(limit, scope, *amounts, _printer(None, None))


def _printer(requests: _Side | None, limits: _Side | None) -> Callable[[str, str, int], str]:
    def shown(word: str, key: str, amount: int) -> str:
        written = ((requests if word == "request" else limits) or {}).get(key)
        return canonical_text(written) if written is not None else canonical_text(f"{amount}m")

    return shown


def _out_of_bounds(
    limit: Document, scope: str, requests: Amounts, limits: Amounts, shown: Callable[[str, str, int], str]
) -> Iterable[str]:
    for key, bound in (limit.get("min") or {}).items():
        head = f"minimum {key} usage per {scope} is {canonical_text(bound)}"
        if key not in requests:
            yield f"{head}.  No request is specified"
        elif requests[key] < thousandths(bound):
            yield f"{head}, but request is {shown('request', key, requests[key])}"
        elif key in limits and limits[key] < thousandths(bound):
            yield f"{head}, but limit is {shown('limit', key, limits[key])}"
    for key, bound in (limit.get("max") or {}).items():
        head = f"maximum {key} usage per {scope} is {canonical_text(bound)}"
        if key not in limits:
            yield f"{head}.  No limit is specified"
        elif limits[key] > thousandths(bound):
            yield f"{head}, but limit is {shown('limit', key, limits[key])}"
        elif key in requests and requests[key] > thousandths(bound):
            yield f"{head}, but request is {shown('request', key, requests[key])}"
    for key, bound in (limit.get("maxLimitRequestRatio") or {}).items():
        head = f"{key} max limit to request ratio per {scope} is {canonical_text(bound)}"
        if not requests.get(key):
            yield f"{head}, but no request is specified or request is 0"
        elif not limits.get(key):
            yield f"{head}, but no limit is specified or limit is 0"
        elif limits[key] * 1000 > requests[key] * thousandths(bound):
            yield f"{head}, but provided ratio is {limits[key] / requests[key]:f}"
