"""What can be asked of the orchestrator for a target: signals come in, people answer, remediations go their way."""

import asyncio
import hashlib
from collections.abc import Callable

from controller.api.resources import AI_ANALYSES, NOTIFICATION_REQUESTS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.ports import ApiError, Cluster, Resource
from scenarios.remediation.remediations import Remediation
from scenarios.target import NAMESPACE, Target

SIGNAL = "KubePodCrashLooping"
_CHECK_S = 60.0
_PACE_US = 12_000_000


def name_of(target: Target, which: str) -> str:
    """Of the RemediationRequest called ``which`` in the story."""
    return f"rr-{target.name}-{which}"


def fingerprint(text: str) -> str:
    """What makes two signals the same, as the gateway computes it."""
    return hashlib.sha256(text.encode()).hexdigest()


async def signal(
    target: Target, which: str, workflows: tuple[str, ...] = (), *, about: str = "", severity: str = "critical"
) -> None:
    """A signal about the target arrives; the analyst is to recommend ``workflows``, one after the other.

    ``about`` is what the signal is about: two of the same target about the same thing are duplicates.
    """
    name = name_of(target, which)
    orchestration = target.backstage.orchestration
    if workflows:
        orchestration.analyst.pin(name, *workflows)
    await target.backstage.cluster.create(
        REMEDIATION_REQUESTS, NAMESPACE, body(name, target.resource, about or which, severity)
    )


def body(name: str, resource: str, about: str, severity: str = "critical") -> dict[str, object]:
    """A RemediationRequest document; ``resource`` is ``namespace/Kind/name`` or ``Kind/name``."""
    *namespace, kind, workload = resource.split("/")
    where = {"kind": kind, "name": workload, **({"namespace": namespace[0]} if namespace else {})}
    return {
        "apiVersion": REMEDIATION_REQUESTS.api_version,
        "kind": REMEDIATION_REQUESTS.kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "signalFingerprint": fingerprint(f"{resource} {SIGNAL} {about}"),
            "signalName": SIGNAL,
            "severity": severity,
            "signalType": "prometheus-alert",
            "signalSource": "alertmanager",
            "targetType": "kubernetes",
            "targetResource": where,
        },
    }


async def together(target: Target, workflows: tuple[str, ...]) -> None:
    """Two signals about different things arrive at the same instant, and their analyses take exactly as long."""
    for which in ("first", "second"):
        target.backstage.orchestration.analyst.pace(name_of(target, which), _PACE_US)
    async with asyncio.TaskGroup() as group:
        group.create_task(signal(target, "first", workflows))
        group.create_task(signal(target, "second", workflows))


def remediation(target: Target, which: str) -> Remediation:
    """The remediation called ``which``. Raises AssertionError when it was never requested."""
    found = target.backstage.remediations.by_key.get((NAMESPACE, name_of(target, which)))
    if found is None:
        raise AssertionError(f"the {which} remediation was never requested")
    return found


async def reach(target: Target, which: str, *phases: str) -> Remediation:
    """Wait until the remediation is in one of ``phases``.

    Raises AssertionError when it ends otherwise, or not within the patience of the world.
    """
    backstage = target.backstage
    give_up_us = backstage.now_us() + round(backstage.patience_s * 1_000_000)
    while True:
        found = remediation(target, which)
        if found.phase in phases:
            return found
        if found.terminal or found.deleted_us is not None or backstage.now_us() >= give_up_us:
            raise AssertionError(f"expected {' or '.join(phases)}, but it is {describe(found)}")
        await backstage.chronicle.change_of(found.key, _CHECK_S)


async def until(target: Target, which: str, holds: Callable[[Remediation], bool], what: str) -> None:
    """Wait until ``holds``, called ``what``. Raises AssertionError when the patience of the world ends first."""
    backstage = target.backstage
    give_up_us = backstage.now_us() + round(backstage.patience_s * 1_000_000)
    while not holds(found := remediation(target, which)):
        if backstage.now_us() >= give_up_us:
            raise AssertionError(f"expected {what}, but it is {describe(found)}")
        await backstage.chronicle.change_of(found.key, _CHECK_S)


async def clear_block(target: Target, which: str) -> None:
    """Somebody has looked at the failed execution of a remediation, and clears the block of its target."""
    found = remediation(target, which)
    patch = {"metadata": {"annotations": {CLEAR_BLOCK: "looked at by a person"}}}
    await target.backstage.cluster.patch(WORKFLOW_EXECUTIONS, NAMESPACE, found.executions[-1], patch)


async def delete_analysis(target: Target, which: str) -> None:
    """Somebody deletes the analysis that a remediation waits for."""
    await target.backstage.cluster.delete(AI_ANALYSES, NAMESPACE, remediation(target, which).analyses[-1])


async def delete_execution(target: Target, which: str) -> None:
    """Somebody deletes the execution of a remediation."""
    await target.backstage.cluster.delete(WORKFLOW_EXECUTIONS, NAMESPACE, remediation(target, which).executions[-1])


async def withdraw(target: Target, which: str) -> None:
    """Delete the RemediationRequest itself."""
    await target.backstage.cluster.delete(REMEDIATION_REQUESTS, NAMESPACE, name_of(target, which))


async def gone(target: Target, which: str) -> None:
    """Wait until the request and all that was made for it are no more."""
    backstage, found = target.backstage, remediation(target, which)
    await until(target, which, lambda one: one.deleted_us is not None, "it to be gone")
    for resource, names in (
        (AI_ANALYSES, found.analyses),
        (WORKFLOW_EXECUTIONS, found.executions),
        (NOTIFICATION_REQUESTS, found.notifications),
    ):
        for name in names:
            while await _exists(backstage.cluster, resource, name):
                await asyncio.sleep(1.0)


async def _exists(cluster: Cluster, resource: Resource, name: str) -> bool:
    try:
        await cluster.get(resource, NAMESPACE, name)
    except ApiError as error:
        if error.code == 404:
            return False
        raise
    return True


def execution_reasons(target: Target, which: str) -> list[str | None]:
    """Why the executions of a remediation failed, in the order in which they were made."""
    known = target.backstage.chronicle.executions
    return [known[NAMESPACE, name].reason for name in remediation(target, which).executions]


def describe(found: Remediation) -> str:
    """The state of a remediation in a few words."""
    if found.deleted_us is not None:
        return "deleted"
    reason = found.skip_reason or found.block_reason or found.failure_reason
    return f"{found.phase} ({reason}: {found.message[:160]})" if reason else found.phase
