"""What lies in an image, what may be asked for, and what is kept of it."""

import json
from typing import Any

import pytest
from bundle_requests import IMAGE, catalogue, pipeline, submit_bundle
from tekton_world import NAMESPACE, TektonWorld

from controller.ports import Document
from sim.apiserver.identity import ADMIN
from sim.tekton.access import RESOLUTION_REQUESTS
from sim.tekton.bundles import BundleCatalogue, Entry
from sim.tekton.options import RESOLVERS, TektonOptions
from sim.tekton.resolvercache import ResolverCache, key_of
from sim.tekton.version import V1_7, V1_15, Version
from sim.workload.distributions import Constant

DIGEST = "registry.example/workflows/restart@sha256:" + "a" * 64
ANNOTATIONS = {
    "dev.tekton.image.apiVersion": "v1",
    "dev.tekton.image.kind": "pipeline",
    "dev.tekton.image.name": "workflow",
}


def outcome(bundles: BundleCatalogue, options: TektonOptions | None = None, **params: Any) -> str:
    """The state of a run, or why it could not have its pipeline."""
    with TektonWorld(options, bundles=bundles) as world:
        submit_bundle(world, **params)
        world.run(6)
        state, _, message = world.verdict()
        return message.rpartition('": ')[2] if state == "False" else state


def layered(data: bytes, annotations: dict[str, str]) -> BundleCatalogue:
    bundles = BundleCatalogue()
    bundles.add_layer(IMAGE, data, annotations)
    return bundles


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"image": ""}, 'parameter "bundle" required'),
        ({"image": None}, 'parameter "bundle" required'),
        ({"image": "registry.example/UPPER:v1"}, "could not parse reference: registry.example/UPPER:v1"),
        ({"image": "registry.example/a@sha256:12"}, "could not parse reference: registry.example/a@sha256:12"),
        ({"name": "other"}, "could not find object in image with kind: pipeline and name: other"),
        ({"kind": "task"}, "could not find object in image with kind: task and name: workflow"),
        ({"kind": None}, "could not find object in image with kind: task and name: workflow"),
        ({"kind": "Pipeline"}, "True"),
    ],
)
def test_what_is_asked_for_must_be_there(params: dict[str, Any], text: str) -> None:
    assert outcome(catalogue(), **params).endswith(text)


def test_a_request_without_a_name_is_invalid() -> None:
    assert outcome(catalogue(), name="").endswith('parameter "name" required')


@pytest.mark.parametrize(
    ("without", "text"),
    [
        ("dev.tekton.image.apiVersion", "the layer 0 does not contain a dev.tekton.image.apiVersion annotation"),
        ("dev.tekton.image.kind", "the layer 0 does not contain a dev.tekton.image.kind annotation"),
    ],
)
def test_every_layer_says_what_it_holds(without: str, text: str) -> None:
    annotations = {key: value for key, value in ANNOTATIONS.items() if key != without}
    assert outcome(layered(b"{}", annotations)) == f"invalid tekton bundle {IMAGE}, error: {text}"


def test_kinds_are_singular_and_in_lower_case() -> None:
    told = outcome(layered(b"{}", {**ANNOTATIONS, "dev.tekton.image.kind": "Pipelines"}))
    assert told.endswith("annotation dev.tekton.image.kind must be lowercased and singular, found Pipelines")


def test_a_bundle_holds_twenty_objects_at_most() -> None:
    bundles = catalogue()
    for number in range(20):
        bundles.add_layer(IMAGE, b"{}", {**ANNOTATIONS, "dev.tekton.image.name": f"other-{number}"})
    assert outcome(bundles).endswith("error: contained more than the maximum 20 allow objects")


def test_what_etcd_does_not_take_fails_the_run() -> None:
    document = {**pipeline(), "spec": {**pipeline()["spec"], "description": "x" * 1_200_000}}
    bundles = BundleCatalogue()
    bundles.add(IMAGE, document)
    assert outcome(bundles).endswith("with data: etcdserver: request is too large")


def test_what_is_no_object_of_tekton_is_refused_by_the_resolver_since_v1_13() -> None:
    bundles = layered(json.dumps({"apiVersion": "v1", "kind": "Secret"}).encode(), ANNOTATIONS)
    told = outcome(bundles)
    assert "resolved resource validation error: resolved data is not of a supported type" in told
    assert "Group: tekton.dev, Kinds: [PipelineRun Pipeline TaskRun Task Run CustomRun StepAction]" in told


