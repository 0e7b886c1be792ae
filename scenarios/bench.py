"""``make bench``: one JSON object per line, medians of several runs, each figure beside a reference of the same run.

Every measurement runs in a process of its own, one at a time, so that peaks of memory are its own and the second core
stays idle. The reference is simpy's raw timeouts per second on this machine in this run.
"""

import argparse
import asyncio
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import simpy

from controller.api.resources import WORKFLOW_EXECUTIONS
from controller.ports import Cluster
from scenarios import catalogue, settings, workflows
from scenarios.serving import bench as serving
from scenarios.simulated import SimulatedWorld
from scenarios.target import NAMESPACE
from scenarios.workload import Workload, WorkloadStory
from sim import garbage
from sim.apiserver.identity import ADMIN, User
from sim.loop import Loop
from sim.streams import Streams

_LIFTED = ["tekton.qps=0", "tekton.workers=64", "executor.workers=32", "cluster.nodes=200"]
_RATE_PER_S = 6.0
_RBAC = "rbac.authorization.k8s.io"
_WEEK = catalogue.FOLDER / "week.yaml"
_SEED = 7


def raw_simpy(events: int = 500_000) -> dict[str, float]:
    env = simpy.Environment()

    def sleeper() -> Any:
        for _ in range(events):
            yield env.timeout(1)

    env.process(sleeper())
    began = time.perf_counter()
    env.run()
    return {"per_s": events / (time.perf_counter() - began)}


def loop_events(events: int = 300_000) -> dict[str, float]:
    loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less

    async def sleeper() -> None:
        for _ in range(events):
            await asyncio.sleep(0.001)

    began = time.perf_counter()
    loop.run_until_complete(sleeper())
    return {"per_s": events / (time.perf_counter() - began)}


def api_calls(calls: int = 200_000) -> dict[str, float]:
    """A mix of one create, two reads, two status patches and a delete, validated and authorised, through the client."""
    world = _world(1)
    client = _authorised(world)
    body = world.workflows["increase-memory"].execution("we-bench", NAMESPACE, "payment/Deployment/api")
    rounds = calls // 6

    async def caller(first: int) -> None:
        for number in range(first, rounds, 8):
            name = f"we-bench-{number}"
            await client.create(
                WORKFLOW_EXECUTIONS, NAMESPACE, {**body, "metadata": {"name": name, "namespace": NAMESPACE}}
            )
            await client.get(WORKFLOW_EXECUTIONS, NAMESPACE, name)
            await client.patch(
                WORKFLOW_EXECUTIONS, NAMESPACE, name, {"status": {"phase": "Running"}}, subresource="status"
            )
            await client.get(WORKFLOW_EXECUTIONS, NAMESPACE, name)
            await client.patch(
                WORKFLOW_EXECUTIONS, NAMESPACE, name, {"status": {"phase": "Completed"}}, subresource="status"
            )
            await client.delete(WORKFLOW_EXECUTIONS, NAMESPACE, name)

    async def all_callers() -> None:
        await asyncio.gather(*(caller(first) for first in range(8)))

    world.stop_controllers()
    with garbage.tuned():
        began = time.perf_counter()
        world.loop.run_until_complete(all_callers())
        wall_s = time.perf_counter() - began
    return {"per_s": rounds * 6 / wall_s}


def executions(count: int, *, compacted: bool) -> dict[str, float]:
    """``count`` executions of three tasks each, arriving at 6 a second on as many targets, throttles lifted.

    ``compacted`` lets every lock go after a minute, so that finished runs leave the cluster as they do in real life;
    otherwise all their objects are retained to the end.
    """
    cooldown = "1m" if compacted else "1000h"
    world = _world(count, f"executor.cooldown={cooldown}")
    before = _peak_mib()

    async def arrive() -> None:
        for target in world.targets:
            await target.request("first", "increase-memory")
            await asyncio.sleep(1 / _RATE_PER_S)
        for target in world.targets:
            await target.reach("first", "Completed")
        if compacted:
            for target in world.targets:
                await target.released()

    began = time.perf_counter()
    world.play(arrive())
    wall_s = time.perf_counter() - began
    calls = sum(call.count for call in world.api_calls() if call.component != "user")
    return {
        "per_s": count / wall_s,
        "wall_s": wall_s,
        "peak_mib": _peak_mib() - before,
        "api_calls_each": calls / count,
        "simpy_events_each": world.events_processed() / count,
        "virtual_s_per_wall_s": world.now_us() / 1e6 / wall_s,
    }


