"""The raw recorder's form of a recording, split into what was played and what Tekton wrote in answer.

What was played (pod states, script actions, registry answers) becomes the input; what the controller wrote becomes
the expectation.
"""

import json
from typing import Any

from scenarios.golden.audit import CLIENT, Call, calls_of
from scenarios.golden.burst import convert_burst, is_burst
from scenarios.golden.circumstances import BLOCKER
from scenarios.golden.deeds import Objects, deeds_of
from scenarios.golden.form import (
    KINDS,
    Incarnations,
    collapsed,
    normal_annotations,
    normal_labels,
    normal_managers,
    normal_owners,
    normal_status,
)
from scenarios.golden.milestones import recorded_order
from scenarios.golden.podscript import pod_scripts
from scenarios.golden.recording import Recording
from scenarios.golden.situation import circumstances_of, webhook_error

_MARGIN_MS = 2_000  # the recorder went on for at least that long after the last thing it saw


def convert(raw: dict[str, Any]) -> Recording:
    """``raw`` is one file as the recorder wrote it. Raises Unplayable, or KeyError and the like for another form."""
    if is_burst(raw):
        return convert_burst(raw)
    rows = [row for row in raw["events"] if row["resource"] in KINDS and row.get("name") != BLOCKER]
    symbols = Incarnations()
    for row in rows:
        symbols.of(row["uid"], KINDS[row["resource"]], row["name"])
    run = raw["submitted"]["metadata"]["name"]
    calls = calls_of(raw, run)
    deeds = [_with_error(deed, raw) for deed in deeds_of(raw["actions"], calls, _objects(run, rows))]
    answer = raw["createCall"].get("body") or {}
    submitted_ms = next((call.commit_ms for call in calls if (call.user, call.verb) == (CLIENT, "create")), 0.0)
    counted = raw.get("apiCalls") or {}
    return Recording(
        scenario=raw["scenario"],
        version=raw["tektonVersion"],
        namespace=raw["namespace"],
        offset_ms=min(999, max(0, round(raw["submitOffsetWithinCreationSecond_s"] * 1000 + submitted_ms))),
        duration_ms=round(_last_ms(raw, calls) + _MARGIN_MS),
        alone=raw.get("concurrentScenarios") == 1,
        submit=raw["submitted"],
        returned_spec=raw["returnedOnCreate_spec"],
        refusal=[answer["code"], answer["reason"], answer["message"], answer.get("details", {})] if answer else [],
        circumstances=circumstances_of(raw, rows, deeds),
        actions=deeds,
        pods=pod_scripts(rows, calls, symbols),
        expect=_expectations(rows, symbols),
        order=recorded_order(_all_writes(rows, symbols)),
        events=sorted(_told(raw["events"])),
        calls=counted.get("byVerbResource") or {},
        burst={},
        managers=_managers(rows, symbols),
        whole_calls="time window" in counted.get("countedBy", ""),
    )


def _with_error(deed: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    gone = deed["do"] in ("kill", "stop") and deed.get("component") == "webhook"
    error = webhook_error(raw) if gone else ""
    return {**deed, "error": error} if error else deed


def _last_ms(raw: dict[str, Any], calls: list[Call]) -> float:
    """When the last thing happened of which the recording knows."""
    instants = [row["tMs"] for row in (*raw["events"], *raw["actions"])]
    return float(max([0.0, *instants, *(call.end_ms for call in calls)]))


def _objects(run: str, rows: list[dict[str, Any]]) -> Objects:
    first = {kind: next((row["name"] for row in rows if row["resource"] == kind), "") for kind in ("taskruns", "pods")}
    return Objects(run, first["taskruns"] or f"{run}-run", first["pods"] or f"{run}-run-pod")


def _all_writes(events: list[dict[str, Any]], symbols: Incarnations) -> list[tuple[str, dict[str, Any]]]:
    return [
        (symbols.of(event["uid"]), (_pod_write if event["resource"] == "pods" else _run_write)(event, symbols))
        for event in events
    ]


def _expectations(events: list[dict[str, Any]], symbols: Incarnations) -> dict[str, list[dict[str, Any]]]:
    writes: dict[str, list[dict[str, Any]]] = {}
    for symbol, write in _all_writes(events, symbols):
        writes.setdefault(symbol, []).append(write)
    return {symbol: collapsed(ones) for symbol, ones in writes.items()}


def _managers(rows: list[dict[str, Any]], symbols: Incarnations) -> dict[str, list[list[str]]]:
    told: dict[str, list[list[str]]] = {}
    for row in rows:
        if row.get("managers") and row["resource"] != "pods":
            states = told.setdefault(symbols.of(row["uid"]), [])
            managers = normal_managers(one.split("/") for one in row["managers"])
            if states[-1:] != [managers]:
                states.append(managers)
    return told


def _metadata(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write: dict[str, Any] = {
        "type": event["type"],
        "labels": normal_labels(event.get("labels"), symbols),
        "annotations": normal_annotations(event.get("annotations")),
        "deleting": "deletionTimestamp" in event,
    }
    if event["type"] == "ADDED":
        write["owners"] = normal_owners(event.get("ownerReferences"), symbols)
    return write


def _run_write(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write = _metadata(event, symbols)
    write["generation"] = event["generation"]
    write["finalizers"] = event.get("finalizers", [])
    if event["type"] == "ADDED":
        write["spec"] = event["spec"]
    if event.get("status"):
        flags = "_omitted" not in json.dumps(event["status"].get("provenance", {}))
        write["status"] = normal_status(event["status"], flags=flags)
        write["flags"] = flags
    return write


def _pod_write(event: dict[str, Any], symbols: Incarnations) -> dict[str, Any]:
    write = _metadata(event, symbols)
    if event["type"] == "ADDED":
        for key in ("restartPolicy", "activeDeadlineSeconds", "serviceAccountName"):
            write[key] = event[key]
    return write


def _told(events: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (event["involved"], event["reason"], event.get("message") or "")
        for event in events
        if event["resource"] == "events" and event["type"] == "ADDED"
    }
