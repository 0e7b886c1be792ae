"""Deadlines of running pods (``activeDeadlineSeconds``), without a timer for each.

Pods of one deadline expire in the order they started, so one timer per distinct deadline is enough: it looks at the
oldest pod still running and sleeps again until that one is due.
"""

from collections.abc import Callable

from sim.loop import Loop


class Deadlines:
    """``expired`` is called with the uid of a pod that was not dropped in time."""

    def __init__(self, loop: Loop, expired: Callable[[str], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._due_us: dict[int, dict[str, int]] = {}

    def add(self, uid: str, seconds: int) -> None:
        due_us = self._loop.now_us + seconds * 1_000_000
        group = self._due_us.get(seconds)
        if group is None:
            self._due_us[seconds] = {uid: due_us}
            self._loop.after(seconds * 1_000_000, self._look, seconds)
        else:
            group[uid] = due_us

    def drop(self, uid: str, seconds: int) -> None:
        group = self._due_us.get(seconds)
        if group is not None:
            group.pop(uid, None)

    def _look(self, seconds: int) -> None:
        group = self._due_us[seconds]
        while group:
            uid, due_us = next(iter(group.items()))
            if due_us > self._loop.now_us:
                self._loop.after(due_us - self._loop.now_us, self._look, seconds)
                return
            del group[uid]
            self._expired(uid)
        del self._due_us[seconds]
