"""An asyncio loop on real sockets whose seconds are shorter than ours: waits of a second take a fraction of one."""

import asyncio
import selectors
from typing import Any


class _Hurried(selectors.DefaultSelector):
    def __init__(self, hurry: float) -> None:
        super().__init__()
        self._hurry = hurry

    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout if timeout is None else timeout / self._hurry)


class HurriedLoop(asyncio.SelectorEventLoop):
    def __init__(self, hurry: float) -> None:
        self._hurry = hurry
        super().__init__(_Hurried(hurry))

    def time(self) -> float:
        return super().time() * self._hurry


class HurriedPolicy(asyncio.DefaultEventLoopPolicy):
    """Every ``asyncio.run`` is hurried."""

    def __init__(self, hurry: float) -> None:
        super().__init__()
        self._hurry = hurry

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return HurriedLoop(self._hurry)
