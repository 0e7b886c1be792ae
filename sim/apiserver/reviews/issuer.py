"""Tokens of ServiceAccounts: signed, stored nowhere, and worth nothing once their account is gone."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.identity import User, service_account

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

AUDIENCE = "https://kubernetes.default.svc"
"""Who issues tokens, and whom one is meant for unless its owner says otherwise: this server."""
_HEADER = {"alg": "HS256", "typ": "JWT"}


def _packed(document: object) -> str:
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _unpacked(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Issuer:
    """Signs with a key of the world's own, so that a token of another world is no token here."""

    def __init__(self, server: "ApiServer") -> None:
        self._server = server
        self._key = server.streams("apiserver.tokens").getrandbits(256).to_bytes(32, "big")

    def issue(self, account: Document, audiences: Sequence[str], lifetime_s: int, bound: Document | None) -> str:
        metadata = account["metadata"]
        now_s = self._server.clock.unix_us() // 1_000_000
        claims: dict[str, Any] = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound is not None:
            claims["pod"] = {"name": bound["metadata"]["name"], "uid": bound["metadata"]["uid"]}
        payload = {
            "aud": list(audiences),
            "exp": now_s + lifetime_s,
            "iat": now_s,
            "iss": AUDIENCE,
            "kubernetes.io": claims,
            "nbf": now_s,
            "sub": service_account(metadata["namespace"], metadata["name"]).name,
        }
        signed = f"{_packed(_HEADER)}.{_packed(payload)}"
        return f"{signed}.{self._signature(signed)}"

    def _signature(self, signed: str) -> str:
        made = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def audiences_and_user(self, token: str) -> tuple[Sequence[str], User] | None:
        """Whom the token is meant for and whom it names; None for what nobody here signed, or is no longer valid."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        try:
            payload = _unpacked(signed.partition(".")[2])
        except (ValueError, binascii.Error):
            return None
        claims = payload["kubernetes.io"]
        namespace, named = claims["namespace"], claims["serviceaccount"]
        now_s = self._server.clock.unix_us() // 1_000_000
        if payload["exp"] <= now_s or not self._lives("serviceaccounts", namespace, named):
            return None
        if "pod" in claims and not self._lives("pods", namespace, claims["pod"]):
            return None
        user = service_account(namespace, named["name"])
        return payload["aud"], User(user.name, user.groups, named["uid"])

    def _lives(self, plural: str, namespace: str, named: Document) -> bool:
        found = self._server.find(self._server.resource("", plural), namespace, named["name"])
        return found is not None and found["metadata"]["uid"] == named["uid"]
