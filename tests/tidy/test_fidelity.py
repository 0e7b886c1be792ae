"""sim/FIDELITY.md claims nothing without a proof that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "sim" / "FIDELITY.md").read_text(encoding="utf-8")
TEKTON = PAGE.partition("## Tekton")[2].partition("\n## ")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEKTON.splitlines() if line.startswith("| ")]
LINES = [row for row in ROWS if not row[0].startswith("**") and row[0] != "Behaviour"]


def test_the_table_was_found() -> None:
    assert len(LINES) > 40


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w./-]+\.(?:py|json|feature))`", PAGE))))
def test_every_file_that_is_named_exists(name: str) -> None:
    assert (ROOT / name).is_file() or any(path.is_file() for path in (ROOT / "tests").rglob(name))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0][:50])
def test_every_line_about_tekton_says_how_far_and_names_a_proof(line: list[str]) -> None:
    _, state, proof = line

    assert state.startswith(("modelled", "approximated", "absent"))
    assert re.search(r"`[\w/]+\.(?:py|feature)`|golden: ", proof)


@pytest.mark.parametrize("line", [line for line in LINES if "golden: " in line[2]], ids=lambda line: line[0][:50])
def test_every_recording_that_is_named_comes_with_rehearse(line: list[str]) -> None:
    recordings = ROOT / "scenarios" / "golden" / "recordings"
    named = [name.strip() for name in line[2].partition("golden: ")[2].split(",") if "`" not in name]

    assert named
    assert [name for name in named if not list(recordings.glob(f"*/{name}.json"))] == []
