"""The REST face of the server without any socket: a request in, a response out.

It only translates. What a verb does is in :mod:`sim.apiserver.server`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from controller.ports import ApiError, Document, PatchType, Resource
from sim.apiserver.errors import bad_request, subresource_refused
from sim.apiserver.identity import User
from sim.apiserver.listing import parse_version
from sim.apiserver.managedfields import manager_of
from sim.apiserver.patch import UNPROCESSABLE
from sim.apiserver.registry import Served
from sim.apiserver.requestoptions import (
    TRUE,
    delete_options,
    limit_of,
    timeout_of,
    unsupported_media,
    write_options,
)
from sim.apiserver.routes import NoSuchPage, Place, Route, place, route
from sim.apiserver.watch import Stream
from sim.apiserver.watching import Watcher, failed_watch

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
_BODY_LIMIT_BYTES = 3 * 1024 * 1024
_VERBS = {"GET": "list", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_JSON = "application/json"
_BODY_TYPES = f"{_JSON}, application/yaml, application/vnd.kubernetes.protobuf"
_PATCH_TYPES: Mapping[str, str] = {
    "application/merge-patch+json": "merge",
    "application/json-patch+json": "json",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}
_GENERIC = (UNPROCESSABLE, "415: Unsupported Media Type")
"""Texts of answers that carry empty details."""
_CUSTOM_PATCH_TYPES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by lower-case name. ``user`` is whom the transport knows already, by a certificate."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """``body`` is a document, text, or the open watch of a streaming answer."""

    status: int
    headers: Mapping[str, str | list[str]]
    body: Document | str | Stream


class Rest:
    """``tokens`` are the bearer tokens that authenticate; ``watcher`` is who all watches are opened for."""

    def __init__(self, server: "ApiServer", tokens: Mapping[str, User], watcher: Watcher | None = None) -> None:
        self._server = server
        self._tokens = tokens
        self._watcher = watcher or Watcher()

    def handle(self, request: Request) -> Response:
        warnings: list[str] = []
        self._server.warn = warnings.append
        try:
            status, body = self._answer(request)
        except NoSuchPage:
            return Response(404, {"content-type": "text/plain;charset=utf-8"}, "404 page not found\n")
        except ApiError as error:
            status, body = error.code, _status(error)
        finally:
            self._server.warn = None
        headers: dict[str, str | list[str]] = {"content-type": _JSON}
        if warnings:
            headers["warning"] = [f"299 - {json.dumps(text)}" for text in warnings]
        if status == 429:
            headers["retry-after"] = "1"
        return Response(status, headers, body)

    def authenticate(self, request: Request) -> User:
        """Who asks. Raises ApiError 401 for credentials that nobody has."""
        if request.user is not None:
            return request.user
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        user = self._tokens.get(credential)
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return user

    def _impersonated(self, user: User, found: Route, verb: str, request: Request) -> User:
        """Whom the request acts as. Raises ApiError 403 where the asker may not act as others."""
        name = request.headers.get("impersonate-user")
        if name is None:
            return user
        right = f"impersonate-on:user-info:{verb}"
        self._server.permit(user, right, found.served.resource, found.namespace, found.name)
        group = request.headers.get("impersonate-group")
        return User(name, (*((group,) if group else ()), "system:authenticated"))

    def _route(self, user: User, where: Place, request: Request) -> Route:
        """Only who may ask learns that something is not served."""
        try:
            return route(self._server.registry, where)
        except (ApiError, NoSuchPage):
            unknown = Resource(where.group, where.version, where.plural, where.plural)
            self._server.permit(user, _VERBS.get(request.method, "get"), unknown, where.namespace, where.name)
            raise

    def _answer(self, request: Request) -> tuple[int, Document | Stream]:
        user = self.authenticate(request)
        where = place(request.path)
        found = self._route(user, where, request)
        served, query = found.served, request.query
        verb = found.verb(request.method, query.get("watch") in TRUE)
        user = self._impersonated(user, found, verb, request)
        if self._server.flow is not None:
            self._server.flow.wait_us(user, verb)  # only the refusal: this face does not take time
        self._server.enter(user, verb, served.resource, found.namespace, found.name, found.subresource)
        if served.warning and self._server.warn is not None:
            self._server.warn(served.warning)
        if verb == "create" and found.name and found.subresource:
            return self._create_subresource(user, found, request)
        if request.method == "GET":
            return self._read(user, found, verb, query)
        if request.method == "DELETE":
            return self._delete(user, found, verb, request)
        return self._write(user, found, verb, request)

    def _read(self, user: User, found: Route, verb: str, query: Mapping[str, str]) -> tuple[int, Document | Stream]:
        server, resource, namespace = self._server, found.served.resource, found.namespace
        if verb == "get":
            _check_version(query.get("resourceVersion", ""))
            return 200, server.get(user, resource, namespace, found.name, subresource=found.subresource)
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
        if verb == "list":
            answer = server.list(
                user,
                resource,
                namespace,
                label_selector=labels,
                field_selector=fields,
                limit=limit_of(query),
                continue_token=query.get("continue", ""),
                resource_version=version,
                version_match=match,
            )
            return 200, answer
        initial = query.get("sendInitialEvents")
        try:
            stream = server.watch(
                user,
                resource,
                namespace,
                resource_version=version,
                label_selector=labels,
                field_selector=fields,
                timeout_s=timeout_of(query),
                bookmarks=query.get("allowWatchBookmarks") in TRUE,
                send_initial_events=None if initial is None else initial in TRUE,
                watcher=self._watcher,
            )
        except ApiError as error:
            if error.code != 410:
                raise
            return 200, failed_watch(server, error)  # a version too old is told inside the stream
        return 200, stream

    def _delete(self, user: User, found: Route, verb: str, request: Request) -> tuple[int, Document]:
        body = _document(request, "DeleteOptions") if request.body.strip() else {}
        options = delete_options(request.query, body)
        resource = found.served.resource
        if verb == "delete":
            return 200, self._server.delete(
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
        return 200, self._server.delete_collection(
            user,
            resource,
            found.namespace,
            label_selector=request.query.get("labelSelector", ""),
            field_selector=request.query.get("fieldSelector", ""),
            propagation=options.propagation,
            grace_period_s=options.grace_period_s,
            dry_run=options.dry_run,
        )

    def _write(self, user: User, found: Route, verb: str, request: Request) -> tuple[int, Document]:
        server, served = self._server, found.served
        resource, namespace, name = served.resource, found.namespace, found.name
        dry_run, validation = write_options(f"{verb.capitalize()}Options", request.query)
        manager = request.query.get("fieldManager") or manager_of(request.headers.get("user-agent", ""))
        if verb == "patch":
            body, kind = _patch(served, request)
            answer = server.patch(
                user,
                resource,
                namespace,
                name,
                body,
                patch_type=kind,
                subresource=found.subresource,
                dry_run=dry_run,
                field_validation=validation,
                manager=manager,
            )
            return 200, answer
        document = _document(request, resource.kind)
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

    def _create_subresource(self, user: User, found: Route, request: Request) -> tuple[int, Document]:
        resource = found.served.resource
        if found.subresource != "eviction":
            raise subresource_refused("create", resource)
        body = _document(request, "Eviction")
        return 201, self._server.evict(user, found.namespace, found.name, body)


def _check_version(text: str) -> None:
    try:
        if text:
            parse_version(text)
    except ValueError as error:
        raise ApiError(500, "", str(error)) from None


def _status(error: ApiError) -> Document:
    status = dict(error.status())
    if not error.details and (error.reason in ("NotFound", "MethodNotAllowed") or error.message in _GENERIC):
        status["details"] = {}
    return status


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def _document(request: Request, kind: str) -> dict[str, Any]:
    """The JSON or YAML object of the body. Raises ApiError 400, 413, 415."""
    if len(request.body) > _BODY_LIMIT_BYTES:
        raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_BODY_LIMIT_BYTES}")
    media = _media_type(request)
    if media not in (_JSON, "application/yaml", ""):
        raise unsupported_media(_BODY_TYPES)
    prefix = (
        f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error"
    )
    try:
        found = yaml.safe_load(request.body) if media == "application/yaml" else json.loads(request.body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"{prefix}: {error}") from None
    if not isinstance(found, dict):
        raise bad_request(f"{prefix}: json: cannot unmarshal {type(found).__name__} into Go value")
    return found


def _patch(served: Served, request: Request) -> tuple[Any, PatchType]:
    kind = _PATCH_TYPES.get(_media_type(request))
    if kind is None or (kind == "strategic" and not served.strategy.strategic_merge):
        if served.custom:
            raise unsupported_media(_CUSTOM_PATCH_TYPES)
        raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type")
    try:
        body = yaml.safe_load(request.body) if kind == "apply" else json.loads(request.body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding patch: {error}") from None
    return body, cast(PatchType, kind)
