"""Recordings of many runs submitted at once, whose rows are compact: outcomes, counts and times are compared.

``Recording.burst`` is ``{"outcomes": {text: number of runs and children}, "first_status_ms": [median, last],
"ended_ms": of the last run}``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from scenarios.golden.agreement import Difference, Grade
from scenarios.golden.audit import CLIENT, calls_of
from scenarios.golden.circumstances import Circumstances
from scenarios.golden.deeds import Objects, Unplayable, deeds_of
from scenarios.golden.player import Played
from scenarios.golden.recording import Recording
from scenarios.golden.situation import DEFAULT_PIPELINE, bundle_of, components_down

TOLERANCE = 0.1
_MARGIN_MS = 5_000
_JITTER_MS = 120.0  # of a difference of two recorded instants, either of which comes up to 60 ms late
_LEASE_MS = (
    58_700  # from a crash of the resolvers to the first verdict: leases of 60 s, renewed and asked for every 10 s
)
_REQUEST_HASH = re.compile(r"bundles-[0-9a-f]{32}")
_FOREIGN = re.compile(r"(?:failed to validate params: )?missing required (?:git|http|hub|cluster) resolver params: \w+")
_FOREIGN_VERDICT = "{verdict of a foreign resolver}"
_RUNNING = {"PodReadyToStartContainers": "True", "Initialized": "True", "Ready": "True", "ContainersReady": "True"}
_ENDED = ("True", "False")


def is_burst(raw: Mapping[str, Any]) -> bool:
    """Whether the rows of a recording are compact."""
    return "eventsFormat" in raw or any(isinstance(row, list) for row in raw["events"][:1])


def convert_burst(raw: Mapping[str, Any]) -> Recording:
    """``raw`` is a file with compact rows, ``[tMs, rvIndex, type, resource, name, phase or condition]``."""
    document = raw["submitted"]
    run = re.sub(r"-\d+$", "", document["metadata"]["name"])
    calls = calls_of(raw, run)
    added = {row[4]: row[0] for row in raw["events"] if row[2:4] == ["ADDED", "pipelineruns"]}
    created = {call.name: call.commit_ms for call in calls if (call.user, call.verb) == (CLIENT, "create")}
    submitted = {name: created.get(name, at_ms) for name, at_ms in added.items()}
    if not submitted:
        raise Unplayable("no run was ever seen")
    first = min(submitted, key=submitted.__getitem__)  # which need not be the one whose document was kept
    others = [
        {"at_ms": round(at_ms - submitted[first]), "do": "create", "name": name, "spec": {}}
        for name, at_ms in submitted.items()
        if name != first
    ]
    deeds = [
        {**deed, "at_ms": max(0, round(deed["at_ms"] - submitted[first]))}
        for deed in deeds_of(raw["actions"], [], Objects(run, "", ""))
    ]
    ended_ms = max(row[0] for row in raw["events"])
    counted = raw.get("apiCalls") or {}
    return Recording(
        scenario=raw["scenario"],
        version=raw["tektonVersion"],
        namespace=raw["namespace"],
        offset_ms=min(999, max(0, round(raw["submitOffsetWithinCreationSecond_s"] * 1000 + submitted[first]))),
        duration_ms=round(ended_ms * (1 + TOLERANCE) + _MARGIN_MS),
        alone=raw.get("concurrentScenarios") == 1,
        submit={**document, "metadata": {**document["metadata"], "name": first}},
        returned_spec=None,
        refusal=[],
        circumstances=_circumstances(raw, deeds),
        actions=[*others, *deeds],
        pods=_pods(raw),
        expect={},
        order=[],
        events=[],
        calls=counted.get("byVerbResource") or {},
        burst=_recorded(raw, run, submitted[first]),
        whole_calls="time window" in counted.get("countedBy", ""),
    )


def _circumstances(raw: Mapping[str, Any], deeds: Sequence[dict[str, Any]]) -> Circumstances:
    bundle = bundle_of(raw, ())
    if bundle:
        bundle["spec"] = DEFAULT_PIPELINE
    down = components_down(raw, (), deeds)
    verdicts = [row[0] for row in raw["events"] if row[3] == "pipelineruns" and row[5] and _FOREIGN.search(str(row[5]))]
    if verdicts and not down:
        return Circumstances(bundle=bundle, restarted={"resolvers": max(0, round(_LEASE_MS - verdicts[0]))})
    return Circumstances(bundle=bundle, down=down)


def _pods(raw: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Bound, seen by the kubelet, running, ended: whatever of it was recorded, each after the other."""
    rows: dict[str, list[Sequence[Any]]] = {}
    for row in raw["events"]:
        if row[3] == "pods":
            rows.setdefault(row[4], []).append(row)
    steps = _steps(raw)
    return {f"Pod/{name}/0": list(_life(of_pod, steps)) for name, of_pod in rows.items()}


