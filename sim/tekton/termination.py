"""What Tekton's entrypoint leaves in a container's termination message: a JSON list of ``{key, value, type}``."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sim.tekton.goformat import quoted
from sim.tekton.gojson import compact, complaint, kind_of

_TASK_RESULT, _INTERNAL, _STEP_RESULT, _UNKNOWN = 1, 3, 4, 10
_TYPES = {
    "TaskRunResult": _TASK_RESULT,
    "InternalTektonResult": _INTERNAL,
    "StepResult": _STEP_RESULT,
    "StepArtifactsResult": 5,
    "TaskRunArtifactsResult": 6,
}
_FIELDS = ("key", "value", "resourceName", "type")
_MESSAGE_MAX = 4096  # the kubelet keeps no more of it
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{3}(?:Z|[+-]\d\d:\d\d)")
_LAYOUT = "2006-01-02T15:04:05.000Z07:00"


class Unreadable(Exception):
    """The message is not the entrypoint's (untrusted text). The text is Tekton's, without the message it quotes."""


@dataclass(frozen=True, slots=True)
class Termination:
    """One parsed message.

    ``started_at`` is RFC 3339 to the second or ``""``; ``exit_code`` is what the step itself returned, where the
    entrypoint hid it (``onError: continue``); ``reason`` is the entrypoint's word or ``""``; ``results`` and
    ``step_results`` are names and values as written, by name; ``rest`` is the message without the internal entries.
    ``faults`` are the complaints about entries that could not be read.
    """

    started_at: str = ""
    exit_code: int | None = None
    reason: str = ""
    results: tuple[tuple[str, str], ...] = ()
    step_results: tuple[tuple[str, str], ...] = ()
    rest: str = ""
    faults: tuple[str, ...] = ()


NOTHING = Termination()


def parse(message: str) -> Termination:
    """Read a termination message. Raises Unreadable."""
    if not message:
        return NOTHING
    entries = _entries(message[:_MESSAGE_MAX])
    results: list[tuple[str, str]] = []
    step_results: list[tuple[str, str]] = []
    visible: list[dict[str, Any]] = []
    for key in sorted(entries):
        entry = entries[key]
        kind = entry.get("type")
        if kind == _INTERNAL:
            continue
        visible.append({field: entry[field] for field in _FIELDS if field in entry})
        if kind == _TASK_RESULT:
            results.append((key, entry["value"]))
        elif kind == _STEP_RESULT:
            step_results.append((key, entry["value"]))
    started_at, late = _started_at(entries.get("StartedAt"))
    exit_code, odd = _exit_code(entries.get("ExitCode"))
    reason = entries.get("Reason")
    return Termination(
        started_at,
        exit_code,
        reason["value"] if reason is not None and reason.get("type") == _INTERNAL else "",
        tuple(results),
        tuple(step_results),
        compact(visible) if visible else "",
        tuple(fault for fault in (late, odd) if fault),
    )


def _entries(text: str) -> dict[str, dict[str, Any]]:
    """The entries by their keys, the last of each."""
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(complaint(text)) from None
    if listed is None:
        return {}
    if not isinstance(listed, list):
        raise _unreadable(f"json: cannot unmarshal {kind_of(listed)} into Go value of type []result.RunResult")
    entries = {}
    for one in listed:
        if one is not None and not isinstance(one, Mapping):
            raise _unreadable(f"json: cannot unmarshal {kind_of(one)} into Go value of type result.RunResult")
        entry = _entry(one or {})
        if entry is not None:
            entries[entry["key"]] = entry
    return entries


def _entry(one: Mapping[str, Any]) -> dict[str, Any] | None:
    """One entry as Go reads it; None if there is nothing of an entry in it."""
    entry: dict[str, Any] = {"key": "", "value": ""}
    for field in ("key", "value", "resourceName"):
        value = one.get(field)
        if value is not None and not isinstance(value, str):
            where = f"Go struct field RunResult.{field} of type string"
            raise _unreadable(f"json: cannot unmarshal {kind_of(value)} into {where}")
        if value:
            entry[field] = value
    kind = one.get("type")
    if kind is not None:
        number = _TYPES.get(kind, _UNKNOWN) if isinstance(kind, str) else kind
        if not isinstance(number, int):
            where = "into Go value of type"
            what = f"json: cannot unmarshal {kind_of(kind)} {where}"
            cause = f"{what} int\n{what} string"
            raise _unreadable(f"unsupported value type, neither int nor string: {cause}")
        if number:
            entry["type"] = number
    return entry if entry["key"] or entry["value"] or len(entry) > 2 else None


def _unreadable(why: str) -> Unreadable:
    return Unreadable(f"parsing message json: {why}, msg: ")


def _started_at(entry: Mapping[str, Any] | None) -> tuple[str, str]:
    if entry is None:
        return "", ""
    value: str = entry["value"]
    if _TIME.fullmatch(value):
        if value[-1] == "Z":
            return f"{value[:19]}Z", ""
        moment = datetime.fromisoformat(value.replace(",", ".")).astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ"), ""
    shown = quoted(value)
    cause = f'parsing time {shown} as "{_LAYOUT}": cannot parse {shown} as "2006"'
    return "", f"could not parse time value {shown} in StartedAt field: {cause}"


def _exit_code(entry: Mapping[str, Any] | None) -> tuple[int | None, str]:
    if entry is None:
        return None, ""
    value: str = entry["value"]
    if re.fullmatch(r"[+-]?[0-9]{1,9}", value):
        return int(value), ""
    shown = quoted(value)
    return (
        None,
        f"could not parse int value {shown} in ExitCode field: strconv.ParseInt: parsing {shown}: invalid syntax",
    )
