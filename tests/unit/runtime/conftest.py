from collections.abc import Iterator

import pytest
from reflector_world import World

from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def server(loop: Loop) -> ApiServer:
    server = ApiServer(loop, Streams(1), Clock(loop), guard=True)
    server.create(ADMIN, server.resource("", "namespaces"), "", {"metadata": {"name": "team"}})
    return server


@pytest.fixture
def world(loop: Loop, server: ApiServer) -> World:
    return World(loop, server)
