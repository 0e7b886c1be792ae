"""One target of a story: what can be asked for it, and what can be said about it afterwards."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from controller.api.lock import lock_name
from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.ports import Cluster
from scenarios.chronicle import Chronicle, Execution, Lock
from scenarios.remediation.orchestration import Orchestration
from scenarios.remediation.remediations import Remediations
from scenarios.workflows import Workflow

NAMESPACE = "kubernaut-system"
_CHECK_S = 60.0  # how often a wait looks again by itself, should nothing at all happen


class Backstage(Protocol):
    """What a target needs of its world."""

    chronicle: Chronicle
    remediations: Remediations
    workflows: Mapping[str, Workflow]
    patience_s: float

    @property
    def cluster(self) -> Cluster: ...

    @property
    def orchestration(self) -> Orchestration: ...

    def now_us(self) -> int: ...

    def trouble(self, subject: str, step: str, trouble: str) -> None:
        """From now on ``step`` meets ``trouble``, in every run on the target or of the execution ``subject``."""
        ...

    def lose_next_reply(self, pipeline_run: str) -> None:
        """The next creation of this PipelineRun is carried out, but its reply never arrives."""
        ...


class Target:
    """A target and the executions requested for it, called the first, the second …"""

    def __init__(self, backstage: Backstage, name: str, resource: str) -> None:
        self.name = name
        self.resource = resource
        self.lock_name = lock_name(resource)
        self.backstage = backstage
        self.spoken_of: Execution | None = None
        self.timeout = ""
        self._names: dict[str, str] = {}
        self._hazard = ""

    async def request(self, which: str, workflow_id: str) -> None:
        """Create the WorkflowExecution called ``which`` in the story."""
        workflow = self.backstage.workflows[workflow_id]
        name = self._names[which] = self._name(which)
        body = workflow.execution(name, NAMESPACE, self.resource)
        if self.timeout:
            body["spec"]["executionConfig"] = {"timeout": self.timeout}
        await self.backstage.cluster.create(WORKFLOW_EXECUTIONS, NAMESPACE, body)
        if self._hazard:
            self.backstage.chronicle.struck(self.execution(which), self._hazard)
            self._hazard = ""

    def _name(self, which: str) -> str:
        return f"we-{self.name}-{which}"

    async def request_together(self, workflow_id: str) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.request("first", workflow_id))
            group.create_task(self.request("second", workflow_id))

    def struck(self, hazard: str, *, lasting: bool = False) -> None:
        """Note that ``hazard`` befalls the execution under way and, if it is ``lasting``, the one requested next."""
        if lasting:
            self._hazard = hazard
        for execution in self.executions():
            if not execution.terminal and execution.deleted_us is None:
                self.backstage.chronicle.struck(execution, hazard)

    async def withdraw(self, which: str) -> None:
        """Delete the WorkflowExecution, as its owner would, and wait until its run is on its way out."""
        await self.backstage.cluster.delete(WORKFLOW_EXECUTIONS, NAMESPACE, self.execution(which).name)
        while self.lock.held_by is not None and not self.lock.terminating:
            await self.backstage.chronicle.change_of(self.lock_name, _CHECK_S)

    def trouble(self, step: str, trouble: str) -> None:
        self.backstage.trouble(self.resource, step, trouble)

    def trouble_one(self, which: str, step: str, trouble: str) -> None:
        """As :meth:`trouble`, for one execution alone, before it is requested."""
        self.backstage.trouble(self._name(which), step, trouble)

    def lose_next_reply(self) -> None:
        self.backstage.lose_next_reply(self.lock_name)

    @property
    def lock(self) -> Lock:
        return self.backstage.chronicle.locks.get(self.lock_name) or Lock(self.lock_name)

    def execution(self, which: str) -> Execution:
        """The execution called ``which``; "it" in the steps that follow is this one."""
        if which not in self._names:
            raise AssertionError(f"the {which} execution was never requested")
        execution = self.backstage.chronicle.executions.get((NAMESPACE, self._names[which]))
        if execution is None:
            raise AssertionError(f"the {which} execution never appeared")
        self.spoken_of = execution
        return execution

    def executions(self) -> list[Execution]:
        found = self.backstage.chronicle.executions
        return [found[NAMESPACE, name] for name in self._names.values() if (NAMESPACE, name) in found]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until ``holds`` of the lock. Raises AssertionError when the world's patience ends first."""
        give_up_us = self.backstage.now_us() + round(self.backstage.patience_s * 1_000_000)
        while not holds():
            if self.backstage.now_us() >= give_up_us:
                raise AssertionError(f"{what} did not happen within {self.backstage.patience_s:.0f} s")
            await self.backstage.chronicle.change_of(self.lock_name, _CHECK_S)

    async def reach(self, which: str, *phases: str) -> Execution:
        """Wait until the execution is in one of ``phases``.

        Raises AssertionError when it ends otherwise, or not within the patience of the world.
        """
        patience_s = self.backstage.patience_s
        give_up_us = self.backstage.now_us() + round(patience_s * 1_000_000)
        while True:
            execution = self.execution(which)
            if execution.phase in phases:
                return execution
            if execution.terminal or execution.deleted_us is not None:
                raise AssertionError(f"expected {' or '.join(phases)}, but it is {describe(execution)}")
            if self.backstage.now_us() >= give_up_us:
                raise AssertionError(
                    f"expected {' or '.join(phases)} within {patience_s:.0f} s, but it is {describe(execution)}"
                )
            await self.backstage.chronicle.change_of(execution.key, _CHECK_S)

    async def end(self, which: str) -> None:
        """Wait until the execution has ended, or until the patience of the world has; never judges."""
        give_up_us = self.backstage.now_us() + round(self.backstage.patience_s * 1_000_000)
        execution = self.execution(which)
        while not execution.terminal and execution.deleted_us is None and self.backstage.now_us() < give_up_us:
            await self.backstage.chronicle.change_of(execution.key, _CHECK_S)

    async def gone(self, which: str) -> None:
        """Wait until the WorkflowExecution itself is no more."""
        execution = self.execution(which)
        while execution.deleted_us is None:
            await self.backstage.chronicle.change_of(execution.key, _CHECK_S)

    async def at_work(self, which: str) -> None:
        """Wait until a step of the execution's run may have started: a pod of it runs."""
        await self.reach(which, "Running")
        while not self.lock.working:
            execution = self.execution(which)
            if execution.terminal:
                raise AssertionError(f"expected it to be at work, but it is {describe(execution)}")
            await self.backstage.chronicle.change_of(self.lock_name, _CHECK_S)

    async def released(self) -> int:
        """Wait until nobody holds the lock; the instant in microseconds."""
        give_up_us = self.backstage.now_us() + round(self.backstage.patience_s * 1_000_000)
        while self.lock.held_by is not None:
            if self.backstage.now_us() >= give_up_us:
                raise AssertionError(f"the lock was not released within {self.backstage.patience_s:.0f} s")
            await self.backstage.chronicle.change_of(self.lock_name, _CHECK_S)
        return self.backstage.now_us()


def describe(execution: Execution) -> str:
    """The state of an execution in a few words."""
    if execution.deleted_us is not None:
        return "deleted"
    reason = f" ({execution.reason}: {execution.message[:160]})" if execution.reason else ""
    return f"{execution.phase}{reason}"
