"""Which resources the server serves, and how each is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.ports import ApiError, Document, Resource
from sim.apiserver.errors import bad_request, no_such_endpoint
from sim.apiserver.identity import User
from sim.apiserver.selectors import FieldGetter
from sim.apiserver.store import Table
from sim.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from sim.apiserver.rbac import Authorizer

_IDENTITIES_MAX = 4096


def _name(document: Document) -> str:
    return str(document["metadata"]["name"])


def _namespace(document: Document) -> str:
    return str(document["metadata"].get("namespace", ""))


PLAIN_FIELDS: Mapping[str, FieldGetter] = {"metadata.name": _name, "metadata.namespace": _namespace}
"""The field selectors that every kind has."""


@dataclass(slots=True, eq=False)
class Served:
    """One version of a resource as clients see it. ``table`` is shared by all versions of the resource."""

    resource: Resource
    table: Table
    strategy: Strategy
    list_kind: str
    fields: Mapping[str, FieldGetter] = field(default_factory=lambda: PLAIN_FIELDS)
    short_names: tuple[str, ...] = ()
    warning: str = ""
    custom: bool = False
    foreign: bool = False
    """Stored under another apiVersion than served."""
    key: str = ""
    """The group resource, spelled once."""
    status_key: str = ""
    api_version: str = ""

    def __post_init__(self) -> None:
        self.key = self.resource.group_resource
        self.api_version = self.resource.api_version
        self.status_key = f"{self.key}/status"

    def present(self, document: Document) -> Document:
        """The document under the served apiVersion."""
        if not self.foreign:
            return document
        return {**document, "apiVersion": self.resource.api_version}

    def refuse_field(self, label: str, _value: str) -> ApiError:
        """400 for a field selector that the kind does not offer."""
        if self.custom or len(self.fields) > len(PLAIN_FIELDS):
            return bad_request(f"field label not supported: {label}")
        return bad_request(f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"')


class Registry:
    """Served resources by group and plural, with the preferred version first."""

    def __init__(self) -> None:
        self._served: dict[tuple[str, str], dict[str, Served]] = {}
        self._kinds: dict[tuple[str, str], Served] = {}
        self._identities: dict[int, tuple[Resource, Served]] = {}
        self.entered: dict[tuple[int, str, int, str, str], tuple[Authorizer | None, Served, User, Resource]] = {}
        """Requests that need not be judged again, by the identities of user and resource; emptied with every change."""

    def add(self, served: Served) -> None:
        resource = served.resource
        self._served.setdefault((resource.group, resource.plural), {})[resource.version] = served
        self._kinds[resource.api_version, resource.kind] = served
        self._identities.clear()
        self.entered.clear()

    def remove(self, group: str, plural: str) -> None:
        """Serve the resource no more."""
        for served in self._served.pop((group, plural), {}).values():
            self._kinds.pop((served.resource.api_version, served.resource.kind), None)
        self._identities.clear()
        self.entered.clear()

    def remember(
        self, key: tuple[int, str, int, str, str], request: tuple["Authorizer | None", Served, User, Resource]
    ) -> None:
        """Keep a request's way through; the user and the resource in it keep their ids their own."""
        if len(self.entered) >= _IDENTITIES_MAX:
            self.entered.clear()
        self.entered[key] = request

    def find(self, resource: Resource) -> Served:
        """How ``resource`` is served. Raises ApiError 404 when it is not.

        Looked up by the identity of the constant that callers pass: hashing a dataclass costs more than the lookup.
        """
        known = self._identities.get(id(resource))
        if known is not None:
            return known[1]
        served = self._served.get((resource.group, resource.plural), {}).get(resource.version)
        if served is None:
            raise no_such_endpoint()
        if len(self._identities) >= _IDENTITIES_MAX:
            self._identities.clear()
        self._identities[id(resource)] = (resource, served)  # holding it keeps the id from being used again
        return served

    def named(self, group: str, plural: str, version: str = "") -> Served:
        """By names; the preferred version when none is given. Raises ApiError 404."""
        versions = self._served.get((group, plural), {})
        served = versions.get(version) if version else next(iter(versions.values()), None)
        if served is None:
            raise no_such_endpoint()
        return served

    def of_kind(self, api_version: str, kind: str) -> Served | None:
        """By what an object or an ownerReference says of itself."""
        return self._kinds.get((api_version, kind))

    def tables(self) -> list[Table]:
        """Every stored resource once, in the order of registration."""
        return list({id(served.table): served.table for served in self.all()}.values())

    def all(self) -> list[Served]:
        return [served for versions in self._served.values() for served in versions.values()]
