"""Recordings played in the simulated world until one play agrees, or no play does."""

from scenarios.golden.agreement import Agreement, Grade, Verdict
from scenarios.golden.comparison import compare
from scenarios.golden.player import CannotPlay
from scenarios.golden.recording import Recording
from scenarios.golden.simulated import simulate

_PLAYS = 400
"""At most: what was recorded once must be among so many outcomes. The first play has caches that are never late."""
_PLAYS_OF_A_RACE = 24
_PLAYS_OF_A_BURST = 60


def judge(recording: Recording, plays: int = _PLAYS) -> Agreement:
    """The best of up to ``plays`` plays; the search ends with the first that agrees exactly,
    and early if one agrees but for a race."""
    best: Agreement | None = None
    for number in range(min(plays, _PLAYS_OF_A_BURST) if recording.burst else plays):
        try:
            played = simulate(recording, seed=number + 1, late_caches=number > 0)
        except (CannotPlay, NotImplementedError) as why:
            return Agreement(recording.version, recording.scenario, unplayable=str(why))
        found = compare(recording, played, number + 1)
        if best is None or _badness(found) < _badness(best):
            best = found
        if best.verdict is Verdict.EXACT or (best.verdict is Verdict.RACE and number + 1 >= _PLAYS_OF_A_RACE):
            break
    assert best is not None, "at least one play"
    return best


def _badness(agreement: Agreement) -> tuple[int, ...]:
    """How many things differ, how many race, how many calls race."""
    differing = [one for one in agreement.differences if not one.race]
    racing = [one for one in agreement.differences if one.race and one.grade is not Grade.CALLS]
    grades = {one.grade for one in differing}
    return len(grades), len(differing), len(racing), len(agreement.differences)
