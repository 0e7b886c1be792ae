"""Recordings are played to a Tekton that is reached through a kubeconfig, as a real one would be."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hurried import HurriedPolicy
from served import Served

from controller.ports import Document, Resource
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

HURRY = 20.0
VERSION = "v1.15.0"
_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
_PODS = Resource("", "v1", "pods", "Pod")
_RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")


def create(server: ApiServer, resource: Resource, namespace: str, name: str, **fields: object) -> Document:
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, **fields}
    return server.create(ADMIN, resource, namespace, body)


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
    again = simulate(recorded)
    assert again.writes == recorded.expect
    assert [list(told) for told in again.told] == recorded.events
    assert (again.returned_spec, again.refusal) == (recorded.returned_spec, recorded.refusal)
