"""The PipelineRun controller: starts the tasks of a pipeline and counts them (``pkg/reconciler/pipelinerun``)."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.cache import Key
from controller.runtime.controller import PermanentError, Result
from sim.tekton.access import PIPELINE_RUNS, TASK_RUNS, Access, is_controlled_by
from sim.tekton.attempt import Attempt, RequeueAfter, emit_change, finish, look_again
from sim.tekton.children import Children, child_references, recovered
from sim.tekton.conditions import condition_of, is_done, set_condition
from sim.tekton.deadlines import Deadlines, deadlines_of
from sim.tekton.demands import unmet_demand
from sim.tekton.ending import end, failed
from sim.tekton.facts import Facts
from sim.tekton.goformat import listed
from sim.tekton.graph import Graph, GraphError, graph_of
from sim.tekton.matrix import Fan, combination_count, is_matrixed
from sim.tekton.member import Member
from sim.tekton.names import fanned_names, task_run_name
from sim.tekton.paramdefaults import Unresolvable
from sim.tekton.pipelineref import (
    PIPELINE_LABEL,
    Invalid,
    NotFound,
    Pipeline,
    PipelineReferences,
    adopt_metadata,
    label_of,
)
from sim.tekton.pipelineresults import pipeline_results
from sim.tekton.plan import applied
from sim.tekton.remote import InProgress, Remote
from sim.tekton.scheduling import Scheduling
from sim.tekton.taskdemands import unmet_at_the_start, unmet_by_params, unmet_by_results
from sim.tekton.verdict import Verdict, timed_out, verdict_of

_MANAGER = "tekton.dev/pipeline"
_EMPTY: Document = {}


class _Plan:
    """What is remembered of a run until it is over: its pipeline as a graph and as filled in, and its tasks by name,
    each with the TaskRun that was seen last."""

    __slots__ = ("begun", "by_name", "graph", "spec", "uid")

    def __init__(self, run: str, uid: str, graph: Graph, spec: Document) -> None:
        self.begun = False
        """Whether a TaskRun was seen, of whichever run: until then the Tasks' demands are looked at."""
        self.uid = uid
        self.graph = graph
        self.spec = spec
        self.by_name: dict[str, Member] = {}
        for task in graph.tasks:
            made = Fan if is_matrixed(task.spec) else Member
            self.by_name[task.name] = made(task, task_run_name(run, task.name), spec=task.template)


@dataclass(slots=True, eq=False)  # not frozen: one is made per attempt, and that would cost three times as much
class _Settled:
    """What a reconcile had before it when it left nothing to do until ``until_us``."""

    status: Document
    spec: Document
    members: Sequence[Member]
    until_us: int


