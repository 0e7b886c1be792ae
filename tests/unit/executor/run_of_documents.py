"""A failed PipelineRun and what hangs on it, as documents that an Inquiry can read."""

import asyncio
from typing import Any

from controller.executor.evidence import Cause
from controller.executor.inquiry import Inquiry
from controller.ports import ApiError

NAME = "wfe-0123456789abcdef"
COUNTERS = "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0"


def condition(status: str, reason: str, message: str) -> dict[str, Any]:
    return {"conditions": [{"type": "Succeeded", "status": status, "reason": reason, "message": message}]}


def step(name: str, exit_code: int, reason: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "container": f"step-{name}",
        "imageID": "reg.local/x@sha256:aaaa",
        "terminated": {"exitCode": exit_code, "reason": reason},
        **more,
    }


class Run:
    """Implements the reading half of a cluster and the logs; counts what is asked."""

    def __init__(self, status: dict[str, Any] | None = None) -> None:
        self.pipeline_run: dict[str, Any] = {
            "metadata": {"name": NAME, "namespace": "kubernaut-workflows", "uid": "u"},
            "status": status if status is not None else condition("False", "Failed", COUNTERS),
        }
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.log = ""
        self.asked: list[str] = []

    def task(self, name: str, status: dict[str, Any], *steps: dict[str, Any], listed: bool = True) -> "Run":
        run = f"{NAME}-{name}"
        self.objects["taskruns", run] = {
            "metadata": {"name": run, "labels": {"tekton.dev/pipelineTask": name}},
            "status": {"podName": f"{run}-pod", **status, "steps": list(steps)},
        }
        if listed:
            child = {"kind": "TaskRun", "name": run, "pipelineTaskName": name}
            self.pipeline_run["status"].setdefault("childReferences", []).append(child)
        return self

    async def get(self, resource: Any, namespace: str, name: str) -> Any:
        self.asked.append(f"get {resource.plural} {name}")
        found = self.objects.get((resource.plural, name))
        if found is None:
            raise ApiError(404, "NotFound", f'{resource.plural} "{name}" not found')
        return found

    async def list(self, resource: Any, namespace: str = "", **options: Any) -> Any:
        self.asked.append(f"list {resource.plural}")
        if resource.plural == "events":
            return {"items": self.events}
        return {"items": [found for (plural, _), found in self.objects.items() if plural == resource.plural]}

    async def tail(self, namespace: str, pod: str, container: str, **options: Any) -> str:
        self.asked.append(f"log {container}")
        return self.log

    def cause(self) -> Cause:
        async def inquire() -> Cause:
            inquiry = Inquiry(self, self, self.pipeline_run)  # type: ignore[arg-type]
            await inquiry.gather()
            return await inquiry.cause()

        return asyncio.run(inquire())
