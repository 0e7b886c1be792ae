"""``rehearse situations``: the executor in every recorded situation, as a table and as a record."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scenarios.errors import BadInput
from scenarios.golden.library import Entry, find
from scenarios.golden.recording import BUNDLED, Recording, release_number
from scenarios.record import Recording as Record
from scenarios.situations.lived import Lived
from scenarios.situations.row import Row, rows_of
from scenarios.situations.stage import TARGET, WORKFLOW, live
from scenarios.situations.table import text
from scenarios.version import VERSION
from sim.clock import EPOCH

_DESCRIPTION = (
    "The executor requests what was recorded of the real Tekton: it creates the PipelineRun, which gets the recorded "
    "spec, and everything else (pods, quotas, registry, what the script did to the run) happens as recorded."
)


def situations(names: Sequence[str], version: str, recordings: Path | None, seed: int, command: str) -> Record:
    """Live, print the table and answer the record of it. Raises BadInput, also for a recording that is no use here."""
    found = chosen(names, version, recordings if recordings is not None else BUNDLED)
    lives = [live(recording, seed=seed) for recording in found]
    rows = [row for one, came in zip(found, lives, strict=True) for row in rows_of(one.scenario, one.version, came)]
    print(text(rows), end="")
    return _record(rows, [lived for came in lives for lived in came], seed, command)


def chosen(names: Sequence[str], version: str, folder: Path) -> list[Recording]:
    """The recordings of one run each; those of many at once are no situation of an execution. Raises BadInput."""
    found = [_recording(entry) for entry in find(names, version, folder)]
    single = [recording for recording in found if not recording.burst]
    if not single:
        raise BadInput(", ".join(names), "was recorded of many runs at once", "a situation of one run")
    return single


def _recording(entry: Entry) -> Recording:
    if entry.recording is None:
        raise BadInput(f"{entry.version}/{entry.scenario}", entry.trouble, "a recording that can be played")
    return entry.recording


def _record(rows: Sequence[Row], lived: Sequence[Lived], seed: int, command: str) -> Record:
    """One scenario a release: its situations in order, each lived by one execution that goes by its name."""
    record = Record()
    epoch = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ")
    record.run(version=VERSION, seed=seed, backend="sim", epoch=epoch, command=command, settings={})
    for version in sorted({row.version for row in rows}, key=release_number):
        own = [(row, came) for row, came in zip(rows, lived, strict=True) if row.version == version]
        opened = record.scenario(
            feature="Recorded situations",
            description=_DESCRIPTION,
            file="scenarios/golden/recordings",
            line=1,
            name=f"The executor on Tekton {version}",
            tags=[],
            scale=1,
            source="recordings",
            settings={"tekton": version, "workflow": WORKFLOW, "target": TARGET},
        )
        for row, came in own:
            record.situation(opened, row, replace(came.execution, name=row.situation))
        record.scenario_end(
            opened,
            status="passed",
            error=None,
            virtual_us=sum(came.virtual_us for _, came in own),
            executions=len(own),
            events=sum(came.events for _, came in own),
        )
    record.end()
    return record
