"""How far a server agrees with the recordings: by case, by area, in meaning and to the letter."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scenarios.conformance.recorded import Case
from scenarios.conformance.replay import Difference, Replay
from scenarios.conformance.stage import Stage

_LETTERS = "bcdfghjkmnpqrstvwxz"
_JOBS = 4
_TEXT_MAX = 600


@dataclass(frozen=True, slots=True)
class Verdict:
    """``semantic``: the answers mean what was recorded; ``strict``: they are the same. ``why`` tells the difference."""

    case: Case
    semantic: bool
    strict: bool
    why: str


@dataclass(slots=True)
class AreaScore:
    area: str
    cases: int = 0
    strict: int = 0
    semantic: int = 0

    def add(self, verdict: Verdict) -> None:
        self.cases += 1
        self.strict += verdict.strict
        self.semantic += verdict.semantic


def judge(stage: Stage, cases: Iterable[Case], tell: Callable[[Verdict], None] = lambda _: None) -> list[Verdict]:
    """Replay all cases, several at once; those that disturb others come last, alone."""
    listed = list(cases)
    run = "".join(secrets.choice(_LETTERS) for _ in range(5))  # a name that no earlier run has used there
    numbered = [(case, f"{run}{number:03}") for number, case in enumerate(listed)]

    def judged(one: tuple[Case, str]) -> Verdict:
        verdict = _judged(stage, *one)
        tell(verdict)
        return verdict

    if any(case.content.get("fixtures") for case in listed):
        stage.define()
    with ThreadPoolExecutor(_JOBS) as pool:
        verdicts = list(pool.map(judged, [one for one in numbered if not one[0].last]))
    return verdicts + [judged(one) for one in numbered if one[0].last]


def _judged(stage: Stage, case: Case, word: str) -> Verdict:
    replay = Replay(stage, case.content, word)
    try:
        replay.run()
    except Difference as difference:
        return Verdict(case, False, False, str(difference)[:_TEXT_MAX])
    except Exception as error:  # an answer so odd that the replay trips over it is a difference too
        return Verdict(case, False, False, f"{error!r:.200}")
    return Verdict(case, True, not replay.texts, "\n".join(replay.texts)[:_TEXT_MAX])


def by_area(verdicts: Iterable[Verdict]) -> list[AreaScore]:
    """One score for each area, and one for all of them."""
    areas: dict[str, AreaScore] = {}
    total = AreaScore("total")
    for verdict in verdicts:
        areas.setdefault(verdict.case.area, AreaScore(verdict.case.area)).add(verdict)
        total.add(verdict)
    return [*(areas[name] for name in sorted(areas)), total]


def table(scores: Iterable[AreaScore]) -> Iterator[str]:
    """The scores as lines of text."""
    yield f"{'area':<16} {'cases':>6} {'strict':>12} {'semantic':>12}"
    for one in scores:
        strict, semantic = _share(one.strict, one.cases), _share(one.semantic, one.cases)
        yield f"{one.area:<16} {one.cases:>6} {strict:>12} {semantic:>12}"


def _share(part: int, whole: int) -> str:
    return f"{part} {100 * part / whole:5.1f} %" if whole else "0"
