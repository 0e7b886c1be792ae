"""What is counted and timed in a run, by one measure for recordings and for plays.

``python tests/golden/golden_quantities.py FOLDER`` makes ``quantities.json`` from raw recordings.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from controller.ports import ApiError, Document, Resource, WatchType
from scenarios.golden.audit import CLIENT, PUPPET, Call, calls_of
from scenarios.golden.kubelet import Kubelet
from scenarios.golden.player import play
from scenarios.golden.recording import Recording, bundled
from scenarios.golden.simulated import SimulatedStage
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import CONTROLLER, RESOLVERS, Tekton, install
from sim.tekton.latency import CLIENT_SIDE_US, NETWORK, WATCH_LAG
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

DATA = Path(__file__).with_name("quantities.json")
GROUPS = ("success-1", "bundle-success", "success-3seq", "fail-step2of3", "cancel-repeat", "timeout-repeat")
"""Situations that were recorded alone, most of them repeatedly."""
_OWN_MS = CLIENT_SIDE_US / 2000  # of a call's time, on either side of what an audit log sees
_NEAR_MS = 60.0  # a status that comes later than that tells of something else
_BURST = 30
_PAUSE_S = 0.012  # recorded, from one submission of a burst to the next
_POD_MS = (42, 8, 520, 2012)  # recorded in the bursts: bound, seen by a kubelet, running, over; each after the last


# one run: how long what takes


def timings(calls: Sequence[Call]) -> dict[str, list[float]]:
    """The rows of the recordings' table of latencies, in ms. Times without a value are left out."""
    own = [call for call in calls if call.user == CONTROLLER]
    submitted = next(call for call in calls if call.user == CLIENT).end_ms
    task = next(call for call in own if call.what == ("create", "taskruns"))
    pod = next(call for call in own if call.what == ("create", "pods"))
    runs = [call for call in own if call.what == ("update", "pipelineruns/status") and call.code == 200]
    tasks = [call for call in own if call.what == ("update", "taskruns/status") and call.code == 200]
    kubelet = [call for call in calls if call.user == PUPPET and call.what == ("patch", "pods/status")]
    over = kubelet[-1].end_ms
    running = next(call for call in runs if call.start_ms > task.start_ms)
    return {
        "submitted -> TaskRun create call": [task.start_ms - submitted],
        "submitted -> TaskRun": [task.end_ms - submitted],
        "submitted -> Pod": [pod.end_ms - submitted],
        "submitted -> first PipelineRun status": [runs[0].end_ms - submitted],
        "submitted -> PipelineRun Running": [running.end_ms - submitted],
        "TaskRun -> Pod create call": [pod.start_ms - task.end_ms],
        "TaskRun -> first TaskRun status": [tasks[0].end_ms - task.end_ms],
        "pod over -> TaskRun over": [call.end_ms - over for call in tasks if call.end_ms > over][:1],
        "pod over -> PipelineRun over": [call.end_ms - over for call in runs if call.end_ms > over][:1],
        "pod status -> TaskRun status": list(_echoes(kubelet[:-1], kubelet[1:], tasks)),
        "conflicts": [sum(call.code == 409 for call in own)],
        "calls": [sum(call.resource != "events" for call in own)],
        "calls with Events": [len(own)],
    }


def _echoes(causes: Iterable[Call], limits: Iterable[Call], effects: Sequence[Call]) -> Iterable[float]:
    for cause, limit in zip(causes, limits, strict=True):
        told = [one.end_ms for one in effects if cause.start_ms < one.start_ms < limit.start_ms]
        if told and told[0] - cause.end_ms < _NEAR_MS:
            yield told[0] - cause.end_ms


# one run: how many calls of which kind


def counted(calls: Iterable[Call]) -> dict[str, int]:
    """Calls of Tekton's as ``user verb resource``, conflicts apart."""
    return Counter(
        f"{call.user} {call.verb} {call.resource}{' ->409' if call.code == 409 else ''}"
        for call in calls
        if call.user in (CONTROLLER, RESOLVERS)
    )


