"""What can be asked of the orchestrator for a target: signals come in, people answer, remediations go their way."""

import asyncio
import hashlib

from controller.api.resources import AI_ANALYSES, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.labels import CLEAR_BLOCK
from scenarios.remediations import Remediation
from scenarios.target import NAMESPACE, Target

SIGNAL = "KubePodCrashLooping"
_CHECK_S = 60.0


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


def body(
    name: str, resource: str, about: str, severity: str = "critical", signal_name: str = SIGNAL
) -> dict[str, object]:
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
    """Two signals about different things arrive at the same instant."""
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


async def clear_block(target: Target, which: str) -> None:
    """Somebody has looked at the failed execution of a remediation, and clears the block of its target."""
    found = remediation(target, which)
    patch = {"metadata": {"annotations": {CLEAR_BLOCK: "looked at by a person"}}}
    await target.backstage.cluster.patch(WORKFLOW_EXECUTIONS, NAMESPACE, found.executions[-1], patch)


async def delete_analysis(target: Target, which: str) -> None:
    """Somebody deletes the analysis that a remediation waits for."""
    await target.backstage.cluster.delete(AI_ANALYSES, NAMESPACE, remediation(target, which).analyses[-1])


def describe(found: Remediation) -> str:
    """The state of a remediation in a few words."""
    if found.deleted_us is not None:
        return "deleted"
    reason = found.skip_reason or found.block_reason or found.failure_reason
    return f"{found.phase} ({reason}: {found.message[:160]})" if reason else found.phase
