"""Settings and their overrides."""

import pytest

from scenarios import settings
from scenarios.errors import BadInput


def test_overrides_reach_into_the_tree() -> None:
    read = settings.parse({"executor": {"workers": 3}}, ["executor.cooldown=1m", "tekton.version='1.7'"], "x.yaml")

    assert read.executor.cooldown == 60.0
    assert read.executor.workers == 3
    assert read.tekton.version == "1.7"


def test_a_latency_may_be_a_distribution() -> None:
    read = settings.parse({}, ["api.watchLag={uniform: {min: 1ms, max: 3ms}}"], "settings")

    assert read.api.watch_lag.describe().startswith("uniform")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("executor.cooldown", "is not an assignment; expected KEY=VALUE"),
        ("executor.cooldown=-5m", "executor.cooldown: duration '-5m' is negative"),
        ("executor.cooldwon=5m", "executor.cooldwon: unknown; expected one of cooldown, "),
        ("tekton.version=2.0", "tekton.version: Input should be '1.7' or '1.15'"),
        ("cluster.nodes=0", "cluster.nodes: Input should be greater than or equal to 1"),
        ("patience.more=1s", "patience: "),
        ("api.read={", "is not YAML"),
    ],
)
def test_a_bad_override_is_one_line_that_names_the_key(override: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        settings.parse({}, [override], "settings")

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_are_described_with_their_sources() -> None:
    told = settings.described(settings.parse({}, [], "settings"))

    assert told["tekton"]["qps"] == 20.0
    assert "(recorded: " in told["api"]["read"]


@pytest.mark.parametrize(
    ("overrides", "update"),
    [(["api.write=1s"], "always 1s"), (["api.write=1s", "api.update=2s"], "always 2s"), ([], "median 7.8ms")],
)
def test_how_long_a_write_takes_goes_for_updates_unless_they_have_a_time_of_their_own(
    overrides: list[str], update: str
) -> None:
    assert update in settings.parse({}, overrides, "settings").api.update.describe()