def told_first(calls: Sequence[Call]) -> str:
    """Who ended first after the run was told to stop: its PipelineRun or its TaskRun."""
    stopped = next(call.start_ms for call in calls if call.what == ("patch", "taskruns") and call.user == CONTROLLER)
    ends = {
        call.resource: call.end_ms
        for call in reversed(calls)
        if call.user == CONTROLLER and call.resource.endswith("runs/status") and call.code == 200
        if call.start_ms > stopped
    }
    return min(ends, key=ends.__getitem__).removesuffix("s/status")


# thirty runs at once


def throughput(calls: Sequence[Call], statuses: Sequence[tuple[float, str, str]]) -> dict[str, list[float]]:
    """First, median and last of the bursts' milestones, in s; ``statuses`` are ``(ms, run, True | False | Unknown)`` of
    the PipelineRuns."""
    began = next(call for call in calls if call.user == CLIENT).start_ms
    created = {call.name: call.end_ms for call in calls if call.user == CLIENT and call.what == PR_CREATED}
    first: dict[str, float] = {}
    over: dict[str, float] = {}
    for ms, run, status in statuses:
        first.setdefault(run, ms - created[run])
        if status != "Unknown":
            over.setdefault(run, ms - began)
    milestones: dict[str, Iterable[float]] = {
        plural: [call.end_ms - began for call in calls if call.what == ("create", plural) and call.code == 201]
        for plural in ("resolutionrequests", "taskruns", "pods")
    }
    milestones |= {"PipelineRuns over": over.values(), "status lag": first.values()}
    return {
        name: [round(one / 1000, 2) for one in (min(ms), median(ms), max(ms))] for name, ms in milestones.items() if ms
    }


PR_CREATED = ("create", "pipelineruns")


# the simulated side


class World:
    """Tekton on an API server as slow as the recorded one, with a log of the calls."""

    def __init__(self, version: str, seed: int) -> None:
        self.calls: list[Call] = []
        self.loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
        clock, streams = Clock(self.loop), Streams(seed)
        server = _Audited(self.loop, streams, clock, latency=NETWORK, watch_lag=WATCH_LAG)
        server.calls_made = self.calls
        self.tekton: Tekton = install(
            server, self.loop, streams, clock, TektonOptions(version=VERSIONS[version]), BundleCatalogue()
        )
        self.stage = SimulatedStage(server, self.tekton)
        self.stage.cluster = server.client(ADMIN, component="script")
        self._dry_runs = server.calls[CONTROLLER, "create", "pipelines.tekton.dev"]

    def log(self) -> list[Call]:
        """Since the first submission; dry runs, which go past the client, at its instant."""
        calls = sorted(self.calls, key=lambda call: (call.start_ms, call.end_ms))
        began = next(call.start_ms for call in calls if call.user == CLIENT)
        dry = Call(began, began, CONTROLLER, "create", "pipelines", "", 201)
        return [call for call in calls if call.start_ms >= began] + [dry] * self._dry_runs.count


class _Audited(ApiServer):
    calls_made: list[Call]

    def client(self, user: Any, *, component: str = "", **network: Any) -> Any:
        return _Timed(super().client(user, component=component), component, self)


class _Timed:
    """A client that keeps a log as the API server's own audit would."""

    def __init__(self, cluster: Any, component: str, server: _Audited) -> None:
        self._cluster = cluster
        self._component = component
        self._server = server

    def __getattr__(self, verb: str) -> Any:
        act = getattr(self._cluster, verb)
        return partial(self._timed, verb, act) if verb in ("get", "create", "update", "patch", "delete") else act

    async def _timed(self, verb: str, act: Any, resource: Resource, namespace: str, *args: Any, **options: Any) -> Any:
        loop = self._server.loop
        start_ms, code = loop.now_us / 1000, 201 if verb == "create" else 200
        try:
            return await act(resource, namespace, *args, **options)
        except ApiError as error:
            code = error.code
            raise
        finally:
            plural, subresource = resource.plural, options.get("subresource", "")
            what = f"{plural}/{subresource}" if subresource else plural
            user = self._component
            if user == "script":
                user = PUPPET if plural == "pods" else CLIENT
            name = args[0] if isinstance(args[0], str) else args[0]["metadata"]["name"]
            end_ms = max(loop.now_us / 1000 - _OWN_MS, start_ms + _OWN_MS)
            if user != CLIENT or verb != "get":
                made = Call(start_ms + _OWN_MS, end_ms, user, verb, what, name, code)
                if plural not in ("namespaces", "serviceaccounts") or verb == "get":
                    self._server.calls_made.append(made)


