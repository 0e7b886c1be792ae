"""Recordings found by name: those that come with rehearse, or those of a folder in either form."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from scenarios.errors import BadInput
from scenarios.golden import raw
from scenarios.golden.deeds import Unplayable
from scenarios.golden.recording import BUNDLED, Recording, of_json
from sim.tekton.version import VERSIONS

_BYTES_MAX = 64 * 1024 * 1024
_LONGEST_MS = 6 * 3_600_000
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its recording, or why it cannot be played."""

    version: str
    scenario: str
    recording: Recording | None
    trouble: str = ""


def find(scenarios: Sequence[str], version: str, folder: Path = BUNDLED) -> Iterator[Entry]:
    """Recordings of ``scenarios`` (all, if there are none) and ``version`` (``1.15``, ``v1.15.0``; all if empty).

    Raises BadInput for a folder without recordings, and for names that are not among them.
    """
    if not folder.is_dir():
        raise BadInput(f"--recordings {folder}", "is not a folder", "a folder with <version>/<scenario>.json")
    found = [(path.parent.name, path.stem, path) for path in sorted((*folder.glob("*/*.json"), *folder.glob("*.json")))]
    if not found:
        raise BadInput(f"--recordings {folder}", "holds no recording", "<version>/<scenario>.json")
    if version:
        found = [one for one in found if _is_of(one[0], version)] or _unknown_version(version, found)
    known = {scenario for _, scenario, _ in found}
    for name in scenarios:
        if name not in known:
            raise BadInput(name, "is not a recorded scenario", _nearest(name, sorted(known)))
    return (_entry(path, of, name) for of, name, path in found if not scenarios or name in scenarios)


def _is_of(folder: str, version: str) -> bool:
    wanted = version.removeprefix("v")
    return folder.removeprefix("v") == wanted or folder.removeprefix("v").startswith(f"{wanted}.")


def _unknown_version(version: str, found: Sequence[tuple[str, str, Path]]) -> list[tuple[str, str, Path]]:
    raise BadInput(f"--version {version}", "is not recorded", " or ".join(dict.fromkeys(of for of, _, _ in found)))


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, _NEAR, 0.5) or [one for one in known if name in one][:_NEAR]
    return f"something like {', '.join(near)}" if near else "a name that `rehearse golden` prints"


def _entry(path: Path, version: str, scenario: str) -> Entry:
    try:
        recording = _recording(path)
    except (Unplayable, OSError) as why:
        return Entry(version, scenario, None, str(why))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        what = f"no field {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        return Entry(version, scenario, None, f"not understood ({what})"[:200])
    if recording.duration_ms > _LONGEST_MS:
        return Entry(version, scenario, None, f"lasts longer than {_LONGEST_MS // 3_600_000} h")
    if recording.version not in VERSIONS:
        models = " and ".join(VERSIONS)
        return Entry(
            recording.version, scenario, None, f"Tekton {recording.version!r} is not modelled, only {models}"[:200]
        )
    return Entry(recording.version, scenario, replace(recording, scenario=scenario))


def _recording(path: Path) -> Recording:
    if path.stat().st_size > _BYTES_MAX:
        raise Unplayable(f"larger than {_BYTES_MAX // 1024 // 1024} MiB")
    document = _document(path)
    if not isinstance(document, dict) or not {"tektonVersion", "expect"} & document.keys():
        raise Unplayable("neither what the recorder writes nor the compact form of it")
    return raw.convert(document) if "tektonVersion" in document else of_json(document)


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Unplayable("no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unplayable(f"no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
