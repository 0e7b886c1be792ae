"""The order of the evidence, and the words that must not be taken for evidence."""

import pytest
from run_of_documents import COUNTERS, NAME, Run, condition, step

from controller.ports import ApiError

FORBIDDEN_LINE = (
    'Error from server (Forbidden): deployments.apps "api" is forbidden: User '
    '"system:serviceaccount:kubernaut-workflows:kubernaut-workflow-runner" cannot patch resource "deployments"'
)
QUOTA_LINE = (
    'Error from server (Forbidden): pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=1'
)


def failed(
    *steps: dict[str, object], reason: str = "Failed", message: str = '"step-b" exited with code 1: Error'
) -> Run:
    return Run().task("apply", condition("False", reason, message), *steps)


@pytest.mark.parametrize("exit_code", [0, 137, 255])
@pytest.mark.parametrize("reason", ["Failed", "StepOOM"])
def test_memory_is_typed_oom_on_real_tekton_text_whatever_the_exit_code(exit_code: int, reason: str) -> None:
    """Upstream reads the PipelineRun's counters alone and says TaskFailed."""
    message = "OOMKilled" if exit_code == 0 else f'"step-a" exited with code {exit_code}: OOMKilled'
    cause = failed(step("a", exit_code, "OOMKilled"), reason=reason, message=message).cause()
    assert (cause.reason, cause.step_name, cause.exit_code, cause.started) == ("OOMKilled", "a", exit_code, True)


def test_a_namespace_called_classroom_is_no_oom() -> None:
    run = Run(
        condition("False", "CouldntGetPipeline", "Error retrieving pipeline for pipelinerun classroom/room: gone")
    )
    assert run.cause().reason == "ConfigurationError"
    run = failed(step("b", 1, "Error"), message='"step-classroom" exited with code 1: Error')
    run.log = "cannot enter classroom: OOMKilled is the name of a game"
    assert run.cause().reason == "TaskFailed"


def test_a_quota_refusal_in_the_log_is_resource_exhausted_not_forbidden() -> None:
    run = failed(step("b", 1, "Error"))
    run.log = f"creating\n{QUOTA_LINE}\n"
    cause = run.cause()
    assert (cause.reason, cause.started) == ("ResourceExhausted", True)


def test_a_denial_in_the_log_is_forbidden_and_quoted() -> None:
    run = failed(step("a", 0, "Completed"), step("b", 1, "Error"))
    run.log = f"patching\n{FORBIDDEN_LINE}\nbye\n"
    cause = run.cause()
    assert (cause.reason, cause.message, cause.step_name) == ("Forbidden", FORBIDDEN_LINE, "b")
    assert "log step-b" in run.asked


@pytest.mark.parametrize(
    "text", ["forbidden fruit", "rbac is on", "the quota was fine", "permission denied", "Forbidden"]
)
def test_words_alone_are_no_denial(text: str) -> None:
    run = failed(step("b", 1, "Error"))
    run.log = text
    assert run.cause().reason == "TaskFailed"


def test_logs_are_read_only_when_nothing_stronger_names_the_cause() -> None:
    run = failed(step("a", 137, "OOMKilled"), message='"step-a" exited with code 137: OOMKilled')
    run.log = FORBIDDEN_LINE
    assert run.cause().reason == "OOMKilled"
    assert not [call for call in run.asked if call.startswith("log")]


def test_a_log_that_cannot_be_read_leaves_the_exit_code() -> None:
    class NoLogs(Run):
        async def tail(self, *_: object, **__: object) -> str:
            raise ApiError(404, "NotFound", "pods not found")

    run = NoLogs().task(
        "apply", condition("False", "StepFailed", '"step-b" exited with code 3: Error'), step("b", 3, "Error")
    )
    cause = run.cause()
    assert (cause.reason, cause.exit_code) == ("TaskFailed", 3)


def test_control_characters_never_reach_a_message() -> None:
    run = failed(step("b", 1, "Error"))
    run.log = "\x1b[31m" + FORBIDDEN_LINE + "\x07 \u202e" + "x" * 5000
    message = run.cause().message
    assert message.isprintable()
    assert len(message) <= 1024


def killed(message: str = '"step-a" exited with code 137: Error', reason: str = "StepFailed") -> Run:
    return failed(step("a", 137, "Error"), reason=reason, message=message)


def test_a_sigkill_whose_pod_is_gone_is_a_failed_task_that_says_so() -> None:
    cause = killed().cause()
    assert cause.reason == "TaskFailed"
    assert "pod was deleted" in cause.message


def test_a_sigkill_is_oom_when_the_pod_says_so() -> None:
    run = killed()
    states = [{"name": "step-a", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]
    run.objects["pods", f"{NAME}-apply-pod"] = {"metadata": {}, "status": {"containerStatuses": states}}
    assert run.cause().reason == "OOMKilled"


def test_a_sigkill_is_oom_when_an_event_says_so() -> None:
    run = killed()
    run.events = [{"reason": "OOMKilling"}]
    assert run.cause().reason == "OOMKilled"


def test_an_evicted_pod_is_exhausted_resources_in_both_spellings() -> None:
    message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. "
    for reason in ("Failed", "PodEvicted"):
        assert killed(message, reason).cause().reason == "ResourceExhausted"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
            "ResourceExhausted",
        ),
        ('pods "p" is forbidden: User "system:serviceaccount:t:c" cannot create resource "pods"', "Forbidden"),
        ('pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', "ConfigurationError"),
        ('pods "p" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi', "ConfigurationError"),
        ('serviceaccounts "s" not found. Maybe invalid TaskSpec', "ConfigurationError"),
        ("GET https://index.docker.io/v2/x/y/manifests/z: UNAUTHORIZED: authentication required", "ImagePullBackOff"),
    ],
)
def test_a_pod_that_could_not_be_made_is_typed_by_the_api_text(text: str, reason: str) -> None:
    run = Run().task("apply", {**condition("False", "PodCreationFailed", f"failed to create: {text}"), "podName": ""})
    cause = run.cause()
    assert (cause.reason, cause.started) == (reason, False)