class PipelineRuns:
    """Reconciles one PipelineRun at a time per worker."""

    def __init__(self, access: Access, remote: Remote, uuid_stream: Random) -> None:
        self._access = access
        self._time = access.time
        self._pipeline_runs = access.pipeline_runs
        self._task_runs = access.task_runs
        self._remote = remote
        self._references = PipelineReferences(access, remote, uuid_stream)
        self._children = Children(access)
        self._scheduling = Scheduling(access, self._children, remote)
        self._version = access.options.version
        self._provenance: Document = {"featureFlags": self._version.feature_flags}
        self._plans: dict[Key, _Plan] = {}
        """Forgotten when the run is over."""
        self._settled: dict[Key, _Settled] = {}

    def idle(self, key: Key) -> bool:
        """Whether a reconcile of ``key`` would find nothing to do: most events of children do not count."""
        settled = self._settled.get(key)
        if settled is None:
            return False
        pipeline_run = self._pipeline_runs.get(*key)
        if (
            pipeline_run is None
            or pipeline_run.get("status") is not settled.status
            or pipeline_run["spec"] is not settled.spec
            or self._time.now_us() > settled.until_us
        ):
            return False
        namespace, task_runs = key[0], self._task_runs
        for member in settled.members:
            run = task_runs.get(namespace, member.name)
            if run is not member.run and not member.follow(run):
                return False
        return True

    async def reconcile(self, key: Key) -> Result | None:
        """Reconcile one key. Raises what the queue is to judge."""
        document = self._pipeline_runs.get(*key)
        if document is None or "deletionTimestamp" in document["metadata"]:
            self._forget(key)
            return None
        if key in self._settled:
            if self.idle(key):
                return look_again(self._settled[key].until_us - self._time.now_us())
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
            wait_us = await self._reconcile(attempt, key)
        except (ApiError, ConnectionLost, PermanentError, RequeueAfter) as caught:
            error = caught.with_traceback(None)  # or it would hold this frame, which holds it
        result = await finish(self._access, PIPELINE_RUNS, self._pipeline_runs.get(*key), attempt, error)
        if wait_us is None:
            return result
        self._settle(key, attempt, wait_us)
        return look_again(wait_us)

    def _forget(self, key: Key) -> None:
        self._plans.pop(key, None)
        self._settled.pop(key, None)

    def _settle(self, key: Key, attempt: Attempt, wait_us: int) -> None:
        """Remember what was seen, so that events of children that do not count cost nothing."""
        stopping = attempt.document["spec"].get("status") == "CancelledRunFinally"  # tells its tasks at every look
        if attempt.members and "childReferences" in attempt.standing and not stopping:
            until_us = self._time.now_us() + wait_us
            self._settled[key] = _Settled(attempt.standing, attempt.document["spec"], attempt.members, until_us)

    async def _reconcile(self, attempt: Attempt, key: Key) -> int | None:
        access, status = self._access, attempt.status
        options = access.options
        if options.reconcile is not None:
            await access.loop.pause(options.reconcile.sample_us(access.work_stream))
        before = attempt.before
        demand = attempt.document["spec"].get("status", "")
        deadlines = self._deadlines(attempt)
        if deadlines.pipeline_long_over(self._time.now_us()):
            await self._time_out(attempt)
            emit_change(access, attempt, before, condition_of(status))
            raise PermanentError("PipelineRun has timed out for a long time")
        if "startTime" not in status and demand != "PipelineRunPending":
            now = self._time.timestamp()
            status["startTime"] = now
            attempt.precise = True
            said = before.get("message", "") if before is not None else ""
            before = set_condition(status, "Unknown", "Started", said, now)
            emit_change(access, attempt, None, before)
            deadlines = self._deadlines(attempt)
        if PIPELINE_LABEL not in attempt.labels:
            labels = {**attempt.labels, PIPELINE_LABEL: label_of(attempt.document, self._version)}
            attempt.relabel(labels, attempt.annotations)
        try:
            if demand == "Cancelled":
                await self._cancel(attempt)
                return None
            await self._run(attempt, key, demand, deadlines)
        finally:
            after = condition_of(status)
            emit_change(access, attempt, before, after)
        if after is not None and after["status"] != "Unknown":
            return None
        return self._deadlines(attempt).wait_us(self._time.now_us())

    def _deadlines(self, attempt: Attempt) -> Deadlines:
        return deadlines_of(attempt.document, attempt.status, self._access.options.default_timeout_us)

    def _end(self, attempt: Attempt, verdict: Verdict) -> None:
        end(attempt, self._time.timestamp(), *verdict)

    def _fail(self, attempt: Attempt, reason: str, message: str, cause: str) -> PermanentError:
        return failed(attempt, self._time.timestamp(), reason, message, cause)

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

    async def _run(self, attempt: Attempt, key: Key, demand: str, deadlines: Deadlines) -> None:
        status = attempt.status
        if demand == "PipelineRunPending":
            self._end(attempt, Verdict("Unknown", "PipelineRunPending", f'PipelineRun "{attempt.name}" is pending'))
            return
        plan = self._plans.get(key)
        if plan is None or plan.uid != attempt.metadata["uid"] or "pipelineSpec" not in status:
            plan = await self._plan(attempt)
            if plan is None:
                return
            self._plans[key] = plan
        members = self._members(attempt, plan)
        facts = Facts(plan.graph, plan.by_name, members, demand, deadlines, self._time.now_us())
        if self._version.evictions_verified:
            await self._verify(attempt.namespace, facts)
        if plan.graph.has_references and not await self._scheduling.resolve_tasks(attempt, members, facts):
            return
        self._check(attempt, plan, facts)
        if demand == "CancelledRunFinally" and any(one.running and not one.task.final for one in members):
            errors = await self._children.cancel(attempt.namespace, status.get("childReferences") or ())
            if errors:
                raise self._undone(attempt, "PipelineRunCouldntCancel", "cancelled", "cancel", "cancelling", errors)
        try:
            if deadlines.part_over(self._time.now_us()):
                await self._scheduling.enforce(attempt, facts, deadlines)
            await self._scheduling.start_due(attempt, facts, deadlines)
        except (ApiError, ConnectionLost, PermanentError):
            if self._version.references_sorted and "childReferences" in status:
                status["childReferences"] = recovered(status["childReferences"], ())
            raise
        facts.forget_skips()
        now_us = self._time.now_us()
        if deadlines.pipeline_over(now_us):
            await self._time_out(attempt)
        self._tell(attempt, facts, plan.spec, verdict_of(attempt.name, facts, deadlines, now_us, self._version))

    async def _plan(self, attempt: Attempt) -> _Plan | None:
        """The run's pipeline, or None while it is being resolved. Raises PermanentError when it cannot be used."""
        try:
            pipeline = await self._references.fetch(attempt)
        except InProgress:
            text = f"PipelineRun {attempt.namespace}/{attempt.name} awaiting remote resource"
            self._end(attempt, Verdict("Unknown", "ResolvingPipelineRef", text))
            if self._remote.recheck_us is not None:
                raise RequeueAfter(self._remote.recheck_us) from None
            return None
        except Invalid as error:
            text = f"[User error] Failed dryRunValidation for PipelineRun {attempt.name}: {error}"
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
        return _Plan(attempt.name, attempt.metadata["uid"], graph, spec)

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
            adopt_metadata(attempt, pipeline, self._version)
        unmet = unmet_demand(attempt.namespace, attempt.name, spec, pipeline.name, pipeline.spec)
        if unmet is not None:
            raise self._fail(attempt, *unmet)
        try:
            filled = applied(pipeline.spec, pipeline.name, attempt, self._version)
        except Unresolvable as error:
            text = f"[User error] Failed to apply parameters to Pipeline {attempt.namespace}/{pipeline.name}: {error}"
            raise self._fail(attempt, "PipelineValidationFailed", text, str(error)) from error
        status["pipelineSpec"] = filled
        return filled

    def _members(self, attempt: Attempt, plan: _Plan) -> list[Member]:
        """The tasks with their TaskRuns, found by name whoever owns them; those known to have been started first."""
        listed = {one["name"] for one in attempt.status.get("childReferences") or ()}
        namespace, task_runs = attempt.namespace, self._task_runs
        started: list[Member] = []
        waiting: list[Member] = []
        lost: list[tuple[str, str]] = []
        for member in plan.by_name.values():
            if isinstance(member, Fan):
                known = self._spread(attempt, member)
                lost += ((one, member.task.name) for one in known if one not in listed)
                (started if known else waiting).append(member)
                continue
            run = task_runs.get(namespace, member.name)
            if run is not member.run:
                member.take(run)
            if member.name in listed:
                started.append(member)
            elif run is not None and is_controlled_by(run, plan.uid):
                started.append(member)
                lost.append((member.name, member.task.name))
            else:
                waiting.append(member)
        if lost:
            attempt.status["childReferences"] = recovered(attempt.status.get("childReferences") or (), lost)
        return started + waiting

    def _spread(self, attempt: Attempt, fan: Fan) -> list[str]:
        """Find the TaskRuns of a task with a matrix; answers the names of those that are the run's own."""
        task, uid = fan.task, attempt.metadata["uid"]
        listed = [
            one["name"] for one in attempt.status.get("childReferences") or () if one["pipelineTaskName"] == task.name
        ]
        made = fan.names or fanned_names(attempt.name, task.name, combination_count(task.spec["matrix"]))
        found = [self._task_runs.get(attempt.namespace, name) for name in listed or made]
        fan.spread([run for run in found if run is not None])
        return listed or [run["metadata"]["name"] for run in fan.runs if is_controlled_by(run, uid)]

    async def _verify(self, namespace: str, facts: Facts) -> None:
        """Read again the TaskRuns whose pods were evicted: the cache may be behind their recovery."""
        for member in facts.members:
            if member.reason == "PodEvicted" and member.state == "False":
                facts.asks = True
                try:
                    member.take(await self._access.tekton.get(TASK_RUNS, namespace, member.name))
                except ApiError as error:
                    if error.code != 404:
                        text = f"cannot verify TaskRun {member.name} failure status against API server: {error.message}"
                        raise ApiError(error.code, error.reason, text, error.details) from error

    def _check(self, attempt: Attempt, plan: _Plan, facts: Facts) -> None:
        """Raises PermanentError for what the Tasks demand in vain."""
        unmet = unmet_by_results(facts, attempt.namespace, attempt.name) or unmet_by_params(facts, attempt.name)
        if unmet is None and not plan.begun:
            plan.begun = any(one.run is not None for one in facts.members)
            if not plan.begun:
                unmet = unmet_at_the_start(facts.members, plan.spec, attempt.name)
        if unmet is not None:
            raise self._fail(attempt, *unmet)

    def _tell(self, attempt: Attempt, facts: Facts, pipeline_spec: Document, verdict: Verdict) -> None:
        """Write what the run now is into the status."""
        status = attempt.status
        if not facts.asks:
            attempt.members = facts.members
        references = []
        for one in facts.members:
            run = one.run
            if run is None:
                continue
            references += child_references(one, facts)
            created = run["metadata"]["creationTimestamp"]
            if created <= status["startTime"]:
                status["startTime"] = created  # to the second, and so before the precise start
                attempt.precise = False
        self._end(attempt, verdict)
        skipped = facts.skipped()
        results: list[dict[str, Any]] = []
        invalid: list[str] = []
        if verdict.state != "Unknown" and pipeline_spec.get("results"):
            emitted = facts.emitted(self._version.failures_give_results)
            unsuccessful = frozenset(one.task.name for one in facts.members if one.state != "True")
            results, invalid = pipeline_results(pipeline_spec["results"], emitted, unsuccessful)
        for name, value in (("childReferences", references), ("skippedTasks", skipped), ("results", results)):
            if value:
                status[name] = value
            elif name in status:
                del status[name]
        if invalid:
            cause = f"invalid pipelineresults {listed(invalid)}, the referenced results don't exist"
            text = f"Failed to get PipelineResult from TaskRun Results for PipelineRun {attempt.name}: {cause}"
            self._end(attempt, Verdict("False", "CouldntGetPipelineResult", text))
            raise ApiError(500, "", cause)
