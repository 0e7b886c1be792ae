"""Whether the tasks of a pipeline form a graph, in the words of the webhook."""

from collections.abc import Sequence

from controller.ports import Document
from sim.tekton.validation.resultrefs import task_refs


def graph_problem(tasks: Sequence[Document]) -> str:
    """The first thing wrong with the graph; ``""`` when it is one. Final tasks are no part of it."""
    names: set[str] = set()
    parents: dict[str, list[str]] = {}
    for task in tasks:
        name = task.get("name") or ""
        if name in names:
            return f"task {name} is already present in Graph, can't add it again: duplicate pipeline task"
        names.add(name)
        found = {*(task.get("runAfter") or ()), *(ref.task for ref in task_refs(task))}
        if found:
            parents[name] = sorted(found)
    left = _cycle(parents)
    if left:
        name = min(left)
        spelled = ", ".join(f'"{parent}"' for parent in sorted(left[name]))
        return f'cycle detected; task "{name}" depends on {spelled}'
    for name in sorted(parents):
        for parent in parents[name]:
            if parent not in names:
                missing = f"task {name} depends on {parent} but {parent} wasn't present in Pipeline"
                return f"couldn't add link between {name} and {parent}: {missing}"
    return ""


def _cycle(parents: dict[str, list[str]]) -> dict[str, set[str]]:
    """Tasks that never become free, each with the parents it waits for."""
    waiting = {name: set(its) for name, its in parents.items()}
    free = {parent for its in parents.values() for parent in its if parent not in parents}
    while free:
        done, free = free, set()
        for name in list(waiting):
            waiting[name] -= done
            if not waiting[name]:
                del waiting[name]
                free.add(name)
    return waiting
