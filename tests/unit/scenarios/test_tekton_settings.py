"""The settings of Tekton: what they become, and what is said about those that cannot be."""

import pytest

from scenarios import settings, workflows
from scenarios.catalogue import lines
from scenarios.errors import BadInput
from scenarios.simulated import SimulatedWorld, open_world
from sim.tekton.options import CONTROLLER, RESOLVERS, TektonOptions
from sim.tekton.version import V1_7


def parsed(*overrides: str, **tekton: object) -> settings.Settings:
    return settings.parse({"tekton": tekton} if tekton else {}, overrides, "x.yaml")


def world(*overrides: str) -> SimulatedWorld:
    made = open_world(parsed(*overrides), workflows.load_folder(), 1, 1)
    assert isinstance(made, SimulatedWorld)
    return made


def test_the_defaults_are_those_of_a_release_installation() -> None:
    assert parsed().tekton.options() == TektonOptions()


def test_every_setting_reaches_tekton() -> None:
    options = parsed(
        "tekton.version=1.7",
        "tekton.qps=0",
        "tekton.threads=8",
        "tekton.ha={enabled: true, controllers: 3, buckets: 2, lease: 30s, renew: 20s, retry: 4s}",
        "tekton.bundles={pull: 2s, refusal: 1s, timeout: 20s, requestTimeout: 2m, cache: always, cacheSize: 7}",
        "tekton.bundles.failures=[{answer: unavailable, share: 0.25}]",
        "tekton.webhookFailures=0.5",
    ).tekton.options()

    assert (options.version, options.qps, options.threads_per_controller) == (V1_7, None, 8)
    assert (options.high_availability, options.controller_replicas, options.election.buckets) == (True, 3, 2)
    assert (options.election.lease_us, options.election.retry_us) == (30_000_000, 4_000_000)
    assert (options.cache_mode, options.cache_max, options.fetch_timeout_us) == ("always", 7, 20_000_000)
    assert options.resolution_timeout_us == 120_000_000
    assert options.registry_failures == (("unavailable", 0.25),)
    assert options.webhook_failures == 0.5


def test_threads_go_by_their_old_name_too() -> None:
    assert parsed("tekton.workers=64").tekton.options().threads_per_controller == 64


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("tekton.ha={enabled: true, lease: 30s}", "tekton.ha: the lease must last longer than the renew deadline"),
        ("tekton.ha.retry=39s", "tekton.ha: the renew deadline must be longer than 1.2 times the retry period"),
        ("tekton.ha.controllers=2", "tekton.ha: more than one controller needs leader election"),
        ("tekton.ha.buckets=11", "tekton.ha.buckets: Input should be less than or equal to 10"),
        ("tekton.ha.leases=1m", "tekton.ha.leases: unknown; expected one of enabled, controllers"),
        ("tekton.thread=3", "tekton.thread: unknown; expected one of version, qps"),
        ("tekton.bundles.cache=sometimes", "tekton.bundles.cache: Input should be 'auto', 'always' or 'never'"),
        ("tekton.bundles.failures=[{answer: no, share: 0.1}]", "tekton.bundles.failures.0.answer: "),
        ('tekton.bundles.failures=[{answer: "418", share: 0.1}]', '"418" is no answer of a registry; expected one of'),
        ("tekton.bundles.failures=[{answer: denied, share: 2}]", "less than or equal to 1"),
        (
            "tekton.bundles.failures=[{answer: denied, share: 0.6}, {answer: reset, share: 0.6}]",
            "the shares add up to more than 1",
        ),
        ("tekton.webhookFailures=-1", "tekton.webhookFailures: Input should be greater than or equal to 0"),
        ("tekton.rollout=0s", "tekton.rollout: expected a duration above 0"),
        ("tekton.incidents=[{at: 5m, what: scheduler}]", "tekton.incidents.0.what: Input should be 'controller'"),
        ("tekton.incidents=[{what: webhook}]", "tekton.incidents.0.at: is missing"),
        ("tekton.incidents=[{at: 5m, what: webhook, kind: crash}]", "expected an outage, not a crash"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_field(override: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parsed(override)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_of_them_are_listed_with_their_sources() -> None:
    shown = "\n".join(line for line in lines() if line.startswith("setting   tekton."))

    for words in (
        "tekton.ha.lease",
        "tekton.bundles.cacheTtl 5m0s",
        "tekton.incidents     none",
        "(recorded: ",
        "; Tekton's default",
    ):
        assert words in shown


def test_an_incident_is_told_in_words() -> None:
    told = settings.described(
        parsed("tekton.incidents=[{at: 5m, what: webhook, for: 30s}, {at: 1h, what: resolvers, kind: crash}]")
    )

    assert told["tekton"]["incidents"] == "outage of the webhook at 5m0s for 30s, crash of the resolvers at 1h0m0s"


@pytest.mark.parametrize("what", ["controller", "resolvers"])
def test_a_process_is_away_from_its_time_on_and_comes_back(what: str) -> None:
    made = world(f"tekton.incidents=[{{at: 10s, what: {what}, for: 20s}}]")
    name = {"controller": CONTROLLER, "resolvers": RESOLVERS}[what]
    running = []
    for second in (5, 15, 25, 40):
        made.loop.run_until(2_000_000 + second * 1_000_000)
        running.append(len(made.tekton.deployments[name].running))
    made.close()

    assert running == [1, 0, 0, 1]


def test_the_webhook_is_away_for_a_time() -> None:
    made = world("tekton.incidents=[{at: 10s, what: webhook, for: 20s}, {at: 20s, what: webhook, for: 20s}]")
    away = []
    for second in (5, 15, 35, 45):
        made.loop.run_until(2_000_000 + second * 1_000_000)
        away.append(bool(made.tekton.webhook.outage))
    made.close()

    assert away == [False, True, True, False]


def test_a_crashed_process_is_replaced_and_a_rolled_one_overlaps_with_its_successor() -> None:
    made = world("tekton.restart=3s", "tekton.rollout=4s")
    deployment = made.tekton.deployments[CONTROLLER]
    first = deployment.running[0]
    made.incidents.befall("controller", "crash", 0)
    assert deployment.running == []
    made.loop.run_until(made.loop.now_us + 3_100_000)
    second = deployment.running[0]
    made.incidents.befall("controller", "rollout", 0)
    made.loop.run_until(made.loop.now_us + 2_000_000)
    assert len(deployment.running) == 2
    made.loop.run_until(made.loop.now_us + 3_000_000)
    assert len(deployment.running) == 1
    assert len({id(first), id(second), id(deployment.running[0])}) == 3
    made.close()
