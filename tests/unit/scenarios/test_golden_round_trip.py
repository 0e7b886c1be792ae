"""What the recorder would write of further situations is converted, played, and found to agree exactly."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from simulatedrecorder import recorded

from scenarios.golden.agreement import Verdict
from scenarios.golden.circumstances import Circumstances
from scenarios.golden.raw import convert
from scenarios.golden.recording import Recording, bundled
from scenarios.golden.trial import judge

Situation = tuple[Recording, Sequence[str]]
_KILLED = {"step-a": ["terminated", 137, "Error"]}
_LOW = "The node was low on resource: memory."


def known(version: str, scenario: str, **changes: Any) -> Recording:
    """A recorded situation without what came of it."""
    return replace(bundled(version, scenario), expect={}, order=[], events=[], calls={}, managers={}, **changes)


class Success:
    """The situation ``success-1`` and the parts of it that others are made of."""

    def __init__(self, version: str) -> None:
        self.recording = known(version, "success-1", duration_ms=8_000)
        self.run = self.recording.run
        self.pod = f"{self.run}-run-pod"
        (self.life,) = self.recording.pods.values()
        ready = [line["do"] for line in self.life].index("await ready")
        self.running = list(self.life[: ready + 1])

    def ending(self, phase: str, containers: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        last = self.life[-1]
        return {**last, "phase": phase, "delay_ms": 1000, "containers": {**last["containers"], **containers}, **more}

    def with_(self, *lives: Sequence[Mapping[str, Any]], **changes: Any) -> Recording:
        pods = {f"Pod/{self.pod}/{number}": life for number, life in enumerate(lives)}
        return replace(self.recording, pods=pods, **changes)

    def with_step(self, **fields: Any) -> Mapping[str, Any]:
        """The submission with its step changed."""
        text = json.dumps(self.recording.submit)
        submit: Mapping[str, Any] = json.loads(
            text.replace('{"name": "a",', json.dumps(fields)[:-1] + ', "name": "a",')
        )
        return submit


def deed(at_ms: int, do: str, **fields: Any) -> dict[str, Any]:
    return {"at_ms": at_ms, "do": do, **fields}


def orphaned(version: str) -> Situation:
    one = Success(version)
    failed = [*one.running, one.ending("Failed", {"step-a": ["terminated", 1, "Error"]})]
    delete = deed(4000, "delete", resource="pipelineruns", name=one.run, propagation="Orphan")
    words = ["DELETE propagationPolicy=Orphan of a finished (failed) run", "re-created under the same name"]
    return one.with_(failed, actions=[delete, deed(4030, "recreate")]), words


def deleted_by_force(version: str) -> Situation:
    one = Success(version)
    delete = deed(1700, "delete", resource="pods", name=one.pod, grace_period_s=0)
    return one.with_(one.running, one.life, actions=[delete]), ["DELETE pod gracePeriodSeconds=0"]


def task_run_deleted(version: str) -> Situation:
    one = Success(version)
    dying = [
        *one.running,
        {"do": "await deletion"},
        one.ending("Failed", _KILLED, messages={"step-a": ""}),
        {"do": "delete", "delay_ms": 200},
    ]
    delete = deed(1900, "delete", resource="taskruns", name=f"{one.run}-run")
    return one.with_(dying, one.life, actions=[delete]), ["DELETE taskrun"]


def evicted(version: str) -> Situation:
    one = Success(version)
    end = one.ending("Failed", _KILLED, reason="Evicted", message=_LOW, messages={"step-a": ""})
    return one.with_([*one.running, end]), []


def pending(version: str) -> Situation:
    one = Success(version)
    submit = one.recording.submit
    submit = {**submit, "spec": {**submit["spec"], "status": "PipelineRunPending"}}
    patch = deed(3000, "patch", resource="pipelineruns", name=one.run, body={"spec": {"status": None}})
    return one.with_(one.life, submit=submit, actions=[patch]), ["PATCH spec.status=null (un-pend)"]


def allowed_to_fail(version: str) -> Situation:
    one = Success(version)
    end = one.ending("Succeeded", {}, messages={"step-a": [["ExitCode", "7", 3]]})
    return one.with_([*one.running, end], submit=one.with_step(onError="continue")), []


def cannot_start(version: str) -> Situation:
    one = Success(version)
    waiting = {"containers": {"step-a": ["waiting", None, "CreateContainerError"]}, "phase": "Pending"}
    line = {**one.running[-2], **waiting, "waiting_messages": {"step-a": 'deadline "exceeded"'}}
    return one.with_([*one.running[:-2], line]), []


def second_step_not_pulled(version: str) -> Situation:
    recording = known(version, "fail-step2of3", duration_ms=5_000)
    ((symbol, life),) = recording.pods.items()
    ready = [line["do"] for line in life].index("await ready")
    containers = {**life[ready - 1]["containers"], "step-b": ["waiting", None, "ImagePullBackOff"]}
    messages = {"step-b": 'Back-off pulling image "reg.local/tool:9"'}
    line = {**life[ready - 1], "phase": "Pending", "containers": containers, "waiting_messages": messages}
    return replace(recording, pods={symbol: [*life[: ready - 1], line]}), []


def untolerated(version: str) -> Situation:
    one = Success(version)
    told = {"PodScheduled": "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}."}
    line = {"do": "status", "delay_ms": 200, "phase": "Pending", "conditions": {"PodScheduled": "False:Unschedulable"}}
    return one.with_([{**line, "condition_messages": told}]), []


def insecure(version: str) -> Situation:
    text = 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "step-a" must set x)'
    return Success(version).with_(circumstances=Circumstances(refused={"pods": text})), []


def unspecified(version: str) -> Situation:
    quota = {"name": "compute", "hard": {"limits.cpu": "10", "requests.memory": "10Gi"}, "used": {}}
    return Success(version).with_(circumstances=Circumstances(quotas=[quota])), []


def quota_used_by_another(version: str) -> Situation:
    one = Success(version)
    quota = {"name": "compute", "hard": {"requests.cpu": "1"}, "used": {"requests.cpu": "900m"}}
    return one.with_(
        one.life,
        submit=one.with_step(computeResources={"requests": {"cpu": "600m"}}),
        circumstances=Circumstances(quotas=[quota]),
        actions=[deed(9000, "free quota")],
        duration_ms=70_000,
    ), ["DELETE blocker pod (frees quota)"]


def too_large(version: str) -> Situation:
    one = Success(version)
    limits = Circumstances(limit_ranges=[{"limits": [{"type": "Container", "max": {"cpu": "1"}}]}])
    two = {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}
    return one.with_(submit=one.with_step(computeResources=two), circumstances=limits), []


def controller_terminated(version: str) -> Situation:
    one = Success(version)
    actions = [deed(1000, "stop", component="controller"), deed(3000, "start", component="controller")]
    return one.with_(one.life, actions=actions), ["controller SIGTERM", "controller start (process)"]


def webhook_away(version: str) -> Situation:
    one = Success(version)
    error = "dial tcp WEBHOOK-IP:18443: connect: connection refused"
    actions = [deed(700, "kill", component="webhook", error=error), deed(2500, "start", component="webhook")]
    return one.with_(one.life, actions=actions, duration_ms=12_000), ["webhook SIGKILL", "webhook start"]


def resolvers_down(version: str) -> Situation:
    recording = known(version, "bundle-success", duration_ms=64_000)
    down = replace(recording.circumstances, down={"resolvers": "kill"})
    return replace(recording, circumstances=down), []


def resolvers_killed(version: str) -> Situation:
    actions = [deed(20, "kill", component="resolvers"), deed(1500, "start", component="resolvers")]
    recording = known(version, "bundle-success", actions=actions, duration_ms=75_000)
    return recording, ["resolvers SIGKILL", "resolvers start"]


def unauthorized(version: str) -> Situation:
    recording = known(version, "bundle-success", duration_ms=5_000)
    text = "GET http://REG/v2/x/manifests/v1: UNAUTHORIZED: authentication required; map[a:b]"
    bundle = {"image": recording.circumstances.bundle["image"], "refusal": text}
    return replace(recording, circumstances=replace(recording.circumstances, bundle=bundle)), []


def stopped(version: str) -> Situation:
    recording = known(version, "cancelled-run-finally")
    (life,) = known(version, "success-1").pods.values()
    action = {**recording.actions[0], "body": {"spec": {"status": "StoppedRunFinally"}}}
    pods = dict.fromkeys(recording.pods, life)
    return replace(recording, actions=[action], pods=pods), ["PATCH spec.status=StoppedRunFinally"]


def results_missing(version: str) -> Situation:
    recording = known(version, "results-success")
    pods = {
        symbol: [{key: value for key, value in line.items() if key != "messages"} for line in life]
        for symbol, life in recording.pods.items()
    }
    return replace(recording, pods=pods), []


SITUATIONS: Sequence[Callable[[str], Situation]] = (
    orphaned, deleted_by_force, task_run_deleted, evicted, pending, allowed_to_fail, cannot_start,
    second_step_not_pulled, untolerated, insecure, unspecified, quota_used_by_another, too_large,
    controller_terminated, webhook_away, resolvers_down, resolvers_killed, unauthorized, stopped, results_missing,
)  # fmt: skip


@pytest.mark.parametrize("version", ["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_a_play_of_what_was_recorded_agrees_exactly(situation: Callable[[str], Situation], version: str) -> None:
    raw = recorded(*situation(version), seed=3)

    agreement = judge(convert(raw), 30)

    assert len(raw["events"]) > 5
    assert agreement.verdict is Verdict.EXACT, (agreement.unplayable, agreement.differences[:2])
