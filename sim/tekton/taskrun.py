"""The TaskRun controller: one pod per TaskRun, and its state told as the TaskRun's (``pkg/reconciler/taskrun``)."""

from dataclasses import dataclass

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.tekton import podfailure, podstatus
from sim.tekton.access import PODS, TASK_RUNS, Access, is_controlled_by
from sim.tekton.attempt import (
    Attempt,
    RequeueAfter,
    emit_change,
    finish,
    look_again,
    message_of,
)
from sim.tekton.children import ON_ERROR_ANNOTATION
from sim.tekton.conditions import condition_of, set_condition
from sim.tekton.credentials import credentials_of
from sim.tekton.deadlines import parse_duration_us, parse_timestamp_us
from sim.tekton.names import pod_name
from sim.tekton.podspec import READY_ANNOTATION, RELEASE_ANNOTATION, TASK_RUN_LABEL, build_pod, step_name
from sim.tekton.setback import Setback
from sim.tekton.sidecars import stop_sidecars
from sim.tekton.taskresults import NONE_DECLARED
from sim.tekton.tasktemplate import TaskTemplate, TaskTemplates, bound
from sim.workload.durations import format_us

_READY_PATCH: list[Document] = [{"op": "add", "path": "/metadata/annotations/tekton.dev~1ready", "value": "READY"}]
_UNREMARKABLE = ("Started", "Running", "TaskRunPending")
_EMPTY: Document = {}


@dataclass(slots=True, eq=False)  # not frozen: one is made per attempt, and that would cost three times as much
class _Settled:
    """What a reconcile had before it when it left nothing to do until ``until_us``."""

    status: Document
    spec: Document
    pod: Document
    pod_name: str
    template: TaskTemplate
    until_us: int


