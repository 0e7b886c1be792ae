"""Admission webhooks: who is called about a write, and what comes of it.

A verb is synchronous and a call is not, so a verb never waits: it is carried out anew when an answer has come.
:class:`Replies` are the answers that one request has collected. Where one is missing the verb ends in
:class:`CallNeeded`, before it has changed anything; whoever carries the request out makes the call and tries again.
Without Replies nothing outside the world can be reached, and a webhook's address is one at which nobody listens. In a
world that has an outside, writes from inside, which cannot wait for it, are not asked about.
"""

import ipaddress
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from controller.ports import ApiError, Document, Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.admission.webhookhooks import Hook
from sim.apiserver.admission.webhookkinds import MUTATING, VALIDATING
from sim.apiserver.admission.webhookreplies import CallNeeded, Replies, Reply
from sim.apiserver.admission.webhookreviews import CallFailed, Verdict, call_of, verdict_of
from sim.apiserver.errors import bad_request
from sim.apiserver.metadata import fresh_uid
from sim.apiserver.patch import apply_operations

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_SERVICES = Resource("", "v1", "services", "Service")
_FLEETING = ("uid", "creationTimestamp", "managedFields")
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")


class Webhooks:
    """The two admission plugins. :attr:`replies` are those of the request that is being carried out, if it has any.

    :attr:`has_outside` tells that requests from outside come with Replies.
    """

    def __init__(self, server: "ApiServer") -> None:
        self._server = server
        self._stream = server.streams("apiserver.webhooks")
        self._hooks: dict[Resource, list[Hook]] = {}
        self.replies: Replies | None = None
        self.has_outside = False
        server.observe(self._forget, VALIDATING, MUTATING)

    def validate_first(self) -> None:
        """Register with the chain, before other validators: what they count must be certain."""
        self._server.admission.validate(
            self._validate, operations=_OPERATIONS, active=lambda: bool(self._of(VALIDATING))
        )

    def mutate_last(self) -> None:
        """Register with the chain, after other mutators."""
        self._server.admission.mutate(self._mutate, operations=_OPERATIONS, active=lambda: bool(self._of(MUTATING)))

    def any(self) -> bool:
        return bool(self._of(MUTATING) or self._of(VALIDATING))

    def _forget(self, *_: object) -> None:
        self._hooks.clear()
        self._server.admission.reconsider()

    def _of(self, resource: Resource) -> list[Hook]:
        """All webhooks of one sort, by the names of their configurations."""
        hooks = self._hooks.get(resource)
        if hooks is None:
            hooks = self._hooks[resource] = [
                Hook(document["metadata"]["name"], spec)
                for document in self._server.items(resource)
                for spec in document.get("webhooks") or ()
            ]
        return hooks

    def _validate(self, request: AdmissionRequest) -> None:
        for hook in self._of(VALIDATING):
            self._ask(hook, request, 0, mutating=False)

    def _mutate(self, request: AdmissionRequest) -> Document:
        assert request.new is not None, "a deletion has no mutators"
        asked: list[Hook] = []
        again: list[Hook] = []
        for hook in self._of(MUTATING):
            changed = self._mutate_by(hook, request, 0)
            if changed is None:
                continue
            if changed:
                again += [one for one in asked if one not in again]
                asked = []
            if hook.reinvocable:
                asked.append(hook)
        for hook in again:
            self._mutate_by(hook, request, 1)
        return request.new

    def _mutate_by(self, hook: Hook, request: AdmissionRequest, attempt: int) -> bool | None:
        """Whether the webhook has changed the object; None where it was not asked."""
        verdict = self._ask(hook, request, attempt, mutating=True)
        if verdict is None:
            return None
        if not verdict.patch:
            return False
        served = self._server.registry.find(request.resource)
        kind = {"apiVersion": served.api_version, "kind": served.resource.kind}
        before = {**kind, **(request.new or {})}
        try:
            patched = apply_operations(before, verdict.patch)
        except ApiError as error:
            raise internal_error(error.message) from None
        if patched == before:
            return False
        request.new = served.strategy.decode(patched, request.old, request.subresource)[0]
        return True

    def _ask(self, hook: Hook, request: AdmissionRequest, attempt: int, *, mutating: bool) -> Verdict | None:
        """Raises ApiError for a refusal and, where failures count, for a call that failed."""
        if self.has_outside and self.replies is None:
            return None
        resource = hook.resource_for(self._server, request)
        if resource is None:
            return None
        if request.dry_run and hook.spec["sideEffects"] not in ("None", "NoneOnDryRun"):
            raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
        try:
            verdict = self._verdict(hook, request, resource, attempt, mutating=mutating)
        except CallFailed as failed:
            if hook.ignores_failures:
                return None
            raise internal_error(f'failed calling webhook "{hook.name}": {failed}') from None
        if self._server.warn is not None:
            for text in verdict.warnings:
                self._server.warn(text)
        if verdict.denial is not None:
            raise verdict.denial
        return verdict

    def _verdict(
        self, hook: Hook, request: AdmissionRequest, resource: Resource, attempt: int, *, mutating: bool
    ) -> Verdict:
        replies = self.replies
        key = "" if replies is None else _key(hook, request, attempt, mutating=mutating)
        known = None if replies is None else replies.find(key)
        uid = fresh_uid(self._stream) if known is None else known[0]
        call = call_of(hook, request, resource, uid)
        reply = self._unreachable(hook, replies is not None) if known is None else known[1]
        if reply is None:
            raise CallNeeded(key, uid, call)
        return verdict_of(call, reply, hook.name, uid, mutating=mutating)

    def _unreachable(self, hook: Hook, has_outside: bool) -> Reply | None:
        """Why an address cannot be reached; None where one outside the world has to be tried."""
        config = hook.spec["clientConfig"]
        service = config.get("service")
        if service is not None:
            found = self._server.find(_SERVICES, service["namespace"], service["name"])
            if found is None:
                return Reply(failure=f'service "{service["name"]}" not found')
            return Reply(failure=f'no endpoints available for service "{service["name"]}"')
        if has_outside:
            return None
        parts = urlsplit(config["url"])
        host = parts.hostname or ""
        if host != "localhost" and not _is_address(host):
            return Reply(failure=f"dial tcp: lookup {host}: no such host")
        shown = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
        return Reply(failure=f"dial tcp {shown}:{parts.port or 443}: connect: connection refused")


def internal_error(text: str) -> ApiError:
    """500, as apimachinery makes one of any error."""
    return ApiError(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": text}]})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _key(hook: Hook, request: AdmissionRequest, attempt: int, *, mutating: bool) -> str:
    """What a webhook is asked, but for what the server makes up anew with every try."""
    documents = [_lasting(one) for one in (request.new, request.old)]
    what: list[Any] = [hook.identity, mutating, attempt, request.operation, request.subresource, documents]
    return json.dumps(what, sort_keys=True)


def _lasting(document: Document | None) -> Document | None:
    if document is None:
        return None
    metadata = document.get("metadata") or {}
    return {**document, "metadata": {key: value for key, value in metadata.items() if key not in _FLEETING}}
