"""From a request about objects to the verb that answers it: query, options and body become arguments."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controller.ports import ApiError, Document, PatchType
from sim.apiserver.errors import bad_request, subresource_refused
from sim.apiserver.gotypes import fitted
from sim.apiserver.identity import User
from sim.apiserver.listing import parse_version
from sim.apiserver.ownership.managedfields import manager_of
from sim.apiserver.rest import bodies
from sim.apiserver.rest.exchange import Request
from sim.apiserver.rest.listoptions import list_options
from sim.apiserver.rest.options import delete_options, is_true, write_options
from sim.apiserver.rest.routes import Route
from sim.apiserver.rest.subresources import bind
from sim.apiserver.scaling import read_scale, write_scale
from sim.apiserver.watch import Stream
from sim.apiserver.watching import Watcher, failed_watch

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


class Verbs:
    """Answers ``(status, body)``. ``watcher`` is who all watches are opened for."""

    def __init__(self, server: "ApiServer", watcher: Watcher) -> None:
        self.server = server
        self.watcher = watcher

    def read(self, user: User, found: Route, verb: str, query: Mapping[str, str]) -> tuple[int, Document | Stream]:
        server, resource, namespace = self.server, found.served.resource, found.namespace
        if verb == "get":
            _check_version(query.get("resourceVersion", ""))
            if found.subresource == "scale":
                return 200, read_scale(server, found.served, namespace, found.name)
            return 200, server.get(user, resource, namespace, found.name, subresource=found.subresource)
        options = list_options(query, watching=verb == "watch")
        if verb == "list":
            answer = server.list(
                user,
                resource,
                namespace,
                label_selector=options.labels,
                field_selector=options.fields,
                limit=options.limit,
                continue_token=options.continue_token,
                resource_version=options.version,
                version_match=options.match,
            )
            return 200, _with_page(answer) if found.served.custom else answer
        try:
            stream = server.watch(
                user,
                resource,
                namespace,
                resource_version=options.version,
                label_selector=options.labels,
                field_selector=options.fields,
                timeout_s=options.timeout_s,
                bookmarks=options.bookmarks,
                send_initial_events=options.initial,
                watcher=self.watcher,
            )
        except ApiError as error:
            if error.code != 410:
                raise
            return 200, failed_watch(server, error)  # a version too old is told inside the stream
        return 200, stream

    def delete(self, user: User, found: Route, verb: str, request: Request) -> tuple[int, Document]:
        body: Document = {}
        if request.body.strip():
            body = bodies.document(request.body, content_type(request), "DeleteOptions", custom=False)
            body = fitted("v1", "DeleteOptions", body)
        options = delete_options(request.query, body)
        resource = found.served.resource
        if verb == "delete":
            return 200, self.server.delete(
                user,
                resource,
                found.namespace,
                found.name,
                propagation=options.propagation,
                uid=options.uid,
                resource_version=options.resource_version,
                grace_period_s=options.grace_period_s,
                dry_run=options.dry_run,
            )
        return 200, self.server.delete_collection(
            user,
            resource,
            found.namespace,
            label_selector=request.query.get("labelSelector", ""),
            field_selector=request.query.get("fieldSelector", ""),
            propagation=options.propagation,
            grace_period_s=options.grace_period_s,
            dry_run=options.dry_run,
        )

    def write(self, user: User, found: Route, verb: str, request: Request) -> tuple[int, Document]:
        if verb == "create" and found.name and found.subresource:
            return self._create_subresource(user, found, request)
        server, served = self.server, found.served
        resource, namespace, name = served.resource, found.namespace, found.name
        kind: PatchType | None = None
        if verb == "patch":
            kind = bodies.patch_type(served, content_type(request))
        dry_run, validation = write_options(f"{verb.capitalize()}Options", request.query, patch_type=kind or "")
        manager = _manager(request)
        if found.subresource == "scale":
            return self._scale(user, found, kind, request, dry_run, manager)
        if kind == "apply":
            return self._apply(user, found, request, dry_run, validation)
        if kind is not None:
            answer = server.patch(
                user,
                resource,
                namespace,
                name,
                bodies.patch(request.body, kind),
                patch_type=kind,
                subresource=found.subresource,
                dry_run=dry_run,
                field_validation=validation,
                manager=manager,
            )
            return 200, answer
        document = bodies.document(request.body, content_type(request), resource.kind, custom=served.custom)
        if verb == "create":
            created = server.create(
                user, resource, namespace, document, dry_run=dry_run, field_validation=validation, manager=manager
            )
            return 201, created
        if not name:
            raise bad_request("name must be provided")
        return 200, server.update(
            user,
            resource,
            namespace,
            name,
            document,
            subresource=found.subresource,
            dry_run=dry_run,
            field_validation=validation,
            manager=manager,
        )

    def _scale(
        self, user: User, found: Route, kind: PatchType | None, request: Request, dry_run: bool, manager: str
    ) -> tuple[int, Document]:
        if kind is not None:
            body = bodies.patch(request.body, kind)
        else:
            body = bodies.document(request.body, content_type(request), "Scale", custom=False)
        answer = write_scale(
            self.server,
            user,
            found.served,
            found.namespace,
            found.name,
            body,
            kind or "",
            dry_run=dry_run,
            manager=manager,
        )
        return 200, answer

    def _apply(
        self, user: User, found: Route, request: Request, dry_run: bool, validation: str
    ) -> tuple[int, Document]:
        applied, is_new = self.server.apply(
            user,
            found.served.resource,
            found.namespace,
            found.name,
            bodies.applied(request.body, validation),
            subresource=found.subresource,
            dry_run=dry_run,
            manager=request.query["fieldManager"],
            force=is_true(request.query, "force"),
        )
        return 201 if is_new else 200, applied

    def _create_subresource(self, user: User, found: Route, request: Request) -> tuple[int, Document]:
        resource, namespace, name = found.served.resource, found.namespace, found.name
        if found.subresource not in ("eviction", "binding"):
            raise subresource_refused("create", resource)
        kind = found.subresource.capitalize()
        sent = bodies.document(request.body, content_type(request), kind, custom=False)
        body = fitted("v1" if kind == "Binding" else "policy/v1", kind, sent)
        dry_run, _ = write_options("CreateOptions", request.query)
        if found.subresource == "binding":
            return 201, bind(self.server, namespace, name, body, dry_run=dry_run, manager=_manager(request))
        return 201, self.server.evict(user, namespace, name, body, dry_run=dry_run)


def _manager(request: Request) -> str:
    return request.query.get("fieldManager") or manager_of(request.headers.get("user-agent", ""))


def _with_page(answer: Document) -> Document:
    """A List of custom objects: it says that there is no next page."""
    if "continue" in answer["metadata"]:
        return answer
    return {**answer, "metadata": {**answer["metadata"], "continue": ""}}


def _check_version(text: str) -> None:
    try:
        if text:
            parse_version(text)
    except ValueError as error:
        raise ApiError(500, "", str(error)) from None
