"""``rehearse golden``: what it prints, writes and exits with."""

import json
from pathlib import Path

import pytest
from rawrecording import RawRecording
from typer.testing import CliRunner

from scenarios.cli import app
from scenarios.errors import BadInput
from scenarios.golden.compact import compact
from scenarios.golden.library import find
from scenarios.golden.raw import convert
from scenarios.golden.recording import bundled, text

_RUNNER = CliRunner()


def placed(folder: Path, name: str, content: str, version: str = "v1.15.0") -> None:
    (folder / version).mkdir(exist_ok=True)
    (folder / version / f"{name}.json").write_text(content)


def test_a_recording_that_agrees_is_said_to_and_ends_with_zero() -> None:
    result = _RUNNER.invoke(app, ["golden", "success-1", "--version", "1.15"])

    assert result.exit_code == 0
    assert "Tekton v1.15.0" in result.output
    assert "v1.7.0" not in result.output
    assert "1 recording: 1 as recorded" in result.output
    assert "100.0 % agree" in result.output


def test_a_difference_is_shown_side_by_side_and_ends_with_one(tmp_path: Path) -> None:
    changed = text(bundled("v1.15.0", "oomkilled-step")).replace('"StepOOM"', '"StepBroken"')
    placed(tmp_path, "oomkilled-step", changed)
    out = tmp_path / "agreement.json"

    result = _RUNNER.invoke(app, ["golden", "--recordings", str(tmp_path), "--json", str(out)])

    assert result.exit_code == 1
    assert "≠ v1.15.0 oomkilled-step: outcome" in result.output
    assert "at the end: status.conditions[0][1]" in result.output
    shown = next(line for line in result.output.splitlines() if "StepBroken" in line)
    assert shown.split() == ["StepBroken", "StepOOM"]
    (written,) = json.loads(out.read_text())
    assert written["verdict"] == "differs"
    assert written["differences"][0]["recorded"] == "StepBroken"
    assert written["differences"][0]["simulated"] == "StepOOM"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("no JSON", "no JSON: line 1"),
        ("[]", "neither what the recorder writes nor the compact form"),
        ('{"tektonVersion": "v1.15.0"}', "not understood"),
        (text(bundled("v1.15.0", "when-skip-all")).replace("v1.15.0", "v1.9.0"), "'v1.9.0' is not modelled"),
        (json.dumps({**RawRecording().document, "actions": [{"tMs": 1.0, "action": "prayed"}]}), "'prayed'"),
    ],
)
def test_what_cannot_be_played_counts_as_not_agreeing_and_says_why(tmp_path: Path, content: str, why: str) -> None:
    placed(tmp_path, "odd", content)

    result = _RUNNER.invoke(app, ["golden", "--recordings", str(tmp_path)])

    assert result.exit_code == 1
    assert "odd: cannot be played:" in result.output
    assert why in " ".join(result.output.split())
    assert "1 cannot be played; 0.0 % agree" in result.output


def test_what_the_recorder_wrote_is_scored_without_being_converted_first(tmp_path: Path) -> None:
    placed(tmp_path, "by-hand", json.dumps(RawRecording().document))

    result = _RUNNER.invoke(app, ["golden", "--recordings", str(tmp_path)])

    assert result.exit_code == 1, "nothing was recorded of a run that does something"
    assert "by-hand" in result.output
    assert "cannot be played" not in result.output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["canel"], "canel: is not a recorded scenario; expected something like cancel"),
        (["--version", "1.9"], "--version 1.9: is not recorded; expected v1.15.0 or v1.7.0"),
        (["--recordings", "/nowhere/at/all"], "is not a folder; expected a folder with <version>/<scenario>.json"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], line: str) -> None:
    result = _RUNNER.invoke(app, ["golden", *arguments])

    assert isinstance(result.exception, BadInput)
    assert line in str(result.exception)
    assert "\n" not in str(result.exception)


def test_the_compact_form_is_the_same_recording(tmp_path: Path) -> None:
    raw = RawRecording()
    raw.run(20)
    raw.task(30)
    raw.pod(50)
    placed(tmp_path, "by-hand", json.dumps(raw.document))
    placed(tmp_path, "odd", "{}")
    target = tmp_path / "compact"

    troubles = compact(tmp_path, target)

    (entry,) = find(["by-hand"], "", target)
    assert entry.recording == convert(raw.document)
    assert [trouble.partition(":")[0] for trouble in troubles] == ["v1.15.0/odd"]


def test_untrusted_text_is_shown_without_control_characters(tmp_path: Path) -> None:
    changed = text(bundled("v1.15.0", "oomkilled-step")).replace('"StepOOM"', '"Step\\u001b[31m[bold]OOM"')
    placed(tmp_path, "oomkilled-step", changed)

    result = _RUNNER.invoke(app, ["golden", "--recordings", str(tmp_path)])

    assert "\x1b" not in result.output
    assert "[bold]OOM" in result.output
