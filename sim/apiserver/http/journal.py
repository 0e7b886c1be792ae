"""What came into a world from outside, each with its instant: enough to let it happen again."""

import base64
from typing import Any, Protocol

from controller.ports import ApiError
from sim.apiserver.identity import User
from sim.apiserver.rest import Request, Rest

_KEPT_HEADERS = ("accept", "content-type", "user-agent")
_IMPERSONATION = "impersonate-"

Entry = dict[str, Any]


class Journal(Protocol):
    def request(self, at_us: int, request: Request, rest: Rest, status: int) -> int:
        """A request and the code of its answer; the number that it is known by."""
        ...

    def hang_up(self, at_us: int, number: int) -> None:
        """The watch that request ``number`` opened ended for a reason outside the world."""
        ...


class Entries:
    """A journal that is kept as documents, in the order of what happened. Credentials are not in it, users are."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._requests = 0

    def request(self, at_us: int, request: Request, rest: Rest, status: int) -> int:
        self._requests += 1
        entry = {"at_us": at_us, "number": self._requests, **written(request, _user(request, rest)), "status": status}
        self.entries.append(entry)
        return self._requests

    def hang_up(self, at_us: int, number: int) -> None:
        self.entries.append({"at_us": at_us, "hang_up": number})


def _user(request: Request, rest: Rest) -> User | None:
    try:
        return rest.authenticate(request)
    except ApiError:
        return None


def written(request: Request, user: User | None) -> Entry:
    """The request as a document, sent by ``user``; None when nobody knows the credentials."""
    entry: Entry = {"method": request.method, "path": request.path, "query": dict(request.query)}
    entry["headers"] = {
        name: value
        for name, value in request.headers.items()
        if name in _KEPT_HEADERS or name.startswith(_IMPERSONATION)
    }
    entry["user"] = None if user is None else {"name": user.name, "groups": list(user.groups), "uid": user.uid}
    try:
        entry["body"] = request.body.decode()
    except UnicodeDecodeError:
        entry["body64"] = base64.b64encode(request.body).decode()
    return entry


def read(entry: Entry) -> Request:
    """The request that :func:`written` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    user = entry["user"]
    body = base64.b64decode(entry["body64"]) if "body64" in entry else entry["body"].encode()
    headers = dict(entry["headers"])
    if user is None:
        headers["authorization"] = "Bearer"  # of nobody
    who = None if user is None else User(user["name"], tuple(user["groups"]), user["uid"])
    return Request(entry["method"], entry["path"], dict(entry["query"]), headers, body, who)
