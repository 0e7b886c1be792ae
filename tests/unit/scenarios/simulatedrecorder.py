"""The raw recorder, beside the simulated Tekton: what it would have written of a play, without an audit log."""

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from controller.ports import Document
from scenarios.golden.form import KINDS
from scenarios.golden.player import Played, play
from scenarios.golden.recording import Recording
from scenarios.golden.simulated import SimulatedStage
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import install
from sim.tekton.latency import NETWORK, WATCH_LAG
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
_PREFIXES = {"PipelineRun": "PR", "TaskRun": "TR", "Pod": "POD", "ResolutionRequest": "RR"}
_KEPT = ("restartPolicy", "activeDeadlineSeconds", "serviceAccountName")
_JITTER_MS = 40.0


def recorded(situation: Recording, words: Sequence[str], seed: int) -> dict[str, Any]:
    """Play ``situation`` and answer the raw recording of it; ``words`` are the recorder's, one for each action."""
    loop = Loop()
    clock, streams = Clock(loop), Streams(seed)
    server = ApiServer(loop, streams, clock, latency=NETWORK, watch_lag=WATCH_LAG)
    options = TektonOptions(version=VERSIONS[situation.version])
    stage = SimulatedStage(server, install(server, loop, streams, clock, options, BundleCatalogue()))
    rows = _Rows(situation.namespace, random.Random(seed))
    stage.observe(lambda type_, resource, _, new: rows.add(loop.now_us / 1000, type_, resource.plural, new))
    played: Played = loop.run_until_complete(play(situation, stage))
    loop.close()
    refusal = dict(zip(("code", "reason", "message", "details"), played.refusal, strict=False))
    document = {
        "scenario": situation.scenario,
        "tektonVersion": situation.version,
        "namespace": situation.namespace,
        "submitOffsetWithinCreationSecond_s": situation.offset_ms / 1000,
        "createCall": {"ms": 1.0, "code": refusal.get("code", 201), "body": refusal or None},
        "submitted": situation.submit,
        "returnedOnCreate_spec": played.returned_spec,
        "actions": [_action(situation, played, number, word) for number, word in enumerate(words)],
        "concurrentScenarios": 1,
        "final": {},
        "events": rows.rows,
        "apiCalls": {},
    }
    known: dict[str, Any] = json.loads(json.dumps(document))
    return known


def _action(situation: Recording, played: Played, number: int, word: str) -> dict[str, Any]:
    deed, (code, message) = situation.actions[number], played.answers[number]
    action = {"tMs": deed["at_ms"] + 1.0, "action": word}
    if "component" in deed or deed["do"] == "free quota":
        return action
    return {**action, "code": code, "body": {"message": message} if message else None}


class _Rows:
    def __init__(self, namespace: str, stream: random.Random) -> None:
        self.rows: list[dict[str, Any]] = []
        self._namespace = namespace
        self._stream = stream
        self._began_ms: float | None = None
        self._uids: dict[str, str] = {}

    def add(self, now_ms: float, type_: str, plural: str, document: Document) -> None:
        metadata = document["metadata"]
        if metadata.get("namespace") != self._namespace or metadata["name"].startswith("blocker"):
            return
        if self._began_ms is None:
            self._began_ms = now_ms
        seen_ms = now_ms - self._began_ms + self._stream.random() * _JITTER_MS
        row = {"tMs": seen_ms, "type": type_, "resource": plural, "rvIndex": len(self.rows)}
        if plural == "events":
            involved = document["involvedObject"]
            named = f"{involved['kind']}/{involved['name']}"
            row |= {"involved": named, "reason": document["reason"], "message": document.get("message")}
        else:
            uid = metadata["uid"]
            self._uids.setdefault(uid, f"{_PREFIXES[KINDS[plural]]}#{len(self._uids) + 1}")
            row |= self._metadata(metadata) | (_pod(document) if plural == "pods" else _run(document, type_))
        self.rows.append(row)

    def _metadata(self, metadata: Document) -> dict[str, Any]:
        kept = {
            "name": metadata["name"],
            "uid": self._uids[metadata["uid"]],
            "generation": metadata.get("generation", 1),
            "finalizers": metadata.get("finalizers", []),
            "labels": {key: self._uids.get(value, value) for key, value in metadata.get("labels", {}).items()},
            "annotations": _timed(metadata.get("annotations", {})),
            "ownerReferences": [
                {**one, "uid": self._uids.get(one["uid"], one["uid"])} for one in metadata.get("ownerReferences", ())
            ],
        }
        if "deletionTimestamp" in metadata:
            kept["deletionTimestamp"] = {"s": int(metadata["deletionTimestamp"][17:19])}
            kept["deletionGracePeriodSeconds"] = metadata.get("deletionGracePeriodSeconds")
        return kept


def _pod(document: Document) -> dict[str, Any]:
    spec, status = document["spec"], document.get("status") or {}
    row = {key: spec.get(key) for key in _KEPT} | {"phase": status.get("phase")}
    if spec.get("nodeName"):
        row["nodeName"] = spec["nodeName"]
    if status.get("conditions"):
        row["conditions"] = {one["type"]: ":".join(_named(one)) for one in status["conditions"]}
    containers = {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        ((word, details),) = one["state"].items()
        containers[one["name"]] = [word, details.get("exitCode"), details.get("reason")]
    return row | ({"containers": containers} if containers else {})


def _named(condition: Document) -> list[str]:
    return [condition["status"], *([condition["reason"]] if condition.get("reason") else [])]


def _run(document: Document, type_: str) -> dict[str, Any]:
    row = {"spec": document["spec"]} if type_ == "ADDED" else {}
    return row | ({"status": _timed(document["status"])} if document.get("status") else {})


def _timed(value: Any) -> Any:
    """Times as the recorder keeps them."""
    if isinstance(value, dict):
        return {key: _timed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_timed(one) for one in value]
    return {"s": 1.0} if isinstance(value, str) and _TIME.fullmatch(value) else value
