"""The simulated server as a stage, in process and on virtual time."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scenarios.conformance.stage import Answer, Event, OpenWatch
from sim.apiserver.identity import ADMIN, User, service_account
from sim.apiserver.rest.exchange import Request, Response
from sim.apiserver.rest.rest import Rest
from sim.apiserver.server import ApiServer
from sim.apiserver.watch import Stream
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

USERS = {
    "admin": ADMIN,
    "we": User(
        "system:serviceaccount:kubernaut-system:workflowexecution-controller",
        ("system:serviceaccounts", "system:authenticated"),
        "we-uid",
    ),
    "nobody": User(
        service_account("default", "nobody").name, ("system:serviceaccounts", "system:authenticated"), "nobody-uid"
    ),
}
"""The users of the cases."""


class Watched:
    """A stream of the simulated server."""

    def __init__(self, answer: Answer, stream: Stream) -> None:
        self.answer = answer
        self._stream = stream
        self._events: list[Event] = []

    @property
    def events(self) -> Sequence[Event]:
        self._events += [Event(one.type, dict(one.object)) for one in self._stream.take()]
        return self._events

    @property
    def ended(self) -> bool:
        return self._stream.ended

    def close(self) -> None:
        self._stream.close()


class SimulatedStage:
    """A new server with its garbage collector; ``definitions`` are installed by the first case that wants them."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True, managed_fields=True)
        self.rest = Rest(self.server, USERS)
        self._definitions = dict(definitions)

    def define(self) -> None:
        """All of them, as they were when the recordings were made."""
        while self._definitions:
            self.server.install_crd(self._definitions.pop(next(iter(self._definitions))))

    def credentials(self, user: str) -> str:
        return user

    def ask(self, request: Request) -> Answer:
        return _answer(self.rest.handle(request))

    def ask_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        return [self.ask(request) for request in requests]

    def watch(self, request: Request) -> OpenWatch | Answer:
        response = self.rest.handle(request)
        if isinstance(response.body, Stream):
            return Watched(Answer(response.status, response.headers, None), response.body)
        return _answer(response)

    def wait(self, us: int) -> None:
        self.loop.run_until(self.loop.now_us + us)

    def wait_for(self, _condition: Callable[[], bool], us: int) -> None:
        """All of it: time costs nothing here, and what comes too much is seen."""
        self.wait(us)

    def leave(self, _namespaces: Sequence[str]) -> None:
        self.server.verify()


def _answer(response: Response) -> Answer:
    body = response.body
    shown: Any
    if isinstance(body, bytes):
        shown = json.loads(body) if body[:1] == b"{" else {"text": "<binary>"}
    else:
        shown = {"text": body} if isinstance(body, str) else json.loads(json.dumps(body))
    return Answer(response.status, response.headers, shown)