def _life(rows: Sequence[Sequence[Any]], steps: Sequence[str]) -> Iterator[dict[str, Any]]:
    states = {"Pending": ["waiting", None, "PodInitializing"], "Running": ["running", None, None]}
    since_ms, before, pending = rows[0][0], "Pending", 0
    for at_ms, _, type_, _, _, phase in rows[1:]:
        if type_ != "MODIFIED" or (phase == before and phase != "Pending"):
            continue
        line: dict[str, Any] = {"delay_ms": max(1, round(at_ms - since_ms))}
        if phase == "Pending" and not pending:
            line |= {"do": "bind", "node": "node-a"}
        else:
            ended = ["terminated", 0, "Completed"] if phase == "Succeeded" else ["terminated", 1, "Error"]
            conditions = {"PodScheduled": "True"} if phase == "Pending" else {**_RUNNING, "PodScheduled": "True"}
            containers = {f"step-{name}": states.get(phase, ended) for name in steps}
            line |= {"do": "status", "phase": phase, "conditions": conditions, "containers": containers}
        pending += phase == "Pending"
        since_ms, before = at_ms, phase
        yield line


def _steps(raw: Mapping[str, Any]) -> list[str]:
    for key, final in raw["final"].items():
        if key.startswith("taskrun:") and final.get("steps"):
            return [step["name"] for step in final["steps"]]
    return ["a"]


def _recorded(raw: Mapping[str, Any], run: str, submitted_ms: float) -> dict[str, Any]:
    kinds = {"pipelineruns": "PipelineRun", "taskruns": "TaskRun"}
    rows = [
        (row[0] - submitted_ms, f"{kinds[row[3]]}/{row[4]}", row[5] or None) for row in raw["events"] if row[3] in kinds
    ]
    return _totals(rows, run)


def _totals(rows: Iterable[tuple[float, str, Sequence[str] | None]], run: str) -> dict[str, Any]:
    """``rows`` are ``(ms since the submission, kind/name, condition)`` in store order."""
    last: dict[str, str] = {}
    born: dict[str, float] = {}
    told: dict[str, float] = {}
    ended_ms = 0.0
    for at_ms, name, condition in rows:
        born.setdefault(name, at_ms)
        if condition:
            last[name] = " ".join(condition)
            if name.startswith("PipelineRun/"):
                told.setdefault(name, at_ms)
                ended_ms = at_ms if condition[0] in _ENDED else ended_ms
        else:
            last.setdefault(name, "(no status)")
    outcomes = Counter(f"{name.partition('/')[0]}: {_masked(text, run)}" for name, text in last.items())
    lags = sorted(told[name] - born[name] for name in told)
    first_status_ms = [round(median(lags)), round(lags[-1])] if lags else []
    return {
        "outcomes": dict(sorted(outcomes.items())),
        "first_status_ms": first_status_ms,
        "ended_ms": round(ended_ms),
    }


def _masked(text: str, run: str) -> str:
    text = re.sub(rf"{re.escape(run)}-\d+", "$PR", text)
    return _FOREIGN.sub(_FOREIGN_VERDICT, _REQUEST_HASH.sub("bundles-{hash}", text))


def burst_differences(recording: Recording, played: Played) -> Iterator[Difference]:
    """Of the outcomes and the times. Numbers of calls are compared as everywhere."""
    run = re.sub(r"-\d+$", "", recording.run)
    rows = [
        (instant * 1000, symbol.rpartition("/")[0], (write.get("status", {}).get("conditions") or (None,))[0])
        for instant, (symbol, write) in zip(played.instants, played.ordered, strict=True)
        if symbol.startswith(("PipelineRun/", "TaskRun/"))
    ]
    recorded, simulated = recording.burst, _totals(rows, run)
    for text in sorted({*recorded["outcomes"], *simulated["outcomes"]}):
        theirs, ours = recorded["outcomes"].get(text, 0), simulated["outcomes"].get(text, 0)
        if theirs != ours:
            yield Difference(Grade.OUTCOME, text, "number of objects that ended so", theirs, ours)
    names = ("median of the first status", "last first status", "end of the last run")
    theirs_ms = [*recorded["first_status_ms"], recorded["ended_ms"]]
    ours_ms = [*simulated["first_status_ms"], simulated["ended_ms"]]
    for name, theirs, ours in zip(names[-len(theirs_ms) :], theirs_ms, ours_ms, strict=False):
        if abs(theirs - ours) > max(TOLERANCE * theirs, _JITTER_MS):
            yield Difference(Grade.TIMES, "burst", f"{name}, in ms", theirs, ours)
