"""Every defect of the upstream system that we corrected, put back: the tests must notice.

Each mutation replaces one passage of the controllers by what upstream does, in a copy of the tree, and runs the tests
that guard the correction. A mutation whose passage is no longer there fails loudly, so the list cannot go stale.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXECUTOR = "controller/executor"


@dataclass(frozen=True)
class Mutation:
    """``before`` occurs once in ``file`` and becomes ``after``; ``tests`` select what has to turn red."""

    defect: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "memory is typed TaskFailed because only the PipelineRun is asked",
        f"{EXECUTOR}/inquiry.py",
        "            kill = await self._memory_or_kill(run, step)\n",
        "            run, step, kill = None, None, Finding(FailureReason.TASK_FAILED, _message(self._run))\n",
        ("tests/unit/executor/test_failure_evidence.py", "-k", "memory_is_typed_oom"),
    ),
    Mutation(
        "quota is typed Forbidden because its text says forbidden",
        f"{EXECUTOR}/texts.py",
        "        if _ANY_QUOTA.search(message):\n            return FailureReason.RESOURCE_EXHAUSTED\n        return",
        "        return",
        ("tests/unit/executor/test_create_refusals.py", "-k", "quota"),
    ),
    Mutation(
        "a quota refusal in the log is typed Forbidden",
        f"{EXECUTOR}/texts.py",
        "        if _ANY_QUOTA.search(line):\n",
        "        if False:\n",
        ("tests/unit/executor/test_failure_evidence.py", "-k", "quota_refusal_in_the_log"),
    ),
    Mutation(
        "classroom is typed out of memory because it holds the letters oom",
        f"{EXECUTOR}/texts.py",
        "    if _OOM.search(message):\n",
        '    if "oom" in message.lower():\n',
        ("tests/unit/executor/test_failure_evidence.py", "-k", "classroom"),
    ),
    Mutation(
        "the run of another is released with the lock",
        f"{EXECUTOR}/labels.py",
        "        return Owner.OTHER\n",
        "        return Owner.OURS\n",
        ("tests/unit/executor/test_target_lock.py", "-k", "lock_of_another"),
    ),
    Mutation(
        "the final status of the PipelineRun is lost",
        f"{EXECUTOR}/running.py",
        '        "duration": duration,\n        "pipelineRunStatus": _final_status(execution, run, None),\n',
        '        "duration": duration,\n',
        ("tests/unit/executor/test_run_mirror.py", "-k", "final_pipelinerun_status"),
    ),
    Mutation(
        "the service account of executionConfig is ignored",
        f"{EXECUTOR}/pipelinerun.py",
        'return config.get("serviceAccountName") or settings.service_account',
        "return settings.service_account if config is not None else settings.service_account",
        ("tests/unit/executor/test_run_mirror.py", "-k", "execution_config"),
    ),
    Mutation(
        "the timeout of executionConfig is ignored",
        f"{EXECUTOR}/pipelinerun.py",
        '{"pipeline": (spec.get("executionConfig") or {}).get("timeout") or DEFAULT_TIMEOUT}',
        '{"pipeline": DEFAULT_TIMEOUT}',
        ("tests/unit/executor/test_run_mirror.py", "-k", "execution_config"),
    ),
    Mutation(
        "failureReason is never written",
        f"{EXECUTOR}/status.py",
        '"failureReason": ',
        '"_": ',
        ("tests/unit/executor/test_run_mirror.py", "-k", "deprecated_failure_reason"),
    ),
    Mutation(
        "a lost reply fails the execution and its successor runs again",
        f"{EXECUTOR}/pending.py",
        "    if whose is Owner.OURS and not terminating:\n        return await _adopt(",
        "    if False:\n        return await _adopt(",
        ("tests/unit/executor/test_create_refusals.py", "-k", "lost_reply_never"),
    ),
    Mutation(
        "an old read starts a second run",
        f"{EXECUTOR}/pending.py",
        '    if execution["metadata"]["resourceVersion"] != memory.verified:\n',
        "    if False:\n",
        ("tests/unit/executor/test_old_reads.py", "-k", "old_pending_in_the_cache"),
    ),
    Mutation(
        "the name is reused while children live, and Tekton adopts them",
        f"{EXECUTOR}/desk.py",
        'propagation="Foreground"',
        'propagation="Background"',
        ("tests/unit/executor/test_target_lock.py", "-k", "foreground_propagation"),
    ),
    Mutation(
        "a run deleted from outside counts as if nothing had happened",
        f"{EXECUTOR}/running.py",
        "Cause(reason=FailureReason.UNKNOWN, message=_DELETED, started=True)",
        "Cause(reason=FailureReason.UNKNOWN, message=_DELETED, started=False)",
        ("tests/unit/executor/test_run_mirror.py", "-k", "deleted_pipelinerun_fails"),
    ),
    Mutation(
        "a lock in its cooldown is taken for a race",
        f"{EXECUTOR}/pending.py",
        "    elif not terminating and not is_finished(run):\n",
        "    elif not terminating:\n",
        ("tests/unit/executor/test_target_lock.py", "-k", "waits_for_a_lock_in_its_cooldown"),
    ),
    Mutation(
        "the success of an earlier run's tasks is reported as completed",
        f"{EXECUTOR}/running.py",
        "        if began_before_it_was_created(run):\n",
        "        if False:\n",
        ("tests/unit/executor/test_leftovers.py", "-k", "success_by_leftovers"),
    ),
)


def guards(tree: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the guards need, first on the path of the interpreter that runs there."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("controller", "sim", "scenarios", "features", "reports", "tests/unit/executor"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "out"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_guards_are_green_without_a_mutation(tree: Path) -> None:
    files = sorted({mutation.tests[0] for mutation in MUTATIONS})
    words = " or ".join(sorted({mutation.tests[2] for mutation in MUTATIONS}))

    done = guards(tree, *files, "-k", words)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.defect)
def test_a_defect_put_back_turns_its_guard_red(tree: Path, mutation: Mutation) -> None:
    path = tree / mutation.file
    original = path.read_text(encoding="utf-8")
    assert original.count(mutation.before) == 1, f"{mutation.file} no longer holds the passage once"
    path.write_text(original.replace(mutation.before, mutation.after), encoding="utf-8")
    try:
        done = guards(tree, *mutation.tests)
    finally:
        path.write_text(original, encoding="utf-8")

    assert done.returncode == 1, f"nobody noticed: {mutation.defect}\n{done.stdout}"
