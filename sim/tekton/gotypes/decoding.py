"""A custom resource's ``spec`` as the webhook decodes it."""

from typing import Any

from sim.tekton.gotypes.table import types
from sim.tekton.gotypes.values import Problems

_SPECS = {
    "PipelineRun": "v1.PipelineRunSpec",
    "TaskRun": "v1.TaskRunSpec",
    "Pipeline": "v1.PipelineSpec",
    "Task": "v1.TaskSpec",
}
_UNWRITABLE = (
    "cannot create patch for round tripped newBytes: cannot marshal interface: "
    'json: error calling MarshalJSON for type *v1.ParamValue: impossible ParamValues.Type: ""'
)


class Undecodable(Exception):
    """The body is not of its Go type; the text is what the webhook answers after ``mutation failed:``."""


def round_trip(kind: str, spec: Any, absent: frozenset[str]) -> Any:
    """``spec`` read into its Go type and written again: the same object where nothing changes.

    Unknown fields disappear where the API server prunes them. ``absent``: see :func:`types`. Raises Undecodable.
    """
    type_ = types(absent)[_SPECS[kind]]
    problems = Problems(kind)
    answer = type_.decode(spec, (None, "spec"), problems, False)
    if problems.texts:
        problems = Problems(kind)
        type_.decode(_sorted(spec), (None, "spec"), problems, False)
        raise Undecodable(f"cannot decode incoming new object: {problems.texts[0]:.4096}")
    if problems.valueless:
        raise Undecodable(_UNWRITABLE)
    return answer


def _sorted(value: Any) -> Any:
    """In the order in which the API server sends it to the webhook: the first problem is the one that is told."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
