import random
from collections.abc import Awaitable, Callable

import pytest

from controller.ports import ApiError
from controller.runtime.conflict import retry_on_conflict
from sim.loop import Loop

CONFLICT = ApiError(409, "Conflict", "the object has been modified")
EXISTS = ApiError(409, "AlreadyExists", "already exists")


def failing(*errors: ApiError) -> tuple[Callable[[], Awaitable[str]], list[int]]:
    script, calls = list(errors), [0]

    async def attempt() -> str:
        calls[0] += 1
        if script:
            raise script.pop(0)
        return "written"

    return attempt, calls


def test_a_conflict_is_tried_again_after_about_ten_milliseconds(loop: Loop) -> None:
    attempt, calls = failing(CONFLICT, CONFLICT)
    assert loop.run_until_complete(retry_on_conflict(attempt, random.Random(1))) == "written"
    assert calls == [3]
    assert 0.020 <= loop.time() <= 0.022


def test_the_fifth_conflict_in_a_row_is_raised(loop: Loop) -> None:
    attempt, calls = failing(*[CONFLICT] * 9)
    with pytest.raises(ApiError) as error:
        loop.run_until_complete(retry_on_conflict(attempt, random.Random(1)))
    assert error.value is CONFLICT
    assert calls == [5]


@pytest.mark.parametrize("error", [EXISTS, ApiError(404, "NotFound", "gone")])
def test_other_refusals_are_raised_at_once(loop: Loop, error: ApiError) -> None:
    attempt, calls = failing(error)
    with pytest.raises(ApiError):
        loop.run_until_complete(retry_on_conflict(attempt, random.Random(1)))
    assert (calls, loop.time()) == ([1], 0.0)