def test_what_cannot_be_read_at_all_fails_the_run_in_both_releases() -> None:
    for options in (TektonOptions(), TektonOptions(version=V1_7)):
        with TektonWorld(options, bundles=layered(b"{: no", ANNOTATIONS)) as world:
            submit_bundle(world)
            world.run(5)
            assert world.verdict()[:2] == ("False", "CouldntGetPipeline")


def test_yaml_will_do() -> None:
    text = b"""
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: workflow}
spec: {tasks: [{name: t, taskSpec: {steps: [{name: a, image: reg.local/tool:1, script: echo}]}}]}
"""
    assert outcome(layered(text, ANNOTATIONS)) == "True"


def annotations_of(world: TektonWorld) -> list[Document]:
    requests = world.server.list(ADMIN, RESOLUTION_REQUESTS, NAMESPACE)["items"]
    return [one["status"]["annotations"] for one in sorted(requests, key=lambda one: one["metadata"]["uid"])]


def operations(image: str, mode: str | None, *, pause_s: float = 1, **options: Any) -> list[str]:
    """What the cache did for two requests, and how many pulls they took."""
    bundles = BundleCatalogue()
    bundles.add(image, pipeline())
    with TektonWorld(TektonOptions(**options), bundles=bundles) as world:
        for name in ("first", "second"):
            submit_bundle(world, name, image=image, cache=mode)
            world.run(pause_s)
        key = "resolution.tekton.dev/cache-operation"
        pulls = world.server.calls[RESOLVERS, "get", "serviceaccounts"].count
        return [*sorted(one.get(key, "none") for one in annotations_of(world)), str(pulls)]


def test_only_digests_are_cached_unless_the_request_or_the_configuration_says_otherwise() -> None:
    assert operations(IMAGE, None) == ["none", "none", "2"]
    assert operations(DIGEST, None) == ["retrieve", "store", "1"]
    assert operations(DIGEST, "never") == ["none", "none", "2"]
    assert operations(IMAGE, "always") == ["retrieve", "store", "1"]
    assert operations(IMAGE, None, cache_mode="always") == ["retrieve", "store", "1"]


def test_the_cache_forgets_after_its_time_and_with_its_process() -> None:
    assert operations(DIGEST, None, pause_s=3, cache_ttl_us=2_000_000) == ["store", "store", "2"]
    bundles = BundleCatalogue()
    bundles.add(DIGEST, pipeline())
    with TektonWorld(bundles=bundles) as world:
        submit_bundle(world, "first", image=DIGEST)
        world.run(3)
        world.tekton.restart_orderly(RESOLVERS)
        world.run(3)
        submit_bundle(world, "second", image=DIGEST)
        world.run(3)
        assert world.server.calls[RESOLVERS, "get", "serviceaccounts"].count == 2


def test_the_cache_keeps_what_was_used_last() -> None:
    cache = ResolverCache(1_000, 2)
    entry = Entry("", {}, {})
    a, b, c = (key_of({"name": name}) for name in "abc")
    assert a == key_of({"name": "a", "cache": "always"})
    cache.put(a, entry, 0)
    cache.put(b, entry, 0)
    assert cache.get(a, 1) is entry
    cache.put(c, entry, 2)
    assert cache.get(b, 3) is None
    assert cache.get(a, 3) is entry
    assert cache.get(a, 1_001) is None


@pytest.mark.parametrize(("version", "pulls"), [(V1_7, 2), (V1_15, 1)], ids=["v1.7.0", "v1.15.0"])
@pytest.mark.parametrize("lies_there", [True, False])
def test_two_requests_at_once_for_what_may_be_cached_share_a_pull(
    version: Version, pulls: int, lies_there: bool
) -> None:
    bundles = BundleCatalogue()
    if lies_there:
        bundles.add(DIGEST, pipeline())
    with TektonWorld(TektonOptions(version=version, pull=Constant(500_000)), bundles=bundles) as world:
        for name in ("first", "second"):
            submit_bundle(world, name, image=DIGEST)
        world.run(4)
        assert {world.verdict(name)[0] for name in ("first", "second")} == {"True" if lies_there else "False"}
        if lies_there:
            assert world.server.calls[RESOLVERS, "get", "serviceaccounts"].count == pulls


def test_an_unknown_cache_mode_is_tried_again_until_the_time_is_over() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        submit_bundle(world, cache="sometimes")
        world.run(50)
        assert world.verdict()[1] == "ResolvingPipelineRef"
        world.run(12)
        assert world.verdict()[2].endswith("resolution took longer than global timeout of 1m0s")
