"""The REST face of the server without any socket: a request in, a response out.

It only translates. What a verb does is in :mod:`sim.apiserver.server`; what paths beside the resources answer is in
:mod:`sim.apiserver.discovery`; reviews are in :mod:`sim.apiserver.reviews`.
"""

import json
import math
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from controller.ports import ApiError, Document, Resource
from sim.apiserver.admission.webhookreplies import CallNeeded
from sim.apiserver.discovery.pages import page
from sim.apiserver.errors import method_not_allowed, no_such_endpoint
from sim.apiserver.gotypes import fitted
from sim.apiserver.identity import User
from sim.apiserver.patch import UNPROCESSABLE
from sim.apiserver.protobuf.envelope import packed
from sim.apiserver.rest import bodies
from sim.apiserver.rest.decoding import wrong_type
from sim.apiserver.rest.exchange import Request, Response
from sim.apiserver.rest.impersonation import impersonate, wanted_user
from sim.apiserver.rest.negotiation import JSON, PLAIN, PROTOBUF, YAML, Choice, negotiated, route_accepts
from sim.apiserver.rest.options import is_true, write_options
from sim.apiserver.rest.representation import Representation
from sim.apiserver.rest.routes import NoSuchPage, Place, Route, place, route
from sim.apiserver.rest.subresources import STREAMED, ReadLog, read_log, refuse_stream
from sim.apiserver.rest.yamlwriting import written
from sim.apiserver.reviews.answers import review
from sim.apiserver.reviews.issuer import AUDIENCE, Issuer
from sim.apiserver.reviews.kinds import review_of
from sim.apiserver.reviews.tokens import token_request
from sim.apiserver.verbs import Verbs, content_type
from sim.apiserver.watch import Stream
from sim.apiserver.watching import Watcher

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

