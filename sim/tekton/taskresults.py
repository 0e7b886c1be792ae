"""What a TaskRun leaves behind: results as its Task declares them, and as its steps wrote them.

Rules: ``pkg/pod/status.go`` and ``pkg/reconciler/taskrun/validate_taskrun.go``.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.ports import Document
from sim.tekton.containerview import STEP, ContainerView
from sim.tekton.goformat import mapped

_USER = "[User error] "
_STEP_RESULT = re.compile(r"\$\(steps\.(.*?)\.results\.(.*?)\)")


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """The results a Task declares.

    ``types`` are the Task's own with their types, ``keys`` the keys that its object results must have; by container,
    ``step_types`` are those of its steps and ``fetched`` says which step results become which results of the Task.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    step_types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fetched: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


NONE_DECLARED = Declared()


def declared_by(spec: Document) -> Declared:
    """What a Task's spec, its variables filled in, declares."""
    types: dict[str, str] = {}
    keys: dict[str, tuple[str, ...]] = {}
    fetched: dict[str, dict[str, str]] = {}
    for one in spec.get("results") or ():
        name, properties = one["name"], one.get("properties")
        types[name] = one.get("type") or ("object" if properties else "string")
        if types[name] == "object" and properties:
            keys[name] = tuple(sorted(properties))
        source = _STEP_RESULT.search(one["value"]) if isinstance(one.get("value"), str) else None
        if source is not None:
            fetched.setdefault(f"{STEP}{source[1]}", {})[source[2]] = name
    step_types = {
        f"{STEP}{step['name']}": {one["name"]: one.get("type", "") for one in step["results"]}
        for step in spec["steps"]
        if step.get("results") and step.get("name")
    }
    return Declared(types, keys, step_types, fetched) if types or step_types else NONE_DECLARED


def emitted(steps: Iterable[ContainerView], declared: Declared) -> list[dict[str, Any]]:
    """The TaskRun's results now that it is over: of each name the last, where the first stood."""
    found: dict[str, dict[str, Any]] = {}
    for view in steps:
        for name, text in view.results:
            found[name] = _result(name, declared.types.get(name, ""), text)
        wanted = declared.fetched.get(view.name) if view.step_results else None
        if wanted:
            for one in step_results(view, declared):
                if one["name"] in wanted:
                    name = wanted[one["name"]]
                    found[name] = {**one, "name": name}
    return list(found.values())


def step_results(view: ContainerView, declared: Declared) -> list[dict[str, Any]]:
    """What one step wrote for itself."""
    types = declared.step_types.get(view.name) or {}
    return [_result(name, types.get(name, ""), text) for name, text in view.step_results]


def unfit(results: Sequence[Document], declared: Declared) -> tuple[list[Document], str]:
    """The results that are of their declared type, and what is wrong with the others or ``""``."""
    fit: list[Document] = []
    wrong: list[str] = []
    for one in results:
        needed = declared.types.get(one["name"], one["type"])
        if needed == one["type"]:
            fit.append(one)
            continue
        text = f'expected to be "{needed}" type but was initialized to a different type "{one["type"]}"'
        wrong.append(f' "{one["name"]}": task result is {text}')
    if wrong:
        why = "Provided results don't match declared results; may be invalid JSON or missing result declaration"
        return fit, f"{why}: {','.join(sorted(wrong))}"
    lacking = {
        one["name"]: missing
        for one in fit
        if one["type"] == "object"
        and (missing := [key for key in declared.keys.get(one["name"], ()) if key not in one["value"]])
    }
    if lacking:
        text = f"missing keys for these results which are required in TaskResult's properties {mapped(lacking)}"
        return fit, text
    return fit, ""


def labelled(error: str) -> str:
    """A mistake of the user's as conditions tell it; Events tell it without the label."""
    return _USER + error


def _result(name: str, needed: str, text: str) -> dict[str, Any]:
    kind, value = ("string", text) if needed == "string" else _read(text)
    return {"name": name, "type": kind, "value": value}


def _read(text: str) -> tuple[str, Any]:
    """A value as what it looks like: only lists and maps of strings are taken for such."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "string", text
    if isinstance(value, list) and text[0] == "[" and all(isinstance(one, str) for one in value):
        return "array", value
    if isinstance(value, dict) and text[0] == "{" and all(isinstance(one, str) for one in value.values()):
        return "object", value
    return "string", value if isinstance(value, str) else text
