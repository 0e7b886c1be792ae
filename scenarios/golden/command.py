"""``rehearse golden``: how far the simulated Tekton agrees with the recorded one."""

import json
from collections.abc import Sequence
from pathlib import Path

from scenarios.errors import BadInput
from scenarios.golden.agreement import Agreement, Verdict
from scenarios.golden.console import open_console, tell
from scenarios.golden.library import Entry, find
from scenarios.golden.recording import BUNDLED, release_number
from scenarios.golden.trial import judge


def golden(scenarios: Sequence[str], version: str, recordings: Path | None, out: Path | None) -> bool:
    """Play, print and answer whether all agree. Raises BadInput."""
    console = open_console()
    entries = find(scenarios, version, recordings if recordings is not None else BUNDLED)
    with console.status("playing recordings") as status:
        agreements = []
        for entry in entries:
            status.update(f"playing {entry.version} {entry.scenario}")
            agreements.append(agreement(entry))
    agreements.sort(key=lambda one: (release_number(one.version), one.scenario))
    tell(console, agreements)
    if out is not None:
        write(out, agreements)
    return all(one.verdict is not Verdict.DIFFERS for one in agreements)


def agreement(entry: Entry) -> Agreement:
    """Never raises: what cannot be played does not agree, and says why."""
    if entry.recording is None:
        return Agreement(entry.version, entry.scenario, unplayable=entry.trouble)
    try:
        return judge(entry.recording)
    except Exception as error:  # whatever an unforeseen recording leads to
        text = " ".join(f"it breaks the play ({type(error).__name__}: {error})".split())[:300]
        return Agreement(entry.version, entry.scenario, unplayable=text)


def write(path: Path, agreements: Sequence[Agreement]) -> None:
    """As JSON. Raises BadInput."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([one.to_json() for one in agreements], indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--json {path}", f"cannot be written ({error.strerror})", "a writable file") from None
