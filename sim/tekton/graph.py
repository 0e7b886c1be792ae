"""A pipeline as a graph of its tasks."""

from dataclasses import dataclass

from controller.ports import Document
from sim.tekton.references import ResultReference, references_of
from sim.tekton.substitution import Memo, variables


class GraphError(Exception):
    """The tasks do not form a graph; the text is Tekton's."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One pipeline task. ``spec`` is its entry in the pipeline; ``parents`` come before it (``runAfter``, results)."""

    name: str
    spec: Document
    final: bool
    parents: tuple[str, ...]
    results: tuple[ResultReference, ...]
    """The results of other tasks that it uses, in Tekton's order."""
    skippable: bool
    """Whether its parameters or its ``when`` use results: only then it may be skipped for want of one."""
    template: Document | None
    """The embedded Task without the keys that only the pipeline knows (``metadata``, ``spec``); None for a taskRef."""
    variables: frozenset[str]
    ignores_failure: bool


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """``tasks`` in the order of the pipeline, those of ``finally`` last."""

    tasks: tuple[Task, ...]
    has_finally: bool
    has_references: bool
    """Whether some task refers to a Task."""
    has_matrix: bool


_graphs = Memo()


def graph_of(pipeline_spec: Document) -> Graph:
    """The graph of a pipeline spec, built once per document. Raises GraphError."""
    graph: Graph | None = _graphs.get(pipeline_spec)
    if graph is None:
        graph = _build(pipeline_spec)
        _graphs.put(pipeline_spec, graph)
    return graph


def _build(pipeline_spec: Document) -> Graph:
    tasks = [_task(spec, final=False) for spec in pipeline_spec.get("tasks") or ()]
    finals = [_task(spec, final=True) for spec in pipeline_spec.get("finally") or ()]
    for group in (tasks, finals):
        seen: set[str] = set()
        for task in group:
            if task.name in seen:
                text = "is already present in Graph, can't add it again: duplicate pipeline task"
                raise GraphError(f"task {task.name} {text}")
            seen.add(task.name)
    _check_cycles(tasks)
    names = {task.name for task in tasks}
    for task in tasks:
        for parent in task.parents:
            if parent not in names:
                raise GraphError(
                    f"couldn't add link between {task.name} and {parent}: "
                    f"task {task.name} depends on {parent} but {parent} wasn't present in Pipeline"
                )
    references = any(task.spec.get("taskRef") is not None for task in (*tasks, *finals))
    fanned = any(task.spec.get("matrix") is not None for task in (*tasks, *finals))
    return Graph((*tasks, *finals), bool(finals), references, fanned)


def _task(spec: Document, *, final: bool) -> Task:
    template = spec.get("taskSpec")
    if template is not None and ("metadata" in template or "spec" in template):
        template = {key: value for key, value in template.items() if key not in ("metadata", "spec")}
    results, skippable = references_of(spec)
    parents = () if final else tuple(sorted({*(spec.get("runAfter") or ()), *(one.task for one in results)}))
    ignores = spec.get("onError") == "continue"
    return Task(spec["name"], spec, final, parents, results, skippable, template, variables(spec), ignores)


def _check_cycles(tasks: list[Task]) -> None:
    known = {task.name for task in tasks}
    waiting = {task.name: known.intersection(task.parents) for task in tasks}
    while waiting:
        free = [name for name, parents in waiting.items() if not parents]
        if not free:
            name = min(waiting)
            others = ", ".join(f'"{parent}"' for parent in sorted(waiting[name]))
            raise GraphError(f'cycle detected; task "{name}" depends on {others}')
        for name in free:
            del waiting[name]
        for parents in waiting.values():
            parents.difference_update(free)
