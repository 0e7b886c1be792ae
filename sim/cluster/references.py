"""ConfigMaps and Secrets that a pod needs before it can start, and what the kubelet says when one is missing."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from controller.ports import Document, Resource

CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
SECRETS = Resource("", "v1", "secrets", "Secret")

Find = Callable[[Resource, str, str], Document | None]
"""``find(resource, namespace, name)``."""


class Missing(NamedTuple):
    """What is not there; ``text`` is the kubelet's."""

    resource: Resource
    name: str
    text: str


def missing_for_container(container: Document, namespace: str, find: Find) -> Missing | None:
    """The first reference of the container's environment that leads nowhere."""
    return next(_unmet(_environment(container), namespace, find), None)


def missing_for_volumes(pod: Document, find: Find) -> Missing | None:
    """The first volume whose ConfigMap or Secret is not there; the pod waits for it before its sandbox starts."""
    for volume in pod["spec"].get("volumes", ()):
        if "configMap" in volume or "secret" in volume or "projected" in volume:
            return next(_unmet(_volumes(pod["spec"]["volumes"]), pod["metadata"]["namespace"], find), None)
    return None


class _Need(NamedTuple):
    resource: Resource
    name: str
    keys: tuple[str, ...]


def _environment(container: Document) -> Iterator[_Need]:
    for source in container.get("envFrom") or ():
        yield from _need(CONFIG_MAPS, source.get("configMapRef"))
        yield from _need(SECRETS, source.get("secretRef"))
    for variable in container.get("env") or ():
        origin = variable.get("valueFrom")
        if origin:
            yield from _need(CONFIG_MAPS, origin.get("configMapKeyRef"))
            yield from _need(SECRETS, origin.get("secretKeyRef"))


def _volumes(volumes: list[Document]) -> Iterator[_Need]:
    for volume in volumes:
        yield from _need(CONFIG_MAPS, volume.get("configMap"))
        yield from _need(SECRETS, volume.get("secret"), "secretName")
        if "projected" in volume:
            for source in volume["projected"].get("sources", ()):
                yield from _need(CONFIG_MAPS, source.get("configMap"))
                yield from _need(SECRETS, source.get("secret"))


def _need(resource: Resource, reference: Document | None, name_field: str = "name") -> Iterator[_Need]:
    if reference and not reference.get("optional"):
        keys = [reference["key"]] if "key" in reference else [item["key"] for item in reference.get("items") or ()]
        yield _Need(resource, reference.get(name_field, ""), tuple(keys))


def _unmet(needs: Iterator[_Need], namespace: str, find: Find) -> Iterator[Missing]:
    for resource, name, keys in needs:
        found = find(resource, namespace, name)
        if found is None:
            yield Missing(resource, name, f'{resource.kind.lower()} "{name}" not found')
            continue
        held = (found.get("data") or {}).keys() | (found.get("binaryData") or {}).keys()
        for key in keys:
            if key not in held:
                yield Missing(resource, name, f"couldn't find key {key} in {resource.kind} {namespace}/{name}")
