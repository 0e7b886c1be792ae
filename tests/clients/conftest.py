"""One served cluster for all foreign clients, over TLS; each test works in a namespace of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_PATIENCE_S = 60
_SERVE = (sys.executable, "-c", "from scenarios.cli import main; main()", "serve", "--port", "0", "--speed", "60")
_PARTS = ("--with", "workloads")


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The way into a cluster in which a minute passes in a second."""
    folder = tmp_path_factory.mktemp("served")
    path = folder / "kubeconfig"
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            (*_SERVE, *_PARTS, "--kubeconfig", str(path)), stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder
        )
        assert process.stdout is not None
        try:
            said = [process.stdout.readline() for _ in range(3)]
            if not said[-1]:
                errors.seek(0)
                pytest.fail(errors.read() or "the server has not started")
            yield path
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)
            process.wait(_PATIENCE_S)
            process.stdout.close()
        errors.seek(0)
        assert not errors.read()
