"""What ``sim.tekton.latency`` is made of: ``python -m sim.tekton.latencyfit FOLDER``, of raw recordings.

Read are the API server's own measurements (``apiCalls``) in recordings of one run that was alone.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path
from statistics import median, pstdev
from typing import NamedTuple

_CONTROLLER, _RESOLVERS, _KUBELET = "tekton-controller", "tekton-resolvers", "puppet-kubelet"
_VERBS = {"get": "read", "create": "write", "patch": "write", "delete": "write", "update": "update"}
_SEQUENCE = "sequence_[startMs,durMs,user,verb,resource,name,code]"
_NEXT_MS = 8.0  # what comes later than that is no longer the next call of the same reconcile
_FIRST_CONFLICTS = 2  # the first status of either run always meets one: its labels have just been written
_CHANCES, _MORE_CHANCES = 3, 2  # to meet an old cache: in a run of one task, and once more each when it is stopped


class Call(NamedTuple):
    start_ms: float
    took_ms: float
    user: str
    verb: str
    resource: str
    name: str
    code: int

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.took_ms

    @property
    def what(self) -> tuple[str, str, str]:
        return self.user, self.verb, self.resource


def alone(folder: Path) -> Iterator[tuple[str, str, list[Call]]]:
    """``(version, scenario, calls)`` of the recordings of one undisturbed run."""
    for path in sorted(folder.glob("*/*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        disturbed = any("start" in action["action"] for action in raw["actions"]) or "eventsFormat" in raw
        if raw["concurrentScenarios"] == 1 and not disturbed:
            yield raw["tektonVersion"], raw["scenario"], [Call(*one) for one in raw["apiCalls"].get(_SEQUENCE, ())]


def served(calls: Sequence[Call]) -> Iterator[tuple[str, float]]:
    """How long the server was busy with each call of Tekton's, in ms, by kind. Events are written in the background."""
    for call in calls:
        if call.user in (_CONTROLLER, _RESOLVERS) and call.resource != "events":
            yield "conflict" if call.code == 409 else _VERBS[call.verb], call.took_ms


def gaps(calls: Sequence[Call]) -> Iterator[tuple[str, float]]:
    """From the end of one call to the start of the one that it leads to, in ms, by what lies between."""
    steps = {
        ("the client's side of a call", (_CONTROLLER, "get", "taskruns")): (_CONTROLLER, "update", "taskruns/status"),
        ("the client's side of a call", (_CONTROLLER, "update", "taskruns")): (
            _CONTROLLER, "update", "taskruns/status"),
        ("watch and work", (_KUBELET, "patch", "pods/status")): (_CONTROLLER, "update", "taskruns/status"),
        ("watch and work", (_CONTROLLER, "create", "taskruns")): (_CONTROLLER, "get", "serviceaccounts"),
    }  # fmt: skip
    for index, call in enumerate(calls):
        for (name, cause), effect in steps.items():
            if call.what == cause:
                after = (one for one in calls[index + 1 :] if one.what == effect)
                gap_ms = next((one.start_ms - call.end_ms for one in after), _NEXT_MS)
                if gap_ms < _NEXT_MS:
                    yield name, gap_ms


def pulls(calls: Sequence[Call]) -> Iterator[tuple[str, float]]:
    """From the resolver's look at the account to its write of the data, in ms; second pulls apart."""
    asked = [call for call in calls if call.what == (_RESOLVERS, "get", "serviceaccounts")]
    written = [call for call in calls if call.what == (_RESOLVERS, "patch", "resolutionrequests/status")]
    for number, (before, after) in enumerate(zip(asked, written, strict=False)):
        yield ("second pull" if number else "pull"), after.start_ms - before.end_ms


def stale(calls: Sequence[Call]) -> tuple[int, int]:
    """How often a reconciler of a run of one embedded task met a cache without its own last write, and its chances."""
    conflicts = sum(call.code == 409 for call in calls if call.user == _CONTROLLER)
    stopped = any(call.what == (_CONTROLLER, "patch", "taskruns") for call in calls)
    return conflicts - _FIRST_CONFLICTS, _CHANCES + _MORE_CHANCES * stopped


def _plain(calls: Sequence[Call]) -> bool:
    """Whether that was one run of one embedded task, submitted once."""
    made = sorted(call.resource for call in calls if call.verb == "create" and call.resource != "events")
    return made == ["pipelineruns", "pods", "pods/binding", "taskruns"]


def main(folder: Path) -> None:
    times: dict[str, list[float]] = {}
    conflicts: dict[str, list[tuple[int, int]]] = {}
    for version, _, calls in alone(folder):
        for name, took_ms in (*served(calls), *gaps(calls), *pulls(calls)):
            times.setdefault(name, []).append(took_ms)
        if _plain(calls):
            conflicts.setdefault(version, []).append(stale(calls))
    for name, values in sorted(times.items()):
        spread = pstdev(log(max(value, 0.1)) for value in values)
        sys.stdout.write(f"{name}: n {len(values)}, median {median(values):.1f} ms, sigma {spread:.2f}\n")
    for version, counts in sorted(conflicts.items()):
        met, chances = (sum(column) for column in zip(*counts, strict=True))
        sys.stdout.write(f"old caches in {version}: {met} of {chances}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
