"""The kubelet of a recording on a stage where requests take a while and news comes in between."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from controller.ports import Document
from scenarios.golden.kubelet import PODS, Kubelet
from scenarios.golden.stage import Act

LINE = {"do": "status", "delay_ms": 1, "phase": "Running", "conditions": {}, "containers": {}}


def pod(**annotations: str) -> Document:
    return {"metadata": {"name": "p", "namespace": "n", "uid": "1", "annotations": annotations}, "spec": {}}


class SlowStage:
    """Tekton's annotation arrives while the first status is still being written."""

    def __init__(self) -> None:
        self.cluster = self
        self.clock = self
        self.begun: list[str] = []
        self.under_way = self.most_at_once = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.kubelet = Kubelet(self, "n", {"Pod/p/0": self.script()})  # type: ignore[arg-type]  # all it asks for

    @staticmethod
    def script() -> list[dict[str, Any]]:
        lines = [{**LINE, "reason": reason} for reason in ("first", "second", "third")]
        return [lines[0], {"do": "await ready"}, lines[1], lines[2]]

    def utcnow(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC)

    def later(self, delay_us: int, act: Act) -> None:
        async def waited() -> None:
            await asyncio.sleep(delay_us / 1_000_000)
            await act()

        self.tasks.append(asyncio.create_task(waited()))

    async def get(self, *_: Any) -> Document:
        return pod()

    async def patch(self, _resource: Any, _namespace: str, _name: str, body: Any, *, subresource: str) -> Document:
        assert subresource == "status"
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        self.begun.append(body["status"]["reason"])
        if len(self.begun) == 1:
            self.kubelet.observed("MODIFIED", PODS, pod(), pod(ready="READY"))
        await asyncio.sleep(0.005)
        self.under_way -= 1
        return pod()


def test_every_line_is_done_once_and_after_the_one_before() -> None:
    async def run() -> tuple[list[str], int]:
        stage = SlowStage()
        stage.kubelet.observed("ADDED", PODS, None, pod())
        while waiting := [task for task in stage.tasks if not task.done()]:
            await asyncio.wait(waiting)
        assert [task.exception() for task in stage.tasks] == [None] * 3
        return stage.begun, stage.most_at_once

    assert asyncio.run(run()) == (["first", "second", "third"], 1)
