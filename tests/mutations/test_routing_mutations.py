"""Routing with one check removed or one bound shifted by a unit: the fast tests must notice every one of them.

A mutation whose passage is no longer there fails loudly, so the list cannot go stale.
"""

import shutil
from pathlib import Path

import pytest
from test_upstream_defects import ROOT, Mutation, guards

pytestmark = pytest.mark.slow

TESTS = "tests/unit/orchestrator"
RO = "controller/orchestrator"
TABLE = (f"{TESTS}/test_routing_table.py", f"{TESTS}/test_backoff_of_targets.py", f"{TESTS}/test_ledger_of_a_target.py")
STAGE = (
    f"{TESTS}/test_routing_of_requests.py",
    f"{TESTS}/test_claims_on_targets.py",
    f"{TESTS}/test_duplicates_of_requests.py",
    f"{TESTS}/test_waiting_for_targets.py",
)
_SAME = "            return None\n        until = _whole(until)\n"
_RECENTLY = "    (RoutingReason.RECENTLY_REMEDIATED, _recently_remediated),\n"
_BUSY = "    (RoutingReason.RESOURCE_BUSY, _resource_busy),\n"
_OTHER = 'last["spec"]["workflowRef"]["workflowId"] != question.workflow_id'
_OVER = "    if question.now >= until:\n        return None\n    return Block(\n"


def removed(check: str) -> Mutation:
    head = f"def {check}(question: Question) -> Block | None:\n"
    return Mutation(f"{check[1:]} is not checked", f"{RO}/routing.py", head, f"{head}    return None\n", TABLE)


def routing(what: str, before: str, after: str) -> Mutation:
    return Mutation(what, f"{RO}/routing.py", before, after, TABLE)


