from collections.abc import Callable, Iterator
from typing import Any

import pytest
from executor_stage import Stage


@pytest.fixture
def stage() -> Iterator[Callable[..., Stage]]:
    """Makes stages, a second old so that the caches are filled, and closes their worlds."""
    made: list[Stage] = []

    def make(*args: Any, **options: Any) -> Stage:
        made.append(Stage(*args, **options))
        return made[-1].run(1)

    yield make
    for each in made:
        each.close()
