"""A resolution that outlives its request: the resolver knows requests by name alone."""

from collections import Counter

from tekton_world import NAMESPACE, TektonWorld

from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.tekton.access import PIPELINE_RUNS
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.options import TektonOptions
from sim.workload.distributions import Constant, Uniform

IMAGE = "reg.local/wf:v1"
PULL_MS = 500


def verdict_when_created_again_after(delay_ms: float, seed: int) -> tuple[str, str]:
    """Withdraw a run while its bundle is pulled, and ask for it again ``delay_ms`` later: reason and message."""
    bundles = BundleCatalogue()
    tasks = [{"name": "t", "taskSpec": {"steps": [{"name": "s", "image": "i", "script": "true"}]}}]
    bundles.add(
        IMAGE,
        {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "workflow"}, "spec": {"tasks": tasks}},
    )
    params = [{"name": name, "value": value} for name, value in (("bundle", IMAGE), ("name", "workflow"))]
    body = {
        "metadata": {"name": "run"},
        "spec": {"pipelineRef": {"resolver": "bundles", "params": [*params, {"name": "kind", "value": "pipeline"}]}},
    }
    latency = Latency(default=Uniform(1_000, 15_000))
    with TektonWorld(
        TektonOptions(pull=Constant(PULL_MS * 1000)), bundles=bundles, latency=latency, seed=seed
    ) as world:
        world.create(PIPELINE_RUNS, body)
        world.run(0.2)
        world.server.delete(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", propagation="Foreground")
        world.run(delay_ms / 1000 - 0.2)
        world.create(PIPELINE_RUNS, body)
        world.run(10.0)
        _, reason, message = world.verdict()
        return reason, message


def test_a_late_resolution_fails_the_next_request_of_the_same_name_and_only_within_an_instant() -> None:
    verdicts = [verdict_when_created_again_after(PULL_MS + ms, seed) for seed in (7, 8, 9) for ms in range(40)]
    reasons = Counter(reason for reason, _ in verdicts)

    assert reasons["CouldntGetPipeline"] >= 1
    assert reasons["Succeeded"] >= 100
    assert all(
        'error updating resource request "' in message and "not found" in message
        for reason, message in verdicts
        if reason == "CouldntGetPipeline"
    )
