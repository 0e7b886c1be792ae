"""TokenRequests and TokenReviews: getting a ServiceAccount's token, and asking whose a token is."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.errors import Cause, bad_request, conflict, invalid, invalid_value, not_found
from sim.apiserver.identity import User
from sim.apiserver.reviews.issuer import AUDIENCE, Issuer
from sim.apiserver.reviews.kinds import AUTHENTICATION, SELF, TOKEN

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_LIFETIME_S = 3_600
_SHORTEST_S, _LONGEST_S = 600, 1 << 32
Find = Callable[[str], User | None]
"""From a bearer token to whom it names."""


def user_info(user: User) -> Document:
    info: dict[str, Any] = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    return info


def self_review(server: "ApiServer", user: User) -> Document:
    return {
        "kind": SELF.kind,
        "apiVersion": SELF.api_version,
        "metadata": {"creationTimestamp": server.clock.timestamp()},
        "status": {"userInfo": user_info(user)},
    }


def token_review(body: Document, find: Find) -> Document:
    """Raises ApiError 400."""
    spec = body.get("spec") or {}
    token = spec.get("token", "")
    if not token:
        raise bad_request("token is required for TokenReview in authentication")
    wanted = spec.get("audiences") or [AUDIENCE]
    user = find(token) if AUDIENCE in wanted else None
    status: dict[str, Any] = {"user": {}, "error": "invalid bearer token"}
    if user is not None:
        status = {"authenticated": True, "user": user_info(user), "audiences": [AUDIENCE]}
    return {
        "kind": TOKEN.kind,
        "apiVersion": TOKEN.api_version,
        "metadata": body.get("metadata") or {},
        "spec": spec,
        "status": status,
    }


def token_request(server: "ApiServer", issuer: Issuer, namespace: str, name: str, body: Document) -> Document:
    """The TokenRequest of a ServiceAccount, answered. Raises ApiError 400, 404, 409, 422."""
    accounts = server.resource("", "serviceaccounts")
    account = server.find(accounts, namespace, name)
    if account is None:
        raise not_found(accounts, name)
    metadata = body.get("metadata") or {}
    if metadata.get("name", name) != name:
        raise bad_request(f'must match the service account name: "{name}"')
    spec = body.get("spec") or {}
    lifetime_s = spec.get("expirationSeconds") or _LIFETIME_S
    causes = _check(lifetime_s)
    if causes:
        raise invalid(AUTHENTICATION, "TokenRequest", "", causes)
    audiences = list(spec.get("audiences") or [AUDIENCE])
    reference = spec.get("boundObjectRef")
    bound = _bound(server, namespace, name, reference) if reference else None
    until = server.clock.utcnow() + timedelta(seconds=lifetime_s)
    return {
        "kind": "TokenRequest",
        "apiVersion": f"{AUTHENTICATION}/v1",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": server.clock.timestamp()},
        "spec": {"audiences": audiences, "expirationSeconds": lifetime_s, "boundObjectRef": reference},
        "status": {
            "token": issuer.issue(account, audiences, lifetime_s, bound),
            "expirationTimestamp": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }


def _check(lifetime_s: int) -> list[Cause]:
    if lifetime_s < _SHORTEST_S:
        text = "may not specify a duration less than 10 minutes"
    elif lifetime_s > _LONGEST_S:
        text = "may not specify a duration larger than 2^32 seconds"
    else:
        return []
    return [invalid_value("spec.expirationSeconds", lifetime_s, text)]


def _bound(server: "ApiServer", namespace: str, account: str, reference: Document) -> Document:
    """The pod that the token shall die with."""
    kind, name, uid = reference.get("kind"), reference.get("name", ""), reference.get("uid", "")
    if kind != "Pod":
        raise bad_request(f"cannot bind token to object of type {reference.get('apiVersion', '')}, Kind={kind}")
    pods = server.resource("", "pods")
    pod = server.find(pods, namespace, name)
    if pod is None:
        raise not_found(pods, name)
    if (pod.get("spec") or {}).get("serviceAccountName") != account:
        text = f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
        raise bad_request(text)
    if uid and uid != pod["metadata"]["uid"]:
        text = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have "
            "been deleted and then recreated"
        )
        raise conflict(pods, name, text)
    return pod