def remediations(count: int = 0) -> dict[str, float]:
    """The first ``count`` remediations of the week in the catalogue, or all of them, with Tekton's own throttles."""
    data = workflows.load_yaml(_WEEK.read_text(encoding="utf-8"), str(_WEEK))
    if count:
        data["arrivals"]["poisson"]["count"] = count
    known = workflows.load_folder()
    week = workflows.validate(Workload, data, str(_WEEK), context={"workflows": known})
    world = SimulatedWorld(settings.parse(week.settings, [], str(_WEEK)), known, _SEED, week.targets)
    world.settle()
    before = _peak_mib()
    story = WorkloadStory(week, world, Streams(_SEED))
    began, began_cpu = time.perf_counter(), time.process_time()
    story.play()
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    came = len(world.remediations)
    return {
        "per_s": came / wall_s,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "peak_mib": _peak_mib() - before,
        "executions_each": len(world.chronicle.executions) / came,
        "api_calls_each": sum(call.count for call in world.api_calls()) / came,
        "simpy_events_each": world.events_processed() / came,
        "virtual_s_per_wall_s": world.now_us() / 1e6 / wall_s,
    }


def _world(scale: int, *more: str) -> SimulatedWorld:
    world = SimulatedWorld(settings.parse({}, [*_LIFTED, *more], "bench"), workflows.load_folder(), _SEED, scale)
    world.settle()
    return world


def _authorised(world: SimulatedWorld) -> Cluster:
    """A client whose every call is decided by RBAC, from a role that it is bound to."""
    rules = [{"apiGroups": ["kubernaut.ai"], "resources": ["*"], "verbs": ["*"]}]
    role = {"metadata": {"name": "bench"}, "rules": rules}
    binding = {
        "metadata": {"name": "bench"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "bench"},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": "bench"}],
    }
    for plural, document in (("clusterroles", role), ("clusterrolebindings", binding)):
        world.server.create(ADMIN, world.server.resource(_RBAC, plural), "", document)
    return world.server.client(User("bench", ("system:authenticated",)), component="bench")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_MEASURES: dict[str, Callable[[], dict[str, float]]] = {
    "simpy timeouts": raw_simpy,
    "loop events": loop_events,
    "api calls": api_calls,
    "serve start": serving.start,
    "serve session start": serving.session,
    "serve asgi get": serving.asgi,
    "serve get": lambda: serving.http("get", 20_000),
    "serve create": lambda: serving.http("create", 10_000),
    "serve patch status": lambda: serving.http("patch", 10_000),
    "serve list 500": lambda: serving.http("list", 500),
    "serve 1000 watchers": serving.fan_out,
    "serve delivery at 1000 writes a second": serving.delivery,
    "serve idle watches": serving.idle,
    "executions 1000": lambda: executions(1_000, compacted=False),
    "executions 10000": lambda: executions(10_000, compacted=False),
    "executions 10000 compacted": lambda: executions(10_000, compacted=True),
    "executions 100000 compacted": lambda: executions(100_000, compacted=True),
    "remediations 10000": lambda: remediations(10_000),
    "remediations week": remediations,
}
_TENFOLD = (
    ("executions 1000", "executions 10000"),
    ("executions 10000 compacted", "executions 100000 compacted"),
    ("remediations 10000", "remediations week"),
)
_ONCE = ("executions 100000 compacted", "remediations week")  # minutes each


def _measure(name: str, times: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "scenarios.bench", "--one", name]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
        for _ in range(times)
    ]
    medians = {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}
    spread = [min(run["per_s"] for run in runs), max(run["per_s"] for run in runs)]
    return {"measure": name, "runs": times, **medians, "per_s_range": spread}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scenarios.bench", description=__doc__)
    parser.add_argument("--one", choices=list(_MEASURES), help="run one measurement in this process and print it")
    parser.add_argument("--runs", type=int, default=5, help="runs per measurement (default 5)")
    parser.add_argument("--quick", action="store_true", help="leave out the measurement of 100,000 executions")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_MEASURES[options.one]()))
        return
    results: dict[str, dict[str, Any]] = {}
    for name in _MEASURES:
        if options.quick and name in _ONCE:
            continue
        result = results[name] = _measure(name, 1 if name in _ONCE else options.runs)
        result["ratio_to_simpy"] = result["per_s"] / results["simpy timeouts"]["per_s"]
        print(json.dumps({key: _rounded(value) for key, value in result.items()}), flush=True)
    for small, large in _TENFOLD:
        if small in results and large in results:
            exponent = math.log10(results[large]["wall_s"] / results[small]["wall_s"])
            print(json.dumps({"measure": f"scaling exponent, {small} to {large}", "exponent": round(exponent, 3)}))


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
