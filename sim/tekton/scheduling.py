"""Which TaskRuns a PipelineRun starts or stops now."""

import json
from collections.abc import Sequence
from uuid import UUID

from controller.ports import ApiError, ConnectionLost, Document
from controller.runtime.controller import PermanentError
from sim.tekton.access import PIPELINE_RUNS, TASKS, Access
from sim.tekton.attempt import Attempt, RequeueAfter, message_of
from sim.tekton.bindings import Unbound
from sim.tekton.children import Children
from sim.tekton.conditions import set_condition
from sim.tekton.deadlines import Deadlines, deadlines_of
from sim.tekton.ending import failed
from sim.tekton.facts import DoneTooEarly, Facts
from sim.tekton.goformat import listed, quoted
from sim.tekton.matrix import Fan, combination_count, combinations
from sim.tekton.member import Member
from sim.tekton.names import fanned_names
from sim.tekton.pipelineref import PIPELINE_LABEL, Invalid, rehearsed
from sim.tekton.references import expressions, result_reference
from sim.tekton.remote import InProgress, Refused, Remote
from sim.tekton.substitution import substitute, type_of
from sim.tekton.transience import is_transient


class Scheduling:
    def __init__(self, access: Access, children: Children, remote: Remote) -> None:
        self._access = access
        self._children = children
        self._remote = remote

    async def resolve_tasks(self, attempt: Attempt, members: Sequence[Member], facts: Facts) -> bool:
        """Look up the referenced Tasks; false while one is being resolved. Raises PermanentError."""
        now = self._access.time.timestamp()
        for member in members:
            reference = member.task.spec.get("taskRef")
            if reference is None:
                continue
            told = (member.run.get("status") or {}).get("taskSpec") if member.run is not None else None
            if told:
                member.spec = told
                continue
            if member.task.results:
                reference = substitute(reference, facts.result_values(member.task))
            facts.asks = True
            try:
                member.spec = await self._fetch(attempt, reference, member.name)
            except InProgress:
                text = f"PipelineRun {attempt.namespace}/{attempt.name} awaiting remote resource"
                set_condition(attempt.status, "Unknown", "ResolvingTaskRef", text, now)
                if self._remote.recheck_us is not None:
                    raise RequeueAfter(self._remote.recheck_us) from None
                return False
            except (ApiError, ConnectionLost, Refused, Invalid) as error:
                if isinstance(error, ApiError | ConnectionLost) and is_transient(error):
                    raise
                cause = f'Couldn\'t retrieve Task "{_called(reference)}": {message_of(error)}'
                pipeline = f"{attempt.namespace}/{attempt.labels[PIPELINE_LABEL]}"
                text = f"Pipeline {pipeline} can't be Run; it contains Tasks that don't exist: {cause}"
                raise failed(attempt, now, "CouldntGetTask", text, cause) from error
        return True

    async def _fetch(self, attempt: Attempt, reference: Document, task_run: str) -> Document:
        """The Task; asked for in the name of the TaskRun, so that that one finds the same request answered."""
        access = self._access
        if reference.get("resolver"):
            found = (await self._remote.fetch(PIPELINE_RUNS, attempt.document, reference, task_run)).document
            if found.get("kind") != TASKS.kind:
                raise Invalid("resource is not a task")
            uuid = str(UUID(int=access.work_stream.getrandbits(128), version=4))
            return await rehearsed(access, TASKS, attempt.namespace, found, uuid)
        spec: Document = (await access.tekton.get(TASKS, attempt.namespace, reference["name"]))["spec"]
        return spec

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
        try:
            due = facts.next_tasks()
        except DoneTooEarly as error:
            raise PermanentError(str(error)) from None
        for member in tuple(due):
            missing = facts.missing_result(member.task) if member.task.results else ""
            if missing:
                due = []
                facts.unusable[member.task.name] = missing
                text = f'Task "{member.task.name}" failed result validation: {missing}'
                if self._access.options.version.validation_details:
                    self._access.event(attempt.document, "Warning", "ResultValidationFailed", text)
        # What was found out about skips stands until the look is told: a task after one that cannot be started is not
        # taken for skipped yet, so the final tasks never get their turn then.
        finals = [one for one in facts.next_finals() if facts.has_results(one.task)]
        if (finals or facts.finals_started()) and "finallyStartTime" not in attempt.status:
            attempt.status["finallyStartTime"] = self._access.time.timestamp()
            attempt.precise = True
            deadlines = deadlines_of(attempt.document, attempt.status, self._access.options.default_timeout_us)
            facts.restart_clock(deadlines)
        for member in (*due, *finals):
            if not facts.skip_reason(member) and not facts.final_skip_reason(member):
                if member.fans:
                    self._check_arrays(attempt, facts)
                await self._start(attempt, member, facts, deadlines)

    def _check_arrays(self, attempt: Attempt, facts: Facts) -> None:
        """Raises PermanentError for a matrix over what is not an array now that results are in place."""
        for member in facts.members:
            matrix = facts.matrix_of(member.task) if member.fans else {}
            for one in matrix.get("params") or ():
                value = one.get("value", "")
                if type_of(value) != "array" and not any(result_reference(name) for name in expressions(value)):
                    cause = (
                        f'parameters of type array only are allowed, but param "{one["name"]}" has type '
                        f'"{type_of(value)}" in pipelineTask "{member.task.name}"'
                    )
                    # the verbs of the real text are one more than its values
                    text = f"[User error] Failed to validate matrix {json.dumps(cause)} with error %!v(MISSING)"
                    now = self._access.time.timestamp()
                    raise failed(attempt, now, "InvalidMatrixParameterTypes", text, cause)

    async def _start(self, attempt: Attempt, member: Member, facts: Facts, deadlines: Deadlines) -> None:
        fanned: list[Document] = []
        name = member.name
        try:
            if isinstance(member, Fan):
                matrix = facts.matrix_of(member.task)
                member.names = fanned_names(attempt.name, member.task.name, combination_count(matrix))
                for name, given in zip(member.names, combinations(matrix), strict=False):
                    fanned.append(await self._children.create(attempt, member, facts, deadlines, name, given))
            else:
                run = await self._children.create(attempt, member, facts, deadlines, name)
        except (ApiError, ConnectionLost, Unbound) as error:
            why = message_of(error)
            names = member.names if isinstance(member, Fan) else [name]
            text = f"Failed to create TaskRuns {listed(map(quoted, names))}: {why}"
            self._access.event(attempt.document, "Warning", "TaskRunsCreationFailed", text)
            told = (
                f"error creating TaskRuns called {listed(names)} for PipelineTask {member.task.name} "
                f"from PipelineRun {attempt.name}: {why}"
            )
            if isinstance(error, Unbound) or (isinstance(error, ApiError) and error.code in (400, 422)):
                raise failed(attempt, self._access.time.timestamp(), "CreateRunFailed", why, told) from error
            if isinstance(error, ApiError):
                raise ApiError(error.code, error.reason, told, error.details, error.retry_after_s) from error
            raise
        facts.starting.add(member.task.name)
        if isinstance(member, Fan):
            member.spread(fanned)
        else:
            member.take(run)


def _called(reference: Document) -> str:
    """A Task's name in errors; of one that a resolver is to find, what it was asked for."""
    if str(reference.get("name") or "").strip():
        return str(reference["name"])
    lines = [f"resolver type {reference.get('resolver', '')}"]
    params = reference.get("params") or ()
    lines += (f"{one['name']} = {one.get('value')}" for one in params if one["name"] in ("name", "url"))
    return "".join(f"{line}\\n" for line in lines)
