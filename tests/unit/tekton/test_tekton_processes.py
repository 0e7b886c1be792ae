"""Tekton as processes: crashes, rate limits, name collisions, a registry out of reach."""

import pytest
from tekton_world import NAMESPACE, Outcome, TektonWorld, task

from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PIPELINE_RUNS, RESOLUTION_REQUESTS
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import CONTROLLER, RESOLVERS, WEBHOOK
from sim.tekton.options import TektonOptions

IMAGE = "registry.example/workflows/restart:v1"


def catalogue() -> BundleCatalogue:
    bundles = BundleCatalogue()
    pipeline: Document = {
        "apiVersion": "tekton.dev/v1",
        "kind": "Pipeline",
        "metadata": {"name": "workflow", "labels": {"team": "a"}},
        "spec": {"tasks": [task("t")]},
    }
    bundles.add(IMAGE, pipeline)
    return bundles


def submit_bundle(world: TektonWorld, image: str = IMAGE, *, name: str = "workflow") -> None:
    params = [
        {"name": "bundle", "value": image},
        {"name": "name", "value": name},
        {"name": "kind", "value": "pipeline"},
    ]
    spec = {"pipelineRef": {"resolver": "bundles", "params": params}}
    world.create(PIPELINE_RUNS, {"metadata": {"name": "run"}, "spec": spec})


def test_a_crashed_controller_finds_its_runs_again() -> None:
    with TektonWorld(outcomes={"t": Outcome(work_ms=4000)}) as world:
        world.submit([task("t")])
        world.run(2)
        world.tekton.kill(CONTROLLER)
        world.run(10)
        assert world.verdict()[0] == "Unknown"
        world.tekton.start(CONTROLLER)
        world.run(3)
        assert world.tekton.synced
        assert world.verdict()[:2] == ("True", "Succeeded")
        assert world.pods_started == ["run-t-pod"]


def test_a_limit_that_passed_during_an_outage_takes_effect_at_the_start() -> None:
    with TektonWorld(outcomes={"t": Outcome(ends=False)}) as world:
        world.submit([task("t")], timeouts={"pipeline": "5s"})
        world.run(2)
        world.tekton.kill()
        world.run(60)
        assert world.verdict()[:2] == ("Unknown", "Running")
        world.tekton.start()
        world.run(1)
        assert world.verdict()[:2] == ("False", "PipelineRunTimeout")


def test_a_stopped_installation_does_nothing_until_it_is_started_again() -> None:
    with TektonWorld() as world:
        world.tekton.stop()
        world.run(1)
        world.submit([task("t")])
        world.run(20)
        assert "status" not in world.pipeline_run()
        world.tekton.restart()
        world.run(5)
        assert world.verdict()[:2] == ("True", "Succeeded")


def test_many_runs_at_once_are_held_up_by_the_rate_limit_of_the_clientset() -> None:
    ends = {}
    for qps in (20.0, None):
        with TektonWorld(TektonOptions(qps=qps)) as world:
            start_us = world.loop.now_us
            for number in range(30):
                world.submit([task("t")], name=f"run-{number}")
            held = world.loop.run_until(
                start_us + 60_000_000,
                until=lambda: all(world.verdict(f"run-{number}")[0] == "True" for number in range(30)),
            )
            assert held
            ends[qps] = (world.loop.now_us - start_us) / 1_000_000
    assert 10 < ends[20.0] < 25  # recorded: the last of 30 one-task runs was done after 17.2 s
    assert ends[None] < 3


def test_a_finished_task_run_of_the_same_name_is_taken_for_the_new_runs_own() -> None:
    with TektonWorld(outcomes={"t": Outcome(exit_code=1)}) as world:
        world.submit([task("t")])
        world.run(5)
        world.server.delete(ADMIN, PIPELINE_RUNS, NAMESPACE, "run", propagation="Orphan")
        world.run(2)
        world.outcomes["t"] = Outcome()
        again = world.submit([task("t")])
        world.run(2)
        assert world.verdict() == ("False", "Failed", "Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 0")
        assert world.pods_started == ["run-t-pod"]
        assert world.pipeline_run()["status"]["startTime"] < again["metadata"]["creationTimestamp"]


def test_a_bundle_is_resolved_once_and_its_labels_reach_the_run() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(5)
        assert world.verdict()[:2] == ("True", "Succeeded")
        labels = world.pipeline_run()["metadata"]["labels"]
        assert (labels["team"], labels["tekton.dev/pipeline"]) == ("a", "workflow")
        source = world.pipeline_run()["status"]["provenance"]["refSource"]
        assert source["uri"] == "registry.example/workflows/restart"
        assert len(world.server.list(ADMIN, RESOLUTION_REQUESTS, NAMESPACE)["items"]) == 1


@pytest.mark.parametrize(
    ("image", "name", "text"),
    [
        (
            "registry.example/workflows/restart:v9",
            "workflow",
            "cannot retrieve the oci image: GET https://registry.example/v2/workflows/restart/manifests/v9: "
            "MANIFEST_UNKNOWN: manifest unknown; map[unknown tag:v9]",
        ),
        (IMAGE, "other", "could not find object in image with kind: pipeline and name: other"),
    ],
)
def test_what_the_registry_does_not_have_fails_the_run_for_good(image: str, name: str, text: str) -> None:
    with TektonWorld(bundles=catalogue()) as world:
        submit_bundle(world, image, name=name)
        world.run(5)
        state, reason, message = world.verdict()
        assert (state, reason) == ("False", "CouldntGetPipeline")
        assert message.startswith("Error retrieving pipeline for pipelinerun workflows/run: resolver failed to get Pip")
        assert message.endswith(text)


