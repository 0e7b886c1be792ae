"""The PipelineRun controller: starts the tasks of a pipeline and counts them (``pkg/reconciler/pipelinerun``)."""

from dataclasses import dataclass
from random import Random

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.tekton.access import PIPELINE_RUNS, Access, is_controlled_by
from sim.tekton.attempt import (
    Attempt,
    RequeueAfter,
    emit_change,
    finish,
    look_again,
    sync_failed,
    sync_metadata,
)
from sim.tekton.children import Children, child_reference
from sim.tekton.conditions import condition_of, is_done, set_condition
from sim.tekton.deadlines import Deadlines, deadlines_of
from sim.tekton.demands import unmet_demand
from sim.tekton.facts import Facts, Member
from sim.tekton.graph import Graph, GraphError, graph_of
from sim.tekton.names import task_run_name
from sim.tekton.pipelineref import PIPELINE_LABEL, Invalid, NotFound, Pipeline, PipelineReferences, label_of
from sim.tekton.plan import applied, pipeline_results
from sim.tekton.remote import InProgress, Remote
from sim.tekton.scheduling import Scheduling
from sim.tekton.verdict import Verdict, timed_out, verdict_of

_MANAGER = "tekton.dev/pipeline"
_EMPTY: Document = {}


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """What a reconcile had before it when it left nothing to do until ``until_us``: the TaskRuns, by name, with the
    state of their condition (a running one's reason does not count)."""

    status: Document
    spec: Document
    task_runs: tuple[tuple[str, str, str], ...]
    until_us: int

    def still_holds(self, pipeline_run: Document, access: Access) -> bool:
        if (
            pipeline_run.get("status") is not self.status
            or pipeline_run["spec"] is not self.spec
            or access.time.now_us() > self.until_us
        ):
            return False
        namespace = pipeline_run["metadata"]["namespace"]
        return all(_seen(one[0], access.task_runs.get(namespace, one[0])) == one for one in self.task_runs)


def _seen(name: str, run: Document | None) -> tuple[str, str, str]:
    if run is None:
        return name, "", ""
    condition = condition_of(run.get("status") or _EMPTY)
    if condition is None or condition["status"] == "Unknown":
        return name, "Unknown", ""
    return name, condition["status"], condition.get("reason", "")


