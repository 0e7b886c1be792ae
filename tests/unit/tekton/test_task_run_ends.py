"""How a TaskRun ends from outside its pod, is tried again, or waits: both releases."""

import asyncio
from types import SimpleNamespace

import pytest
from task_stage import STEP, TaskStage
from tekton_world import NAMESPACE

from controller.ports import ApiError, Document
from controller.runtime.controller import PermanentError
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.identity import ADMIN
from sim.tekton.access import PODS, SECRETS, SERVICE_ACCOUNTS, TASK_RUNS
from sim.tekton.attempt import Attempt, RequeueAfter
from sim.tekton.conditions import condition_of
from sim.tekton.sidecars import stop_sidecars
from sim.tekton.version import V1_7, V1_15, Version

BOTH = pytest.mark.parametrize("version", [V1_7, V1_15], ids=lambda version: version.name)
PULLING = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
PENDING = 'build step "step-a" is pending with reason "no such image"'


def refuse(stage: TaskStage, code: int, reason: str, text: str, *, verb: str = "CREATE") -> None:
    """From now on pods are refused."""

    def check(_: AdmissionRequest) -> None:
        raise ApiError(code, reason, text)

    stage.server.admission.validate(check, resources=["pods"], operations=[verb])


@BOTH
def test_a_pod_that_is_never_scheduled_lasts_until_the_task_runs_timeout(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(timeout="5s")
        unmet = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "untolerated taint"}
        stage.play("Pending", {}, conditions=[unmet], seconds=6.0)
        text = 'TaskRun "run" failed to finish within "5s"'
        before = 'pod status "PodScheduled":"False"; message: "untolerated taint"'
        previous = f"\nPrevious status: [Pending] {before}" if version is V1_15 else ""
        assert stage.outcome() == ("False", "TaskRunTimeout", text + previous)
        assert stage.status()["steps"] == [{"name": "a", "provenance": {}}], "it never began, so it did not end"
        assert stage.server.find(PODS, NAMESPACE, "run-pod") is None


