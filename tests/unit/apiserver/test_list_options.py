"""What a list or a watch may be asked for, and what is said to the rest."""

from typing import Any

import pytest
from asking import Client
from core_world import World

from sim.apiserver.watch import Stream

PODS = "/api/v1/namespaces/default/pods"
_FORBIDDEN = "resourceVersionMatch: Forbidden: "


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Client:
    return Client(world.server)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (
            {"resourceVersionMatch": "Exact"},
            f"{_FORBIDDEN}resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            f'{_FORBIDDEN}resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        ({"sendInitialEvents": "true"}, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        (
            {"watch": "true", "sendInitialEvents": "true"},
            f"{_FORBIDDEN}sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            {"watch": "true", "resourceVersionMatch": "NotOlderThan"},
            f"{_FORBIDDEN}resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
    ],
)
def test_options_that_do_not_go_together_are_422(client: Client, query: dict[str, str], complaint: str) -> None:
    answer = client.ask("GET", PODS, **query)
    assert answer.status == 422
    assert isinstance(answer.body, dict)
    assert answer.body["message"] == f'ListOptions.meta.k8s.io "" is invalid: {complaint}'


def test_all_that_is_wrong_is_told_at_once(client: Client) -> None:
    answer = client.ask("GET", PODS, **{"resourceVersionMatch": "Some", "continue": "x"})
    assert isinstance(answer.body, dict)
    assert len(answer.body["details"]["causes"]) == 3


@pytest.mark.parametrize("text", ["x", "", " 1", "1_0", "1.0"])
def test_a_number_that_is_none_is_400(client: Client, text: str) -> None:
    answer = client.ask("GET", PODS, limit=text)
    assert answer.status == 400
    assert isinstance(answer.body, dict)
    assert answer.body["message"] == f'strconv.ParseInt: parsing "{text}": invalid syntax'


@pytest.mark.parametrize("text", [str(1 << 63), "9" * 5000], ids=["one too much", "thousands of digits"])
def test_a_number_beyond_64_bits_is_400(client: Client, text: str) -> None:
    answer = client.ask("GET", PODS, timeoutSeconds=text)
    assert answer.status == 400
    assert isinstance(answer.body, dict)
    assert answer.body["message"] == f'strconv.ParseInt: parsing "{text}": value out of range'


def test_a_limit_below_one_is_none(world: World, client: Client) -> None:
    world.create(world.configmaps, "a")
    path = "/api/v1/namespaces/default/configmaps"
    assert [len(client.get(path, limit=limit)["items"]) for limit in ("-1", "0")] == [1, 1]


@pytest.mark.parametrize(("value", "watching"), [("false", False), ("0", False), ("", True), ("yes", True)])
def test_whatever_is_not_false_is_true(client: Client, value: str, watching: bool) -> None:
    assert isinstance(client.ask("GET", PODS, watch=value).body, Stream) is watching


def test_a_watch_for_no_time_lasts_as_long_as_any_and_one_for_less_ends_at_once(world: World, client: Client) -> None:
    streams: list[Any] = [client.ask("GET", PODS, watch="true", timeoutSeconds=text).body for text in ("0", "-5", "2")]
    world.wait(1)
    assert [one.ended for one in streams] == [False, True, False]
    world.wait(2)
    assert [one.ended for one in streams] == [False, True, True]
