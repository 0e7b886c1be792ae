"""The results of a pipeline, from those of its tasks (``resources.ApplyTaskResultsToPipelineResults``)."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.tekton.references import expressions, result_reference
from sim.tekton.substitution import substitute

_SILENT, _INVALID = object(), object()


def pipeline_results(
    declared: Sequence[Document], emitted: Mapping[str, Mapping[str, Any]], unsuccessful: frozenset[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """``status.results``, and the names of the results that refer to what does not exist.

    ``emitted``: results by task. ``unsuccessful``: the tasks that did not succeed, whose results may be missing; the
    pipeline's result is then left out without an error.
    """
    results: list[dict[str, Any]] = []
    invalid: list[str] = []
    for one in declared:
        used = list(expressions(one.get("value")))
        if not used:
            continue
        values = {name: _value(name, emitted, unsuccessful) for name in used}
        found = [values[name] for name in used]
        invalid += (one["name"] for value in found if value is _INVALID)
        if _INVALID not in found and _SILENT not in found:
            known = {name.removesuffix("[*]"): value for name, value in values.items()}
            results.append({"name": one["name"], "value": substitute(one.get("value"), known)})
    return results, invalid


def _value(name: str, emitted: Mapping[str, Mapping[str, Any]], unsuccessful: frozenset[str]) -> Any:
    reference = result_reference(name)
    if reference is None:
        return _INVALID
    value = emitted.get(reference.task, {}).get(reference.result)
    if value is None:
        return _SILENT if reference.task in unsuccessful else _INVALID
    if reference.key:
        return value.get(reference.key, _INVALID) if isinstance(value, dict) else _INVALID
    if isinstance(value, list) and not name.endswith("[*]"):
        index = reference.item or 0
        return value[index] if index < len(value) else _INVALID
    return value
