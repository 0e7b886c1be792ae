"""The API server's verbs: synchronous, atomic at the current virtual instant.

Nothing here waits. What costs a client time is in :mod:`sim.apiserver.client`; what happens later (collection,
namespaces that empty) is done by the controllers beside, on the loop's calendar.
"""

from collections.abc import Callable, Iterable
from typing import Any

from controller.ports import Document, PatchType, Propagation, Resource
from sim.apiserver import creation, deletion, eventsface, eviction, listing, replacement
from sim.apiserver.admission.chain import Chain
from sim.apiserver.admission.webhooks import Webhooks
from sim.apiserver.builtin import builtin
from sim.apiserver.calls import Calls
from sim.apiserver.client import Client
from sim.apiserver.collector import Collector
from sim.apiserver.defaults import install
from sim.apiserver.definitions import DEFINITIONS, Definitions
from sim.apiserver.errors import expired, no_such_endpoint, not_found
from sim.apiserver.eventwrites import count_event, create_event
from sim.apiserver.flow import FlowControl
from sim.apiserver.identity import ADMIN, User
from sim.apiserver.latency import COLLECTOR_LAG, Latency
from sim.apiserver.metadata import fresh_uid
from sim.apiserver.namespaces import INITIAL, Namespaces
from sim.apiserver.ownership.apply import apply
from sim.apiserver.ownership.managedfields import Ownership
from sim.apiserver.rbac import RULES, Authorizer
from sim.apiserver.registry import Registry, Served
from sim.apiserver.standard import standard
from sim.apiserver.store import Observer, Store
from sim.apiserver.watch import Lag, Stream
from sim.apiserver.watching import Watcher, open_watch
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

Check = Callable[[str, Resource, str, str, str], None]
"""``(verb, resource, namespace, name, subresource)`` for one user; raises ApiError 403."""

_USERS_MAX = 4096
_NOBODY = Watcher()


