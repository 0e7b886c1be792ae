"""The texts that were played to pods. Pod rows do not keep them: they are told only where Tekton repeated them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_CONDITION = re.compile(r'pod status "(\w+)":"(?:False|Unknown)"; message: "(.*)"', re.DOTALL)
_ERRORED = re.compile(r'the step "([^"]+)" in TaskRun .* The pod errored with the message: "(.*)\."', re.DOTALL)
_PENDING = re.compile(r'build step "([^"]+)" is pending with reason ("(?:[^"\\]|\\.)*")')
_OF_CONTAINERS = re.compile(r'"[^"]+" exited |init container failed|build failed for unspecified|OOMKilled')
_OF_TEKTON = re.compile(r"TaskRun |the step |Failed to create|All Steps|failed to|Not all|Pending|init container")
_SKIPPED = ("Skipped", "TimeoutExceeded")


class PodTexts:
    """``rows`` are all rows of a recording, in store order."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._attempts = [
            (row["rvIndex"], row["name"], attempt)
            for row in rows
            if row["resource"] == "taskruns" and row.get("status")
            for attempt in (row["status"], *row["status"].get("retriesStatus", ()))
        ]
        self._born: dict[str, list[int]] = {}
        for row in rows:
            if row["resource"] == "pods" and row["type"] == "ADDED":
                self._born.setdefault(row["name"], []).append(row["rvIndex"])

    def of(self, row: Row) -> dict[str, Any]:
        """What one status of a pod holds besides its row: the keys of a ``status`` line of a script."""
        containers = row.get("containers") or {}
        seen = list(self._later(row))
        found: dict[str, Any] = {}
        _put(found, "waiting_messages", {name: _waiting(name, state, seen) for name, state in containers.items()})
        _put(found, "condition_messages", _conditions(row, seen))
        _put(found, "messages", {name: _termination(name, state, seen) for name, state in containers.items()})
        if row.get("phase") == "Failed" and "message" not in row:
            _put(found, "message", message := _of_pod(seen))
            if message and "reason" not in row:
                found["reason"] = "DeadlineExceeded" if "deadline" in message.lower() else "Evicted"
        return found

    def _later(self, row: Row) -> Iterator[Mapping[str, Any]]:
        """The statuses that Tekton wrote of this pod after this row, until a pod of the same name was created."""
        name, since, task = row["name"], row["rvIndex"], (row.get("labels") or {}).get("tekton.dev/taskRun")
        until = next((born for born in self._born.get(name, ()) if born > since), None)
        for index, of, attempt in self._attempts:
            own = of == task and attempt.get("podName", "") in (name, "")
            if own and index > since and (until is None or index < until):
                yield attempt


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if one is not None}
    if value:
        found[key] = value


def _message(attempt: Mapping[str, Any]) -> str:
    return next((one.get("message") or "" for one in attempt.get("conditions") or ()), "")


def _steps(attempt: Mapping[str, Any], container: str) -> Iterator[Mapping[str, Any]]:
    for group in ("steps", "sidecars"):
        for step in attempt.get(group) or ():
            if step.get("container") == container:
                yield step


def _waiting(name: str, state: Sequence[Any], seen: Sequence[Mapping[str, Any]]) -> str | None:
    """The message of a waiting container: as its step showed it, or inside a sentence of Tekton's."""
    if state[0] != "waiting" or state[2] in ("PodInitializing", "ContainerCreating"):
        return None
    for attempt in seen:
        for step in _steps(attempt, name):
            waiting = step.get("waiting") or {}
            if waiting.get("reason") == state[2] and waiting.get("message"):
                return str(waiting["message"])
        text = _message(attempt)
        errored = _ERRORED.search(text)
        if errored and f"step-{errored[1]}" == name:
            return errored[2]
        pending = _PENDING.search(text)
        if pending and pending[1] == name:
            return _unquoted(pending[2])
    return None


def _unquoted(text: str) -> str:
    """What Go quoted with %q, as far as that is JSON."""
    try:
        return str(json.loads(text))
    except ValueError:
        return text[1:-1]


def _conditions(row: Row, seen: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The message of PodScheduled=False. Those of the other conditions follow from the containers."""
    if not str((row.get("conditions") or {}).get("PodScheduled", "")).startswith("False"):
        return {}
    for attempt in seen:
        told = _CONDITION.search(_message(attempt))
        if told and told[1] == "PodScheduled":
            return {"PodScheduled": told[2]}
    return {}


def _termination(name: str, state: Sequence[Any], seen: Sequence[Mapping[str, Any]]) -> list[list[Any]] | str | None:
    """What the entrypoint left, as ``[key, value, type]`` besides StartedAt; ``""`` for nothing; None for the usual."""
    if state[0] != "terminated" or not name.startswith("step-"):
        return None
    for attempt in seen:
        for step in _steps(attempt, name):
            ended = step.get("terminated")
            if not ended or not ended.get("containerID"):
                continue
            entries = _results(ended.get("message") or "")
            if entries is None:
                return str(ended["message"])
            if ended["exitCode"] != state[1]:
                entries.append(["ExitCode", str(ended["exitCode"]), 3])
            elif step.get("terminationReason") in _SKIPPED:
                entries.append(["Reason", step["terminationReason"], 3])
            elif not step.get("terminationReason"):
                return ""
            return entries or None
    return "" if state[1] == 137 else None


def _results(message: str) -> list[list[Any]] | None:
    """The results that Tekton kept of a termination message; None for a message that is plain text."""
    if not message:
        return []
    try:
        return [[one["key"], one["value"], one["type"]] for one in json.loads(message)]
    except (ValueError, TypeError, KeyError):
        return None


def _of_pod(seen: Sequence[Mapping[str, Any]]) -> str:
    """The pod's own message, which Tekton takes over where no container explains the failure, or for an eviction."""
    for attempt in seen:
        for condition in attempt.get("conditions") or ():
            text = condition.get("message") or ""
            if condition["status"] == "False":
                known = _OF_CONTAINERS.match(text) or _OF_TEKTON.match(text)
                return "" if known and condition.get("reason") != "PodEvicted" else text
    return ""
