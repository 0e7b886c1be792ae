"""Six executions over two targets, calls that are dropped or refused, late watches and crashes: many worlds."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from executor_stage import Stage

from controller.api.lock import lock_name
from controller.executor.settings import Settings
from controller.ports import ApiError, ConnectionLost, Resource
from sim.faults.interception import Intercepted
from sim.workload.distributions import Lognormal

NAMES = [f"we-{number}" for number in range(6)]
TARGETS = ("shop/Deployment/cart", "node/worker-1")


class Weather:
    """One world and what it did with locks."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls = random.Random(seed + 1)
        self.runs: dict[str, list[str]] = {}
        self.too_early: list[str] = []
        settings = Settings(cooldown_s=self.random.choice([1, 5, 30]), workers=self.random.choice([1, 5]))
        lag = Lognormal(median_us=self.random.choice([1_000, 50_000, 2_000_000]), sigma=1.0)
        self.stage = Stage(
            settings,
            wrap=lambda cluster, _: Intercepted(cluster, self.disturb),
            watch_lag=lag,
            ties=self.random,
            seed=seed,
        )
        self.stage.server.observe(self.observe)

    async def disturb(self, verb: str, resource: Resource, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        draw = self.calls.random()
        if draw < 0.02:
            raise ConnectionLost("refused")
        if draw < 0.03:
            raise ApiError(429, "TooManyRequests", "slow down", None, 1.0)
        if draw < 0.04:
            raise ApiError(500, "InternalError", "etcd leader changed")
        answer = await call()
        if draw > 0.98 and verb not in ("watch", "list"):
            raise ConnectionLost("reset before the answer came")
        return answer

    def observe(self, type_: str, resource: Resource, old: Any, new: Any) -> None:
        if resource.plural != "pipelineruns":
            return
        metadata = (new or old)["metadata"]
        holder = metadata["labels"]["kubernaut.ai/workflow-execution"]
        if type_ == "ADDED":
            self.runs.setdefault(holder, []).append(metadata["uid"])
            delay_us = self.random.randint(100_000, 20_000_000)
            self.stage.loop.after(delay_us, self.finish, metadata["uid"], metadata["name"])
        elif type_ == "DELETED" and self.stage.phase(holder) not in ("Completed", "Failed"):
            self.too_early.append(holder)

    def finish(self, uid: str, name: str) -> None:
        run = self.stage.pipeline_run(name)
        if run is not None and run["metadata"]["uid"] == uid:
            self.stage.succeed(run=name)

    def pass_by(self) -> None:
        stage, draw = self.stage, self.random
        stage.run(1)
        for number, name in enumerate(NAMES):
            stage.run(draw.random() * draw.choice([0.01, 5, 40])).request(name, target=TARGETS[number % 2])
        for _ in range(draw.randint(0, 4)):
            stage.run(draw.random() * 20).process.kill()
            stage.run(draw.random() * 3).start()
        stage.run(900)


@pytest.mark.parametrize("seed", range(16))
def test_every_execution_ends_once_and_every_lock_is_given_back(seed: int) -> None:
    weather = Weather(seed)
    stage = weather.stage
    try:
        weather.pass_by()
        assert not weather.too_early
        assert all(len(runs) == 1 for runs in weather.runs.values())
        for name in NAMES:
            status = stage.status(name)
            if status["phase"] == "Completed":
                assert stage.condition("LockAcquired", name)["reason"] == "LockReleased"
            else:
                assert status["failureDetails"]["reason"] == "ExecutionRaceCondition"
                assert name not in weather.runs
        assert all(stage.pipeline_run(lock_name(target)) is None for target in TARGETS)
        assert all(event["count"] == 1 for event in stage.events("LockReleased"))
    finally:
        stage.close()