@BOTH
def test_a_timeout_ends_the_steps_as_the_pod_shows_them_last(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start({"steps": [STEP, {**STEP, "name": "b"}]}, timeout="5s")
        stage.play("Running", {"step-a": stage.ended(), "step-b": stage.running()}, seconds=6.0)
        assert stage.outcome() == ("False", "TaskRunTimeout", 'TaskRun "run" failed to finish within "5s"')
        first, second = stage.status()["steps"]
        assert first["terminated"]["exitCode"] == 0
        assert second["terminated"]["reason"] == second["terminationReason"] == "TaskRunTimeout"


@BOTH
def test_attempts_that_time_out_are_kept_and_the_next_one_gets_a_pod_of_its_own(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(timeout="5s", retries=1, seconds=7.0)
        status = stage.status()
        assert [one["conditions"][0]["reason"] for one in status["retriesStatus"]] == ["TaskRunTimeout"]
        assert status["podName"] == "run-pod-retry1"
        stage.run(6.0)
        assert stage.outcome()[:2] == ("False", "TaskRunTimeout"), "no attempt is left"
        assert len(stage.status()["retriesStatus"]) == 1


@BOTH
def test_a_cancelled_task_run_is_not_tried_again(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start(retries=3)
        stage.play("Pending", {"step-a": PULLING})
        stage.demand(status="TaskRunCancelled", statusMessage="enough")
        previous = f"\nPrevious status: [PullImageFailed] {PENDING}" if version is V1_15 else ""
        assert stage.outcome() == ("False", "TaskRunCancelled", f'TaskRun "run" was cancelled. enough{previous}')
        assert "retriesStatus" not in stage.status()
        assert stage.status()["steps"][0]["terminated"]["message"] == "Step a terminated as pod run-pod is terminated"


@BOTH
def test_a_pod_that_cannot_be_deleted_does_not_hide_the_end(version: Version) -> None:
    with TaskStage(version) as stage:
        stage.start()
        refuse(stage, 500, "InternalError", "not now", verb="DELETE")
        stage.demand(status="TaskRunCancelled")
        stage.run(2.0)
        assert stage.outcome()[:2] == ("False", "TaskRunCancelled")
        assert {("Failed", stage.outcome()[2]), ("InternalError", "not now")} <= set(stage.told())


def test_a_pending_task_run_neither_starts_nor_has_a_pod_until_it_may() -> None:
    with TaskStage() as stage:
        stage.start(status="TaskRunPending", timeout="2s", seconds=5.0)
        assert stage.outcome() == ("Unknown", "TaskRunPending", 'TaskRun "run" is pending')
        assert "startTime" not in stage.status()
        assert stage.status()["podName"] == ""
        stage.demand(status=None)
        assert stage.outcome() == ("Unknown", "Pending", "Pending")
        assert stage.pod()


def test_a_pending_task_run_that_is_cancelled_tells_nothing_of_having_been_pending() -> None:
    with TaskStage() as stage:
        stage.start(status="TaskRunPending")
        stage.demand(status="TaskRunCancelled")
        assert stage.outcome() == ("False", "TaskRunCancelled", 'TaskRun "run" was cancelled. ')
        assert stage.server.find(PODS, NAMESPACE, "run-pod") is None


REFUSALS = [
    ("violates PodSecurity \"restricted:latest\": x", "PodAdmissionFailed", "{}"),
    ("unable to validate against any security context constraint: []", "PodAdmissionFailed", "{}"),
    ("failed quota: q: must specify cpu", "PodCreationFailed",
     'failed to create task run pod "run": {}. Maybe invalid TaskSpec'),
    ("by the policy", "PodCreationFailed", 'failed to create task run pod "run": {}. Maybe invalid TaskSpec'),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("text", "reason", "told"), REFUSALS)
def test_a_refused_pod_ends_the_task_run_at_once(version: Version, text: str, reason: str, told: str) -> None:
    with TaskStage(version) as stage:
        refuse(stage, 403, "Forbidden", text)
        stage.start()
        assert stage.outcome() == ("False", reason, told.format(text))
        assert stage.status()["podName"] == ""
        assert stage.status()["completionTime"]


@BOTH
def test_a_restricted_namespace_refuses_the_pod_for_what_tekton_itself_puts_into_it(version: Version) -> None:
    with TaskStage(version) as stage:
        labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        stage.server.patch(ADMIN, stage.server.resource("", "namespaces"), "", NAMESPACE, labels)
        stage.start(
            podTemplate={"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}}
        )
        who = 'containers "prepare", "place-scripts", "step-a"'
        assert stage.outcome() == (
            "False",
            "PodAdmissionFailed",
            'pods "run-pod" is forbidden: violates PodSecurity "restricted:latest": '
            f"allowPrivilegeEscalation != false ({who} must set securityContext.allowPrivilegeEscalation=false), "
            f'unrestricted capabilities ({who} must set securityContext.capabilities.drop=["ALL"])',
        )
        assert ("InternalError", stage.outcome()[2]) in stage.told()


@BOTH
def test_a_quota_that_changed_meanwhile_is_met_again_after_a_second(version: Version) -> None:
    with TaskStage(version) as stage:
        refused: list[int] = []

        def check(_: AdmissionRequest) -> None:
            if len(refused) < 2:  # its own status write wakes it once
                refused.append(1)
                raise ApiError(409, "Conflict", "modified", {"kind": "resourcequotas", "name": "q"})

        stage.server.admission.validate(check, resources=["pods"])
        stage.start(seconds=0.9)
        text = "tried to create pod, but it failed with ResourceQuotaConflictError"
        assert stage.outcome() == ("Unknown", "Pending", text)
        assert "startTime" not in stage.status()
        stage.run(1.0)
        assert stage.outcome() == ("Unknown", "Pending", "Pending")


class Unreachable:
    """A clientset whose every request is answered alike."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def get(self, *_: object) -> Document:
        raise self.error


def stopped(error: Exception) -> dict[str, object]:
    """The status of a finished TaskRun after its pod could not be read."""
    succeeded = {"type": "Succeeded", "status": "True", "reason": "Succeeded", "message": "done"}
    status = {"podName": "run-pod", "conditions": [succeeded]}
    attempt = Attempt({"metadata": {"name": "run", "namespace": "n"}, "spec": {}, "status": status})
    access = SimpleNamespace(core=Unreachable(error), time=SimpleNamespace(timestamp=lambda: "2026-01-05T08:00:00Z"))
    asyncio.run(stop_sidecars(access, attempt))  # type: ignore[arg-type]
    return attempt.status


def test_a_finished_task_run_whose_pod_cannot_be_read_becomes_a_failed_one() -> None:
    condition = condition_of(stopped(ApiError(500, "InternalError", "etcd is slow")))
    assert condition is not None
    assert (condition["status"], condition["reason"], condition["message"]) == (
        "False",
        "TaskRunStopSidecarFailed",
        'error getting Pod "run-pod" when stopping sidecars: etcd is slow',
    )


def test_a_finished_task_run_whose_pod_is_gone_stays_as_it_is_for_good() -> None:
    with pytest.raises(PermanentError, match="not found"):
        stopped(ApiError(404, "NotFound", 'pods "run-pod" not found'))
    text = "the object has been modified; please apply your changes to the latest version and try again"
    with pytest.raises(RequeueAfter):
        stopped(ApiError(409, "Conflict", f"Operation cannot be fulfilled: {text}"))


@BOTH
def test_an_account_names_secrets_that_every_step_is_given_and_a_missing_one_is_told(version: Version) -> None:
    with TaskStage(version) as stage:
        secret = {"metadata": {"name": "hub", "annotations": {"tekton.dev/git-0": "https://git.local"}}}
        stage.create(SECRETS, {**secret, "type": "kubernetes.io/basic-auth", "data": {"username": "", "password": ""}})
        account = {"metadata": {"name": "builder"}, "secrets": [{"name": "hub"}, {"name": "lost"}]}
        stage.create(SERVICE_ACCOUNTS, account)
        stage.start(serviceAccountName="builder")
        container = stage.pod()["spec"]["containers"][0]
        assert "-basic-git=hub=https://git.local" in container["args"]
        assert "/tekton/creds-secrets/hub" in [one["mountPath"] for one in container["volumeMounts"]]
        text = "Unable to retrieve some secrets (lost); attempting to use them may not succeed."
        assert ("FailedToRetrieveSecret", text) in stage.told()


@BOTH
def test_a_task_that_is_still_being_resolved_is_an_error_of_the_earlier_release_only(version: Version) -> None:
    with TaskStage(version) as stage:
        params = [
            {"name": "bundle", "value": "reg.local/x:1"},
            {"name": "name", "value": "t"},
            {"name": "kind", "value": "task"},
        ]
        stage.create(
            TASK_RUNS, {"metadata": {"name": "run"}, "spec": {"taskRef": {"resolver": "bundles", "params": params}}}
        )
        while not stage.outcome()[0]:
            stage.run(0.01)
        assert stage.outcome() == ("Unknown", "ResolvingTaskRef", f"TaskRun {NAMESPACE}/run awaiting remote resource")
        stage.run(2.0)
        errors = [text for reason, text in stage.told() if reason == "InternalError"]
        assert ("resource request in progress" in errors) is (version is V1_7)
        assert stage.outcome()[:2] == ("False", "TaskRunResolutionFailed")
