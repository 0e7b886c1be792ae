"""Whether the tasks of a pipeline form a graph."""

from collections.abc import Sequence

from controller.ports import Document
from sim.tekton.dag import dag_problem
from sim.tekton.validation.resultrefs import task_refs


def graph_problem(tasks: Sequence[Document]) -> str:
    """The first thing wrong with the graph; ``""`` when it is one. Final tasks are no part of it."""
    return dag_problem(
        (task.get("name") or "", {*(task.get("runAfter") or ()), *(ref.task for ref in task_refs(task))})
        for task in tasks
    )
