"""The orders across kinds that the recordings document, and those that they show to be races.

A milestone is the first write of a kind of object that has a property. Only the first incarnation of each kind counts:
later ones repeat the pattern under the same names.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from scenarios.golden.recording import Recording

Write = Mapping[str, Any]


def _condition(write: Write) -> list[str]:
    conditions = write.get("status", {}).get("conditions")
    first: list[str] = conditions[0] if conditions else ["", "", ""]
    return first


def _done(write: Write) -> bool:
    return _condition(write)[0] in ("True", "False")


_MILESTONES: tuple[tuple[str, str, Callable[[Write], bool]], ...] = (
    ("run added", "PipelineRun", lambda write: write["type"] == "ADDED"),
    ("run labelled", "PipelineRun", lambda write: "tekton.dev/pipeline" in write["labels"]),
    ("run resolving", "PipelineRun", lambda write: _condition(write)[1] == "ResolvingPipelineRef"),
    ("run running", "PipelineRun", lambda write: _condition(write)[1] == "Running"),
    ("run done", "PipelineRun", _done),
    ("run marked", "PipelineRun", lambda write: write["type"] == "MODIFIED" and write["deleting"]),
    ("run gone", "PipelineRun", lambda write: write["type"] == "DELETED"),
    ("request added", "ResolutionRequest", lambda write: write["type"] == "ADDED"),
    ("request in progress", "ResolutionRequest", lambda write: _condition(write)[1] == "ResolutionInProgress"),
    ("request answered", "ResolutionRequest", lambda write: "data" in write.get("status", {})),
    ("request done", "ResolutionRequest", _done),
    ("task added", "TaskRun", lambda write: write["type"] == "ADDED"),
    ("task annotated", "TaskRun", lambda write: "pipeline.tekton.dev/release" in write["annotations"]),
    ("task has status", "TaskRun", lambda write: "status" in write),
    ("task told to stop", "TaskRun", lambda write: write["generation"] > 1 and not write["deleting"]),
    ("task done", "TaskRun", _done),
    ("task marked", "TaskRun", lambda write: write["type"] == "MODIFIED" and write["deleting"]),
    ("task gone", "TaskRun", lambda write: write["type"] == "DELETED"),
    ("pod added", "Pod", lambda write: write["type"] == "ADDED"),
    ("pod let go", "Pod", lambda write: write["annotations"].get("tekton.dev/ready") == "READY"),
    ("pod marked", "Pod", lambda write: write["type"] == "MODIFIED" and write["deleting"]),
    ("pod gone", "Pod", lambda write: write["type"] == "DELETED"),
)

ORDERS: tuple[tuple[str, ...], ...] = (
    ("run added", "run labelled", "run running", "run done"),
    ("run added", "task added", "run running"),
    ("task added", "task annotated", "task has status", "task done"),
    ("task added", "pod added", "pod let go"),
    ("task has status", "pod let go"),
    ("run added", "request added", "request in progress", "request answered", "request done", "task added"),
    ("request done", "run done"),
    ("task told to stop", "run done"),
    ("pod marked", "pod gone"),
)
"""Always in this order, where they occur at all."""

INLINE_ORDERS: tuple[tuple[str, ...], ...] = (("task added", "run labelled"),)
BUNDLE_ORDERS: tuple[tuple[str, ...], ...] = (("request added", "run labelled", "run resolving", "task added"),)
UNREFUSED_ORDERS: tuple[tuple[str, ...], ...] = (("pod added", "task has status"),)
"""Unless the pod was refused at first."""
HURRIED_ORDERS: tuple[tuple[str, ...], ...] = (("task told to stop", "pod marked", "task done"),)
"""If the task is stopped from outside: without that, its pod goes with the finished run."""
UNHURRIED_ORDERS: tuple[tuple[str, ...], ...] = (("task done", "run done"),)
"""Unless the run is stopped from outside: then either may be first."""
BACKGROUND_ORDERS: tuple[tuple[str, ...], ...] = (("run gone", "task gone", "pod marked", "pod gone"),)
FOREGROUND_ORDERS: tuple[tuple[str, ...], ...] = (
    ("run marked", "task marked", "pod marked", "pod gone", "task gone", "run gone"),
)


def documented_orders(recording: Recording, reached: Collection[str]) -> list[tuple[str, ...]]:
    """Those that hold in a situation like ``recording``, of which these milestones are ``reached``."""
    orders = [*ORDERS, *(BUNDLE_ORDERS if recording.circumstances.bundle else INLINE_ORDERS)]
    if not recording.circumstances.quotas and not recording.circumstances.refused:
        orders += UNREFUSED_ORDERS
    orders += HURRIED_ORDERS if "task told to stop" in reached else UNHURRIED_ORDERS
    propagation = {action.get("propagation") for action in recording.actions}
    if "Background" in propagation:
        orders += BACKGROUND_ORDERS
    if "Foreground" in propagation:
        orders += FOREGROUND_ORDERS
    return orders


def recorded_order(writes: Iterable[tuple[str, Write]]) -> list[str]:
    """The milestones in the order in which they were reached. ``writes`` are ``(symbol, write)`` in store order."""
    reached: list[str] = []
    for symbol, write in writes:
        kind, _, number = symbol.split("/")
        if number != "0":
            continue
        for name, of, test in _MILESTONES:
            if of == kind and name not in reached and test(write):
                reached.append(name)
    return reached


def broken_orders(reached: Sequence[str], orders: Iterable[tuple[str, ...]]) -> list[str]:
    """Pairs of milestones that were reached the wrong way round."""
    position = {name: index for index, name in enumerate(reached)}
    wrong = []
    for order in orders:
        present = [name for name in order if name in position]
        for earlier, later in pairwise(present):
            if position[earlier] > position[later]:
                wrong.append(f"{earlier} after {later}")
    return wrong
