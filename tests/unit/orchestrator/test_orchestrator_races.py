"""Two requests for one target at the same instant, two orchestrators that both believe they lead, a crash now and then:
over a thousand seeds with shuffled order within each instant, the lock decides and every remediation ends."""

import hashlib
from random import Random
from typing import Any

import pytest
from orchestrator_stage import RUNS, SYSTEM, TARGET_RESOURCE, Stage, manifest

from controller.api.resources import AI_ANALYSES, PIPELINE_RUNS, WORKFLOW_EXECUTIONS
from controller.executor.audit import AuditBuffer
from controller.executor.settings import Settings as ExecutorSettings
from controller.executor.wiring import executor
from controller.orchestrator.settings import Settings
from controller.ports import Document
from sim.apiserver.identity import ADMIN, service_account
from sim.apiserver.latency import Latency
from sim.workload.distributions import Lognormal

pytestmark = pytest.mark.slow

SEEDS = 1_000
_ENDED = ("Completed", "Failed", "Skipped", "TimedOut")
_LATENCY = Latency(Lognormal(4_000, 0.4), {}, request_share=0.75)
_LAG = Lognormal(1_200, 0.5)
_WORK_US = 5_000_000
_THOUGHT_US = 1_000_000


class _NoLogs:
    async def tail(self, namespace: str, pod: str, container: str, *, lines: int = 20, limit_bytes: int = 8192) -> str:
        return ""


class Pair(Stage):
    """Orchestrators, an executor, an analyst who answers after a second, and runs that succeed after five."""

    def __init__(self, seed: int) -> None:
        super().__init__(
            Settings(workers=2), latency=_LATENCY, watch_lag=_LAG, ties=Random(seed), seed=seed, replicas=2
        )
        self.live: set[str] = set()
        self.broken: list[str] = []
        self.sequence = hashlib.sha256()
        for document in manifest("rbac-executor.yaml"):
            self._create(document["apiVersion"], document["kind"], document)
        self.server.observe(self._watched)
        process = self.loop.process("executor")
        user = service_account(SYSTEM, "workflowexecution-controller")
        manager = executor(
            self.server.client(user, component="executor"),
            _NoLogs(),
            AuditBuffer(),
            self.clock,
            ExecutorSettings(workers=2),
            random=self.streams("executor"),
        )
        process.start(manager.run())

    def reach_for_target(self) -> None:
        body = {
            "apiVersion": WORKFLOW_EXECUTIONS.api_version,
            "kind": WORKFLOW_EXECUTIONS.kind,
            "metadata": {"name": "by-hand", "namespace": SYSTEM},
            "spec": {
                "remediationRequestRef": {"name": "nobody"},
                "workflowRef": {"workflowId": "restart", "version": "1", "containerImage": "reg.local/restart:1"},
                "targetResource": TARGET_RESOURCE,
            },
        }
        self.server.create(ADMIN, WORKFLOW_EXECUTIONS, SYSTEM, body)

    def _watched(self, type_: str, resource: Any, old: Document | None, new: Document) -> None:
        name = new["metadata"]["name"]
        if resource.plural != "events":
            self.sequence.update(
                f"{type_} {resource.plural} {name} {(new.get('status') or {}).get('phase')}\n".encode()
            )
        if resource.plural == AI_ANALYSES.plural and type_ == "ADDED":
            self.loop.after(_THOUGHT_US, self.answer, name)
        if resource.plural == PIPELINE_RUNS.plural:
            self._run(type_, name, new)

    def _run(self, type_: str, name: str, run: Document) -> None:
        if type_ == "ADDED":
            if name in self.live:
                self.broken.append(f"two runs are live on {name}")
            self.live.add(name)
            self.loop.after(_WORK_US, self._succeed, name, run["metadata"]["uid"])
        elif type_ == "DELETED":
            self.live.discard(name)

    def _succeed(self, name: str, uid: str) -> None:
        run = self.server.find(PIPELINE_RUNS, RUNS, name)
        if run is not None and run["metadata"]["uid"] == uid:
            condition = {"type": "Succeeded", "status": "True", "reason": "Succeeded"}
            status = {"status": {"conditions": [condition], "completionTime": self.clock.timestamp()}}
            self.server.patch(ADMIN, PIPELINE_RUNS, RUNS, name, status, subresource="status")
            self.live.discard(name)


def race(seed: int) -> Pair:
    stage = Pair(seed)
    stage.run(1).signal("rr-1").signal("rr-2")
    if seed % 3 == 0:  # one of the two dies somewhere in the middle of it
        stage.loop.after(1_000 * (seed % 97), stage.processes[0].kill)
    if seed % 2:  # somebody who asks no orchestrator reaches for the target too
        stage.loop.after(_THOUGHT_US + 1_000 * (seed % 60), stage.reach_for_target)
    stage.until(lambda: all(stage.phase(name) in _ENDED for name in ("rr-1", "rr-2")), 7_200)
    stage.run(30)
    stage.close()
    return stage


def test_a_thousand_races_are_decided_by_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    interleavings, ends, races = set(), set(), 0
    for seed in range(SEEDS):
        stage = race(seed)
        assert not stage.broken, f"seed {seed}: {stage.broken}"
        interleavings.add(stage.sequence.hexdigest())
        phases = tuple(stage.phase(name) for name in ("rr-1", "rr-2"))
        ends.add(phases)
        reasons = [
            ((stage.execution(name) or {}).get("status") or {}).get("failureDetails", {}).get("reason")
            for name in stage.executions()
        ]
        races += "ExecutionRaceCondition" in reasons
        assert reasons.count(None) >= 1, f"seed {seed}: nobody won, {reasons}"
    with capsys.disabled():
        print(f"\n{SEEDS} races: {len(interleavings)} interleavings, {races} decided by the lock, ends {sorted(ends)}")
    assert len(interleavings) > SEEDS / 20
    assert races
