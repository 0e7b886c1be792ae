"""What ``rehearse conformance`` says of servers that agree, use other words, or do something else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scenarios.cli import main
from scenarios.conformance.inworld import SimulatedStage
from scenarios.conformance.recorded import bundled, definitions
from scenarios.conformance.score import by_area, judge, table
from scenarios.conformance.stage import Answer
from sim.apiserver.rest.exchange import Request

LEASES = [case for case in bundled() if case.area == "leases"]


class Altered(SimulatedStage):
    """A server whose answers somebody changes on their way."""

    def __init__(self, change: Callable[[Answer], Answer]) -> None:
        super().__init__(definitions())
        self._change = change

    def ask(self, request: Request) -> Answer:
        return self._change(super().ask(request))


def score(change: Callable[[Answer], Answer]) -> tuple[int, int, int]:
    total = by_area(judge(Altered(change), LEASES))[-1]
    return total.cases, total.strict, total.semantic


def in_other_words(answer: Answer) -> Answer:
    body = answer.body
    return replace(answer, body={**body, "message": "no"}) if body.get("kind") == "Status" else answer


def test_a_server_that_agrees_has_everything() -> None:
    assert score(lambda answer: answer) == (len(LEASES), len(LEASES), len(LEASES))


def test_other_words_count_as_agreement_in_meaning_alone() -> None:
    cases, strict, semantic = score(in_other_words)

    assert strict < semantic == cases


def test_another_media_type_is_no_difference_in_meaning() -> None:
    cases, strict, semantic = score(lambda answer: replace(answer, headers={"content-type": "text/plain"}))

    assert (strict, semantic) == (0, cases)


def test_other_answers_are_a_difference() -> None:
    assert score(lambda answer: replace(answer, status=answer.status + 1))[1:] == (0, 0)


def test_nonsense_is_a_difference_and_not_the_end() -> None:
    assert score(lambda answer: replace(answer, body=[None]))[1:] == (0, 0)


def test_the_table_tells_of_every_area_and_of_all() -> None:
    lines = list(table(by_area(judge(Altered(lambda answer: answer), LEASES))))

    assert lines[1].split() == ["leases", "3", "3", "100.0", "%", "3", "100.0", "%"]
    assert lines[2].startswith("total")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--url", "http://127.0.0.1:1"), "http://127.0.0.1:1: GET /api/v1/namespaces: no answer"),
        (("--url", "nowhere"), "--url: 'nowhere' is no URL of a server"),
        (("--url", "http://x", "--area", "wish"), '--area: there is no area "wish"; expected names of accessreviews,'),
        (("--url", "http://x", "--cases", "none"), "none: holds no cases; expected a folder of JSON files"),
        (("--url", "http://x", "--cases", "bad"), "bad/a.json: holds no cases; expected a JSON list"),
        (("--url", "http://x", "--token-file", "few.csv"), "--token-file few.csv: names no we"),
        (("--url", "https://x", "--ca", "few.csv"), "--ca few.csv: cannot be used"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_line(
    options: tuple[str, ...], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "few.csv").write_text('t,admin,1,"system:masters"\n')
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.json").write_text('[{"id": 1}]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # this process goes on
    monkeypatch.setattr("sys.argv", ["rehearse", "conformance", *options])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith(f"rehearse: {line}"), said.err
    assert said.err.count("\n") == 1