class ApiServer:
    """One simulated kube-apiserver with its store and the controllers that real ones rely on.

    ``latency`` is what clients pay per call unless they bring their own; ``watch_lag`` how long events travel;
    ``collector_lag`` how late the garbage collector reacts. ``history_s`` and ``history_cap`` bound what a watch can
    resume from. ``guard`` proves at every commit, and in :meth:`verify`, that nobody mutates documents.
    ``managed_fields`` keeps who set what in ``metadata.managedFields``, which costs time and memory.
    :attr:`authorizer` decides by RBAC; None lets everyone do everything. :attr:`flow` limits clients when it is set.
    """

    def __init__(
        self,
        loop: Loop,
        streams: Streams,
        clock: Clock,
        *,
        latency: Latency | None = None,
        watch_lag: Lag | None = None,
        collector_lag: Lag = COLLECTOR_LAG,
        history_s: int = 300,
        history_cap: int = 3_000,
        guard: bool = False,
        managed_fields: bool = False,
    ) -> None:
        self.loop = loop
        self.streams = streams
        self.clock = clock
        self.latency = latency or Latency()
        self.watch_lag = watch_lag
        self.flow: FlowControl | None = None
        self.warn: Callable[[str], None] | None = None
        self.admission = Chain()
        self.ownership = Ownership(clock) if managed_fields else None
        self.calls: Calls = Calls()
        self.name_stream = streams("apiserver.names")
        self.uid_stream = streams("apiserver.uids")
        self.store = Store(loop, history_us=history_s * 1_000_000, history_cap=history_cap, guard=guard)
        self.registry = Registry()
        for served in builtin(self.store):
            self.registry.add(served)
        self.namespaces = Namespaces(self, self.registry.named("", "namespaces"), delay_us=20_000)
        self.definitions = Definitions(self, delay_us=20_000)
        standard(self.registry)
        eventsface.serve(self.registry)
        self.collector = Collector(self, lag=collector_lag)
        self.authorizer: Authorizer | None = Authorizer(self)
        self.observe(lambda *_: self.registry.entered.clear(), *RULES)
        self._checks: dict[int, tuple[User, Check]] = {}
        self.webhooks = Webhooks(self)
        install(self)
        for name in INITIAL:
            self.create(ADMIN, self.resource("", "namespaces"), "", {"metadata": {"name": name}})

    def resource(self, group: str, plural: str, version: str = "") -> Resource:
        """A served resource by its names. Raises ApiError 404."""
        return self.registry.named(group, plural, version).resource

    def install_crd(self, document: Document) -> Resource:
        """Create a CustomResourceDefinition and serve its resource at once; answers the preferred version's."""
        self.create(ADMIN, DEFINITIONS, "", document)
        return self.resource(document["spec"]["group"], document["spec"]["names"]["plural"])

    def observe(self, callback: Observer, *resources: Resource) -> None:
        """Call back within every commit, of ``resources`` or of all: ``(type, resource, old, new)``."""
        if not resources:
            self.store.observers.append(callback)
        for resource in resources:
            self.registry.find(resource).table.observers.append(callback)

    def find(self, resource: Resource, namespace: str, name: str) -> Document | None:
        """A stored object, for models and admission plugins: no authorisation, no latency."""
        return self.registry.find(resource).table.find(namespace, name)

    def items(self, resource: Resource, namespace: str = "") -> Iterable[Document]:
        """Stored objects in the order of their keys; of all namespaces when ``namespace`` is empty."""
        return self.registry.find(resource).table.in_order(namespace)

    def resources(self) -> Iterable[Resource]:
        """Every stored resource once."""
        return [table.resource for table in self.registry.tables()]

    def client(
        self,
        user: User,
        *,
        component: str = "",
        manager: str = "",
        latency: Latency | None = None,
        watch_lag: Lag | None = None,
    ) -> Client:
        """The server as ``user`` sees it through a network; ``component`` is whom :attr:`calls` counts.

        ``manager`` is whom ``managedFields`` name, the component where it is not given.
        ``latency`` and ``watch_lag`` are the server's own where they are not given.
        """
        return Client(self, user, component, manager or component, latency or self.latency, watch_lag)

    def verify(self) -> None:
        """Raises Mutated when, under ``guard``, some stored document is not what was committed."""
        if self.store.guard is not None:
            self.store.guard.check_all()

    def fresh_uid(self) -> str:
        return fresh_uid(self.uid_stream)

    def enter(
        self, user: User, verb: str, resource: Resource, namespace: str, name: str = "", subresource: str = ""
    ) -> Served:
        """Authorisation and routing of one request. Raises ApiError 403, 404."""
        key = (id(user), verb, id(resource), namespace, subresource)
        entered = self.registry.entered.get(key)
        if entered is not None and entered[0] is self.authorizer:
            served = entered[1]
            attic = served.table.attic
            if attic is not None and attic.due_us <= self.loop.now_us:
                self.store.expire(served.table)
            return served
        always = True
        if self.authorizer is not None:
            known = self._checks.get(id(user))
            if known is None:
                known = self._remember(user, self.authorizer)
            known[1](verb, resource, namespace, name, subresource)
            always = self.authorizer.always_allows(user, verb, resource, namespace, subresource)
        served = self.registry.find(resource)
        if served.table.attic is not None:
            self.store.expire(served.table)
        if namespace and not resource.namespaced:
            raise no_such_endpoint()
        if subresource and subresource not in served.strategy.subresources:
            raise not_found(resource, name) if served.custom else no_such_endpoint()
        if always:
            self.registry.remember(key, (self.authorizer, served, user, resource))
        return served

    def permit(self, user: User, verb: str, resource: Resource, namespace: str, name: str) -> None:
        """Authorisation alone, for resources that need not be served. Raises ApiError 403."""
        if self.authorizer is not None:
            self.authorizer.for_user(user)(verb, resource, namespace, name, "")

    def _remember(self, user: User, authorizer: Authorizer) -> tuple[User, Check]:
        """The user's check, kept by identity: hashing a User costs more than most decisions."""
        if len(self._checks) >= _USERS_MAX:
            self._checks.clear()
        known = self._checks[id(user)] = (user, authorizer.for_user(user))
        return known

    def create(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        body: Document,
        *,
        dry_run: bool = False,
        field_validation: str = "Warn",
        manager: str = "",
    ) -> Document:
        """``manager`` is whom ``managedFields`` name, here as for the other writing verbs."""
        served = self.enter(user, "create", resource, namespace)
        if served.key == "events" and not dry_run and self.ownership is None:
            event = create_event(self, served, namespace, body)
            if event is not None:
                return event
        created = creation.create(self, user, served, namespace, body, dry_run, field_validation, manager)
        if resource.group == DEFINITIONS.group and not dry_run and served.table.resource is DEFINITIONS:
            self.definitions.establish(created)
        return created

    def get(self, user: User, resource: Resource, namespace: str, name: str, *, subresource: str = "") -> Document:
        served = self.enter(user, "get", resource, namespace, name, subresource)
        found = served.table.find(namespace, name)
        if found is None:
            raise not_found(resource, name)
        return found if not served.foreign else served.present(found)

    def list(
        self,
        user: User,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
        version_match: str = "",
    ) -> Document:
        served = self.enter(user, "list", resource, namespace)
        return listing.list_objects(
            self,
            served,
            namespace,
            label_selector,
            field_selector,
            limit,
            continue_token,
            resource_version,
            version_match,
        )

    def update(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        name: str,
        body: Document,
        *,
        subresource: str = "",
        dry_run: bool = False,
        field_validation: str = "Warn",
        manager: str = "",
    ) -> Document:
        served = self.enter(user, "update", resource, namespace, name, subresource)
        return replacement.update(
            self, user, served, namespace, name, body, subresource, dry_run, field_validation, manager
        )

    def patch(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        *,
        patch_type: PatchType = "merge",
        subresource: str = "",
        dry_run: bool = False,
        field_validation: str = "Warn",
        manager: str = "",
    ) -> Document:
        if patch_type == "apply":
            applied = self.apply(user, resource, namespace, name, body, subresource=subresource, manager=manager)
            return applied[0]
        served = self.enter(user, "patch", resource, namespace, name, subresource)
        if served.key == "events" and patch_type == "merge" and not dry_run and self.ownership is None:
            event = count_event(self, served, namespace, name, body)
            if event is not None:
                return event
        return replacement.patch(
            self, user, served, namespace, name, body, patch_type, subresource, dry_run, field_validation, manager
        )

    def apply(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        name: str,
        config: Document,
        *,
        subresource: str = "",
        dry_run: bool = False,
        manager: str = "",
        force: bool = True,
    ) -> tuple[Document, bool]:
        """Server-side apply: the object, and whether it was created. Raises ApiError 400, 403, 404, 409, 422, 500."""
        served = self.enter(user, "patch", resource, namespace, name, subresource)
        found = apply(self, user, served, namespace, name, config, subresource, dry_run, manager or "unknown", force)
        if found[1] and not dry_run and served.table.resource is DEFINITIONS:
            self.definitions.establish(found[0])
        return found

    def delete(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_s: int | None = None,
        dry_run: bool = False,
    ) -> Document:
        served = self.enter(user, "delete", resource, namespace, name)
        options = deletion.Options(propagation, uid, resource_version, grace_period_s, dry_run)
        return deletion.delete(self, user, served, namespace, name, options)[0]

    def delete_collection(
        self,
        user: User,
        resource: Resource,
        namespace: str,
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: Propagation | None = None,
        grace_period_s: int | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Delete everything that the selectors find; answers the List of what was found."""
        served = self.enter(user, "deletecollection", resource, namespace)
        found = listing.list_objects(self, served, namespace, label_selector, field_selector, 0, "", "", "")
        options = deletion.Options(propagation, None, None, grace_period_s, dry_run)
        for one in found["items"]:
            metadata = one["metadata"]
            deletion.delete(self, user, served, metadata.get("namespace", ""), metadata["name"], options)
        return found

    def evict(self, user: User, namespace: str, name: str, body: Document, *, dry_run: bool = False) -> Document:
        """Create a pod's eviction: a delete that its disruption budget may refuse."""
        self.enter(user, "create", self.resource("", "pods"), namespace, name, "eviction")
        return eviction.evict(self, user, namespace, name, body, dry_run=dry_run)

    def watch(
        self,
        user: User,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout_s: float | None = None,
        bookmarks: bool = True,
        send_initial_events: bool | None = None,
        watcher: Watcher = _NOBODY,
    ) -> Stream:
        """Open a watch. Raises ApiError 400, 403, 404, 410 (older than history), 500 (no version), 504.

        Without ``resource_version``, or with ``"0"``, it begins with an ADDED for every object there is.
        """
        served = self.enter(user, "watch", resource, namespace)
        return open_watch(
            self,
            served,
            watcher,
            namespace,
            resource_version,
            (label_selector, field_selector),
            timeout_s,
            bookmarks,
            send_initial_events,
        )

    def expire_watches(self) -> None:
        """Compact the past now and end every open watch with 410 Expired, as a server short of memory does."""
        status = expired("The resourceVersion for the provided watch is too old.").status()
        tables = self.registry.tables()
        self.store.compact(tables)
        for table in tables:
            for stream in tuple(table.streams):
                stream.fail(status)
