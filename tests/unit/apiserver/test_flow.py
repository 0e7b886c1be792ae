"""Priority and fairness: seats, queues and 429."""

import asyncio

import pytest

from controller.ports import ApiError
from sim.apiserver.flow import FlowControl, LevelSpec, suggested_level, suggested_levels
from sim.apiserver.identity import ADMIN, User, service_account
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

WE = service_account("kubernaut-system", "we")
HOLD = {"get": 1_000, "create": 4_000}


def flow(seats=2, queue_length=2, **more):
    loop = Loop()
    spec = LevelSpec("workload-low", seats, queue_length, **more)
    return loop, FlowControl(loop, [spec], hold_us=HOLD)


def test_requests_within_the_seats_do_not_wait():
    _, control = flow()
    assert [control.wait_us(WE, "get") for _ in range(2)] == [0, 0]


def test_the_next_ones_wait_for_the_first_free_seat_in_order():
    _, control = flow()
    waits = [control.wait_us(WE, verb) for verb in ("get", "create", "get", "get")]
    assert waits == [0, 0, 1_000, 2_000]


def test_a_full_queue_is_refused_with_retry_after_one_second():
    _, control = flow()
    for _ in range(4):
        control.wait_us(WE, "get")
    with pytest.raises(ApiError) as caught:
        control.wait_us(WE, "get")
    error = caught.value
    assert (error.code, error.reason, error.retry_after_s) == (429, "TooManyRequests", 1.0)
    assert error.message == "Too many requests, please try again later."
    assert error.details == {"retryAfterSeconds": 1}
    assert control.rejected() == {"workload-low": 1}


def test_seats_free_themselves_when_their_time_is_over():
    loop, control = flow()
    for _ in range(4):
        control.wait_us(WE, "get")
    loop.run_until(2_000)
    assert control.wait_us(WE, "get") == 0
    assert control.rejected() == {"workload-low": 0}


def test_nobody_waits_beyond_the_patience_of_the_level():
    _, control = flow(seats=1, queue_length=100, patience_us=2_500)
    assert [control.wait_us(WE, "get") for _ in range(3)] == [0, 1_000, 2_000]
    with pytest.raises(ApiError, match="TooManyRequests"):
        control.wait_us(WE, "get")


def test_a_client_waits_for_its_seat_or_gets_the_refusal():
    loop = Loop()
    server = ApiServer(loop, Streams(1), Clock(loop))
    server.authorizer = None
    namespaces = server.resource("", "namespaces")
    answered = []

    async def ask():
        try:
            await client.get(namespaces, "", "default")
        except ApiError as error:
            answered.append(error.code)
        else:
            answered.append(loop.now_us)

    async def ask_at_once(times):
        await asyncio.gather(*(ask() for _ in range(times)))

    client = server.client(WE)
    loop.run_until_complete(ask_at_once(1))
    unhindered_us = answered.pop()
    server.flow = FlowControl(loop, [LevelSpec("workload-low", 1, 1)], hold_us={"get": 5_000_000})
    began_us = loop.now_us
    loop.run_until_complete(ask_at_once(3))
    answered.remove(429)
    assert answered[0] - began_us < 5_000_000 < answered[1] - began_us
    assert unhindered_us < 5_000_000


def test_masters_and_users_of_other_levels_are_not_held_up():
    _, control = flow(seats=1, queue_length=0)
    control.wait_us(WE, "get")
    assert control.wait_us(ADMIN, "get") == 0
    assert control.wait_us(User("someone", ("system:authenticated",)), "get") == 0


@pytest.mark.parametrize(
    ("user", "level"),
    [
        (ADMIN, "exempt"),
        (WE, "workload-low"),
        (service_account("kube-system", "generic-garbage-collector"), "workload-high"),
        (User("system:kube-scheduler", ("system:authenticated",)), "workload-high"),
        (User("system:node:n1", ("system:nodes", "system:authenticated")), "system"),
        (User("alice", ("system:authenticated",)), "global-default"),
        (User("system:anonymous", ("system:unauthenticated",)), "catch-all"),
    ],
)
def test_the_suggested_schemas_classify_users(user, level):
    assert suggested_level(user) == level


def test_the_suggested_levels_share_the_servers_seats():
    seats = {spec.name: spec.seats for spec in suggested_levels()}
    assert seats["workload-low"] == 245  # 600 seats, 100 of 245 shares
    assert seats["catch-all"] == 13
    assert 600 <= sum(seats.values()) < 600 + len(seats)