def test_without_resolvers_a_request_times_out_after_a_minute() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.tekton.kill(RESOLVERS)
        submit_bundle(world)
        world.run(59)
        assert world.verdict()[:2] == ("Unknown", "ResolvingPipelineRef")
        world.run(3)
        assert world.verdict()[2].endswith("resolution took longer than global timeout of 1m0s")


def test_a_run_is_refused_while_the_webhook_does_not_answer() -> None:
    with TektonWorld() as world:
        world.tekton.webhook.outage = "dial tcp 10.0.0.1:8443: connect: connection refused"
        with pytest.raises(ApiError) as refused:
            world.submit([task("t")])
        assert refused.value.code == 500
        assert refused.value.message == (
            'Internal error occurred: failed calling webhook "webhook.pipeline.tekton.dev": failed to call webhook: '
            'Post "https://tekton-pipelines-webhook.tekton-pipelines.svc:443/defaulting?timeout=10s": '
            "dial tcp 10.0.0.1:8443: connect: connection refused"
        )


FOREIGN = "missing required git", "missing required http", "failed to validate params: missing required hub"


def restarted(world: TektonWorld, *, crash: bool) -> None:
    """A resolvers process that is replaced while one request waits."""
    if crash:
        world.tekton.kill(RESOLVERS)
    else:
        world.tekton.stop(RESOLVERS)
    submit_bundle(world)
    world.run(1)
    world.tekton.start(RESOLVERS)


def test_a_graceful_restart_of_the_resolvers_may_fail_the_requests_that_wait() -> None:
    outcomes = set()
    for seed in range(6):
        with TektonWorld(bundles=catalogue(), seed=seed) as world:
            restarted(world, crash=False)
            world.run(5)
            state, reason, message = world.verdict()
            outcomes.add((state, reason))
            if state == "False":
                assert any(text in message for text in FOREIGN)
    assert ("False", "CouldntGetPipeline") in outcomes


def test_after_a_crash_of_the_resolvers_nothing_is_resolved_until_their_leases_run_out() -> None:
    with TektonWorld(TektonOptions(resolution_timeout_us=300_000_000), bundles=catalogue()) as world:
        restarted(world, crash=True)
        world.run(50)
        assert world.verdict()[:2] == ("Unknown", "ResolvingPipelineRef")
        world.run(30)
        assert world.verdict()[0] != "Unknown"


def test_a_new_controller_looks_at_every_finished_task_before_it_gets_to_what_is_new() -> None:
    with TektonWorld(TektonOptions(burst=20)) as world:
        for number in range(60):
            world.submit([task("t")], name=f"old-{number}")
        world.run(60)
        world.tekton.kill(CONTROLLER)
        world.submit([task("t")], name="young")
        calls = world.server.calls[CONTROLLER, "get", "pods"]
        begun = world.server.calls[CONTROLLER, "create", "taskruns.tekton.dev"]
        before, runs, start_us = calls.count, begun.count, world.loop.now_us
        world.tekton.start(CONTROLLER)
        assert world.loop.run_until(start_us + 10_000_000, until=lambda: begun.count > runs)
        assert 0.2 < (world.loop.now_us - start_us) / 1e6 < 0.5  # recorded: 0.24 s to the TaskRun
        assert world.loop.run_until(start_us + 10_000_000, until=lambda: "young-t-pod" in world.pods_started)
        assert 2.0 < (world.loop.now_us - start_us) / 1e6 < 3.5  # recorded: 3.2 s to the pod, with 65 finished TaskRuns
        assert calls.count - before >= 60


def test_an_outage_of_the_controller_and_a_crash_within_it_end_with_the_outage() -> None:
    with TektonWorld() as world:
        world.tekton.outage(CONTROLLER, 20_000_000)
        world.run(5)
        world.tekton.crash_leader(CONTROLLER, 1_000_000)
        world.submit([task("t")])
        world.run(10)
        assert "status" not in world.pipeline_run()
        world.run(10)
        assert world.verdict()[0] == "True"


def test_a_webhook_that_is_away_holds_up_everything_tekton_writes() -> None:
    with TektonWorld() as world:
        world.submit([task("t")])
        world.tekton.outage(WEBHOOK, 30_000_000)
        world.run(25)
        assert world.server.calls[CONTROLLER, "create", "taskruns.tekton.dev"].errors[500] >= 1
        assert world.verdict()[0] != "True"
        world.run(40)
        assert world.verdict()[0] == "True"
        assert world.pods_started == ["run-t-pod"]


def test_calls_to_the_webhook_go_astray_as_often_as_set_and_the_work_gets_done_all_the_same() -> None:
    with TektonWorld(TektonOptions(webhook_failures=0.1)) as world:
        told = []
        for number in range(20):
            try:
                world.submit([task("t")], name=f"run-{number}")
            except ApiError as error:
                told.append(f"{error.code} {error.message}")
        refused = len(told)
        assert all(
            one.startswith("500 ") and one.endswith('/defaulting?timeout=10s": context deadline exceeded')
            for one in told
        )
        assert 0 < refused < 10
        world.run(120)
        runs = world.server.list(ADMIN, PIPELINE_RUNS, NAMESPACE)["items"]
        assert len(runs) == 20 - refused
        assert {world.verdict(run["metadata"]["name"])[0] for run in runs} == {"True"}
