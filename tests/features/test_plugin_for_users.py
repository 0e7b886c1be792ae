"""A user's own feature under plain pytest, in a folder that knows nothing of us."""

import subprocess
import sys
from pathlib import Path

FEATURE = """
Feature: Mine
  Scenario: One run
    When the first execution of "restart-deployment" is requested
    Then the first execution completes

  Scenario: Broken
    When the first execution of "restart-deployment" is requested
    Then the first execution fails with "OOMKilled"
"""


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_feature_named_on_the_command_line_runs_with_our_steps(tmp_path: Path) -> None:
    (tmp_path / "mine.feature").write_text(FEATURE)

    done = pytest_in(tmp_path, "mine.feature")

    assert "1 failed, 1 passed" in done.stdout
    assert 'Then the first execution fails with "OOMKilled" (line 9): payment-api: expected Failed' in done.stdout
    assert "Traceback" not in done.stdout


def test_features_that_nobody_named_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.feature").write_text(FEATURE)
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")

    done = pytest_in(tmp_path)

    assert "1 passed" in done.stdout
    assert "failed" not in done.stdout
