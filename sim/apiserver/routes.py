"""From a URL to what it means: resource, namespace, name, subresource."""

from dataclasses import dataclass

from controller.ports import ApiError
from sim.apiserver.errors import method_not_allowed, no_such_endpoint
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
        if method == "POST" and (self.subresource or not self.name or self.served.custom):
            return "create"
        if method == "DELETE":
            if not self.name and self.served.resource.plural == "namespaces":
                raise method_not_allowed()
            return "delete" if self.name else "deletecollection"
        verb = {"PUT": "update", "PATCH": "patch"}.get(method, "")
        if not verb or (not self.name and not self.served.custom):
            raise method_not_allowed()
        return verb


def route(registry: Registry, path: str) -> Route:
    """Raises NoSuchPage, or ApiError 404 for an unknown resource of a builtin group version."""
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
    plural, name, subresource = rest[0], rest[1] if len(rest) > 1 else "", "/".join(rest[2:])
    served = _served(registry, group, version, plural)
    namespaced = served.resource.namespaced
    if (namespace and not namespaced) or (namespaced and not namespace and name):
        raise NoSuchPage if served.custom else no_such_endpoint()
    return Route(served, namespace, name, subresource)


def _served(registry: Registry, group: str, version: str, plural: str) -> Served:
    try:
        return registry.named(group, plural, version)
    except ApiError:
        known = [one for one in registry.all() if (one.resource.group, one.resource.version) == (group, version)]
        if not known or all(one.custom for one in known):
            raise NoSuchPage from None
        raise