class TaskRuns:
    """Reconciles one TaskRun at a time per worker."""

    def __init__(self, access: Access, templates: TaskTemplates) -> None:
        self._access = access
        self._time = access.time
        self._task_runs = access.task_runs
        self._pods = access.pods
        self._templates = templates
        self._version = access.options.version
        self._provenance: Document = {"featureFlags": self._version.feature_flags}
        self._settled: dict[Key, _Settled] = {}

    def idle(self, key: Key) -> bool:
        """Whether a reconcile of ``key`` would find nothing to do: most events are echoes of its own writes."""
        settled = self._settled.get(key)
        if settled is None or self._pods.get(key[0], settled.pod_name) is not settled.pod:
            return False
        task_run = self._task_runs.get(*key)
        return (
            task_run is not None
            and task_run.get("status") is settled.status
            and task_run["spec"] is settled.spec
            and RELEASE_ANNOTATION in (task_run["metadata"].get("annotations") or ())
            and self._time.now_us() <= settled.until_us
        )

    async def reconcile(self, key: Key) -> Result | None:
        """Reconcile one key. Raises what the queue is to judge."""
        document = self._task_runs.get(*key)
        if document is None or "deletionTimestamp" in document["metadata"]:
            self._settled.pop(key, None)
            return None
        settled = self._settled.get(key)
        if settled is not None:
            if self.idle(key):
                return look_again(settled.until_us - self._time.now_us())
            del self._settled[key]
        attempt = Attempt(document)
        if settled is not None and settled.status is document.get("status"):
            attempt.template = settled.template
        error: Exception | None = None
        wait_us: int | None = None
        try:
            wait_us = await self._reconcile(attempt)
        except (ApiError, ConnectionLost, PermanentError, RequeueAfter, Setback) as caught:
            error = caught.with_traceback(None)  # or it would hold this frame, which holds it
        result = await finish(self._access, TASK_RUNS, self._task_runs.get(*key), attempt, error)
        if wait_us is None:
            return result
        pod = attempt.pod
        if pod is not None:
            # So that the echo of one's own write costs nothing. A pod that came meanwhile is news: it is not this one.
            name, until_us = pod["metadata"]["name"], self._time.now_us() + wait_us
            spec = document["spec"]
            self._settled[key] = _Settled(attempt.standing, spec, pod, name, attempt.template, until_us)
        return look_again(wait_us)

    async def _reconcile(self, attempt: Attempt) -> int | None:
        access, status, spec = self._access, attempt.status, attempt.document["spec"]
        before = attempt.before
        if before is not None and before["status"] != "Unknown":
            await stop_sidecars(access, attempt)
            self._conclude(attempt, before, condition_of(status))
            return None
        options = access.options
        if options.reconcile is not None:
            await access.loop.pause(options.reconcile.sample_us(access.work_stream))
        if RELEASE_ANNOTATION not in attempt.annotations:
            attempt.relabel(attempt.labels, {**attempt.annotations, RELEASE_ANNOTATION: options.release})
        now = self._time.timestamp()
        if spec.get("status") == "TaskRunPending" and self._version.pending_task_runs:
            status.setdefault("podName", "")
            text = f'TaskRun "{attempt.name}" is pending'
            emit_change(access, attempt, before, set_condition(status, "Unknown", "TaskRunPending", text, now))
            return None
        if "startTime" not in status:
            before = self._start(attempt, now)
        timeout = spec.get("timeout")
        timeout_us = parse_duration_us(timeout) if timeout else options.default_timeout_us
        ending = self._ending(attempt, timeout_us)
        if ending is not None:
            try:
                await self._fail(attempt, *ending)
            except (ApiError, ConnectionLost):
                self._conclude(attempt, attempt.before, condition_of(status))
                raise
            self._conclude(attempt, attempt.before, condition_of(status))
            return None
        self._conclude(attempt, before, await self._run(attempt, before))
        start = status.get("startTime")
        if start is None or not timeout_us:
            return None
        return timeout_us - (self._time.now_us() - parse_timestamp_us(start))

    def _start(self, attempt: Attempt, now: str) -> Document:
        status = attempt.status
        status["startTime"] = max(now, attempt.metadata["creationTimestamp"])  # clocks differ
        status.setdefault("podName", "")
        attempt.precise = True
        present = condition_of(status)
        message = present.get("message", "") if present is not None else ""
        started = set_condition(status, "Unknown", "Started", message, now)
        emit_change(self._access, attempt, None, started)
        return started

    def _ending(self, attempt: Attempt, timeout_us: int) -> tuple[str, str] | None:
        """Reason and message if the TaskRun is to be ended from outside its pod: cancelled, late, hopeless pod."""
        spec, status, name = attempt.document["spec"], attempt.status, attempt.name
        if spec.get("status") == "TaskRunCancelled":
            text = f'TaskRun "{name}" was cancelled. {spec.get("statusMessage", "")}'
            return "TaskRunCancelled", self._with_previous(attempt, text)
        if timeout_us and self._time.now_us() - parse_timestamp_us(status["startTime"]) > timeout_us:
            self._refresh_steps(attempt)
            text = f'TaskRun "{name}" failed to finish within "{format_us(timeout_us)}"'
            return "TaskRunTimeout", self._with_previous(attempt, text)
        return podfailure.hopeless(name, status, self._version)

    def _with_previous(self, attempt: Attempt, text: str) -> str:
        before = attempt.before
        if not self._version.previous_status_kept or before is None or before.get("reason") in _UNREMARKABLE:
            return text
        message = before.get("message")
        return f"{text}\nPrevious status: [{before['reason']}] {message}" if message else text

    def _refresh_steps(self, attempt: Attempt) -> None:
        pod = self._access.pods.get(attempt.namespace, attempt.status.get("podName", ""))
        if pod is None:
            return
        seen = dict(attempt.status)
        podstatus.observe(seen, pod, NONE_DECLARED, False, self._version, self._time.timestamp())
        if "steps" in seen:
            attempt.status["steps"] = seen["steps"]

    async def _fail(self, attempt: Attempt, reason: str, message: str) -> None:
        """End the TaskRun and delete its pod; the steps are told as ended whatever becomes of the pod."""
        status, now = attempt.status, self._access.time.timestamp()
        set_condition(status, "False", reason, message, now)
        status["completionTime"] = now
        attempt.precise = True
        pod = status.get("podName", "")
        if not pod:
            return
        created = attempt.metadata["creationTimestamp"]
        status["steps"] = [podfailure.ended(step, pod, reason, created, now) for step in status.get("steps") or ()]
        try:
            await self._access.core.delete(PODS, attempt.namespace, pod)
        except ApiError as error:
            if error.code != 404:
                raise

    def _conclude(self, attempt: Attempt, before: Document | None, condition: Document | None) -> None:
        """Turn a failure with attempts left into a retry, then tell the change to ``condition``."""
        spec, status = attempt.document["spec"], attempt.status
        if condition is None or condition["status"] != "False":
            emit_change(self._access, attempt, before, condition)
            return
        archived = status.get("retriesStatus") or []
        if spec.get("status") != "TaskRunCancelled" and len(archived) < spec.get("retries", 0):
            omitted = ("retriesStatus", "provenance", "taskSpec")
            status["retriesStatus"] = [*archived, {key: one for key, one in status.items() if key not in omitted}]
            for key in ("startTime", "completionTime", "results"):
                status.pop(key, None)
            status["podName"] = ""
            now = self._access.time.timestamp()
            condition = set_condition(status, "Unknown", "ToBeRetried", condition.get("message", ""), now)
        emit_change(self._access, attempt, before, condition)

    async def _run(self, attempt: Attempt, before: Document | None) -> Document:
        """Find or create the pod and tell its state. Answers the condition that follows; ``before`` is what it was."""
        access, status = self._access, attempt.status
        template = attempt.template
        if template is None:
            template = await self._resolve(attempt)
        known = status.get("podName")
        pod = self._pods.get(attempt.namespace, known) if known else self._adoptable_pod(attempt)
        if pod is None:
            try:
                pod = await self._create_pod(attempt, template.spec)
            except (ApiError, ConnectionLost, PermanentError) as error:
                self._pod_refused(attempt, error, before)
        assert pod is not None, "a refused pod raises"
        pod_status = pod.get("status") or _EMPTY
        if pod_status.get("phase") == "Running":
            annotations = pod["metadata"].get("annotations") or _EMPTY
            if annotations.get(READY_ANNOTATION) != "READY" and podstatus.sidecars_ready(pod_status):
                name = pod["metadata"]["name"]
                await access.core.patch(PODS, attempt.namespace, name, _READY_PATCH, patch_type="json")
        steps, ignored = status.get("steps"), attempt.annotations.get(ON_ERROR_ANNOTATION) == "continue"
        now = self._time.timestamp()
        condition, fault = podstatus.observe(status, pod, template.declared, ignored, self._version, now)
        if fault:
            self._conclude(attempt, before, condition)
            raise Setback(fault)
        if "completionTime" in status:
            attempt.precise = True
        elif condition["status"] == "Unknown":
            if condition["reason"] == "ExceededNodeResources":
                text = f'Insufficient resources to schedule pod "{pod["metadata"]["name"]}"'
                access.event(attempt.document, "Warning", "ExceededNodeResources", text)
            elif _carries_fractions(status):
                attempt.precise = True  # and so nothing is settled: even the echo of this status is written again
            elif status.get("steps") is steps and "sidecars" not in status:
                attempt.pod = pod  # the steps were found not to be hopeless before
            elif podfailure.hopeless(attempt.name, status, self._version) is None:
                attempt.pod = pod
        return condition

    async def _resolve(self, attempt: Attempt) -> TaskTemplate:
        """The Task of the attempt, told in its status. Raises PermanentError or RequeueAfter."""
        status = attempt.status
        known = "taskSpec" in status
        try:
            template = await self._templates.resolve(attempt)
            attempt.template = template
            status["taskSpec"] = template.spec
            source = template.source
            status["provenance"] = self._provenance if source is None else {**self._provenance, "refSource": source}
            if "steps" not in status:
                status["steps"] = [
                    {"name": step_name(step, index), "provenance": {}}
                    for index, step in enumerate(template.spec["steps"])
                ]
            if not known:
                self._templates.check(attempt, template)
        except (PermanentError, RequeueAfter, Setback):
            self._conclude(attempt, None, condition_of(status))
            raise
        return template

    def _adoptable_pod(self, attempt: Attempt) -> Document | None:
        """The attempt's pod as the cache has it, by label and owner: the status does not name one yet."""
        name = pod_name(attempt.name, len(attempt.status.get("retriesStatus") or ()))
        pod = self._pods.get(attempt.namespace, name)
        if (
            pod is not None
            and (pod["metadata"].get("labels") or {}).get(TASK_RUN_LABEL) == attempt.name
            and is_controlled_by(pod, attempt.metadata["uid"])
            and not podstatus.did_fail(pod)
        ):
            return pod
        return None

    async def _create_pod(self, attempt: Attempt, task_spec: Document) -> Document:
        """Create the pod, or adopt whatever pod has its name, as long as the cache shows it: the owner is not asked."""
        access, spec = self._access, attempt.document["spec"]
        account = spec.get("serviceAccountName") or "default"
        try:
            credentials = await credentials_of(access, attempt.document, account)
        except (ApiError, ConnectionLost) as error:
            raise PermanentError(f"translating TaskSpec to Pod: {message_of(error)}") from error
        pod = build_pod(
            bound(attempt, task_spec),
            task_spec,
            retries=len(attempt.status.get("retriesStatus") or ()),
            release=access.options.release,
            credentials=credentials,
            limit_ranges=access.limit_ranges.list(attempt.namespace),
        )
        try:
            return await access.core.create(PODS, attempt.namespace, pod)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                present = access.pods.get(attempt.namespace, pod["metadata"]["name"])
                if present is not None:
                    return present
            raise

    def _pod_refused(self, attempt: Attempt, error: Exception, before: Document | None) -> None:
        """What a refused pod means for the TaskRun. Always raises."""
        status, now = attempt.status, self._access.time.timestamp()
        refusal = podfailure.refusal_of(attempt.document, error)
        if refusal.not_started:
            status.pop("startTime", None)
            attempt.precise = False
        set_condition(status, refusal.state, refusal.reason, refusal.message, now)
        if refusal.state == "False":
            status["completionTime"] = now
            attempt.precise = True
        self._conclude(attempt, before, condition_of(status))
        raise refusal.error from error


def _carries_fractions(status: Document) -> bool:
    """Whether a step has ended that left its start to the millisecond while others still run."""
    steps = status.get("steps") or ()
    return len(steps) > 1 and any("terminationReason" in one for one in steps)
