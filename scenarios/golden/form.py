"""One form for what was recorded and what is replayed: everything that is evidence, nothing that is not.

Times become their presence, uids become ``kind/name/incarnation``, digests and container ids vanish, specs inside
statuses become the names of their tasks. Consecutive writes that differ in nothing else are one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

KINDS = {
    "pipelineruns": "PipelineRun",
    "taskruns": "TaskRun",
    "resolutionrequests": "ResolutionRequest",
    "pods": "Pod",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_TEKTON = ("controller", "resolvers")
_TIMES = ("startTime", "completionTime", "finallyStartTime")
_STATES = {"running": (), "waiting": ("reason", "message"), "terminated": ("exitCode", "reason", "message")}


def normal_status(status: Mapping[str, Any], *, flags: bool) -> dict[str, Any]:
    """``flags`` keeps ``provenance.featureFlags`` word for word."""
    result: dict[str, Any] = {}
    for key, value in status.items():
        if key == "retriesStatus":
            result[key] = [normal_status(one, flags=flags) for one in value]
        elif key == "provenance":
            result[key] = _provenance(value, flags=flags)
        elif key in _FORMS:
            found = _FORMS[key](value)
            if found is not None:
                result[key] = found
        elif value is not None:
            result[key] = value
    return result


def _condition(condition: Mapping[str, Any]) -> list[str]:
    return [condition["status"], condition.get("reason", ""), condition.get("message", "")]


def _names(tasks: Iterable[Any]) -> list[str]:
    return [task if isinstance(task, str) else task["name"] for task in tasks]


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in step.items() if key not in _STATES}
    for state, keys in _STATES.items():
        if state in step:
            result[state] = {key: step[state][key] for key in keys if step[state].get(key) not in (None, "")}
    return result


def _provenance(provenance: Mapping[str, Any], *, flags: bool) -> dict[str, Any]:
    result = dict(provenance)
    if "featureFlags" in result and not flags:
        result["featureFlags"] = True
    if "refSource" in result:
        result["refSource"] = _source(result["refSource"])
    return result


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    return {"entryPoint": source["entryPoint"], "uri": source["uri"], "digest": sorted(source["digest"])}


def normal_annotations(annotations: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of a time only that it is there. The recorder keeps times as mappings wherever they stand."""
    return {
        key: True if isinstance(value, Mapping) or _TIME.fullmatch(str(value)) else value
        for key, value in sorted((annotations or {}).items())
    }


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_TIMES, bool),
    "annotations": normal_annotations,
    "conditions": lambda value: [_condition(one) for one in value],
    "steps": lambda value: [_step(one) for one in value],
    "pipelineSpec": lambda value: {group: _names(value.get(group) or ()) for group in ("tasks", "finally")},
    "taskSpec": lambda _: True,
    "data": lambda value: None if value in ("", {"_omitted_bytes": 0}) else True,
    "source": lambda value: _source(value) if value else None,
    "refSource": lambda value: _source(value) if value else None,
}
"""What becomes of a status's field; None leaves it out."""


class Incarnations:
    """Symbols for uids, in the order in which objects of one kind and name appear."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def of(self, uid: str, kind: str = "", name: str = "") -> str:
        symbol = self._symbols.get(uid)
        if symbol is None and kind:
            number = self._counts.get((kind, name), 0)
            self._counts[kind, name] = number + 1
            symbol = self._symbols[uid] = f"{kind}/{name}/{number}"
        return symbol or "unknown"


def normal_labels(labels: Mapping[str, str] | None, symbols: Incarnations) -> dict[str, str]:
    result = dict(labels or {})
    for key in ("tekton.dev/pipelineRunUID", "tekton.dev/taskRunUID"):
        if key in result:
            result[key] = symbols.of(result[key])
    return dict(sorted(result.items()))


def normal_owners(references: Iterable[Mapping[str, Any]] | None, symbols: Incarnations) -> list[dict[str, Any]]:
    return [{**dict(sorted(one.items())), "uid": symbols.of(one["uid"])} for one in references or ()]


def normal_managers(entries: Iterable[Sequence[str]]) -> list[str]:
    """Who owns fields, from ``(manager, operation[, subresource])``; whoever is no part of Tekton is the client."""
    return sorted({"/".join((one[0] if one[0] in _TEKTON else "client", *one[1:])) for one in entries})


def collapsed(writes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the writes that changed nothing but times."""
    result: list[dict[str, Any]] = []
    for write in writes:
        if not result or {**result[-1], "type": ""} != {**write, "type": ""} or write["type"] == "DELETED":
            result.append(write)
    return result
