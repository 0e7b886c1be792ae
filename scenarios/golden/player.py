"""Plays one recording on a stage and tells what came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.ports import ApiError, Document
from scenarios.golden.form import collapsed
from scenarios.golden.kubelet import Kubelet
from scenarios.golden.notebook import Notebook
from scenarios.golden.recording import Recording
from scenarios.golden.script import Script
from scenarios.golden.stage import Stage
from sim.tekton.access import PIPELINE_RUNS

_SETTLE_S = 2.0  # the real script, too, watched an idle installation before it began


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a play, in the form of the recordings: see :class:`Recording` for the fields of the same name.

    ``ordered`` has all writes in store order, ``answers`` what the script was answered by the position of
    the deed: ``[code, message]``.
    """

    writes: Mapping[str, Sequence[Mapping[str, Any]]]
    ordered: Sequence[tuple[str, Mapping[str, Any]]]
    instants: Sequence[float]
    """Of the writes in ``ordered``, in seconds since the submission."""
    told: Sequence[tuple[str, str, str]]
    returned_spec: Document | None
    refusal: Sequence[Any]
    answers: Mapping[int, Sequence[Any]]
    calls: Mapping[str, int]
    managers: Mapping[str, Sequence[Sequence[str]]]


class CannotPlay(Exception):
    """This stage lacks an ability that the recording needs; the text names them."""


async def play(recording: Recording, stage: Stage, until_s: float | None = None) -> Played:
    """Set up the circumstances, submit the run and let the world go on for ``until_s``.

    That is by default as long as the recorder watched. Raises CannotPlay.
    """
    missing = sorted(recording.needs - stage.abilities)
    if missing:
        raise CannotPlay(f"the stage cannot {', cannot '.join(missing)}")
    notebook = Notebook(recording.namespace)
    kubelet = Kubelet(stage, recording.namespace, recording.pods)
    script = Script(stage, recording.namespace, recording.submit, recording.actions)
    stage.observe(notebook.observed)
    stage.observe(kubelet.observed)
    await recording.circumstances.prepare(stage, recording.namespace)
    await asyncio.sleep(_until(stage, recording.offset_ms))
    calls = dict(stage.calls())
    began = asyncio.get_running_loop().time()
    script.begin()
    returned_spec, refusal = await _submit(stage, recording)
    await asyncio.sleep(recording.duration_ms / 1000 if until_s is None else until_s)
    return Played(
        writes={symbol: collapsed(ones) for symbol, ones in notebook.writes.items()},
        ordered=notebook.ordered,
        instants=[instant - began for instant in notebook.instants],
        told=sorted(notebook.told),
        returned_spec=returned_spec,
        refusal=refusal,
        answers=script.answers,
        managers=notebook.managers,
        calls={key: count - calls.get(key, 0) for key, count in stage.calls().items() if count > calls.get(key, 0)},
    )


def _until(stage: Stage, offset_ms: int) -> float:
    """Seconds until the next instant that is ``offset_ms`` after a full second and leaves time to settle."""
    now = stage.clock.utcnow()
    second = now.microsecond / 1_000_000
    return _SETTLE_S + (-_SETTLE_S - second) % 1.0 + offset_ms / 1000


async def _submit(stage: Stage, recording: Recording) -> tuple[Document | None, list[Any]]:
    try:
        created = await stage.cluster.create(PIPELINE_RUNS, recording.namespace, recording.submit)
    except ApiError as error:
        return None, [error.code, error.reason, error.message, error.details]
    spec: Document = created["spec"]
    return spec, []
