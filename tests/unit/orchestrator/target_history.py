"""Executions of one target by hand, and the question that routing is asked about them."""

from datetime import datetime, timedelta
from typing import Any

from controller.api.timestamps import format_time
from controller.orchestrator.labels import CLEAR_BLOCK
from controller.orchestrator.ledger import Ledger
from controller.orchestrator.routing import Block, Question, route
from controller.orchestrator.settings import Settings
from controller.ports import Document
from sim.clock import EPOCH

NOW = EPOCH + timedelta(hours=3)
TARGET = "payment/Deployment/payment-api"
_LONG_AGO = EPOCH


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def execution(
    name: str,
    phase: str = "",
    ended: datetime | None = None,
    *,
    workflow: str = "restart",
    ran: bool | None = None,
    cleared: bool = False,
    owner: str = "uid-other",
    created: datetime = EPOCH,
    summary: str = "it did not work",
) -> dict[str, Any]:
    """``ran`` is wasExecutionFailure; None leaves failureDetails out."""
    metadata: dict[str, Any] = {
        "namespace": "ns",
        "name": name,
        "creationTimestamp": format_time(created),
        "ownerReferences": [{"kind": "RemediationRequest", "name": "rr-other", "uid": owner, "controller": True}],
    }
    if cleared:
        metadata["annotations"] = {CLEAR_BLOCK: "by hand"}
    status: dict[str, Any] = {"phase": phase} if phase else {}
    if ended is not None:
        status["completionTime"] = format_time(ended)
    if ran is not None:
        status["failureDetails"] = {"wasExecutionFailure": ran, "naturalLanguageSummary": summary}
    spec = {
        "targetResource": TARGET,
        "workflowRef": {"workflowId": workflow},
        "remediationRequestRef": {"name": f"rr-of-{name}"},
    }
    return {"metadata": metadata, "spec": spec, "status": status}


def request(name: str = "rr-1", **status: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": name, "uid": f"uid-{name}", "creationTimestamp": format_time(_LONG_AGO)}
    return {"metadata": metadata, "spec": {"signalFingerprint": "a" * 64}, "status": status}


def run(*, finished: bool) -> dict[str, Any]:
    condition = {"type": "Succeeded", "status": "True" if finished else "Unknown"}
    return {"metadata": {"name": "wfe-lock"}, "status": {"conditions": [condition]}}


def ledger_of(*executions: Document) -> Ledger:
    ledger = Ledger()
    for one in executions:
        ledger.put(one)
    return ledger


def ask(
    *executions: Document,
    workflow: str = "restart",
    lock: Document | None = None,
    elder: Document | None = None,
    claim: str = "",
    settings: Settings | None = None,
    draw: float = 0.5,
    now: datetime = NOW,
    asking: Document | None = None,
) -> Block | None:
    settings = settings or Settings()
    asking = asking or request()
    since = now - timedelta(seconds=settings.cooldown_s)
    return route(
        Question(
            request=asking,
            target=TARGET,
            workflow_id=workflow,
            now=now,
            history=ledger_of(*executions).history(asking["metadata"]["uid"], since),
            lock=lock,
            elder=elder,
            claim=claim,
            settings=settings,
            draw=lambda: draw,
        )
    )


def failures(count: int, last_s_ago: float = 1.0) -> list[dict[str, Any]]:
    """``count`` pre-execution failures in a row, a second apart."""
    return [execution(f"we-f{n}", "Failed", ago(last_s_ago + count - 1 - n), ran=False) for n in range(count)]
