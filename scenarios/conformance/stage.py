"""Where cases are replayed: whatever answers requests and lets time pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sim.apiserver.rest.exchange import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the JSON document, or ``{"text": …}`` for what is none. Several Warnings are a list."""

    status: int
    headers: Mapping[str, str | list[str]]
    body: Any


class Event(NamedTuple):
    """One line of a watch."""

    type: str
    object: Any


class OpenWatch(Protocol):
    """A watch that was answered with 200."""

    @property
    def answer(self) -> Answer: ...

    @property
    def events(self) -> Sequence[Event]:
        """What has come so far."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the server has ended it."""
        ...

    def close(self) -> None: ...


class Stage(Protocol):
    """One server. Users are known by name: admin, we, nobody."""

    def define(self) -> None:
        """Serve the kinds of the cases."""
        ...

    def credentials(self, user: str) -> str:
        """The bearer token of a user of the cases."""
        ...

    def ask(self, request: Request) -> Answer: ...

    def ask_at_once(self, requests: Sequence[Request]) -> list[Answer]: ...

    def watch(self, request: Request) -> OpenWatch | Answer: ...

    def wait(self, us: int) -> None: ...

    def wait_for(self, condition: Callable[[], bool], us: int) -> None:
        """Until ``condition`` holds, or ``us`` have passed. It may also wait for all of them."""
        ...

    def leave(self, namespaces: Sequence[str]) -> None:
        """A case is over."""
        ...