def test_a_quota_that_holds_the_pod_back_is_resource_exhausted() -> None:
    """Upstream's rules find the word forbidden first."""
    text = 'TaskRun Pod exceeded available resources: pods "p" is forbidden: exceeded quota: q, requested: pods=1'
    run = Run(condition("False", "PipelineRunTimeout", 'PipelineRun "r" failed to finish within "5s"'))
    run.task("apply", {**condition("Unknown", "ExceededResourceQuota", text), "podName": ""})
    assert (run.cause().reason, run.cause().started) == ("ResourceExhausted", False)


def test_a_taskrun_timeout_is_a_deadline() -> None:
    message = f'TaskRun "{NAME}-apply" failed to finish within "5s"'
    cause = failed(step("a", 1, "TaskRunTimeout"), reason="TaskRunTimeout", message=message).cause()
    assert (cause.reason, cause.exit_code, cause.started) == ("DeadlineExceeded", None, True)


def test_the_task_that_failed_is_blamed_not_the_one_that_was_cancelled_for_it() -> None:
    run = Run()
    run.task("one", condition("False", "TaskRunCancelled", "was cancelled"), step("a", 1, "TaskRunCancelled"))
    run.task("two", condition("False", "StepFailed", '"step-a" exited with code 2: Error'), step("a", 2, "Error"))
    cause = run.cause()
    assert (cause.task_name, cause.task_index, cause.task_count, cause.exit_code) == ("two", 1, 2, 2)


def test_the_index_counts_in_pipeline_order_also_over_skipped_tasks() -> None:
    run = failed(step("b", 1, "Error"))
    tasks = [{"name": "check"}, {"name": "wait"}, {"name": "apply"}]
    run.pipeline_run["status"]["pipelineSpec"] = {"tasks": tasks, "finally": [{"name": "notify"}]}
    cause = run.cause()
    assert (cause.task_index, cause.task_count) == (2, 4)


def test_an_ignored_failure_is_not_blamed() -> None:
    run = Run()
    run.task("soft", condition("False", "FailureIgnored", "ignored"), step("a", 1, "Error"))
    run.task("hard", condition("False", "Failed", '"step-a" exited with code 4: Error'), step("a", 4, "Error"))
    assert run.cause().task_name == "hard"


def test_a_taskrun_that_cannot_be_read_may_have_changed_something() -> None:
    run = Run()
    run.pipeline_run["status"]["childReferences"] = [{"kind": "TaskRun", "name": "gone", "pipelineTaskName": "t"}]
    cause = run.cause()
    assert (cause.reason, cause.started) == ("Unknown", True)


def test_a_later_task_without_a_start_does_not_hide_that_an_earlier_one_ran() -> None:
    run = Run()
    run.task("one", condition("True", "Succeeded", "ok"), step("a", 0, "Completed"))
    run.task("two", condition("False", "TaskRunImagePullFailed", "no image"), {"name": "a", "waiting": {"reason": "x"}})
    cause = run.cause()
    assert (cause.reason, cause.started) == ("ImagePullBackOff", True)


def test_an_attempt_that_was_retried_counts_as_started() -> None:
    run = Run().task("one", condition("False", "TaskRunImagePullFailed", "no image"))
    run.objects["taskruns", f"{NAME}-one"]["status"]["retriesStatus"] = [{"steps": [step("a", 1, "Error")]}]
    assert run.cause().started


def test_a_taskrun_that_the_pipelinerun_did_not_list_is_found_by_its_label() -> None:
    run = Run(condition("False", "Cancelled", f'PipelineRun "{NAME}" was cancelled'))
    run.task("apply", condition("Unknown", "Running", "running"), {"name": "a", "running": {}}, listed=False)
    cause = run.cause()
    assert (cause.started, cause.task_name) == (True, "apply")


def test_a_custom_run_among_the_children_cannot_be_known() -> None:
    run = Run(condition("False", "ParameterMissing", "[User error] missing"))
    run.pipeline_run["status"]["childReferences"] = [{"kind": "CustomRun", "name": "c", "pipelineTaskName": "c"}]
    assert run.cause().started


def test_a_step_that_was_skipped_neither_started_nor_exited() -> None:
    skipped = step("b", 1, "Error", terminationReason="Skipped", imageID="")
    cause = failed(skipped, reason="TaskRunResolutionFailed", message="no such step action").cause()
    assert (cause.exit_code, cause.started) == (None, False)


def test_a_failure_nobody_explains_is_unknown() -> None:
    assert Run(condition("False", "SomethingNew", "")).cause().reason == "Unknown"
    assert Run().cause().message == COUNTERS
