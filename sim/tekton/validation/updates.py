"""What may change in a run that exists."""

from collections.abc import Iterator

from controller.ports import Document
from sim.tekton.conditions import is_done
from sim.tekton.validation.fielderrors import FieldError, invalid_value

_FREE = {"PipelineRun": ("status", "managedBy"), "TaskRun": ("status", "statusMessage", "managedBy")}
_WORDS = {"PipelineRun": "status", "TaskRun": "status and statusMessage"}


def update_errors(
    kind: str, spec: Document, before: Document, before_defaulted: Document, status: Document
) -> Iterator[FieldError]:
    """``before`` is the old spec, ``before_defaulted`` what today's defaults make of it; ``status`` is the old one."""
    if is_done(status):
        if spec in (before, before_defaulted):
            return
        yield from _owner_errors(spec, before)
        yield invalid_value(f"Once the {kind} is complete, no updates are allowed", "")
        return
    yield from _owner_errors(spec, before)
    free = _FREE[kind]
    if _fixed(before, free) != _fixed(spec, free):
        yield invalid_value(f"Once the {kind} has started, only {_WORDS[kind]} updates are allowed", "")


def _owner_errors(spec: Document, before: Document) -> Iterator[FieldError]:
    if spec.get("managedBy") != before.get("managedBy"):
        yield invalid_value("managedBy is immutable", "spec.managedBy")


def _fixed(spec: Document, free: tuple[str, ...]) -> Document:
    return {key: value for key, value in spec.items() if key not in free}
