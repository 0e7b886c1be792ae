"""Recordings of many runs at once: which of them was first, and when the others followed."""

from typing import Any

from scenarios.golden.raw import convert

_RUN = "wfe-0123456789abcdef"


def burst(kept: str) -> dict[str, Any]:
    """Three runs, 40 ms apart; ``kept`` is the number of the one whose document the recorder kept."""
    metadata = {"name": f"{_RUN}-{kept}", "namespace": "kubernaut-workflows", "labels": {"a": "b"}}
    step = {"name": "a", "image": "reg.local/tool:1"}
    spec = {"pipelineSpec": {"tasks": [{"name": "run", "taskSpec": {"steps": [step]}}]}}
    calls = [
        [10.0 + 40 * number, 5.0, "client", "create", "pipelineruns", f"$PR-0{number}", 201] for number in range(3)
    ]
    rows: list[list[Any]] = [
        [20.0 + 40 * number, number, "ADDED", "pipelineruns", f"{_RUN}-0{number}", []] for number in range(3)
    ]
    rows += [
        [313.0 + 40 * number, 3 + number, "MODIFIED", "pipelineruns", f"{_RUN}-0{number}", ["Unknown", "Running", ""]]
        for number in range(3)
    ]
    return {
        "scenario": "by-hand",
        "tektonVersion": "v1.15.0",
        "namespace": "kubernaut-workflows",
        "submitOffsetWithinCreationSecond_s": 0.4,
        "submitted": {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": spec},
        "actions": [{"tMs": 513.0, "action": "resolvers start (after SIGTERM stop)"}],
        "createCall": {"ms": 0, "code": 201},
        "concurrentScenarios": 1,
        "final": {},
        "events": rows,
        "eventsFormat": "[tMs,rvIndex,type,resource,name,phase|[status,reason,message]]",
        "apiCalls": {"byVerbResource": {}, "sequence_[startMs,durMs,user,verb,resource,name,code]": calls},
    }


def test_the_others_follow_the_first_run_at_the_recorded_distance_whichever_document_was_kept() -> None:
    for kept in ("00", "01", "02"):
        recording = convert(burst(kept))

        assert recording.run == f"{_RUN}-00"
        runs = [(deed["name"], deed["at_ms"]) for deed in recording.actions if deed["do"] == "create"]
        assert runs == [(f"{_RUN}-01", 40), (f"{_RUN}-02", 80)]


def test_everything_is_told_from_the_first_submission_on() -> None:
    recording = convert(burst("02"))

    assert recording.offset_ms == 413
    assert [deed["at_ms"] for deed in recording.actions if deed["do"] == "start"] == [500]
    assert recording.burst["first_status_ms"] == [293, 293]