__all__ = ["ANONYMOUS", "Request", "Response", "Rest"]

ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
_VERBS = {"GET": "list", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_TEXT = "text/plain;charset=utf-8"
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
_GENERIC = (UNPROCESSABLE, "415: Unsupported Media Type")
"""Texts of answers that carry empty details."""
_IMPERSONATED_MAX = 1024
_WARNINGS_MAX, _WARNING_MAX = 4096, 256  # characters, of all and of one (apiserver ``endpoints/filters/warning.go``)


class Rest:
    """``tokens`` are the bearer tokens that authenticate; ``watcher`` is who all watches are opened for.

    :attr:`logs` reads the logs of containers, where there are nodes that have some.
    """

    def __init__(self, server: "ApiServer", tokens: Mapping[str, User], watcher: Watcher | None = None) -> None:
        self._server = server
        self._tokens = tokens
        self._verbs = Verbs(server, watcher or Watcher())
        self._issuer: Issuer | None = None
        self._impersonated_users: dict[User, User] = {}
        self.logs: ReadLog | None = None

    def handle(self, request: Request) -> Response:
        warnings: list[str] = []
        self._server.warn = warnings.append
        self._server.webhooks.replies = request.replies
        headers: dict[str, str | list[str]] = {"content-type": JSON}
        body: Document | str | bytes | Stream
        try:
            status, body, media = self._answer(request)
            headers["content-type"] = media
        except NoSuchPage:
            return Response(404, {"content-type": _TEXT}, "404 page not found\n")
        except ApiError as error:
            status = error.code
            body, headers["content-type"] = _refusal(error, request.headers.get("accept", ""))
            retry_s = error.details.get("retryAfterSeconds") or error.retry_after_s
            if retry_s:
                headers["retry-after"] = str(math.ceil(retry_s))
        finally:
            self._server.warn = self._server.webhooks.replies = None
        if warnings:
            headers["warning"] = [f"299 - {json.dumps(text)}" for text in _bounded(warnings)]
        if status == 204:
            del headers["content-type"]
        if isinstance(body, dict) and _is_pretty(request):
            body = f"{json.dumps(body, indent=2, ensure_ascii=False)}\n".encode("utf-8", "replace")
        return Response(status, headers, body)

    def asks_outside(self, request: Request) -> bool:
        """Whether a webhook may have to be called about the request."""
        return request.method != "GET" and self._server.webhooks.any()

    def attempt(self, request: Request) -> Response | CallNeeded:
        """As :meth:`handle`, of a request with ``replies``: the answer, or the call to make first.

        Add its reply and try again; an attempt that ends in a call leaves no trace.
        """
        server = self._server
        draws = server.name_stream.getstate(), server.uid_stream.getstate()
        try:
            return self.handle(request)
        except CallNeeded as needed:
            server.name_stream.setstate(draws[0])
            server.uid_stream.setstate(draws[1])
            return needed

    def authenticate(self, request: Request) -> User:
        """Who asks. Raises ApiError 401 for credentials that nobody has."""
        if request.user is not None:
            return request.user
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return ANONYMOUS
        user = self._known(credential)
        if user is None:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return user

    def concealed(self, body: bytes) -> bytes:
        """``body`` without the tokens of the server's users."""
        for token in self._tokens:
            body = body.replace(token.encode(), b"concealed")
        return body

    def _known(self, token: str) -> User | None:
        """Whom a bearer token names: somebody of the token file, or a ServiceAccount."""
        user = self._tokens.get(token)
        if user is not None or token.count(".") != 2:
            return user
        found = self._signer().audiences_and_user(token)
        return found[1] if found is not None and AUDIENCE in found[0] else None

    def _signer(self) -> Issuer:
        if self._issuer is None:
            self._issuer = Issuer(self._server)
        return self._issuer

    def _impersonated(self, user: User, where: Place | None, verb: str, request: Request) -> User:
        """Whom the request acts as. Raises ApiError 400, 403 where the asker may not act as others."""
        headers = request.headers
        if not any(name.startswith("impersonate-") for name in headers):
            return user
        wanted = wanted_user(headers)
        if wanted is None:
            return user

        def on(mode: str) -> None:
            right = f"impersonate-on:{mode}:{verb}"
            if where is None:
                self._permit_path(user, right, request.path)
            else:
                self._permit(user, right, where)

        found = impersonate(self._server, user, wanted, headers, on)
        if len(self._impersonated_users) >= _IMPERSONATED_MAX:
            self._impersonated_users.clear()
        return self._impersonated_users.setdefault(found, found)  # one object a user: checks are kept by identity

    def _permit(self, user: User, verb: str, where: Place) -> None:
        authorizer = self._server.authorizer
        if authorizer is not None:
            resource = Resource(where.group, where.version, where.plural, where.plural)
            authorizer.for_user(user)(verb, resource, where.namespace, where.name, where.subresource)

    def _permit_path(self, user: User, verb: str, path: str) -> None:
        if self._server.authorizer is not None:
            self._server.authorizer.check_path(user, verb, path)

    def _route(self, user: User, where: Place, request: Request) -> Route:
        """Only who may ask learns that something is not served."""
        try:
            return route(self._server.registry, where)
        except (ApiError, NoSuchPage):
            self._permit(self._impersonated(user, where, "get", request), _verb_of(where, request), where)
            raise

    def _answer(self, request: Request) -> tuple[int, Document | str | bytes | Stream, str]:
        """Status, body and media type. Raises ApiError, NoSuchPage."""
        user = self.authenticate(request)
        try:
            where = place(request.path)
        except NoSuchPage:
            return self._page(user, request)
        reviewed = review_of(where.group, where.version, where.plural)
        if reviewed is not None:
            return self._review(user, reviewed, where, request)
        found = self._route(user, where, request)
        served, query = found.served, request.query
        verb = found.verb(request.method, is_true(query, "watch"))
        user = self._impersonated(user, where, verb, request)
        if self._server.flow is not None:
            self._server.flow.wait_us(user, verb)  # only the refusal: this face does not take time
        own = self._beside(user, found, verb, request)
        if own is not None:
            return own
        self._server.enter(user, verb, served.resource, found.namespace, found.name, found.subresource)
        if served.warning and self._server.warn is not None:
            self._server.warn(served.warning)
        choice = _choice(found, verb, request)
        view = self._view(found, choice, request) if choice.transform else None
        if request.method == "GET":
            status, body = self._verbs.read(user, found, verb, query)
        elif request.method == "DELETE":
            status, body = self._verbs.delete(user, found, verb, request)
        else:
            status, body = self._verbs.write(user, found, verb, request)
        return self._shown(status, body, choice, view)

    def _view(self, found: Route, choice: Choice, request: Request) -> Representation:
        return Representation(self._server, found.served, found.subresource, choice, request.query)

    def _shown(
        self, status: int, body: Document | Stream, choice: Choice, view: Representation | None
    ) -> tuple[int, Document | str | bytes | Stream, str]:
        """The answer as the client wants it."""
        if isinstance(body, Stream):
            return status, body if view is None else view.stream(body), JSON
        if view is not None:
            body = view.document(body)
        return (status, *_written(body, choice.media))

    def _page(self, user: User, request: Request) -> tuple[int, Document | str | bytes, str]:
        """What is no resource: discovery, version, health, schemas. Raises ApiError 403, 405, 406, NoSuchPage."""
        user = self._impersonated(user, None, request.method.lower(), request)
        self._permit_path(user, request.method.lower(), request.path)
        if request.path.startswith("/api"):
            route_accepts(request.headers.get("accept", ""), listing=False)
        found = page(self._server, request.path, request.query, request.headers)
        if found is None:
            raise NoSuchPage
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return 200, found.body, found.media

    def _review(
        self, user: User, resource: Resource, where: Place, request: Request
    ) -> tuple[int, Document | str | bytes | Stream, str]:
        """A kind that can only be created. Raises ApiError 400, 403, 404, 405, 422."""
        verb = _verb_of(where, request)
        user = self._impersonated(user, where, verb, request)
        self._permit(user, verb, where)
        if where.name or bool(where.namespace) is not resource.namespaced:
            raise no_such_endpoint()
        if request.method != "POST":
            raise method_not_allowed()
        header = request.headers.get("accept", "")
        route_accepts(header, listing=False)
        choice = negotiated(header, custom=False, watching=False)
        write_options("CreateOptions", request.query)
        body = _typed(resource, bodies.document(request.body, content_type(request), resource.kind, custom=False))
        answer = review(self._server, user, resource, where.namespace, body, self._known)
        return self._shown(201, answer, choice, None)

    def _beside(self, user: User, found: Route, verb: str, request: Request) -> tuple[int, Document | str, str] | None:
        """What is asked under an object but not of it; None for everything else. Raises ApiError."""
        subresource, resource = found.subresource, found.served.resource
        if not subresource or found.served.custom or resource.group:
            return None
        server, namespace, name = self._server, found.namespace, found.name
        where = Place("", resource.version, namespace, resource.plural, name, subresource)
        if resource.plural == "serviceaccounts" and subresource == "token" and verb == "create":
            self._permit(user, verb, where)
            wanted = bodies.document(request.body, content_type(request), "TokenRequest", custom=False)
            body = fitted("authentication.k8s.io/v1", "TokenRequest", wanted)
            return 201, token_request(server, self._signer(), namespace, name, body), JSON
        if resource.plural != "pods":
            return None
        if subresource == "log" and verb == "get":
            self._permit(user, verb, where)
            text = read_log(server, user, namespace, name, request.query, self.logs)
            return (200, text, "text/plain") if text else (204, "", "text/plain")
        if subresource.partition("/")[0] in STREAMED:
            self._permit(user, verb, where)
            raise refuse_stream(server, namespace, name, request.query.get("container", ""))
        return None


def _bounded(warnings: list[str]) -> list[str]:
    """Each once; where they are too long for headers, cut short, and only as many as fit."""
    texts = list(dict.fromkeys(warnings))
    if sum(map(len, texts)) <= _WARNINGS_MAX:
        return texts
    cut = [text[:_WARNING_MAX] for text in texts]
    before = accumulate(map(len, cut), initial=0)
    return [text for text, written in zip(cut, before, strict=False) if written < _WARNINGS_MAX]


def _is_pretty(request: Request) -> bool:
    """Whether a person reads the answer: says so, or asks with what people use."""
    asked = request.query.get("pretty")
    if asked:
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(_PEOPLE)


def _verb_of(where: Place, request: Request) -> str:
    """RBAC's word for what is asked of a path whose resource nobody knows."""
    if request.method == "GET":
        watching = is_true(request.query, "watch")
        return "get" if where.name else "watch" if watching else "list"
    if request.method == "DELETE" and not where.name:
        return "deletecollection"
    return _VERBS.get(request.method, "get")


def _typed(resource: Resource, body: Document) -> Document:
    """A review's body with its type checked. Raises ApiError 400."""
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion") or resource.api_version
    if (kind, version) != (resource.kind, resource.api_version):
        raise wrong_type(resource, str(kind), str(version))
    return fitted(resource.api_version, resource.kind, body)


def _choice(found: Route, verb: str, request: Request) -> Choice:
    """The representation to answer in. Raises ApiError 406."""
    header = request.headers.get("accept", "")
    if header in (JSON, "", "*/*"):
        return PLAIN
    if not found.served.custom:
        route_accepts(header, listing=verb in ("list", "watch"))
    return negotiated(header, custom=found.served.custom, watching=verb == "watch")


def _refusal(error: ApiError, accept: str) -> tuple[Document | str | bytes, str]:
    """The Status of a refusal, in what the client reads if that is possible."""
    status = dict(error.status())
    generic = error.reason in ("NotFound", "MethodNotAllowed") or error.message in _GENERIC
    if not error.details and (generic or error.message.startswith(("406: ", "forbidden: "))):
        status["details"] = {}
    try:
        return _written(status, negotiated(accept, custom=False, watching=False).media)
    except ApiError:
        return status, JSON


def _written(document: Document, media: str) -> tuple[Document | str | bytes, str]:
    """A document in a media type; in JSON where it has no other form."""
    if media == YAML:
        return written(document), YAML
    if media == PROTOBUF and (found := packed(document)) is not None:
        return found, PROTOBUF
    return document, JSON
