"""One served cluster for all who treat it badly; after each test it works, and has forgotten about it."""

from collections.abc import Iterator

import httpx
import pytest
from victim import PATIENCE_S, Victim

from scenarios.serving.fixture import hosted


@pytest.fixture(scope="session")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with hosted(tmp_path_factory.mktemp("victim") / "kubeconfig", without="people") as server:
        credentials = {"authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url, headers=credentials, timeout=PATIENCE_S) as client:
            yield Victim(server, client)


@pytest.fixture(autouse=True)
def unharmed(victim: Victim) -> Iterator[None]:
    """Whatever a test does, the server works afterwards and has forgotten about it."""
    assert victim.well()
    tasks = victim.tasks()
    yield
    assert victim.well()
    assert victim.settle(tasks) <= tasks
