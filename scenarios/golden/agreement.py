"""How far a play agrees with its recording: a verdict for each thing that is compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """From best to worst."""

    EXACT = "exact"
    RACE = "race"
    """The difference is one that the recordings show to be a race: see :mod:`scenarios.golden.races`."""
    DIFFERS = "differs"
    ABSENT = "absent"
    """Nothing of the kind was recorded."""


class Grade(StrEnum):
    """What is compared."""

    OUTCOME = "outcome"
    """Which objects there were, and the last write of each: conditions with their texts, step states."""
    WRITES = "writes"
    """All writes to each object in their order."""
    EVENTS = "events"
    """Which Events were told."""
    ORDERS = "orders"
    """The order of milestones across kinds, as far as it is not documented to be a race."""
    MANAGERS = "managers"
    """Who owned fields of each object but pods, and in which order they came to."""
    CALLS = "calls"
    """API calls by component, verb and resource."""
    ANSWERS = "answers"
    """What the API server and the webhooks answered to the submission and to the script."""
    TIMES = "times"
    """Of a burst: when the last run ended, and how long first statuses took, within ten per cent and the jitter."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was recorded otherwise than it was played; either side is None where it has nothing."""

    grade: Grade
    subject: str
    """Whose: ``TaskRun/wfe-…-run``, ``Events``, ``tekton-controller create pods``."""
    place: str
    """Where in it: ``write 3 of 9: status.conditions[0].message``."""
    recorded: Any
    simulated: Any
    race: str = ""
    """Which documented race it is, if it is one."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """``verdicts`` has every grade, unless ``unplayable`` says why the recording could not be played."""

    version: str
    scenario: str
    verdicts: Mapping[Grade, Verdict] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    """The first of each grade and object, worst first."""
    plays: int = 1
    """How many plays it took: the first has caches that are never late; the others differ in their seeds."""
    unplayable: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of all. Numbers of calls vary from run to run, so their races are not counted here."""
        if self.unplayable:
            return Verdict.DIFFERS
        found = {verdict for grade, verdict in self.verdicts.items() if grade is not Grade.CALLS}
        if Verdict.DIFFERS in found or self.verdicts.get(Grade.CALLS) is Verdict.DIFFERS:
            return Verdict.DIFFERS
        return Verdict.RACE if Verdict.RACE in found else Verdict.EXACT

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "scenario": self.scenario,
            "verdict": self.verdict,
            "grades": dict(self.verdicts),
            "plays": self.plays,
            "unplayable": self.unplayable,
            "differences": [
                {
                    "grade": one.grade,
                    "subject": one.subject,
                    "place": one.place,
                    "recorded": one.recorded,
                    "simulated": one.simulated,
                    "race": one.race,
                }
                for one in self.differences
            ],
        }
