"""The same recordings, over real HTTP: what the transport adds is looked at, too."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from scenarios.conformance.inworld import USERS
from scenarios.conformance.overhttp import HttpStage, Place
from scenarios.conformance.recorded import bundled, definitions
from scenarios.conformance.score import by_area, judge, table
from sim.apiserver.http.application import Application
from sim.apiserver.http.hosted import Hosted
from sim.apiserver.rest.rest import Rest
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.pump import Pump
from sim.streams import Streams

HURRY = 10.0  # controllers of the server are patient; the case that measures a watch's own timeout is not disturbed


@pytest.fixture
def stage() -> Iterator[HttpStage]:
    loop = Loop()
    server = ApiServer(loop, Streams(1), Clock(loop), managed_fields=True)
    pump = Pump(loop, speed=HURRY)
    rest = Rest(server, {f"{name}-token": user for name, user in USERS.items()})
    with (
        Hosted(Application(rest, pump), pump) as host,
        closing(HttpStage(Place(host.url, None), {name: f"{name}-token" for name in USERS}, definitions())) as stage,
    ):
        yield stage


def test_recorded_exchanges_are_answered_alike_over_http(stage: HttpStage) -> None:
    verdicts = judge(stage, bundled())

    differing = [f"{one.case.id}: {one.why}" for one in verdicts if not one.strict]
    assert not differing, "\n".join([*differing, *table(by_area(verdicts))])
