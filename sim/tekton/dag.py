"""What is wrong with the order of a pipeline's tasks, in the words of webhook and controller alike
(``pkg/reconciler/pipeline/dag``)."""

from collections.abc import Collection, Iterable, Mapping


def dag_problem(tasks: Iterable[tuple[str, Collection[str]]]) -> str:
    """The first thing wrong; ``""`` for a graph. ``tasks`` are names with those of the tasks that come before."""
    parents: dict[str, list[str]] = {}
    for name, before in tasks:
        if name in parents:
            return f"task {name} is already present in Graph, can't add it again: duplicate pipeline task"
        parents[name] = sorted(before)
    left = _cycle(parents)
    if left:
        name = min(left)
        spelled = ", ".join(f'"{parent}"' for parent in sorted(left[name]))
        return f'cycle detected; task "{name}" depends on {spelled}'
    for name in sorted(parents):
        for parent in parents[name]:
            if parent not in parents:
                missing = f"task {name} depends on {parent} but {parent} wasn't present in Pipeline"
                return f"couldn't add link between {name} and {parent}: {missing}"
    return ""


def _cycle(parents: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Tasks that never become free, each with the parents it waits for."""
    waiting = {name: parents.keys() & its for name, its in parents.items()}
    free: set[str] = set()
    while True:
        free = {name for name, its in waiting.items() if not its - free}
        if not free:
            return waiting
        waiting = {name: its - free for name, its in waiting.items() if name not in free}
