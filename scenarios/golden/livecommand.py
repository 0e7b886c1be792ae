"""``rehearse golden --kubeconfig``: recordings played to a real Tekton, compared, and made anew."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from scenarios.console import counted
from scenarios.errors import BadInput
from scenarios.golden.agreement import Agreement, Verdict
from scenarios.golden.command import write
from scenarios.golden.comparison import compare
from scenarios.golden.console import open_console, tell
from scenarios.golden.library import find
from scenarios.golden.live import PlayBroken
from scenarios.golden.recorder import Outcome, Site, record
from scenarios.golden.recording import BUNDLED, Recording, names, release_number, text


def golden_live(
    site: Site,
    scenarios: Sequence[str],
    version: str,
    recordings: Path | None,
    record_to: Path | None,
    out: Path | None,
) -> bool:
    """Play on ``site``, print, and answer whether it went well: all that can be played was, and, unless new recordings
    were asked for, agrees with what was recorded. Raises BadInput."""
    console = open_console()
    outcomes: list[Outcome] = []

    def heard(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if record_to is not None and outcome.recorded is not None:
            _keep(record_to, outcome.recorded)
        _progress(console, outcome)

    broken = ""
    try:
        record(site, lambda release: _scripts(scenarios, version or release, recordings or BUNDLED), heard)
    except PlayBroken as why:
        broken = str(why)
    agreements = [_agreement(one) for one in outcomes]
    _tell(console, outcomes, agreements)
    if out is not None:
        write(out, agreements)
    if broken:
        line = f"broken off: {broken}; look for what is left in namespace {site.namespace}"
        console.print(line, style="bold red", markup=False)
    failed = broken or any(one.trouble for one in outcomes)
    agree = all(one.verdict is not Verdict.DIFFERS for one in agreements if not one.unplayable)
    return not failed and (agree or record_to is not None)


def _scripts(scenarios: Sequence[str], version: str, folder: Path) -> list[Recording]:
    """Those of ``version``; of the newest recorded release for one that nobody has recorded yet."""
    known = sorted({name for name, _ in names(folder)}, key=release_number)
    wanted = release_number(version)
    if known and not any(release_number(one)[: len(wanted)] == wanted for one in known):
        version = known[-1]
    entries = find(scenarios, version, folder)
    return [entry.recording for entry in entries if entry.recording is not None]


def _agreement(outcome: Outcome) -> Agreement:
    script = outcome.script
    if outcome.played is not None:
        return compare(script, outcome.played)
    why = outcome.trouble or f"needs the simulated stage {outcome.needs_simulation}"
    return Agreement(script.version, script.scenario, unplayable=why)


def _progress(console: Console, outcome: Outcome) -> None:
    """One line as soon as it is known: a play takes many seconds."""
    if outcome.needs_simulation:
        said = f"needs the simulated stage {outcome.needs_simulation}"
    else:
        said = f"failed: {outcome.trouble}" if outcome.trouble else "played"
    console.print(f"{outcome.script.scenario}: {said}", markup=False)


def _tell(console: Console, outcomes: Sequence[Outcome], agreements: Sequence[Agreement]) -> None:
    compared = [one for one in agreements if not one.unplayable]
    if compared:
        console.print()
        tell(console, compared)
    skipped = sum(bool(one.needs_simulation) for one in outcomes)
    failed = sum(bool(one.trouble) for one in outcomes)
    releases = {one.recorded.version for one in outcomes if one.recorded is not None}
    on = f" on Tekton {', '.join(sorted(releases))}" if releases else ""
    rest = f"{skipped} skipped because they need the simulated stage" if skipped else "none skipped"
    played = counted(len(compared), "recording")
    console.print(f"{played} played{on}, {failed} failed, {rest}", style="bold", markup=False)


def _keep(folder: Path, recorded: Recording) -> None:
    path = folder / recorded.version / f"{recorded.scenario}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(recorded), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--record {folder}", f"cannot be written ({error.strerror})", "a writable folder") from None
