"""What came into a world from outside, each with its instant: enough to let it happen again."""

import base64
from typing import Any, Protocol

from controller.ports import ApiError
from sim.apiserver.admission.webhookreplies import Replies
from sim.apiserver.identity import User
from sim.apiserver.rest.rest import Request, Response, Rest

_REVIEWS = "/tokenreviews"
_SECRET_OR_IDLE = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "sec-websocket-protocol",  # where browsers put a token
    "content-length",
    "transfer-encoding",
    "connection",
)

Entry = dict[str, Any]


class Journal(Protocol):
    def request(self, at_us: int, request: Request, rest: Rest, response: Response) -> int:
        """A request and its answer; the number that it is known by."""
        ...

    def attempt(self, at_us: int) -> None:
        """Something entered the world and had to ask outside it first: it took an event and left no trace."""
        ...

    def hang_up(self, at_us: int, number: int) -> None:
        """The watch that request ``number`` opened ended for a reason outside the world."""
        ...


def written(request: Request, rest: Rest) -> Entry:
    """The request as a document: with its user instead of credentials, None where they are nobody's."""
    try:
        user = rest.authenticate(request)
    except ApiError:
        user = None
    entry: Entry = {"method": request.method, "path": request.path, "query": dict(request.query)}
    entry["headers"] = {name: value for name, value in request.headers.items() if name not in _SECRET_OR_IDLE}
    entry["user"] = None if user is None else {"name": user.name, "groups": list(user.groups), "uid": user.uid}
    body = rest.concealed(request.body) if request.path.endswith(_REVIEWS) else request.body
    try:
        entry["body"] = body.decode()
    except UnicodeDecodeError:
        entry["body64"] = base64.b64encode(body).decode()
    if request.replies is not None:
        entry["replies"] = request.replies.recorded()
    return entry


def read(entry: Entry) -> Request:
    """The request that :func:`written` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    user = entry["user"]
    body = base64.b64decode(entry["body64"]) if "body64" in entry else entry["body"].encode()
    headers = dict(entry["headers"])
    if user is None:
        headers["authorization"] = "Bearer"  # of nobody
    who = None if user is None else User(user["name"], tuple(user["groups"]), user["uid"])
    replies = Replies(entry["replies"]) if "replies" in entry else None
    return Request(entry["method"], entry["path"], dict(entry["query"]), headers, body, who, replies)
