"""One seed, one record, whatever the process and its hash seed; another seed, another record."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def record(folder: Path, *, seed: int, hash_seed: str, paths: tuple[str, ...], scale: int = 5) -> bytes:
    rehearse = Path(sys.executable).with_name("rehearse")
    done = subprocess.run(
        [rehearse, "run", *paths, "--scale", str(scale), "--seed", str(seed), "--report", folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return (folder / "record.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("paths", [("execution_race", "oom_killed"), ("resource_busy", "cooldown")], ids=" ".join)
def test_one_seed_gives_one_record_in_any_process(tmp_path: Path, paths: tuple[str, ...]) -> None:
    first = record(tmp_path / "a", seed=11, hash_seed="1", paths=paths)
    second = record(tmp_path / "b", seed=11, hash_seed="2", paths=paths)

    assert first == second


@pytest.mark.slow
def test_another_seed_gives_another_record(tmp_path: Path) -> None:
    first = record(tmp_path / "a", seed=11, hash_seed="1", paths=("cooldown",))
    second = record(tmp_path / "b", seed=12, hash_seed="1", paths=("cooldown",))

    assert first.splitlines()[1:] != second.splitlines()[1:]
