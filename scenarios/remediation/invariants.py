"""What must hold on every run, whatever the scenario: watched on committed writes, never steered.

It keeps books of its own and shares no rule with the controllers. A broken invariant ends the scenario as failed.
Controllers may be anybody's: what a status leaves out is taken for the worse, and breaks nothing here.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from controller.api.resources import NOTIFICATION_REQUESTS, PIPELINE_RUNS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.ports import Document, Resource, WatchType
from scenarios.chronicle import Observer

_SHOWN_MAX = 3
_KEPT_MAX = 100
_NONE: Document = {}
_ENDED = ("Completed", "Failed", "TimedOut", "Skipped", "Cancelled")


class Invariants:
    """``now`` is the time of day of the world; ``cooldown_s`` the orchestrator's."""

    def __init__(self, now: Callable[[], datetime], cooldown_s: float) -> None:
        self.broken: list[str] = []
        self._now = now
        self._cooldown = timedelta(seconds=cooldown_s)
        self._requests: dict[str, Document] = {}
        self._executions: dict[tuple[str, str], Document] = {}
        self._completed: dict[tuple[str, str], datetime] = {}
        self._unforgiven: dict[str, str] = {}
        self._live_runs: dict[str, str] = {}
        self._told: Counter[tuple[str, str]] = Counter()
        self.observers: tuple[tuple[Resource, Observer], ...] = (
            (REMEDIATION_REQUESTS, self._request),
            (WORKFLOW_EXECUTIONS, self._execution),
            (PIPELINE_RUNS, self._run),
            (NOTIFICATION_REQUESTS, self._notification),
        )

    def verify(self) -> None:
        """Raises AssertionError naming the first few that were broken, the ends of all remediations included."""
        broken = [*self.broken, *self._unnamed_waits(), *self._miscounts()]
        if broken:
            more = f" (and {len(broken) - _SHOWN_MAX} more)" if len(broken) > _SHOWN_MAX else ""
            raise AssertionError(f"invariant broken: {'; '.join(broken[:_SHOWN_MAX])}{more}")

    def _break(self, text: str) -> None:
        if len(self.broken) < _KEPT_MAX:
            self.broken.append(text)

    def _request(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        uid = new["metadata"]["uid"]
        if type_ == "DELETED":
            self._requests.pop(uid, None)
        else:
            self._requests[uid] = new

    def _execution(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        key = (metadata["namespace"], metadata["name"])
        request = _controller_uid(new)
        if request is None:
            return
        if type_ == "ADDED" and request not in self._requests:
            self._break(f"WorkflowExecution {key[1]} was made for no RemediationRequest")
        if type_ == "DELETED":
            self._executions.pop(key, None)
            return
        self._executions[key] = new
        target = new["spec"]["targetResource"]
        if self._unforgiven.get(target) == key[1] and _is_cleared(new):
            del self._unforgiven[target]
        phase = (new.get("status") or _NONE).get("phase")
        if phase != ((old or _NONE).get("status") or _NONE).get("phase"):
            self._ended(key[1], target, phase, new)

    def _ended(self, name: str, target: str, phase: str | None, execution: Document) -> None:
        status = execution.get("status") or _NONE
        if phase == "Completed":
            workflow = execution["spec"]["workflowRef"]["workflowId"]
            self._completed[target, workflow] = _time(status.get("completionTime")) or self._now()
            self._unforgiven.pop(target, None)
        elif phase == "Failed" and (status.get("failureDetails") or _NONE).get("wasExecutionFailure", True):
            self._unforgiven[target] = name

    def _run(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        metadata = new["metadata"]
        target = (metadata.get("annotations") or _NONE).get("kubernaut.ai/target-resource")
        if target is None:
            return
        uid = metadata["uid"]
        if type_ == "ADDED":
            if target in self._live_runs:
                self._break(f"two PipelineRuns are live on {target}")
            self._live_runs[target] = uid
            self._begun(target, metadata)
        elif (type_ == "DELETED" or _has_ended(new)) and self._live_runs.get(target) == uid:
            del self._live_runs[target]

    def _begun(self, target: str, metadata: Document) -> None:
        """A run begins for an execution: neither within a cooldown nor after a failure that nobody has cleared."""
        labels = metadata.get("labels") or _NONE
        key = (labels.get("kubernaut.ai/source-namespace", ""), labels.get("kubernaut.ai/workflow-execution", ""))
        execution = self._executions.get(key)
        if execution is None:
            return  # not the orchestrator's: whoever made it has not asked
        workflow = execution["spec"]["workflowRef"]["workflowId"]
        last = self._completed.get((target, workflow))
        if last is not None and self._now() - last < self._cooldown:
            self._break(f"{key[1]} runs {workflow} on {target} {self._now() - last} after it completed there")
        unforgiven = self._unforgiven.get(target)
        if unforgiven is not None:
            self._break(f"{key[1]} runs on {target} although nobody has cleared the failure of {unforgiven}")

    def _notification(self, type_: WatchType, _resource: Resource, _old: Document | None, new: Document) -> None:
        if type_ == "ADDED":
            subject = (_controller_uid(new) or new["metadata"]["namespace"], new["metadata"]["name"])
            self._told[subject] += 1
            if self._told[subject] > 1:
                self._break(f"NotificationRequest {subject[1]} was sent {self._told[subject]} times")

    def _unnamed_waits(self) -> list[str]:
        """Every remediation has ended, or says what it waits for."""
        unnamed = []
        for request in self._requests.values():
            status = request.get("status") or _NONE
            phase, name = status.get("overallPhase"), request["metadata"]["name"]
            if phase in _ENDED or not phase:
                continue
            if not status.get("message") or (phase == "Blocked" and not status.get("blockReason")):
                unnamed.append(f"RemediationRequest {name} is {phase} and does not say what it waits for")
        return unnamed

    def _miscounts(self) -> list[str]:
        """Duplicates as the originals count them, and as they stand in the duplicates themselves."""
        folded: Counter[tuple[str, str]] = Counter()
        for request in self._requests.values():
            status = request.get("status") or _NONE
            if status.get("skipReason") == "DuplicateInProgress":
                folded[request["metadata"]["namespace"], status.get("duplicateOf", "")] += 1
        counted = {
            (request["metadata"]["namespace"], request["metadata"]["name"]): (request.get("status") or _NONE)
            for request in self._requests.values()
        }
        return [
            f"{key[1]} counts {status.get('duplicateCount') or 0} duplicates, but {folded[key]} name it"
            for key, status in counted.items()
            if (status.get("duplicateCount") or 0) < folded[key]
        ]


def _controller_uid(document: Document) -> str | None:
    for one in document["metadata"].get("ownerReferences") or ():
        if one.get("controller") and one["kind"] == "RemediationRequest":
            return str(one["uid"])
    return None


def _time(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _is_cleared(execution: Document) -> bool:
    return "kubernaut.ai/clear-execution-block" in (execution["metadata"].get("annotations") or _NONE)


def _has_ended(run: Document) -> bool:
    conditions = (run.get("status") or _NONE).get("conditions") or ()
    return any(one["type"] == "Succeeded" and one["status"] != "Unknown" for one in conditions)
