"""The simulated server answers as a real kube-apiserver 1.36 was recorded to answer."""

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_replay import Difference, Replay, Stage

HERE = Path(__file__).parent
DEFINITIONS = {one.stem: json.loads(one.read_text()) for one in sorted((HERE / "definitions").glob("*.json"))}
CASES = [(area.stem, case) for area in sorted((HERE / "cases").glob("*.json")) for case in json.loads(area.read_text())]
NOT_REACHED = json.loads((HERE / "not_reached.json").read_text())
"""Cases that still differ, each with what is missing. Strict: one that passes must leave the list."""


def _parameters() -> list[Any]:
    parameters = []
    for area, case in CASES:
        why = NOT_REACHED.get(case["id"])
        marks = [pytest.mark.xfail(reason=why, raises=Difference, strict=True)] if why else []
        parameters.append(pytest.param(area, case, id=case["id"], marks=marks))
    return parameters


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {}


@pytest.mark.parametrize(("area", "case"), _parameters())
def test_recorded_exchange_is_answered_alike(area: str, case: dict[str, Any], stages: dict[str, Stage]) -> None:
    stage = stages.setdefault(area, Stage(DEFINITIONS))
    number = next(at for at, (_, one) in enumerate(CASES) if one["id"] == case["id"])
    word = "".join("bcdfghjkmn"[int(digit)] for digit in f"{number:03}")
    Replay(stage, case, f"qz{word}").run()