def played(recording: Recording, seed: int) -> list[Call]:
    """The calls of one play."""
    world = World(recording.version, seed)
    world.loop.run_until_complete(play(recording, world.stage))
    world.loop.close()
    return world.log()


class _Alike(dict[str, Any]):
    """The same script for every pod."""

    def __init__(self, script: Sequence[Mapping[str, Any]]) -> None:
        self._script = script

    def get(self, _symbol: str, _default: Any = None) -> Any:
        return self._script


def burst(
    version: str, scenario: str, seed: int, runs: int = _BURST
) -> tuple[list[Call], list[tuple[float, str, str]]]:
    """``runs`` runs at once, each of the kind of ``scenario``, with the pods of the recorded bursts."""
    world, recording = World(version, seed), bundled(version, scenario)
    lines = [line for line in next(iter(recording.pods.values())) if line["do"] in ("bind", "status")]
    phases = {line.get("phase"): line for line in reversed(lines)}
    lived = [{"do": "bind", "node": "node-1"}, phases["Pending"], phases["Running"], phases["Succeeded"]]
    script = [{**line, "delay_ms": delay_ms} for line, delay_ms in zip(lived, _POD_MS, strict=True)]
    statuses: list[tuple[float, str, str]] = []

    def observed(_type: WatchType, resource: Resource, _old: Document | None, new: Document) -> None:
        conditions = (new.get("status") or {}).get("conditions")
        if resource.plural == "pipelineruns" and conditions:
            statuses.append((world.loop.now_us / 1000, new["metadata"]["name"], conditions[0]["status"]))

    async def submit() -> None:
        stage = world.stage
        stage.observe(Kubelet(stage, recording.namespace, _Alike(script)).observed)
        stage.observe(observed)
        await recording.circumstances.prepare(stage, recording.namespace)
        await asyncio.sleep(2.0)
        for number in range(runs):
            body = {**recording.submit, "metadata": {**recording.submit["metadata"], "name": f"wfe-burst-{number:02}"}}
            await stage.cluster.create(PIPELINE_RUNS, recording.namespace, body)
            await asyncio.sleep(_PAUSE_S - 0.006)
        await asyncio.sleep(runs)

    world.loop.run_until_complete(submit())
    world.loop.close()
    return world.log(), statuses


# making the carried data


def main(folder: Path) -> None:
    """Write what was recorded: timings and calls by release and situation, and the bursts."""
    document: dict[str, Any] = {}
    for version in ("v1.7.0", "v1.15.0"):
        for group in GROUPS:
            raws = [json.loads(path.read_text()) for path in sorted((folder / version).glob(f"{group}*.json"))]
            logs = [calls_of(raw, "") for raw in raws]
            found: dict[str, Any] = {"calls": [counted(log) for log in logs]}
            if group in ("success-1", "bundle-success"):
                rows = [timings(log) for log in logs]
                found["timings"] = {
                    row: [round(one, 1) for one in (min(values), median(values), max(values))]
                    for row in rows[0]
                    if (values := [value for each in rows for value in each[row]])
                }
            if group in ("cancel-repeat", "timeout-repeat"):
                found["first to end"] = Counter(told_first(log) for log in logs)
            document.setdefault(version, {})[group] = found
        raw = json.loads((folder / version / "burst-30-bundle.json").read_text())
        statuses = [(row[0], row[4], row[5][0]) for row in raw["events"] if row[3] == "pipelineruns" and row[5]]
        prefix = raw["submitted"]["metadata"]["name"].rpartition("-")[0]
        log = calls_of(raw, prefix)
        document[version]["burst"] = {"milestones": throughput(log, statuses), "calls": counted(log)}
    blocks = []
    for version, groups in document.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in groups.items())
        blocks.append(f" {json.dumps(version)}: {{\n{lines}\n }}")
    DATA.write_text("{\n" + ",\n".join(blocks) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
