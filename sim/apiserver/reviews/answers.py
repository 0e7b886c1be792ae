"""Which review answers which path."""

from typing import TYPE_CHECKING

from controller.ports import Document, Resource
from sim.apiserver.identity import User
from sim.apiserver.reviews import access, rules, tokens
from sim.apiserver.reviews.kinds import SELF, SELF_RULES, TOKEN

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer


def review(
    server: "ApiServer", user: User, resource: Resource, namespace: str, body: Document, find: tokens.Find
) -> Document:
    """The review that ``body`` asks for, with its status. ``find`` knows bearer tokens. Raises ApiError 400, 422."""
    if resource is SELF:
        return tokens.self_review(server, user)
    if resource is TOKEN:
        return tokens.token_review(body, find)
    if resource is SELF_RULES:
        return rules.rules_review(server, user, body)
    return access.access_review(server, user, resource, namespace, body)
