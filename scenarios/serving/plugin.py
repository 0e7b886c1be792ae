"""The pytest fixture ``kubernetes_server``: a simulated cluster behind plain HTTP, for the code under test.

    @pytest.mark.kubernetes_server(speed="max", without="we")
    def test_my_controller(kubernetes_server):
        subprocess.run([..., "--kubeconfig", kubernetes_server.kubeconfig])
        assert kubernetes_server.until("wfe/demo phase=Completed", within="1h")

The marker takes ``scenario``, ``seed``, ``speed``, ``with_``, ``without`` and ``set_`` as ``rehearse serve`` does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scenarios.serving.fixture import KubernetesServer

# ruff: noqa: PLC0415  # every pytest run loads this module, few want a server


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "kubernetes_server(scenario, seed, speed, with_, without, set_): how the fixture of that name is served, "
        "as `rehearse serve` has it",
    )


@pytest.fixture
def kubernetes_server(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[KubernetesServer]":
    """A new simulated cluster behind HTTP for this test: ``url``, ``token``, ``kubeconfig``, ``world``, ``step`` …"""
    from scenarios.serving.fixture import hosted

    marker = request.node.get_closest_marker("kubernetes_server")
    options: dict[str, Any] = {} if marker is None else marker.kwargs
    with hosted(tmp_path / "kubeconfig", **options) as server:
        yield server
