"""What Tekton's entrypoint leaves in a container's termination message: a JSON list of ``{key, value, type}``."""

import json
from dataclasses import dataclass
from typing import Any

_TASK_RESULT = (1, "TaskRunResult")
_INTERNAL = (3, "InternalTektonResult")
_MESSAGE_MAX = 4096  # the kubelet keeps no more of it


@dataclass(frozen=True, slots=True)
class Termination:
    """One parsed message.

    ``started_at`` is RFC 3339 to the second or ``""``; ``exit_code`` is what the step itself returned, where the
    entrypoint hid it (``onError: continue``); ``reason`` is the entrypoint's word or ``""``; ``results`` are the
    entries that a reader may see; ``rest`` is the message without the internal ones.
    """

    started_at: str = ""
    exit_code: int | None = None
    reason: str = ""
    results: tuple[tuple[str, Any], ...] = ()
    rest: str = ""


NOTHING = Termination()


def parse(message: str) -> Termination | None:
    """Read a termination message; None when it is not one of the entrypoint's (untrusted text)."""
    if not message:
        return NOTHING
    try:
        entries = json.loads(message[:_MESSAGE_MAX])
    except (ValueError, RecursionError):
        return None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    started_at, exit_code, reason = "", None, ""
    results: list[tuple[str, Any]] = []
    visible: list[dict[str, Any]] = []
    for entry in entries:
        kind, key, value = entry.get("type"), str(entry.get("key", "")), entry.get("value", "")
        if kind in _INTERNAL:
            if key == "StartedAt":
                started_at = f"{str(value)[:19]}Z"
            elif key == "ExitCode":
                exit_code = int(value) if str(value).lstrip("-").isdigit() else None
            elif key == "Reason":
                reason = str(value)
            continue
        visible.append(entry)
        if kind in _TASK_RESULT:
            results.append((key, value))
    rest = json.dumps(visible, separators=(",", ":")) if visible else ""
    return Termination(started_at, exit_code, reason, tuple(results), rest)
