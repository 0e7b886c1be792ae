"""Where two JSON values differ first."""

from collections.abc import Mapping
from typing import Any


def first_difference(recorded: Any, simulated: Any, place: str = "") -> tuple[str, Any, Any]:
    """``(path, recorded, simulated)`` of the first difference; the path is like ``status.steps[0].name``.

    None stands for what is not there.
    """
    if isinstance(recorded, Mapping) and isinstance(simulated, Mapping):
        for key in dict.fromkeys((*recorded, *simulated)):
            if recorded.get(key) != simulated.get(key):
                inner = f"{place}.{key}" if place else str(key)
                return first_difference(recorded.get(key), simulated.get(key), inner)
    elif _listed(recorded) and _listed(simulated):
        for index in range(max(len(recorded), len(simulated))):
            ours = simulated[index] if index < len(simulated) else None
            theirs = recorded[index] if index < len(recorded) else None
            if ours != theirs:
                return first_difference(theirs, ours, f"{place}[{index}]")
    return place, recorded, simulated


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple)
