"""What the Tasks of a pipeline demand of it, checked at every look (parameters) and before the first TaskRun (results,
optional workspaces)."""

from collections.abc import Sequence

from controller.ports import Document
from sim.tekton.demands import Unmet, missing_keys
from sim.tekton.facts import Facts
from sim.tekton.goformat import listed
from sim.tekton.graph import Task
from sim.tekton.member import Member
from sim.tekton.references import ResultReference, expressions, result_reference
from sim.tekton.substitution import substitute, type_of

_USER = "[User error] "
_INVALID = "PipelineValidationFailed"


def unmet_by_results(facts: Facts, namespace: str, name: str) -> Unmet | None:
    """A reference to an item that an emitted array does not have."""
    for member in facts.members:
        wrong = facts.index_out_of_bounds(member.task) if member.task.results and not member.checked else ""
        if wrong:
            text = f"{_USER}PipelineRun {namespace}/{name} can't be Run; couldn't resolve all references: {wrong}"
            return Unmet(_INVALID, text, wrong)
    return None


def unmet_by_params(facts: Facts, name: str) -> Unmet | None:
    """The first Task whose parameters are not there or of another type, as far as results are known now."""
    for member in facts.members:
        if member.checked:
            continue
        declared = (member.spec or {}).get("params")
        wrong = _wrong_params(facts, member.task, declared) if declared else ""
        if wrong:
            task = (member.task.spec.get("taskRef") or {}).get("name", "")
            text = f"invalid input params for task {task}: {wrong}"
            return Unmet(_INVALID, f"{_USER}Validation failed for pipelinerun {name} with error {text}", text)
        member.checked = not member.task.results or facts.has_results(member.task)
    return None


def _wrong_params(facts: Facts, task: Task, declared: Sequence[Document]) -> str:
    given = task.spec.get("params") or ()
    if given and task.results:
        given = substitute(given, facts.result_values(task))
    matrix = task.spec.get("matrix") or {}
    fans = [
        *(matrix.get("params") or ()),
        *(one for row in matrix.get("include") or () for one in row.get("params") or ()),
    ]
    names = {one["name"] for one in (*given, *fans)}
    missing = [one["name"] for one in declared if one["name"] not in names and "default" not in one]
    if missing:
        return f"missing values for these params which have no default values: {listed(missing)}"
    types = {one["name"]: one.get("type", "string") for one in declared}
    wrong = [one["name"] for one in given if one["name"] in types and not _fits(types[one["name"]], one.get("value"))]
    wrong += (one["name"] for one in fans if types.get(one["name"], "string") != "string")
    if wrong:
        return f"param types don't match the user-specified type: {listed(wrong)}"
    keys = missing_keys(declared, given)
    return f"missing keys for these params which are required in ParamSpec's properties {keys}" if keys else ""


def _fits(declared: str, value: object) -> bool:
    """A text that is to become an array or an object fits while its variables are not known."""
    found = type_of(value if value is not None else "")
    return found == declared or (found == "string" and any(True for _ in expressions(value)))


def unmet_at_the_start(members: Sequence[Member], pipeline_spec: Document, name: str) -> Unmet | None:
    """References to results that no Task declares, and workspaces that a Task needs but the pipeline need not have."""
    by_name = {member.task.name: member for member in members}
    for member in members:
        for reference in member.task.results:
            wrong = _undeclared(reference, by_name)
            if wrong:
                text = f'invalid result reference in pipeline task "{member.task.name}": {wrong}'
                return Unmet("InvalidTaskResultReference", text, text)
    for one in pipeline_spec.get("results") or ():
        for expression in expressions(one.get("value")):
            found = result_reference(expression)
            wrong = _undeclared(found, by_name) if found is not None else ""
            if wrong:
                cause = f'invalid pipeline result "{one["name"]}": {wrong}'
                text = f'Failed to resolve pipeline result reference for "{name}" with error {cause}'
                return Unmet("InvalidPipelineResultReference", text, cause)
    optional = {one["name"] for one in pipeline_spec.get("workspaces") or () if one.get("optional")}
    return _unmet_workspace(members, optional) if optional else None


def _undeclared(reference: ResultReference, by_name: dict[str, Member]) -> str:
    origin = by_name.get(reference.task)
    if origin is None:
        return f'referenced pipeline task "{reference.task}" does not exist'
    if any(one["name"] == reference.result for one in (origin.spec or {}).get("results") or ()):
        return ""
    return f'"{reference.result}" is not a named result returned by pipeline task "{reference.task}"'


def _unmet_workspace(members: Sequence[Member], optional: set[str]) -> Unmet | None:
    for member in members:
        needed = {one["name"] for one in (member.spec or {}).get("workspaces") or () if not one.get("optional")}
        for one in member.task.spec.get("workspaces") or ():
            if one.get("workspace", "") in optional and one["name"] in needed:
                text = (
                    f'pipeline workspace "{one["workspace"]}" is marked optional but pipeline task '
                    f'"{member.task.name}" requires it be provided'
                )
                message = f"{_USER}Optional workspace not supported by task: {text}"
                return Unmet("RequiredWorkspaceMarkedOptional", message, text)
    return None
