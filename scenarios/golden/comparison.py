"""A play held against its recording."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from scenarios.golden.agreement import Agreement, Difference, Grade, Verdict
from scenarios.golden.burst import burst_differences
from scenarios.golden.differing import first_difference
from scenarios.golden.milestones import broken_orders, documented_orders, recorded_order
from scenarios.golden.player import Played
from scenarios.golden.races import COALESCED, Write, coalesced, racing_calls, racing_event
from scenarios.golden.recording import Recording

_UNATTRIBUTED = ("serviceaccounts", "pipelines", "limitranges", "configmaps")
"""Calls on these name no object of the run, so that a recording beside others does not count them."""


def compare(recording: Recording, played: Played, plays: int = 1) -> Agreement:
    """``plays`` is how many plays were made, this one included."""
    comparison = _Comparison(recording, played)
    if recording.burst:
        return _compare_bursts(recording, played, comparison, plays)
    found = {
        Grade.OUTCOME: list(comparison.outcome()),
        Grade.WRITES: list(comparison.writes()),
        Grade.EVENTS: list(comparison.events()),
        Grade.ORDERS: list(comparison.orders()),
        Grade.MANAGERS: list(comparison.managers()),
        Grade.CALLS: list(comparison.calls()),
        Grade.ANSWERS: list(comparison.answers()),
    }
    absent = {Grade.CALLS} if not comparison.calls_comparable else set()
    if not recording.managers or not played.managers:
        absent.add(Grade.MANAGERS)
    if not recording.expect:
        absent |= {Grade.OUTCOME, Grade.WRITES, Grade.ORDERS}
    verdicts = {grade: _verdict(grade in absent, differences) for grade, differences in found.items()}
    differences = sorted(chain(*found.values()), key=lambda one: bool(one.race))
    return Agreement(recording.version, recording.scenario, verdicts, differences, plays)


def _compare_bursts(recording: Recording, played: Played, comparison: "_Comparison", plays: int) -> Agreement:
    differences = list(burst_differences(recording, played))
    calls = list(comparison.calls())
    found = {grade: [one for one in differences if one.grade is grade] for grade in (Grade.OUTCOME, Grade.TIMES)}
    verdicts = {grade: _verdict(False, ones) for grade, ones in found.items()}
    verdicts[Grade.CALLS] = _verdict(not comparison.calls_comparable, calls)
    return Agreement(recording.version, recording.scenario, verdicts, [*differences, *calls], plays)


def _verdict(absent: bool, differences: Sequence[Difference]) -> Verdict:
    if differences:
        return Verdict.RACE if all(one.race for one in differences) else Verdict.DIFFERS
    return Verdict.ABSENT if absent else Verdict.EXACT


class _Comparison:
    def __init__(self, recording: Recording, played: Played) -> None:
        self._recording = recording
        self._played = played
        self._sides = {symbol: self._both(symbol) for symbol in dict.fromkeys((*recording.expect, *played.writes))}
        self._raced = {symbol: coalesced(*sides) for symbol, sides in self._sides.items() if sides[0] != sides[1]}
        raced = [found for found in self._raced.values() if found is not None]
        self._only_recorded = [write for found in raced for write in found[0]]
        self._only_simulated = [write for found in raced for write in found[1]]

    def _both(self, symbol: str) -> tuple[list[Write], list[Write]]:
        """``(recorded, simulated)``, both without the feature flags if the recorder left them out."""
        recorded: list[Write] = [
            {key: one for key, one in write.items() if key != "flags"}
            for write in self._recording.expect.get(symbol, ())
        ]
        simulated: list[Write] = list(self._played.writes.get(symbol, ()))
        if any(_flags(write) is True for write in recorded):
            return list(map(_without_flags, recorded)), list(map(_without_flags, simulated))
        return recorded, simulated

    def outcome(self) -> Iterator[Difference]:
        for symbol, (recorded, simulated) in self._sides.items():
            if not recorded or not simulated:
                sides = ["there" if side else "not there" for side in (recorded, simulated)]
                yield Difference(Grade.OUTCOME, _name(symbol), "the object itself", *sides)
            elif _last(recorded) != _last(simulated):
                place, theirs, ours = first_difference(_last(recorded), _last(simulated))
                yield Difference(Grade.OUTCOME, _name(symbol), f"at the end: {place}", theirs, ours)

    def writes(self) -> Iterator[Difference]:
        for symbol, raced in self._raced.items():
            recorded, simulated = self._sides[symbol]
            index = next(
                (at for at, (left, right) in enumerate(zip(recorded, simulated, strict=False)) if left != right),
                min(len(recorded), len(simulated)),
            )
            place, theirs, ours = first_difference(_at(recorded, index), _at(simulated, index))
            where = f"write {index + 1} of {len(recorded)} recorded, {len(simulated)} simulated"
            race = COALESCED if raced is not None else ""
            yield Difference(Grade.WRITES, _name(symbol), f"{where}: {place}" if place else where, theirs, ours, race)

    def events(self) -> Iterator[Difference]:
        recorded = {tuple(one) for one in self._recording.events}
        simulated = set(self._played.told)
        for event in sorted(recorded - simulated):
            race = racing_event(event, self._only_recorded)
            yield Difference(Grade.EVENTS, event[0], "Event", f"{event[1]}: {event[2]}", None, race)
        for event in sorted(simulated - recorded):
            race = racing_event(event, self._only_simulated)
            yield Difference(Grade.EVENTS, event[0], "Event", None, f"{event[1]}: {event[2]}", race)

    def orders(self) -> Iterator[Difference]:
        recording = self._recording
        reached = recorded_order(self._played.ordered)
        raced = COALESCED if self._raced and all(self._raced.values()) else ""
        for milestone in sorted({*reached} ^ {*recording.order}):
            theirs, ours = ("reached" if milestone in side else "not reached" for side in (recording.order, reached))
            yield Difference(Grade.ORDERS, "milestones", milestone, theirs, ours, raced)
        documented = documented_orders(recording, reached)
        contradicted = broken_orders(recording.order, documented)
        for broken in broken_orders(reached, documented):
            if broken not in contradicted:
                yield Difference(
                    Grade.ORDERS, "milestones", "order", " < ".join(reversed(broken.split(" after "))), broken
                )

    def managers(self) -> Iterator[Difference]:
        if not self._recording.managers or not self._played.managers:
            return
        for symbol, recorded in self._recording.managers.items():
            theirs, ours = [list(state) for state in recorded], list(self._played.managers.get(symbol, ()))
            if theirs != ours:
                race = COALESCED if self._raced.get(symbol) is not None else ""
                yield Difference(Grade.MANAGERS, _name(symbol), "managedFields", theirs, ours, race)

    @property
    def calls_comparable(self) -> bool:
        """Not if a controller was started: it first looks at what else is in its cluster."""
        started = any(deed.get("component") == "controller" for deed in self._recording.actions)
        return bool(self._recording.calls) and bool(self._played.calls) and not started

    def calls(self) -> Iterator[Difference]:
        if not self.calls_comparable:
            return
        recorded, simulated = Counter(self._recording.calls), Counter(self._played.calls)
        spare = 1 + len(self._sides) + len(self._only_recorded) + len(self._only_simulated)
        if self._recording.burst:
            spare = len(self._recording.actions)  # once more or less for each run
        for call in sorted({*recorded, *simulated}):
            theirs, ours = recorded[call], simulated[call]
            if theirs == ours or (not self._recording.whole_calls and call.split()[2] in _UNATTRIBUTED):
                continue
            if call.split()[1] in ("list", "watch") or not call.startswith("tekton"):
                continue
            events = call.endswith("create events") and abs(theirs - ours) <= spare and bool(self._raced)
            race = COALESCED if events else racing_calls(call, theirs, ours, spare)
            yield Difference(Grade.CALLS, call, "number of calls", theirs, ours, race)

    def answers(self) -> Iterator[Difference]:
        recording, played = self._recording, self._played
        if list(recording.refusal) != list(played.refusal):
            place, theirs, ours = first_difference(list(recording.refusal), list(played.refusal), "refusal")
            yield Difference(Grade.ANSWERS, "submission", place, theirs, ours)
        if recording.returned_spec != played.returned_spec:
            place, theirs, ours = first_difference(recording.returned_spec, played.returned_spec, "returned spec")
            yield Difference(Grade.ANSWERS, "submission", place, theirs, ours)
        for number, deed in enumerate(recording.actions):
            theirs, ours = deed.get("answer"), played.answers.get(number)
            if theirs is not None and list(theirs) != ours:
                what = f"{deed['do']} {deed.get('name', '')}".strip()
                yield Difference(Grade.ANSWERS, what, f"after {deed['at_ms'] / 1000:.1f} s", theirs, ours)


def _flags(write: Write) -> Any:
    return write.get("status", {}).get("provenance", {}).get("featureFlags")


def _without_flags(write: Write) -> Write:
    if not _flags(write):
        return write
    status = write["status"]
    return {**write, "status": {**status, "provenance": {**status["provenance"], "featureFlags": True}}}


def _last(writes: Sequence[Write]) -> Mapping[str, Any]:
    """What an object ended as: its status and whether it was deleted."""
    last = writes[-1]
    return {"gone": last["type"] == "DELETED", "deleting": last["deleting"], "status": last.get("status")}


def _at(writes: Sequence[Write], index: int) -> Write | None:
    return writes[index] if index < len(writes) else None


def _name(symbol: str) -> str:
    """``TaskRun/a-run``, and ``TaskRun/a-run (2nd)`` for the second of that name."""
    kind, name, number = symbol.split("/")
    return f"{kind}/{name}" if number == "0" else f"{kind}/{name} (no. {int(number) + 1})"
