"""Servers for tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serving_process import Process


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Any]:
    """Starts servers that end with the test."""
    started: list[Process] = []

    def start(*options: str) -> Process:
        started.append(Process(tmp_path, *options))
        return started[-1]

    yield start
    for process in started:
        process.stop()
