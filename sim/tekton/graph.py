"""A pipeline as a graph of its tasks."""

from dataclasses import dataclass

from controller.ports import Document
from sim.tekton.dag import dag_problem
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
    problem = dag_problem((one.name, one.parents) for one in tasks) or dag_problem((one.name, ()) for one in finals)
    if problem:
        raise GraphError(problem)
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
