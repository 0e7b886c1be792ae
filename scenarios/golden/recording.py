"""One recording in its compact form: what was played, and what Tekton wrote in answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from controller.ports import Document
from scenarios.golden.circumstances import Circumstances
from scenarios.golden.stage import Ability

BUNDLED = Path(__file__).parent / "recordings"
Write = Mapping[str, Any]
_STOPS: Mapping[str, Ability] = {
    "controller": "stop controller",
    "resolvers": "stop resolvers",
    "webhook": "stop webhook",
    "garbage collector": "pause garbage collector",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """The fields are those of the file, in its order."""

    scenario: str
    version: str
    """The release that was recorded: ``v1.15.0``."""
    namespace: str
    offset_ms: int
    """How long after a full second the run was submitted: Tekton's times have no fractions."""
    submit: Document
    """The PipelineRun as it was submitted."""
    returned_spec: Document | None
    """Its spec as the webhook had filled it in; None when it was refused."""
    refusal: Sequence[Any]
    """``[code, reason, message, details]`` of a refused submission, else empty."""
    circumstances: Circumstances
    actions: Sequence[Mapping[str, Any]]
    """What the script did afterwards: ``{"at_ms": since the submission, "do": …}``; see ``script``."""
    pods: Mapping[str, Sequence[Mapping[str, Any]]]
    """The pods' lives by symbol; see :class:`scenarios.golden.kubelet.Kubelet`."""
    expect: Mapping[str, Sequence[Write]]
    """The writes to each object by symbol, ``kind/name/incarnation``, in the form of ``form``."""
    order: Sequence[str]
    """The milestones across kinds in the order in which they were reached; see ``milestones``."""
    events: Sequence[Sequence[str]]
    """The Events that were told, once each: ``[kind/name, reason, message]``."""

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
            component = _STOPS.get(action.get("component", ""))
            if component is not None:
                needed.add(component)
        return frozenset(needed)

    def renamed(self, run: str) -> "Recording":
        """The same situation for a PipelineRun of another name: pods, children and expectations follow it."""
        return of_json(json.loads(json.dumps(to_json(self)).replace(self.run, run)))


def to_json(recording: Recording) -> dict[str, Any]:
    document = {field.name: getattr(recording, field.name) for field in fields(recording)}
    document["circumstances"] = recording.circumstances.to_json()
    return document


def of_json(document: Mapping[str, Any]) -> Recording:
    """Raises KeyError or TypeError for what is no recording in compact form."""
    return Recording(**{**document, "circumstances": Circumstances(**document["circumstances"])})


def text(recording: Recording) -> str:
    """The compact form: JSON with one field, pod or object a line."""
    lines = []
    for key, value in to_json(recording).items():
        if key in ("pods", "expect") and value:
            inner = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            lines.append(f"{json.dumps(key)}: {{\n{inner}\n}}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def bundled(version: str, scenario: str) -> Recording:
    """One of the recordings that come with rehearse. Raises FileNotFoundError."""
    return of_json(json.loads((BUNDLED / version / f"{scenario}.json").read_text(encoding="utf-8")))


def names(folder: Path = BUNDLED) -> Iterator[tuple[str, str]]:
    """``(version, scenario)`` of every recording below ``folder``."""
    for path in sorted(folder.glob("*/*.json")):
        yield path.parent.name, path.stem
