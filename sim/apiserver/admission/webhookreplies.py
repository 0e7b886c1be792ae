"""Calls of webhooks, what came of them, and what one request has collected of that."""

from collections.abc import Iterable
from typing import NamedTuple

from controller.ports import Document


class Call(NamedTuple):
    """A POST to be made: ``ca`` are certificates in PEM, ``""`` for the host's own; ``host`` is whom they name."""

    url: str
    body: bytes
    timeout_s: int
    ca: str
    host: str


class Reply(NamedTuple):
    """What came of a call: a status and a body, or in ``failure`` why nothing came, in Go's words."""

    status: int = 0
    body: bytes = b""
    failure: str = ""


class CallNeeded(Exception):
    """A webhook has to be called before the verb can be carried out: make ``call``, add its reply, try again."""

    def __init__(self, key: str, uid: str, call: Call) -> None:
        super().__init__(call.url)
        self.key = key
        self.uid = uid
        self.call = call


class Replies:
    """What webhooks have answered about one request. JSON documents of it can be kept, and made it again."""

    def __init__(self, recorded: Iterable[Document] = ()) -> None:
        self._found: dict[str, tuple[str, Reply]] = {}
        for one in recorded:
            reply = Reply(one.get("status", 0), one.get("body", "").encode("latin-1"), one.get("failure", ""))
            self._found[one["key"]] = (one["uid"], reply)

    def add(self, needed: CallNeeded, reply: Reply) -> None:
        self._found[needed.key] = (needed.uid, reply)

    def find(self, key: str) -> tuple[str, Reply] | None:
        """The uid of the review that was sent, and what came back."""
        return self._found.get(key)

    def recorded(self) -> list[Document]:
        return [
            {"key": key, "uid": uid, "status": one.status, "body": one.body.decode("latin-1"), "failure": one.failure}
            for key, (uid, one) in self._found.items()
        ]
