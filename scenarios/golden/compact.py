"""``python -m scenarios.golden.compact RECORDINGS TARGET``: the compact form of what the recorder wrote."""

import sys
from pathlib import Path

from scenarios.errors import BadInput
from scenarios.golden.library import find
from scenarios.golden.recording import BUNDLED, text


def compact(recordings: Path, target: Path = BUNDLED) -> list[str]:
    """Write every recording below ``target``; answers what could not be, and why. Raises BadInput."""
    troubles = []
    for entry in find((), "", recordings):
        if entry.recording is None:
            troubles.append(f"{entry.version}/{entry.scenario}: {entry.trouble}")
            continue
        path = target / entry.version / f"{entry.scenario}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(entry.recording), encoding="utf-8")
    return troubles


if __name__ == "__main__":
    try:
        left_out = compact(*(Path(argument) for argument in sys.argv[1:3]))
    except (BadInput, TypeError) as error:
        sys.exit(f"{error}\n{__doc__}")
    sys.exit("\n".join(left_out) or None)
