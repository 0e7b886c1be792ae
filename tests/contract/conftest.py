"""Every check of the port runs on each adapter."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters import Adapter, Live, Simulated, new_server
from served import Served


@pytest.fixture(params=["simulated", "live"])
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Adapter]:
    if request.param == "simulated":
        yield Simulated()
        return
    with Served(new_server()) as served:
        yield Live(served, served.kubeconfig(tmp_path))
