"""What registries answer, and what comes of it for the run that asked."""

import base64
import json

import pytest
from bundle_requests import IMAGE, catalogue, submit_bundle
from tekton_world import NAMESPACE, TektonWorld

from sim.apiserver.identity import ADMIN
from sim.tekton.access import SECRETS, SERVICE_ACCOUNTS
from sim.tekton.options import RESOLVERS, TektonOptions
from sim.tekton.version import V1_7, V1_15, Version
from sim.workload.distributions import Constant

MANIFEST = "https://registry.example/v2/workflows/restart/manifests/v1"
V2 = "https://registry.example/v2/"


def failed_after_s(world: TektonWorld) -> float:
    """How long a run waits for its verdict; it must be a failure for want of a pipeline."""
    since_us = world.loop.now_us
    submit_bundle(world)
    assert world.loop.run_until(since_us + 300_000_000, until=lambda: world.verdict()[0] not in ("", "Unknown"))
    assert world.verdict()[:2] == ("False", "CouldntGetPipeline")
    return (world.loop.now_us - since_us) / 1e6


@pytest.mark.parametrize(
    ("kind", "text", "at_least_s"),
    [
        ("unauthorized", f"GET {MANIFEST}: UNAUTHORIZED: authentication required", 0),
        ("denied", f"GET {MANIFEST}: DENIED: requested access to the resource is denied", 0),
        ("rate limited", f"GET {MANIFEST}: TOOMANYREQUESTS: too many requests", 2),
        ("unavailable", f"GET {MANIFEST}: unexpected status code 503 Service Unavailable", 2),
        ("bad gateway", f"GET {MANIFEST}: unexpected status code 502 Bad Gateway", 2),
        ("server error", f"GET {MANIFEST}: unexpected status code 500 Internal Server Error", 2),
        ("refused", f'Get "{V2}": dial tcp 203.0.113.10:443: connect: connection refused', 0),
        (
            "reset",
            f'Get "{V2}": read tcp 10.244.0.9:45808->203.0.113.10:443: read: connection reset by peer',
            2,
        ),
        ("no such host", f'Get "{V2}": dial tcp: lookup registry.example on 10.96.0.10:53: no such host', 0),
        (
            "name server failure",
            f'Get "{V2}": dial tcp: lookup registry.example on 10.96.0.10:53: server misbehaving',
            2,
        ),
    ],
)
def test_a_refusal_is_told_and_only_temporary_ones_are_asked_again(kind: str, text: str, at_least_s: float) -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.bundles.trouble("registry.example", kind)
        after_s = failed_after_s(world)
        assert world.verdict()[2].endswith(f"cannot retrieve the oci image: {text}")
        assert at_least_s <= after_s < at_least_s + 1


def test_a_registry_on_this_machine_is_asked_over_both_schemes() -> None:
    image = "127.0.0.1:9/workflows/restart:v1"
    bundles = catalogue()
    bundles.trouble(image, "refused")
    with TektonWorld(bundles=bundles) as world:
        submit_bundle(world, image=image)
        world.run(3)
        refused = "dial tcp 127.0.0.1:9: connect: connection refused"
        asked = [f'Get "{scheme}://127.0.0.1:9/v2/": {refused}' for scheme in ("https", "http")]
        assert world.verdict()[2].endswith("; ".join(asked))  # recorded


def test_a_rate_limit_is_waited_for_since_v1_15_only() -> None:
    with TektonWorld(TektonOptions(version=V1_7), bundles=catalogue()) as world:
        world.bundles.trouble(IMAGE, "rate limited")
        assert failed_after_s(world) < 1


@pytest.mark.parametrize("kind", ["unreachable", "silent"])
@pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
def test_a_registry_that_never_answers_runs_into_the_time_limit_of_the_request(kind: str, version: Version) -> None:
    with TektonWorld(TektonOptions(version=version), bundles=catalogue()) as world:
        world.bundles.trouble("", kind)
        assert 58 < failed_after_s(world) < 62
        assert world.verdict()[2].endswith("resolution took longer than global timeout of 1m0s")


def test_a_slow_registry_keeps_both_workers_and_starves_the_others() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.bundles.trouble(IMAGE, "silent")
        world.run(0.5)
        for number in range(2):
            submit_bundle(world, f"stuck-{number}")
        world.run(0.1)
        submit_bundle(world, "starved", image="elsewhere.example/absent:v1")
        world.run(59)
        assert world.verdict("starved")[1] == "ResolvingPipelineRef"
        world.run(3)
        assert world.verdict("starved")[2].endswith("global timeout of 1m0s")


def test_a_registry_that_recovers_in_time_is_a_success() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.bundles.trouble(IMAGE, "unavailable")
        submit_bundle(world)
        world.run(1)
        world.bundles.heal(IMAGE)
        world.run(8)
        assert world.verdict()[0] == "True"


def test_failures_by_chance_are_as_frequent_as_set_and_temporary_ones_must_come_twice() -> None:
    failed = {}
    for kind in ("denied", "unavailable"):
        options = TektonOptions(registry_failures=((kind, 0.5),), qps=None, resolvers_qps=None)
        with TektonWorld(options, bundles=catalogue()) as world:
            for number in range(60):
                submit_bundle(world, f"run-{number}")
            world.run(150)
            failed[kind] = sum(world.verdict(f"run-{number}")[0] == "False" for number in range(60))
    assert 20 <= failed["denied"] <= 40
    assert 7 <= failed["unavailable"] <= 24


def secret(world: TektonWorld, name: str, host: str) -> None:
    config = base64.b64encode(json.dumps({"auths": {f"https://{host}/v2/": {"auth": "YTpi"}}}).encode()).decode()
    body = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": config}}
    world.create(SECRETS, body)


@pytest.mark.parametrize(("host", "state"), [("registry.example", "True"), ("elsewhere.example", "False")])
@pytest.mark.parametrize("named", ["secret", "serviceAccount"])
def test_a_protected_image_needs_credentials_for_its_registry(named: str, host: str, state: str) -> None:
    with TektonWorld(bundles=catalogue()) as world:
        world.bundles.protect(IMAGE)
        secret(world, "pull", host)
        world.create(SERVICE_ACCOUNTS, {"metadata": {"name": "puller"}, "imagePullSecrets": [{"name": "pull"}]})
        submit_bundle(world, **{named: "pull" if named == "secret" else "puller"})
        world.run(5)
        assert world.verdict()[0] == state
        assert ("UNAUTHORIZED" in world.verdict()[2]) is (state == "False")


def test_accounts_and_secrets_that_do_not_exist_mean_nobody_logs_in() -> None:
    with TektonWorld(bundles=catalogue()) as world:
        submit_bundle(world, serviceAccount="absent", secret="absent")
        world.run(5)
        assert world.verdict()[0] == "True"
        calls = world.server.calls
        assert calls[RESOLVERS, "get", "secrets"].errors == {404: 1}


def test_a_pull_takes_as_long_as_set() -> None:
    with TektonWorld(TektonOptions(pull=Constant(7_000_000)), bundles=catalogue()) as world:
        submit_bundle(world)
        world.run(6)
        assert world.verdict()[1] == "ResolvingPipelineRef"
        world.run(4)
        assert world.verdict()[0] == "True"
        assert world.server.find(SERVICE_ACCOUNTS, NAMESPACE, "default") is not None
        assert world.server.get(ADMIN, SERVICE_ACCOUNTS, NAMESPACE, "default")
