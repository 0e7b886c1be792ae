"""Recordings played in the simulated world until one play agrees, or no play does."""

from scenarios.golden.agreement import Agreement, Grade, Verdict
from scenarios.golden.comparison import compare
from scenarios.golden.player import CannotPlay
from scenarios.golden.recording import Recording
from scenarios.golden.simulated import Network, simulate

_PLAYS = 400
"""At most: what was recorded once must be among so many outcomes. The first play has caches that are never late."""
_PLAYS_OF_A_BURST = 60
_ENOUGH = 24
"""After so many plays a race is taken for one, and a difference that all of them had for one."""

_Difference = tuple[Grade, str, str, str]


def judge(recording: Recording, plays: int = _PLAYS) -> Agreement:
    """The best of up to ``plays`` plays. The search ends with the first that agrees exactly."""
    best: Agreement | None = None
    lasting: set[_Difference] | None = None
    for number in range(min(plays, _PLAYS_OF_A_BURST) if recording.burst else plays):
        try:
            played = simulate(recording, seed=number + 1, network=_network(recording, number))
        except (CannotPlay, NotImplementedError) as why:
            return Agreement(recording.version, recording.scenario, unplayable=str(why))
        found = compare(recording, played, number + 1)
        if best is None or _badness(found) < _badness(best):
            best = found
        differing = _differing(found)
        lasting = differing if lasting is None else lasting & differing
        if best.verdict is Verdict.EXACT:
            break
        if number + 1 >= _ENOUGH and (best.verdict is Verdict.RACE or lasting):
            break
    assert best is not None, "at least one play"
    return best


def _network(recording: Recording, number: int) -> Network:
    """Of what was recorded beside others, every other play has a busy machine."""
    if not number:
        return "prompt"
    return "recorded" if recording.alone or number % 2 else "busy"


def _differing(agreement: Agreement) -> set[_Difference]:
    """What is no race, without where in its object it is."""
    return {
        (one.grade, one.subject, repr(one.recorded), repr(one.simulated))
        for one in agreement.differences
        if not one.race
    }


def _badness(agreement: Agreement) -> tuple[int, ...]:
    """How many things differ, how many race, how many calls race."""
    differing = [one for one in agreement.differences if not one.race]
    racing = [one for one in agreement.differences if one.race and one.grade is not Grade.CALLS]
    grades = {one.grade for one in differing}
    return len(grades), len(differing), len(racing), len(agreement.differences)
