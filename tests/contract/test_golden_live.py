"""Recordings are played to a Tekton that is reached through a kubeconfig, as a real one would be."""

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hurried import HurriedPolicy
from served import Served
from typer.testing import CliRunner

from controller.ports import Document, Resource
from scenarios.cli import app
from scenarios.errors import BadInput
from scenarios.golden.agreement import Grade, Verdict
from scenarios.golden.comparison import compare
from scenarios.golden.recorder import Outcome, Site, record
from scenarios.golden.recording import Recording, bundled, of_json, text
from scenarios.golden.simulated import simulate
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import install
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS

HURRY = 12.0
VERSION = "v1.15.0"
_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
_PODS = Resource("", "v1", "pods", "Pod")
_RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")


def create(server: ApiServer, resource: Resource, namespace: str, name: str, **fields: object) -> Document:
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, **fields}
    return server.create(ADMIN, resource, namespace, body)


def objects(server: ApiServer) -> list[tuple[str, str, str]]:
    """Everything that is stored, Events and quota counts apart."""
    return sorted(
        (resource.plural, one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for resource in server.resources()
        if resource.plural != "events"
        for one in server.items(resource)
    )


@pytest.fixture
def cluster() -> Iterator[Served]:
    loop = Loop()
    clock, streams = Clock(loop), Streams(1)
    server = ApiServer(loop, streams, clock)
    install(server, loop, streams, clock, TektonOptions(version=VERSIONS[VERSION]), BundleCatalogue())
    create(server, _NAMESPACES, "", "tekton-pipelines")
    create(server, _CONFIG_MAPS, "tekton-pipelines", "pipelines-info", data={"version": VERSION})
    loop.run_until(2_000_000)
    asyncio.set_event_loop_policy(HurriedPolicy(HURRY))
    try:
        with Served(server, hurry=HURRY) as served:
            yield served
    finally:
        asyncio.set_event_loop_policy(None)


def played(site: Site, *scenarios: str) -> list[Outcome]:
    def choose(version: str) -> list[Recording]:
        return [bundled(version, scenario) for scenario in scenarios]

    outcomes: list[Outcome] = []
    record(site, choose, outcomes.append)
    return outcomes


@pytest.mark.parametrize("scenario", ["when-skip-all", "missing-param", "success-1", "cancel"])
def test_what_a_cluster_writes_becomes_a_recording_that_the_simulated_stage_reproduces(
    cluster: Served, tmp_path: Path, scenario: str
) -> None:
    [outcome] = played(Site(cluster.kubeconfig(tmp_path)), scenario)
    assert (outcome.trouble, outcome.needs_simulation) == ("", "")
    assert outcome.recorded is not None
    recorded = of_json(json.loads(text(outcome.recorded)))
    assert (recorded.version, recorded.namespace, recorded.scenario) == (VERSION, "rehearse-golden", scenario)
    agreement = compare(recorded, simulate(recorded))
    assert agreement.verdict is not Verdict.DIFFERS, agreement.differences
    assert {agreement.verdicts[grade] for grade in (Grade.OUTCOME, Grade.ANSWERS)} == {Verdict.EXACT}


def test_nothing_stays_on_the_cluster(cluster: Served, tmp_path: Path) -> None:
    before = cluster.call(objects)
    outcomes = played(
        Site(cluster.kubeconfig(tmp_path)), "exit1-first-running-last-hang", "quota-pods-exceeded-pipeline-timeout"
    )
    assert [outcome.trouble for outcome in outcomes] == ["", ""]
    assert cluster.call(objects) == before


def test_an_existing_namespace_is_left_as_it_was(cluster: Served, tmp_path: Path) -> None:
    def prepare(server: ApiServer) -> None:
        create(server, _NAMESPACES, "", "mine")
        create(server, _CONFIG_MAPS, "mine", "kept")

    cluster.call(prepare)
    before = cluster.call(objects)
    [outcome] = played(Site(cluster.kubeconfig(tmp_path), namespace="mine", existing=True), "fail-step2of3")
    assert outcome.recorded is not None
    assert cluster.call(objects) == before


def test_a_namespace_that_is_there_is_not_played_in_unasked(cluster: Served, tmp_path: Path) -> None:
    cluster.call(lambda server: create(server, _NAMESPACES, "", "mine"))
    with pytest.raises(BadInput, match="--namespace mine: exists already"):
        played(Site(cluster.kubeconfig(tmp_path), namespace="mine"), "missing-param")


def test_a_namespace_in_use_is_not_played_in_at_all(cluster: Served, tmp_path: Path) -> None:
    run = bundled(VERSION, "missing-param").submit

    def prepare(server: ApiServer) -> None:
        create(server, _NAMESPACES, "", "mine")
        create(server, _RUNS, "mine", "theirs", spec=run["spec"])

    cluster.call(prepare)
    with pytest.raises(BadInput, match="there are pipelineruns in it"):
        played(Site(cluster.kubeconfig(tmp_path), namespace="mine", existing=True), "missing-param")
    assert "theirs" in str(cluster.call(objects))


def test_pods_are_for_no_scheduler_and_on_no_node_and_the_recording_does_not_show_it(
    cluster: Served, tmp_path: Path
) -> None:
    pods: dict[str, set[Any]] = {"schedulers": set(), "nodes": set()}

    def observed(type_: str, _resource: Resource, _old: Document | None, new: Document) -> None:
        pods["schedulers"].add(new["spec"].get("schedulerName"))
        if type_ != "ADDED":
            pods["nodes"].add(new["spec"].get("nodeName"))

    cluster.call(lambda server: server.observe(observed, _PODS))
    outcomes = played(Site(cluster.kubeconfig(tmp_path)), "success-1", "fail-step2of3")
    assert pods["schedulers"] == {"rehearse"}
    assert len(pods["nodes"]) == 2, "a node name of its own for every play"
    assert all(str(node).startswith("rehearse-") for node in pods["nodes"])
    assert not any("schedulerName" in text(outcome.recorded) for outcome in outcomes if outcome.recorded)


def test_what_a_cluster_cannot_be_asked_for_is_told_and_costs_nothing(cluster: Served, tmp_path: Path) -> None:
    before = cluster.call(lambda server: server.store.version)
    outcomes = played(Site(cluster.kubeconfig(tmp_path)), "bundle-success", "controller-down-while-run-finishes")
    assert [outcome.needs_simulation for outcome in outcomes] == ["to serve bundles", "to stop controller"]
    assert cluster.call(lambda server: server.store.version) == before


def test_a_play_that_breaks_is_told_and_cleaned_up(cluster: Served, tmp_path: Path) -> None:
    foreign = {"at_ms": 5, "do": "create", "name": "other", "namespace": "default", "spec": {}}
    broken = replace(bundled(VERSION, "success-1"), actions=(foreign,))
    outcomes: list[Outcome] = []
    before = cluster.call(objects)
    record(Site(cluster.kubeconfig(tmp_path)), lambda _: [broken, bundled(VERSION, "missing-param")], outcomes.append)
    assert outcomes[0].trouble == "the script creates pipelineruns in another namespace, default"
    assert outcomes[1].recorded is not None
    assert cluster.call(objects) == before


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As in a shell; where tests are run by workers, an interrupt is the business of those who run the workers."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_session_leaves_nothing_either(cluster: Served, tmp_path: Path) -> None:
    before = cluster.call(objects)

    def interrupt(_: Outcome) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        record(Site(cluster.kubeconfig(tmp_path)), lambda _: [bundled(VERSION, "fail-step2of3")] * 2, interrupt)
    assert cluster.call(objects) == before


def test_a_pod_that_the_clusters_garbage_collector_takes_spoils_the_play(cluster: Served, tmp_path: Path) -> None:
    def collected(type_: str, _resource: Resource, _old: Document | None, new: Document) -> None:
        if type_ == "ADDED":
            condition = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
            name, namespace = new["metadata"]["name"], new["metadata"]["namespace"]
            patch = {"status": {"phase": "Failed", "conditions": [condition]}}
            world = cluster.server
            world.loop.post(0, lambda: world.patch(ADMIN, _PODS, namespace, name, patch, subresource="status"))

    cluster.call(lambda server: server.observe(collected, _PODS))
    [outcome] = played(Site(cluster.kubeconfig(tmp_path)), "success-1")
    assert outcome.trouble.startswith("the cluster's pod garbage collector took a pod")


def test_a_cluster_without_tekton_is_refused_in_one_line(cluster: Served, tmp_path: Path) -> None:
    site = Site(cluster.kubeconfig(tmp_path), tekton_namespace="default")
    with pytest.raises(BadInput, match="--tekton-namespace default: there is no ConfigMap pipelines-info in it"):
        played(site, "missing-param")


def rehearse(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    done = CliRunner().invoke(app, ["golden", *arguments])
    if isinstance(done.exception, BadInput):
        return 2, str(done.exception)
    return done.exit_code, done.output


def test_the_command_makes_recordings_that_it_can_read(cluster: Served, tmp_path: Path) -> None:
    kubeconfig, folder = cluster.kubeconfig(tmp_path), tmp_path / "recordings"
    scenarios = ("when-skip-all", "missing-param", "bundle-success")
    code, output = rehearse(*scenarios, "--kubeconfig", str(kubeconfig), "--record", str(folder))
    assert (code, "bundle-success: needs the simulated stage to serve bundles" in output) == (0, True)
    assert "2 recordings played on Tekton v1.15.0, 0 failed, 1 skipped because they need the simulated stage" in output
    assert sorted(path.stem for path in folder.glob("v1.15.0/*.json")) == ["missing-param", "when-skip-all"]
    code, output = rehearse("--recordings", str(folder))
    assert (code, "2 recordings: 2 as recorded" in output) == (0, True)


def test_the_command_tells_a_tekton_that_does_otherwise(cluster: Served, tmp_path: Path) -> None:
    other = bundled(VERSION, "missing-param")
    changed = replace(other, events=[*other.events, ["PipelineRun/x", "Never", "told"]])
    path = tmp_path / VERSION / "missing-param.json"
    path.parent.mkdir()
    path.write_text(text(changed))
    code, output = rehearse("--recordings", str(tmp_path), "--kubeconfig", str(cluster.kubeconfig(tmp_path)))
    assert (code, "Never: told" in output) == (1, True)


def test_the_command_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    assert rehearse("--record", str(tmp_path))[0] == 2
    code, output = rehearse("--kubeconfig", str(tmp_path / "none"))
    assert (code, output) == (2, f"--kubeconfig: kubeconfig {tmp_path / 'none'}: no such file")
    path = tmp_path / "config"
    path.write_text(
        "{current-context: a, contexts: [{name: a, context: {cluster: b}}], "
        "clusters: [{name: b, cluster: {server: 'http://127.0.0.1:1'}}]}"
    )
    code, output = rehearse("--kubeconfig", str(path))
    assert (code, output.startswith(f"--kubeconfig {path}: no answer that helps: ")) == (2, True)
