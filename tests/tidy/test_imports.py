"""The arrows of the layout, as a test."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_follow_the_arrows() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_controllers_start_without_the_simulation() -> None:
    """The pod that runs the controllers has neither simpy nor matplotlib nor faker."""
    program = (
        "import sys\n"
        "for name in ('simpy', 'matplotlib', 'faker', 'pytest', 'kubernetes'): sys.modules[name] = None\n"
        "import controller.executor.wiring\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_nothing_but_a_live_cluster_needs_the_client_of_one() -> None:
    """Its import costs more than many a run."""
    program = (
        "import sys\n"
        "for name in ('aiohttp', 'kubernetes.aio'): sys.modules[name] = None\n"
        "import features.plugin, scenarios.cli, scenarios.golden.command\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