class PipelineRuns:
    """Reconciles one PipelineRun at a time per worker."""

    def __init__(self, access: Access, remote: Remote, uuid_stream: Random) -> None:
        self._access = access
        self._remote = remote
        self._references = PipelineReferences(access, remote, uuid_stream)
        self._children = Children(access)
        self._scheduling = Scheduling(access, self._children, remote)
        self._version = access.options.version
        self._provenance: Document = {"featureFlags": self._version.feature_flags}
        self._graphs: dict[Key, tuple[str, Graph, Document]] = {}
        """By key: the run's uid, and its pipeline as a graph and as filled in. Forgotten when the run is over."""
        self._settled: dict[Key, _Settled] = {}

    def idle(self, key: Key) -> bool:
        """Whether a reconcile of ``key`` would find nothing to do: most events of children do not count."""
        settled = self._settled.get(key)
        if settled is None:
            return False
        document = self._access.pipeline_runs.get(*key)
        return document is not None and settled.still_holds(document, self._access)

    async def reconcile(self, key: Key) -> Result | None:
        """Reconcile one key. Raises what the queue is to judge."""
        access = self._access
        document = access.pipeline_runs.get(*key)
        if document is None or "deletionTimestamp" in document["metadata"]:
            self._forget(key)
            return None
        settled = self._settled.get(key)
        if settled is not None:
            if settled.still_holds(document, access):
                return look_again(settled.until_us - access.time.now_us())
            del self._settled[key]
        if document["spec"].get("managedBy", _MANAGER) != _MANAGER:
            return None
        if is_done(document.get("status") or _EMPTY):
            self._forget(key)
            return None
        attempt = Attempt(document)
        error: Exception | None = None
        wait_us: int | None = None
        try:
            wait_us = await self._reconcile(attempt)
        except (ApiError, ConnectionLost, PermanentError, RequeueAfter) as caught:
            error = caught
        try:
            await sync_metadata(access, PIPELINE_RUNS, access.pipeline_runs.get(*key), attempt)
        except (ApiError, ConnectionLost) as failure:
            error = sync_failed(access, attempt, failure, error, wait_us)
        result = await finish(access, PIPELINE_RUNS, attempt, error)
        if wait_us is None:
            return result
        self._settle(key, attempt, wait_us)
        return look_again(wait_us)

    def _forget(self, key: Key) -> None:
        self._graphs.pop(key, None)
        self._settled.pop(key, None)

    def _settle(self, key: Key, attempt: Attempt, wait_us: int) -> None:
        """Remember what was seen, so that events of children that do not count cost nothing."""
        seen = attempt.seen
        if seen and "childReferences" in attempt.standing:
            until_us = self._access.time.now_us() + wait_us
            self._settled[key] = _Settled(attempt.standing, attempt.document["spec"], seen, until_us)

    async def _reconcile(self, attempt: Attempt) -> int | None:
        access, status = self._access, attempt.status
        if access.options.reconcile is not None:
            await access.loop.pause(access.options.reconcile.sample_us(access.work_stream))
        before = attempt.before
        demand = attempt.document["spec"].get("status", "")
        if self._deadlines(attempt).pipeline_long_over(access.time.now_us()):
            await self._time_out(attempt)
            emit_change(access, attempt, before)
            raise PermanentError("PipelineRun has timed out for a long time")
        if "startTime" not in status and demand != "PipelineRunPending":
            now = access.time.timestamp()
            status["startTime"] = now
            attempt.precise = True
            set_condition(status, "Unknown", "Started", "", now)
            emit_change(access, attempt, None)
            before = condition_of(status)
        if PIPELINE_LABEL not in attempt.labels:
            attempt.labels = {**attempt.labels, PIPELINE_LABEL: label_of(attempt.document)}
        try:
            if demand == "Cancelled":
                await self._cancel(attempt)
                return None
            await self._run(attempt, demand)
        finally:
            emit_change(access, attempt, before)
        if is_done(status):
            return None
        return self._deadlines(attempt).wait_us(access.time.now_us())

    def _deadlines(self, attempt: Attempt) -> Deadlines:
        return deadlines_of(attempt.document, attempt.status, self._access.options.default_timeout_us)

    def _end(self, attempt: Attempt, verdict: Verdict) -> None:
        """Set the condition, and the completion time with it where it ends the run."""
        now = self._access.time.timestamp()
        set_condition(attempt.status, verdict.state, verdict.reason, verdict.message, now)
        if verdict.state != "Unknown":
            attempt.status["completionTime"] = now
            attempt.precise = True

    def _fail(self, attempt: Attempt, reason: str, message: str, cause: str) -> PermanentError:
        """``cause`` is the text of the error that the Event tells."""
        self._end(attempt, Verdict("False", reason, message))
        return PermanentError(cause)

    async def _cancel(self, attempt: Attempt) -> None:
        errors = await self._children.cancel(attempt.namespace, attempt.status.get("childReferences") or ())
        if errors:
            raise self._undone(attempt, "PipelineRunCouldntCancel", "cancelled", "cancel", "cancelling", errors)
        self._end(attempt, Verdict("False", "Cancelled", f'PipelineRun "{attempt.name}" was cancelled'))

    async def _time_out(self, attempt: Attempt) -> None:
        errors = await self._children.time_out(attempt.namespace, attempt.status.get("childReferences") or ())
        if errors:
            raise self._undone(attempt, "PipelineRunCouldntTimeOut", "timed out", "time out", "timing out", errors)
        self._end(attempt, timed_out(attempt.name, self._deadlines(attempt)))

    def _undone(self, attempt: Attempt, reason: str, was: str, do: str, doing: str, errors: list[str]) -> ApiError:
        text = "\n".join(errors)
        head = f'PipelineRun "{attempt.name}" was {was} but had errors trying to {do} TaskRuns and/or Runs'
        self._end(attempt, Verdict("Unknown", reason, f"{head}: {text}"))
        return ApiError(500, "", f"error(s) from {doing} TaskRun(s) from PipelineRun {attempt.name}: {text}")

    async def _run(self, attempt: Attempt, demand: str) -> None:
        access, status = self._access, attempt.status
        if demand == "PipelineRunPending":
            self._end(attempt, Verdict("Unknown", "PipelineRunPending", f'PipelineRun "{attempt.name}" is pending'))
            return
        graph, pipeline_spec = await self._graph(attempt)
        if graph is None:
            return
        members = self._members(attempt, graph)
        if not await self._scheduling.resolve_tasks(attempt, members):
            return
        deadlines = self._deadlines(attempt)
        facts = Facts(graph, members, demand, deadlines, access.time.now_us())
        if demand == "CancelledRunFinally" and any(one.running and not one.task.final for one in members):
            errors = await self._children.cancel(attempt.namespace, status.get("childReferences") or ())
            if errors:
                raise self._undone(attempt, "PipelineRunCouldntCancel", "cancelled", "cancel", "cancelling", errors)
        await self._scheduling.enforce(attempt, facts, deadlines)
        await self._scheduling.start_due(attempt, facts, deadlines)
        facts.forget_skips()
        now_us = access.time.now_us()
        if deadlines.pipeline_over(now_us):
            await self._time_out(attempt)
        self._tell(attempt, facts, pipeline_spec, verdict_of(attempt.name, facts, deadlines, now_us, self._version))

    async def _graph(self, attempt: Attempt) -> tuple[Graph | None, Document]:
        """The run's pipeline, or None while it is being resolved. Raises PermanentError when it cannot be used."""
        key, uid, status = (attempt.namespace, attempt.name), attempt.metadata["uid"], attempt.status
        known = self._graphs.get(key)
        if known is not None and known[0] == uid and "pipelineSpec" in status:
            return known[1], known[2]
        try:
            pipeline = await self._references.fetch(attempt)
        except InProgress:
            text = f"PipelineRun {attempt.namespace}/{attempt.name} awaiting remote resource"
            self._end(attempt, Verdict("Unknown", "ResolvingPipelineRef", text))
            if self._remote.recheck_us is not None:
                raise RequeueAfter(self._remote.recheck_us) from None
            return None, _EMPTY
        except Invalid as error:
            text = f"Failed dryRunValidation for PipelineRun {attempt.name}: {error}"
            raise self._fail(attempt, "PipelineValidationFailed", text, str(error)) from error
        except NotFound as error:
            text = f"Error retrieving pipeline for pipelinerun {attempt.namespace}/{attempt.name}: {error}"
            raise self._fail(attempt, "CouldntGetPipeline", text, str(error)) from error
        spec = self._adopt(attempt, pipeline)
        try:
            graph = graph_of(spec)
        except GraphError as error:
            who = f"PipelineRun {attempt.namespace}/{attempt.name}"
            text = f"[User error] {who}'s Pipeline DAG is invalid: {error}"
            raise self._fail(attempt, "PipelineInvalidGraph", text, str(error)) from error
        self._graphs[key] = (uid, graph, spec)
        return graph, spec

    def _adopt(self, attempt: Attempt, pipeline: Pipeline) -> Document:
        """Check what the pipeline demands, then keep it in the status with the run's values in place."""
        status, spec = attempt.status, attempt.document["spec"]
        if "pipelineSpec" in status:
            return pipeline.spec
        status["pipelineSpec"] = pipeline.spec
        status["provenance"] = self._provenance
        if pipeline.source is not None:
            status["provenance"] = {**self._provenance, "refSource": pipeline.source}
        if pipeline.metadata:
            labels, annotations = pipeline.metadata.get("labels") or {}, pipeline.metadata.get("annotations") or {}
            attempt.labels = {**labels, **attempt.labels, PIPELINE_LABEL: pipeline.name}
            if annotations:
                attempt.annotations = {**annotations, **attempt.annotations}
        unmet = unmet_demand(attempt.namespace, attempt.name, spec, pipeline.name, pipeline.spec)
        if unmet is not None:
            raise self._fail(attempt, unmet.reason, unmet.message, unmet.cause)
        filled = applied(pipeline.spec, pipeline.name, attempt)
        status["pipelineSpec"] = filled
        return filled

    def _members(self, attempt: Attempt, graph: Graph) -> list[Member]:
        """The tasks with their TaskRuns, found by name whoever owns them; those known to have been started first."""
        listed = {one["name"] for one in attempt.status.get("childReferences") or ()}
        uid = attempt.metadata["uid"]
        started: list[Member] = []
        waiting: list[Member] = []
        for task in graph.tasks:
            name = task_run_name(attempt.name, task.name)
            run = self._access.task_runs.get(attempt.namespace, name)
            member = Member(task)
            member.take(run)
            known = name in listed or (run is not None and is_controlled_by(run, uid))
            (started if known else waiting).append(member)
        return [*started, *waiting]

    def _tell(self, attempt: Attempt, facts: Facts, pipeline_spec: Document, verdict: Verdict) -> None:
        """Write what the run now is into the status."""
        status = attempt.status
        attempt.seen = tuple(_seen(task_run_name(attempt.name, one.task.name), one.run) for one in facts.members)
        runs = [one.run["metadata"]["creationTimestamp"] for one in facts.members if one.run is not None]
        if runs and min(runs) <= status["startTime"]:
            status["startTime"] = min(runs)  # a child's creation time, to the second, is before the precise start
            attempt.precise = False
        self._end(attempt, verdict)
        references = [
            child_reference(one.run["metadata"]["name"], one.task, facts.when_of(one.task))
            for one in facts.members
            if one.run is not None
        ]
        skipped = facts.skipped()
        results = []
        if verdict.state != "Unknown" and pipeline_spec.get("results"):
            results = pipeline_results(pipeline_spec, facts.all_values())
        for name, value in (("childReferences", references), ("skippedTasks", skipped), ("results", results)):
            if value:
                status[name] = value
            else:
                status.pop(name, None)
