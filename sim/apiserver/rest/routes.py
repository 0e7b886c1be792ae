"""From a URL to what it means: resource, namespace, name, subresource."""

from dataclasses import dataclass

from controller.ports import ApiError
from sim.apiserver.errors import method_not_allowed, no_such_endpoint, subresource_refused
from sim.apiserver.registry import Registry, Served

_NAMESPACE_SUBRESOURCES = ("status", "finalize")


class NoSuchPage(Exception):
    """The mux knows nothing under this path: a plain 404 in text, not a Status."""


@dataclass(frozen=True, slots=True)
class Route:
    served: Served
    namespace: str
    name: str
    subresource: str

    def verb(self, method: str, watching: bool) -> str:
        """The request's verb in RBAC's words. Raises ApiError 405."""
        if method == "GET":
            if self.name:
                return "get"
            return "watch" if watching else "list"
        everywhere = self.served.resource.namespaced and not self.namespace
        if method == "POST" and everywhere and self.served.custom:
            raise NoSuchPage
        if method == "DELETE":
            if not self.name and (everywhere or self.served.resource.plural == "namespaces"):
                raise method_not_allowed()
            if self.subresource:
                raise subresource_refused("delete", self.served.resource)
            return "delete" if self.name else "deletecollection"
        if method == "POST" and not everywhere and (self.subresource or not self.name or self.served.custom):
            return "create"
        verb = {"PUT": "update", "PATCH": "patch"}.get(method, "")
        if not verb or (not self.name and not self.served.custom):
            raise method_not_allowed()
        return verb


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says, before anyone knows whether such a resource is served."""

    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str


def place(path: str) -> Place:
    """Raises NoSuchPage for what is no resource path at all."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise NoSuchPage
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and not (not group and rest[2] in _NAMESPACE_SUBRESOURCES):
        namespace, rest = rest[1], rest[2:]
    return Place(group, version, namespace, rest[0], rest[1] if len(rest) > 1 else "", "/".join(rest[2:]))


def route(registry: Registry, found: Place) -> Route:
    """Raises NoSuchPage, or ApiError 404 for an unknown resource of a builtin group version."""
    served = _served(registry, found.group, found.version, found.plural)
    namespaced = served.resource.namespaced
    if (found.namespace and not namespaced) or (namespaced and not found.namespace and found.name):
        raise NoSuchPage if served.custom else no_such_endpoint()
    return Route(served, found.namespace, found.name, found.subresource)


def _served(registry: Registry, group: str, version: str, plural: str) -> Served:
    try:
        return registry.named(group, plural, version)
    except ApiError:
        known = [one for one in registry.all() if (one.resource.group, one.resource.version) == (group, version)]
        if not known or all(one.custom for one in known):
            raise NoSuchPage from None
        raise
