"""Restarts of the resolvers that meet every target's request, a hundred at a time or fewer."""

import asyncio
from types import SimpleNamespace
from typing import Any

from scenarios.tekton.rollout import RESOLVING, Rollout
from sim.loop import Loop


class Resolvers:
    def __init__(self) -> None:
        self.up = True
        self.restarts = 0

    async def stop_resolvers(self) -> None:
        assert self.up
        self.up = False

    async def start_resolvers(self) -> None:
        assert not self.up
        self.up = True
        self.restarts += 1


class Waiting:
    """A target whose request waits ``after_s`` after it was made."""

    def __init__(self, after_s: float, resolvers: Resolvers) -> None:
        self.lock = SimpleNamespace(reason="")
        self.hazards: list[str] = []
        self.requested_while_up: bool | None = None
        self._after_s = after_s
        self._resolvers = resolvers

    async def request(self) -> None:
        self.requested_while_up = self._resolvers.up

    async def until(self, holds: Any, what: str) -> None:
        await asyncio.sleep(self._after_s)
        self.lock.reason = RESOLVING
        assert holds(), what

    def struck(self, hazard: str, *, lasting: bool = False) -> None:
        assert not lasting
        self.hazards.append(hazard)


def play(count: int, most: int) -> tuple[Resolvers, list[Waiting]]:
    resolvers = Resolvers()
    targets = [Waiting(0.1 * number, resolvers) for number in range(count)]

    async def story() -> None:
        rollout = Rollout(resolvers, most=most)
        await asyncio.gather(*(rollout.meet(target, target.request) for target in targets))  # type: ignore[arg-type]

    loop = Loop()  # type: ignore[abstract]
    loop.run_until_complete(story())
    loop.close()
    return resolvers, targets


def test_one_restart_meets_all_that_come_together() -> None:
    resolvers, targets = play(5, most=100)
    assert resolvers.restarts == 1
    assert [target.hazards for target in targets] == [["Tekton's resolvers restart"]] * 5


def test_as_many_restarts_follow_as_are_needed() -> None:
    resolvers, targets = play(7, most=3)
    assert resolvers.restarts == 3
    assert all(target.hazards for target in targets)
    assert resolvers.up


def test_no_request_is_made_while_the_resolvers_are_up() -> None:
    _, targets = play(7, most=3)
    assert [target.requested_while_up for target in targets] == [False] * 7
