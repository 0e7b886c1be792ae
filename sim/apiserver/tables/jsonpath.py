"""The simple JSON paths of printer columns: ``.a.b[0].c``, ``['x']``, ``[*]`` and ``[?(@.type=="Ready")]``."""

import re
from collections.abc import Callable
from typing import Any

Step = Callable[[list[Any]], list[Any]]
_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
      | \[['"](?P<quoted>[^'"]*)['"]\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\]
      | \[\?\(\s*@\.(?P<key>[\w.\-]+)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[\w.\-]+)\s*\)\]""",
    re.VERBOSE,
)


def compiled(path: str) -> Callable[[Any], list[Any]] | None:
    """A function that finds the values at ``path``; None for a path of another form."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        steps.append(_step(match))
        at = match.end()

    def find(document: Any) -> list[Any]:
        found = [document]
        for step in steps:
            found = step(found)
        return found

    return find


def _step(match: re.Match[str]) -> Step:
    name = match["quoted"] if match["quoted"] is not None else match["field"]
    if name is not None:
        key = re.sub(r"\\(.)", r"\1", name)
        return lambda found: [one[key] for one in found if isinstance(one, dict) and key in one]
    if match["index"] is not None:
        at = int(match["index"])
        return lambda found: [one[at] for one in found if isinstance(one, list) and -len(one) <= at < len(one)]
    if match["all"]:
        return lambda found: [item for one in found for item in _items(one)]
    return _filter(match["key"].split("."), match["operator"] == "==", match["value"])


def _filter(keys: list[str], equal: bool, literal: str) -> Step:
    wanted = literal[1:-1] if literal[0] in "\"'" else literal

    def fits(item: Any) -> bool:
        for key in keys:
            if not isinstance(item, dict) or key not in item:
                return False
            item = item[key]
        shown = str(item).lower() if isinstance(item, bool) else str(item)
        return (shown == wanted) is equal

    return lambda found: [item for one in found for item in _items(one) if fits(item)]


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []
