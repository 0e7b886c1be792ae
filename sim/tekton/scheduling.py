"""Which TaskRuns a PipelineRun starts or stops now."""

from collections.abc import Sequence

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import PermanentError
from sim.tekton.access import PIPELINE_RUNS, TASKS, Access
from sim.tekton.attempt import Attempt, RequeueAfter, message_of
from sim.tekton.children import Children
from sim.tekton.conditions import set_condition
from sim.tekton.deadlines import Deadlines, deadlines_of
from sim.tekton.facts import Facts, Member
from sim.tekton.names import task_run_name
from sim.tekton.pipelineref import PIPELINE_LABEL
from sim.tekton.remote import InProgress, Refused, Remote


class Scheduling:
    def __init__(self, access: Access, children: Children, remote: Remote) -> None:
        self._access = access
        self._children = children
        self._remote = remote

    async def resolve_tasks(self, attempt: Attempt, members: Sequence[Member]) -> bool:
        """Make sure that referenced Tasks exist; false while one is being resolved. Raises PermanentError."""
        now = self._access.time.timestamp()
        for member in members:
            reference = member.task.spec.get("taskRef")
            if reference is None or (member.run is not None and (member.run.get("status") or {}).get("taskSpec")):
                continue
            try:
                await self._fetch(attempt, reference)
            except InProgress:
                text = f"PipelineRun {attempt.namespace}/{attempt.name} awaiting remote resource"
                set_condition(attempt.status, "Unknown", "ResolvingTaskRef", text, now)
                if self._remote.recheck_us is not None:
                    raise RequeueAfter(self._remote.recheck_us) from None
                return False
            except (ApiError, Refused) as error:
                cause = f'Couldn\'t retrieve Task "{reference.get("name", "")}": {message_of(error)}'
                pipeline = f"{attempt.namespace}/{attempt.labels[PIPELINE_LABEL]}"
                text = f"Pipeline {pipeline} can't be Run; it contains Tasks that don't exist: {cause}"
                set_condition(attempt.status, "False", "CouldntGetTask", text, now)
                attempt.status["completionTime"] = now
                attempt.precise = True
                raise PermanentError(cause) from error
        return True

    async def _fetch(self, attempt: Attempt, reference: Document) -> None:
        if reference.get("resolver"):
            await self._remote.fetch(PIPELINE_RUNS, attempt.document, reference)
        else:
            await self._access.tekton.get(TASKS, attempt.namespace, reference["name"])

    async def enforce(self, attempt: Attempt, facts: Facts, deadlines: Deadlines) -> None:
        """Stop the running tasks of a part whose time is over. Raises ApiError when one cannot be told."""
        finals = deadlines.finally_start_us is not None
        late = {one.task.name for one in facts.members if one.task.final == finals and one.running}
        if not late:
            return
        listed = attempt.status.get("childReferences") or ()
        references = [one for one in listed if one["pipelineTaskName"] in late]
        errors = await self._children.time_out(attempt.namespace, references)
        if errors:
            text = "\n".join(errors)
            raise ApiError(500, "", f"error(s) from cancelling TaskRun(s) from PipelineRun {attempt.name}: {text}")

    async def start_due(self, attempt: Attempt, facts: Facts, deadlines: Deadlines) -> None:
        """Create the TaskRuns that are due, in order. Raises what the first refused one meets."""
        due = facts.next_tasks()
        for member in tuple(due):
            missing = facts.missing_result(member.task) if member.task.results else ""
            if missing:
                due = []
                facts.unusable[member.task.name] = missing
                text = f'Task "{member.task.name}" failed result validation: {missing}'
                if self._access.options.version.validation_details:
                    self._access.event(attempt.document, "Warning", "ResultValidationFailed", text)
        if facts.unusable:
            facts.forget_skips()
        finals = facts.next_finals()
        if (finals or facts.finals_started()) and "finallyStartTime" not in attempt.status:
            attempt.status["finallyStartTime"] = self._access.time.timestamp()
            attempt.precise = True
            deadlines = deadlines_of(attempt.document, attempt.status, self._access.options.default_timeout_us)
            facts.restart_clock(deadlines)
        for member in (*due, *finals):
            if not facts.skip_reason(member) and not facts.final_skip_reason(member):
                await self._start(attempt, member, facts, deadlines)

    async def _start(self, attempt: Attempt, member: Member, facts: Facts, deadlines: Deadlines) -> None:
        task = member.task
        values = facts.values_for(task) if task.variables else {}
        try:
            member.take(await self._children.create(attempt, task, values, deadlines))
        except (ApiError, ConnectionLost) as error:
            name, why = task_run_name(attempt.name, task.name), message_of(error)
            text = f'Failed to create TaskRuns ["{name}"]: {why}'
            self._access.event(attempt.document, "Warning", "TaskRunsCreationFailed", text)
            if isinstance(error, ApiError):
                told = (
                    f"error creating TaskRuns called [{name}] for PipelineTask {task.name} "
                    f"from PipelineRun {attempt.name}: {why}"
                )
                if error.code in (400, 422):
                    now = self._access.time.timestamp()
                    set_condition(attempt.status, "False", "CreateRunFailed", why, now)
                    attempt.status["completionTime"] = now
                    attempt.precise = True
                    raise PermanentError(told) from error
                raise ApiError(error.code, error.reason, told, error.details, error.retry_after_s) from error
            raise
