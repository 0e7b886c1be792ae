"""What was done to each recorded pod, as lines that a :class:`scenarios.golden.kubelet.Kubelet` does again."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from scenarios.golden.audit import CONTROLLER, PUPPET, Call, Times
from scenarios.golden.form import Incarnations
from scenarios.golden.podtexts import PodTexts

Row = Mapping[str, Any]
_STATUS = ("phase", "conditions", "containers", "reason", "message")
_TRAVEL_MS = 20.0  # of a watch line, where nothing better is known
_LEAST_MS = 1


def pod_scripts(rows: Sequence[Row], calls: Sequence[Call], symbols: Incarnations) -> dict[str, list[dict[str, Any]]]:
    """``rows`` are the recorder's rows of all kinds in store order; the scripts are by symbol."""
    times = Times(list(calls))
    texts = PodTexts(rows)
    by_pod: dict[str, list[Row]] = {}
    for row in rows:
        if row["resource"] == "pods":
            by_pod.setdefault(symbols.of(row["uid"]), []).append(row)
    return {symbol: _script(of_pod, times, texts, logged=bool(calls)) for symbol, of_pod in by_pod.items()}


def _script(rows: Sequence[Row], times: Times, texts: PodTexts, *, logged: bool) -> list[dict[str, Any]]:
    deeds = [_deed(before, row, logged=logged) for before, row in zip([None, *rows], rows, strict=False)]
    causes = [_cause(times, deed, row) for deed, row in zip(deeds, rows, strict=True)]
    for index, (deed, cause) in enumerate(zip(deeds, causes, strict=True)):
        if deed == "delete" and cause is None and logged:
            deeds[index] = "await deletion"  # somebody else did it at once: the API server, or a client by force
    lags = [row["tMs"] - cause.commit_ms for row, cause in zip(rows, causes, strict=True) if cause is not None]
    lag_ms = median(lags) if lags else _TRAVEL_MS
    instants = [
        cause.commit_ms if cause is not None else row["tMs"] - lag_ms for row, cause in zip(rows, causes, strict=True)
    ]
    script: list[dict[str, Any]] = []
    since_ms = instants[0]
    for deed, row, at_ms in zip(deeds[1:], rows[1:], instants[1:], strict=True):
        line: dict[str, Any] = {"do": deed}
        if deed in ("bind", "status", "delete"):
            line["delay_ms"] = max(_LEAST_MS, round(at_ms - since_ms))
        if deed == "bind":
            line["node"] = row["nodeName"]
        elif deed == "status":
            line |= {key: row[key] for key in _STATUS if key in row}
            line |= texts.of(row)
        if deed:
            script.append(line)
            since_ms = at_ms
    return script


def _deed(before: Row | None, row: Row, *, logged: bool) -> str:
    """What happened between two rows of one pod; ``""`` for what needs no doing."""
    if before is None:
        return ""
    marked = "deletionTimestamp" in before
    if row["type"] == "DELETED":
        return "" if marked or logged else "delete"
    if row.get("deletionTimestamp") != before.get("deletionTimestamp"):
        at_once = row.get("deletionGracePeriodSeconds") == 0 and (logged or marked)
        return "delete" if at_once else "await deletion"
    if row.get("annotations") != before.get("annotations"):
        return "await ready"
    if "nodeName" not in before and "nodeName" in row:
        return "bind"
    return "status" if any(row.get(key) != before.get(key) for key in _STATUS) else ""


_CAUSES = {
    "bind": (PUPPET, "create", "pods/binding"),
    "status": (PUPPET, "patch", "pods/status"),
    "delete": (PUPPET, "delete", "pods"),
    "await ready": (CONTROLLER, "patch", "pods"),
    "created": (CONTROLLER, "create", "pods"),
}


def _cause(times: Times, deed: str, row: Row) -> Call | None:
    cause = _CAUSES.get("created" if row["type"] == "ADDED" else deed)
    return times.cause(*cause, row["name"], row["tMs"]) if cause is not None else None
