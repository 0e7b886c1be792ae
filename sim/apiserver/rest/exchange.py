"""One request and its answer, as any transport hands them over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.ports import Document
from sim.apiserver.admission.webhookreplies import Replies
from sim.apiserver.identity import User
from sim.apiserver.watch import Stream


@dataclass(frozen=True, slots=True)
class Request:
    """``headers`` by lower-case name, repeated ones joined by commas.

    ``user`` is whom the transport knows already, by a certificate. ``replies`` are what webhooks outside the world have
    said about it, for who can ask them.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: User | None = None
    replies: Replies | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """``body`` is a document, text, bytes, or the open watch of a streaming answer."""

    status: int
    headers: Mapping[str, str | list[str]]
    body: Document | str | bytes | Stream
