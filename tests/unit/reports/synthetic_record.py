"""A seeded, realistic record: what a run of a dozen scenarios leaves behind, without running anything."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

S = 1_000_000
Line = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """One scenario to invent: how many executions, how they end, how they arrive, whether it passes."""

    feature: str
    name: str
    executions: int
    failures: tuple[tuple[float, str, bool, str], ...] = ()  # share, reason, was_execution_failure, message
    cooldown_s: int = 300
    gap_s: float = 2.0
    unfinished: int = 0
    fails: bool = False
    source: str = "feature"


OOM = (0.06, "OOMKilled", True, 'step "apply" of task "resize" was OOMKilled (exit code 137)')
FORBIDDEN = (
    0.03,
    "Forbidden",
    True,
    'Error from server (Forbidden): deployments.apps "payment-api" is forbidden: User'
    ' "system:serviceaccount:kubernaut-workflows:kubernaut-workflow-runner" cannot patch resource "deployments"',
)
QUOTA = (0.2, "ResourceExhausted", False, "exceeded quota: pipelineruns, requested: count/pipelineruns=1")
IMAGE = (0.3, "ImagePullBackOff", False, "failed to pull ghcr.io/acme/workflows/resize@sha256:0c1f: not found")
RACE = (0.5, "ExecutionRaceCondition", False, "PipelineRun wfe-cf0cc089293b1165 is held by payment/other-1, unfinished")

SUITE = (
    Shape("Executing a workflow", "a workflow runs to its end", 1),
    Shape("Executing a workflow", "a thousand workflows run to their ends", 1000, (OOM, FORBIDDEN), gap_s=1.5),
    Shape("Executing a workflow", "an image that cannot be pulled", 30, (IMAGE,)),
    Shape(
        "Failure evidence", "the cause is named, not guessed", 60, (OOM, FORBIDDEN, (0.3, "TaskFailed", True, "exit 1"))
    ),
    Shape("Resource busy", "two executions for one target: one holds the lock", 100, (RACE,)),
    Shape("Resource busy", "nothing was asked for", 0),
    Shape("Cooldown", "the lock is released five minutes after the end", 12),
    Shape("Quota", "the quota of the namespace is used up", 200, (QUOTA,), gap_s=0.2, unfinished=23, fails=True),
    Shape("Crashes", "the controller dies between two API calls", 100, (OOM,), unfinished=4),
    Shape("Crashes", "the leader is lost and a standby takes over", 100, (), gap_s=4.0),
    Shape("Slow API server", "every call takes a second", 40, (), gap_s=9.0),
    Shape("Recovery", "a failed execution is analysed again", 80, (OOM, IMAGE)),
    Shape(
        "Monday morning",
        "steady arrivals with a burst at nine",
        1000,
        (OOM, FORBIDDEN, QUOTA),
        gap_s=0.7,
        source="workload",
    ),
)


def record_lines(seed: int = 7, shapes: tuple[Shape, ...] = SUITE) -> Iterator[Line]:
    draw = random.Random(seed)
    yield {
        "kind": "run",
        "schema": 1,
        "version": "0.1.0",
        "seed": seed,
        "backend": "sim",
        "epoch": "2026-01-05T08:00:00Z",
        "command": f"rehearse run features --scale 100 --seed {seed}",
        "settings": {"tekton": "1.15", "controllers": {"executor workers": 4}},
    }
    for number, shape in enumerate(shapes, 1):
        yield from _scenario(draw, number, shape)
    yield {"kind": "end", "scenarios": len(shapes), "executions": sum(shape.executions for shape in shapes)}


def write(path: Path, rows: Iterator[Line] | list[Line] | None = None) -> Path:
    with path.open("w") as file:
        for row in record_lines() if rows is None else rows:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def _scenario(draw: random.Random, number: int, shape: Shape) -> Iterator[Line]:
    yield {
        "kind": "scenario",
        "id": number,
        "feature": shape.feature,
        "description": "As an operator I want the lock on a target to be held,\nso that no two workflows touch it.",
        "file": f"features/{shape.feature.lower().replace(' ', '_')}.feature",
        "line": 12,
        "name": shape.name,
        "tags": ["executor", "smoke"] if number % 2 else [],
        "scale": max(shape.executions, 1),
        "source": shape.source,
        "settings": {
            "api latency": "lognormal, median 4 ms (recorded)",
            "image pull": "lognormal, median 2.1 s (assumed)",
            "cooldown": f"{shape.cooldown_s} s",
        },
    }
    executions = [_execution(draw, number, index, shape) for index in range(shape.executions)]
    end_us = max((row["lock_released_us"] or row["terminal_us"] or 0 for row in executions), default=5 * S) + 3 * S
    for row in executions[len(executions) - shape.unfinished :]:
        _leave_unfinished(draw, row)
    yield from _steps(number, shape, end_us)
    yield from executions
    for row in executions[: 3 if shape.executions else 0]:
        yield from _spans(draw, number, row)
    yield from _calls(draw, number, shape.executions)
    yield {
        "kind": "scenario_end",
        "scenario": number,
        "status": "failed" if shape.fails else "passed",
        "error": 'p95 of "creation to running" is 41.2 s; expected below 30 s' if shape.fails else None,
        "virtual_us": end_us,
        "executions": shape.executions,
        "simpy_events": 1234 * max(shape.executions, 1),
    }


def _execution(draw: random.Random, number: int, index: int, shape: Shape) -> Line:
    created = round(sum(draw.expovariate(1 / shape.gap_s) for _ in range(1)) * S + index * shape.gap_s * S)
    reason, was_execution, message = None, None, ""
    roll = draw.random()
    for share, *outcome in shape.failures:
        if roll < share:
            reason, was_execution, message = outcome
            break
        roll -= share
    never_ran = was_execution is False
    made = created + round(draw.lognormvariate(-4.0, 0.5) * S)
    running = made + round(draw.lognormvariate(-3.0, 0.8) * S)
    finished = running + round(draw.lognormvariate(2.7, 0.35) * S)
    terminal = made if never_ran else finished + round(draw.lognormvariate(-3.5, 0.7) * S)
    return {
        "kind": "execution",
        "scenario": number,
        "namespace": draw.choice(["payment", "checkout", "catalogue"]),
        "name": f"increase-memory-{index + 1}",
        "workflow": draw.choice(["increase-memory", "restart", "scale-out"]),
        "target": f"payment/Deployment/payment-api-{index}",
        "pipeline_run": None if never_ran else f"wfe-{draw.getrandbits(64):016x}",
        "created_us": created,
        "pipeline_run_created_us": None if never_ran else made,
        "running_us": None if never_ran else running,
        "pipeline_run_finished_us": None if never_ran else finished,
        "terminal_us": terminal,
        "lock_released_us": None if never_ran else terminal + shape.cooldown_s * S + round(draw.uniform(0.01, 0.4) * S),
        "phase": "Completed" if reason is None else "Failed",
        "reason": reason,
        "was_execution_failure": was_execution,
        "message": message,
        "censored": False,
    }


def _leave_unfinished(draw: random.Random, row: Line) -> None:
    row |= {"pipeline_run_finished_us": None, "terminal_us": None, "lock_released_us": None, "censored": True}
    row |= {"reason": None, "was_execution_failure": None, "message": "", "phase": "Running"}
    if draw.random() < 0.6 or row["running_us"] is None:
        row |= {"phase": "Pending", "running_us": None, "pipeline_run_created_us": None, "pipeline_run": None}


def _steps(number: int, shape: Shape, end_us: int) -> Iterator[Line]:
    texts = [
        ("Given", "a cluster with 3 nodes and Tekton 1.15", 0, 2 * S),
        ("And", "the workflow runner's service account may patch deployments", 2 * S, 2 * S),
        ("When", f"{shape.executions} executions are created, one every {shape.gap_s} s", 2 * S, end_us - S),
        ("Then", 'p95 of "creation to running" is below 30 seconds', end_us - S, end_us),
        ("And", "every lock is released once", end_us, end_us),
    ]
    failed = False
    for line, (keyword, text, start, end) in enumerate(texts, 13):
        fails = shape.fails and keyword == "Then"
        yield {
            "kind": "step",
            "scenario": number,
            "keyword": keyword,
            "text": text,
            "line": line,
            "status": "failed" if fails else "skipped" if failed else "passed",
            "start_us": start,
            "end_us": end,
            "error": 'AssertionError: p95 of "creation to running" is 41.2 s; expected below 30 s' if fails else None,
        }
        failed = failed or fails


def _spans(draw: random.Random, number: int, row: Line) -> Iterator[Line]:
    def span(lane: str, name: str, start: int, end: int | None, status: str) -> Line:
        return {
            "kind": "span",
            "scenario": number,
            "execution": f"{row['namespace']}/{row['name']}",
            "lane": lane,
            "name": name,
            "start_us": start,
            "end_us": end,
            "status": status,
        }

    wfe, run = "WorkflowExecution", f"PipelineRun {row['pipeline_run']}"
    made, running, finished = row["pipeline_run_created_us"], row["running_us"], row["pipeline_run_finished_us"]
    yield span(wfe, "Pending", row["created_us"], running or row["terminal_us"], "waiting")
    if running is None:
        return
    yield span(wfe, "Running", running, row["terminal_us"], "ok" if row["phase"] == "Completed" else "failed")
    if row["terminal_us"] is None:
        yield span(run, "Running", made, None, "open")
        return
    yield span(wfe, "cooldown", row["terminal_us"], row["lock_released_us"], "lock")
    yield span(run, "Running", made, finished, "ok" if row["phase"] == "Completed" else "failed")
    third = (finished - running) // 3
    for index, task in enumerate(("check", "resize", "verify")):
        start, end = running + index * third, running + (index + 1) * third
        started = start + round(draw.uniform(0.1, 0.4) * third)
        status = "failed" if row["phase"] == "Failed" and index == 2 else "ok"
        yield span(f"TaskRun {row['pipeline_run']}-{task}", "Running", start, end, status)
        yield span(f"Pod {row['pipeline_run']}-{task}-pod", "Pending", start, started, "waiting")
        yield span(f"Pod {row['pipeline_run']}-{task}-pod", "Running", started, end, status)
        yield span(f"step {task}/apply", "apply", started + third // 20, end - third // 20, status)


def _calls(draw: random.Random, number: int, executions: int) -> Iterator[Line]:
    if not executions:
        return
    table = {
        "workflowexecution-controller": {
            "create": [("pipelineruns", 1), ("events", 4)],
            "get": [("pods", 1)],
            "patch": [("workflowexecutions", 5)],
            "delete": [("pipelineruns", 1)],
            "watch": [("pipelineruns", 0)],
        },
        "tekton-controller": {
            "create": [("taskruns", 3), ("pods", 3), ("events", 16)],
            "get": [("serviceaccounts", 6)],
            "patch": [("taskruns", 6), ("pods", 3)],
            "update": [("pipelineruns", 8), ("taskruns", 14)],
        },
        "kubelet": {"patch": [("pods", 15)], "get": [("secrets", 6)], "create": [("events", 15)]},
        "scheduler": {"create": [("bindings", 3), ("events", 3)]},
        "garbage-collector": {"delete": [("taskruns", 3), ("pods", 3)], "get": [("pipelineruns", 2)]},
    }
    for component, verbs in table.items():
        for verb, resources in verbs.items():
            for resource, each in resources:
                errors = {"409": draw.randrange(1, 4 + executions // 20)} if verb == "update" else {}
                count = each * executions + draw.randrange(3)
                yield {
                    "kind": "calls",
                    "scenario": number,
                    "component": component,
                    "verb": verb,
                    "resource": resource,
                    "count": count,
                    "errors": errors,
                }
