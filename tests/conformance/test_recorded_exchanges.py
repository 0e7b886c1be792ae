"""The simulated server answers as a real kube-apiserver 1.36 was recorded to answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.conformance.inworld import SimulatedStage
from scenarios.conformance.recorded import Case, bundled, definitions
from scenarios.conformance.replay import Difference, Replay

CASES = bundled()
NOT_REACHED = json.loads((Path(__file__).parent / "not_reached.json").read_text())
"""Cases that still differ, each with what is missing. Strict: one that passes must leave the list."""


def _parameters() -> list[Any]:
    parameters = []
    for number, case in enumerate(CASES):
        why = NOT_REACHED.get(case.id)
        marks = [pytest.mark.xfail(reason=why, raises=(Difference, AssertionError), strict=True)] if why else []
        parameters.append(pytest.param(number, case, id=case.id, marks=marks))
    return parameters


@pytest.fixture(scope="module")
def stages() -> dict[str, SimulatedStage]:
    return {}


@pytest.mark.parametrize(("number", "case"), _parameters())
def test_recorded_exchange_is_answered_alike(number: int, case: Case, stages: dict[str, SimulatedStage]) -> None:
    stage = stages.setdefault(case.area, SimulatedStage(definitions()))
    word = "".join("bcdfghjkmn"[int(digit)] for digit in f"{number:03}")
    replay = Replay(stage, case.content, f"qz{word}")

    replay.run()

    assert not replay.texts
