"""One recording in its compact form: what was played, and what Tekton wrote in answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from controller.ports import Document
from scenarios.golden.circumstances import STOPS, Circumstances
from scenarios.golden.deltas import packed, unpacked
from scenarios.golden.stage import Ability

BUNDLED = Path(__file__).parent / "recordings"
Write = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """The fields are those of the file, in its order."""

    scenario: str
    version: str
    """The release that was recorded: ``v1.15.0``."""
    namespace: str
    offset_ms: int
    """How long after a full second the run was submitted: Tekton's times have no fractions."""
    duration_ms: int
    """How long the recorder watched, from the submission on."""
    alone: bool
    """Whether nothing else ran beside it: the controllers' QPS are shared."""
    submit: Document
    """The PipelineRun as it was submitted."""
    returned_spec: Document | None
    """Its spec as the webhook had filled it in; None when it was refused."""
    refusal: Sequence[Any]
    """``[code, reason, message, details]`` of a refused submission, else empty."""
    circumstances: Circumstances
    actions: Sequence[Mapping[str, Any]]
    """What the script did afterwards: deeds of :class:`scenarios.golden.script.Script` with ``at_ms`` since the
    submission and, where one was recorded, the ``answer``: ``[code, message]``."""
    pods: Mapping[str, Sequence[Mapping[str, Any]]]
    """The pods' lives by symbol; see :class:`scenarios.golden.kubelet.Kubelet`."""
    expect: Mapping[str, Sequence[Write]]
    """The writes to each object by symbol, ``kind/name/incarnation``, in the form of ``form``."""
    order: Sequence[str]
    """The milestones across kinds in the order in which they were reached; see ``milestones``."""
    events: Sequence[Sequence[str]]
    """The Events that were told, once each: ``[kind/name, reason, message]``."""
    calls: Mapping[str, int]
    """Tekton's API calls as ``component verb resource``, refusals apart with `` ->code``; empty if not counted."""
    whole_calls: bool
    """Whether ``calls`` has those, too, that name no object of the run: service accounts, dry runs."""
    managers: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    """Of each object but pods, by symbol: who owned fields, as ``manager/operation[/subresource]``, after each change
    of these."""
    burst: Mapping[str, Any] = field(default_factory=dict)
    """Instead of ``expect``, where many runs were submitted at once: see :mod:`scenarios.golden.burst`."""

    @property
    def run(self) -> str:
        """The name of the PipelineRun."""
        name: str = self.submit["metadata"]["name"]
        return name

    @property
    def needs(self) -> frozenset[Ability]:
        """What a stage has to be able to do for this recording, API calls apart."""
        needed = set(self.circumstances.needs)
        for action in self.actions:
            if "component" in action:
                needed.add(STOPS[action["component"]])
        return frozenset(needed)

    def renamed(self, run: str) -> "Recording":
        """The same situation for a PipelineRun of another name: pods, children and expectations follow it."""
        return of_json(json.loads(json.dumps(to_json(self)).replace(self.run, run)))


def to_json(recording: Recording) -> dict[str, Any]:
    """The compact form: of each object's writes, all but the first only hold what they changed."""
    document = {one.name: getattr(recording, one.name) for one in fields(recording)}
    document["circumstances"] = recording.circumstances.to_json()
    document["expect"] = {symbol: packed(writes) for symbol, writes in recording.expect.items()}
    return document


def of_json(document: Mapping[str, Any]) -> Recording:
    """Raises KeyError or TypeError for what is no recording in compact form."""
    circumstances = Circumstances(**document["circumstances"])
    expect = {symbol: unpacked(deltas) for symbol, deltas in document["expect"].items()}
    return Recording(**{**document, "circumstances": circumstances, "expect": expect})


def text(recording: Recording) -> str:
    """The compact form: JSON with one field, pod or object a line."""
    lines = []
    for key, value in to_json(recording).items():
        if key in ("pods", "expect") and value:
            inner = ",\n".join(f"  {json.dumps(name)}: {_list(one)}" for name, one in value.items())
            lines.append(f"{json.dumps(key)}: {{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _list(items: Sequence[Any]) -> str:
    """One item a line."""
    return "[\n   " + ",\n   ".join(json.dumps(item) for item in items) + "\n  ]" if items else "[]"


def bundled(version: str, scenario: str) -> Recording:
    """One of the recordings that come with rehearse. Raises FileNotFoundError."""
    return of_json(json.loads((BUNDLED / version / f"{scenario}.json").read_text(encoding="utf-8")))


def names(folder: Path = BUNDLED) -> Iterator[tuple[str, str]]:
    """``(version, scenario)`` of every recording below ``folder``."""
    for path in sorted(folder.glob("*/*.json")):
        yield path.parent.name, path.stem


def release_number(version: str) -> list[int]:
    """What releases are sorted by: ``[1, 15, 0]`` of ``v1.15.0``."""
    return [int(part) for part in version.removeprefix("v").split(".") if part.isdigit()]
