"""What a Task demands of the TaskRun that uses it, checked before its pod is made (``validate_taskrun.go``)."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.quantity import canonical_text, thousandths
from sim.tekton.demands import missing_keys
from sim.tekton.goformat import listed
from sim.tekton.substitution import Memo, type_of, variables

_INDEXED = re.compile(r"params(?:\.([\w.-]+)|\[\"([^\"]+)\"\]|\['([^']+)'\])\[(\d+)\]")
_VARIABLE = re.compile(r"\$\([^()]+\)")
_EMPTY: Document = {}
_modest = Memo()
"""Tasks that request no more than their limits."""


def unmet(task: str, task_spec: Document, spec: Document) -> str:
    """The first demand of ``task`` that the TaskRun's ``spec`` does not meet, in Tekton's words; ``""`` if none.

    Every one of them is a mistake of the user's, and conditions label it so.
    """
    if _modest.get(task_spec) is None:
        excess = next(_excessive_requests(task_spec), "")
        if excess:
            return excess
        _modest.put(task_spec, True)
    declared = task_spec.get("params") or ()
    if declared:
        text = _params(declared, spec.get("params") or ())
        if text:
            return f"invalid input params for task {task}: {text}"
    return _indexes(task_spec, declared, spec) or _workspaces(task_spec, spec) or _overrides(task_spec, spec)


def _excessive_requests(task_spec: Document) -> Iterator[str]:
    template = ((task_spec.get("stepTemplate") or _EMPTY).get("computeResources") or _EMPTY).get("limits") or _EMPTY
    for step in task_spec["steps"]:
        resources = step.get("computeResources")
        if not resources:
            continue
        limits = resources.get("limits") or _EMPTY
        for name, request in (resources.get("requests") or _EMPTY).items():
            limit = limits.get(name, template.get(name))
            if limit is not None and thousandths(limit) < thousandths(request):
                asked, most = canonical_text(request), canonical_text(limit)
                yield f"invalid request resource value: {asked} must be less or equal to limit {most}"


def _params(declared: Sequence[Document], given: Sequence[Document]) -> str:
    names = {one["name"] for one in given}
    missing = [one["name"] for one in declared if one["name"] not in names and one.get("default") is None]
    if missing:
        return f"missing values for these params which have no default values: {listed(missing)}"
    types = {one["name"]: _type_of(one) for one in declared}
    wrong = [one["name"] for one in given if one["name"] in types and not _fits(types[one["name"]], one.get("value"))]
    if wrong:
        return f"param types don't match the user-specified type: {listed(wrong)}"
    keys = missing_keys(declared, given)
    return f"missing keys for these params which are required in ParamSpec's properties {keys}" if keys else ""


def _type_of(declaration: Document) -> str:
    if declaration.get("type"):
        return str(declaration["type"])
    return "object" if declaration.get("properties") else type_of(declaration.get("default", ""))


def _fits(needed: str, value: Any) -> bool:
    kind = type_of("" if value is None else value)
    return kind == needed or (kind == "string" and bool(_VARIABLE.search(str(value))))


def _indexes(task_spec: Document, declared: Sequence[Document], spec: Document) -> str:
    """References into lists beyond their ends."""
    if not declared and "params" not in spec:
        return ""
    lengths = {one["name"]: len(one["default"]) for one in declared if isinstance(one.get("default"), list)}
    lengths.update(
        {one["name"]: len(one["value"]) for one in spec.get("params") or () if isinstance(one["value"], list)}
    )
    if not lengths:
        return ""
    beyond = []
    for name in sorted(variables(task_spec)):
        match = _INDEXED.fullmatch(name)
        if match is not None and int(match[4]) >= lengths.get(match[1] or match[2] or match[3], int(match[4]) + 1):
            beyond.append(f"$({name})")
    return f"non-existent param references:{listed(beyond)}" if beyond else ""


def _workspaces(task_spec: Document, spec: Document) -> str:
    bindings = spec.get("workspaces") or ()
    if not bindings and "workspaces" not in task_spec:
        return ""
    bound = [one["name"] for one in bindings]
    declared = task_spec.get("workspaces") or ()
    for one in declared:
        if not one.get("optional") and one["name"] not in bound:
            return f'declared workspace "{one["name"]}" is required but has not been bound'
    if not spec.get("taskSpec"):  # an embedded Task need not declare what its TaskRun binds
        known = {one["name"] for one in declared}
        for name in bound:
            if name not in known:
                return f'workspace binding "{name}" does not match any declared workspace'
    claims = {(one.get("persistentVolumeClaim") or _EMPTY).get("claimName") for one in bindings} - {None}
    templates = [one["name"] for one in bindings if one.get("volumeClaimTemplate")]
    return "more than one PersistentVolumeClaim is bound" if len(claims) + len(templates) > 1 else ""


def _overrides(task_spec: Document, spec: Document) -> str:
    if "stepSpecs" not in spec and "sidecarSpecs" not in spec:
        return ""
    texts = []
    for key, kind, members in (("stepSpecs", "Step", "steps"), ("sidecarSpecs", "Sidecar", "sidecars")):
        if spec.get(key):
            known = {one.get("name", "") for one in task_spec.get(members) or ()}
            names = (one["name"] for one in spec[key] if one["name"] not in known)
            texts += [f"invalid {kind}Override: No {kind} named {name}" for name in names]
    return "\n".join(texts)