MUTATIONS = (
    removed("_previous_execution_failed"),
    removed("_exhausted_retries"),
    removed("_exponential_backoff"),
    removed("_recently_remediated"),
    removed("_resource_busy"),
    removed("_duplicate_in_progress"),
    routing("a busy target is reported before a cooldown", f"{_RECENTLY}{_BUSY}", f"{_BUSY}{_RECENTLY}"),
    routing("one failure more is allowed", "if len(failures) < limit:", "if len(failures) <= limit:"),
    routing("one failure fewer is allowed", "if len(failures) < limit:", "if len(failures) < limit - 1:"),
    routing("a rest still holds at its end", _OVER, _OVER.replace(">=", ">")),
    routing("a cooldown still holds at its end", "now >= until:\n" + _SAME, "now > until:\n" + _SAME),
    routing("a cooldown is a second longer", "settings.cooldown_s)", "settings.cooldown_s + 1)"),
    routing("a cooldown is a second shorter", "settings.cooldown_s)", "settings.cooldown_s - 1)"),
    routing("a cooldown keeps every workflow away", f"        if {_OTHER}:\n", "        if False:\n"),
    routing("a rest is drawn again at each look", "    if drawn and resting and ", "    if False and "),
    routing(
        "a rest that is drawn outlives a further failure", ' and status.get("blockingWorkflowExecution") == name', ""
    ),
    routing("a cleared failure still blocks", " or is_cleared(last):", ":"),
    routing(
        "the claim of another is not seen", "if busy is not None else question.claim", 'if busy is not None else ""'
    ),
    routing("a finished run keeps the target busy", "and not is_finished(question.lock)", "and True"),
    routing("a run at work does not", "and not is_finished(question.lock)", "and is_finished(question.lock)"),
    routing("waiting is skipping", 'settings.on_busy == "wait"', 'settings.on_busy == "never"'),
    routing("skipping is waiting", 'settings.on_busy == "wait"', 'settings.on_busy != "never"'),
    routing("a rest is skipped over", "reason is RoutingReason.EXPONENTIAL_BACKOFF or ", ""),
    Mutation("the rest begins doubled", f"{RO}/backoff.py", "min(failures - 1, ", "min(failures, ", TABLE),
    Mutation("the rest begins halved", f"{RO}/backoff.py", "min(failures - 1, ", "min(failures - 2, ", TABLE),
    Mutation("one failure has no rest", f"{RO}/backoff.py", "if failures <= 0:", "if failures <= 1:", TABLE),
    Mutation(
        "a rest is jittered before it is capped",
        f"{RO}/backoff.py",
        ", rules.cap_s)\n    jittered",
        ", 1e9)\n    jittered",
        TABLE,
    ),
    Mutation(
        "jitter goes beyond the cap",
        f"{RO}/backoff.py",
        "min(max(jittered, rules.base_s), rules.cap_s)",
        "max(jittered, rules.base_s)",
        TABLE,
    ),
    Mutation("jitter goes below the base", f"{RO}/backoff.py", "max(jittered, rules.base_s)", "jittered", TABLE),
    Mutation("jitter only lengthens", f"{RO}/backoff.py", "(2.0 * draw - 1.0)", "draw", TABLE),
    Mutation("ones own execution is in ones way", f"{RO}/ledger.py", "owner_uid(one) != apart_from", "True", TABLE),
    Mutation(
        "a former request of the same name is ones own",
        f"{RO}/ledger.py",
        "owner_uid(one) != apart_from",
        "False",
        TABLE,
    ),
    Mutation(
        "a cleared failure counts in the row",
        f"{RO}/ledger.py",
        "elif in_a_row and is_cleared(execution):",
        "elif False:",
        TABLE,
    ),
    Mutation(
        "a success does not end the row",
        f"{RO}/ledger.py",
        "decisive = decisive or execution\n                in_a_row = False",
        "decisive = decisive or execution",
        TABLE,
    ),
    Mutation(
        "the oldest of all ends decides",
        f"{RO}/ledger.py",
        "decisive = decisive or execution",
        "decisive = execution",
        TABLE,
    ),
    Mutation(
        "a failure before the run counts as one of the work",
        f"{RO}/history.py",
        'bool(details.get("wasExecutionFailure", True))',
        "True",
        TABLE,
    ),
    Mutation(
        "nobody knows whether it ran, so it did not",
        f"{RO}/history.py",
        "return True if details is None",
        "return False if details is None",
        TABLE,
    ),
    Mutation(
        "the last second of a cooldown is forgotten",
        f"{RO}/blocking.py",
        "seconds=desk.settings.cooldown_s)",
        "seconds=desk.settings.cooldown_s - 1)",
        STAGE,
    ),
    Mutation(
        "the younger request stands for the older",
        f"{RO}/view.py",
        "if other_age < age:",
        "if other_age > age:",
        STAGE,
    ),
    Mutation("a request is its own duplicate", f"{RO}/view.py", "if other_age < age:", "if other_age <= age:", STAGE),
    Mutation(
        "a withdrawn request stands for others",
        f"{RO}/view.py",
        ' and "deletionTimestamp" not in request["metadata"]',
        "",
        STAGE,
    ),
    Mutation(
        "signals of other namespaces are the same",
        f"{RO}/view.py",
        "return f\"{request['metadata']['namespace']}/{request['spec']['signalFingerprint']}\"",
        "return request['spec']['signalFingerprint']",
        STAGE,
    ),
    Mutation(
        "an execution about to be created is not claimed",
        f"{RO}/executing.py",
        '    desk.view.claim(target_of(request), own, body["metadata"]["name"])\n',
        "",
        STAGE,
    ),
    Mutation(
        "a claim is in its own way",
        f"{RO}/view.py",
        "claim is not None and claim[0] != request else",
        "claim is not None else",
        STAGE,
    ),
    Mutation(
        "a claim is never given back", f"{RO}/blocking.py", "    desk.view.withdraw(key_of(request))", "    pass", STAGE
    ),
    Mutation(
        "nobody is woken when a run is finished", f"{RO}/wiring.py", "    runs.add_handler(run_changed)\n", "", STAGE
    ),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the tests need, first on the path of the interpreter that runs there."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("controller", "sim", "scenarios", "features", "reports", TESTS):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "out"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def test_the_tests_are_green_without_a_mutation(tree: Path) -> None:
    done = guards(tree, *TABLE, *STAGE)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.defect)
def test_a_check_removed_or_a_bound_shifted_turns_the_tests_red(tree: Path, mutation: Mutation) -> None:
    path = tree / mutation.file
    original = path.read_text(encoding="utf-8")
    assert original.count(mutation.before) == 1, f"{mutation.file} no longer holds the passage once"
    path.write_text(original.replace(mutation.before, mutation.after), encoding="utf-8")
    try:
        done = guards(tree, *mutation.tests)
    finally:
        path.write_text(original, encoding="utf-8")

    assert done.returncode == 1, f"nobody noticed: {mutation.defect}\n{done.stdout}"
