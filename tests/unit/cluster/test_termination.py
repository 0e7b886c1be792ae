"""Pods that are ended from outside: deleted, forced, past their deadline."""

from cluster_stage import SECOND, Stage, started, task_spec, timed

from sim.cluster.behaviour import Behaviour
from sim.cluster.deadlines import Deadlines
from sim.loop import Loop

LONG = Behaviour(duration_us=3600 * SECOND)
DEAF = Behaviour(duration_us=3600 * SECOND, ignores_sigterm=True)


def test_a_deleted_pod_fails_with_137_and_is_removed_with_its_status_written() -> None:
    stage = Stage({"step-a": LONG})
    stage.create_task("a")
    stage.run(3)
    stage.delete()
    stage.run(10)
    assert started(stage.trace())[1:3] == [
        "3000 MOD grace=30",
        "4110 MOD phase=Failed Ready=False:PodFailed ContainersReady=False:PodFailed step-a=137:Error",
    ]
    assert stage.gone()
    assert stage.trace()[-1].startswith("4310 DEL")


def test_a_step_that_ignores_the_signal_is_killed_when_the_grace_is_over() -> None:
    stage = Stage({"step-a": DEAF})
    stage.create_task("a", terminationGracePeriodSeconds=12)
    stage.run(3)
    stage.delete()
    stage.run(60)
    failed = next(line for line in stage.trace() if "phase=Failed" in line)
    assert failed.split()[0] == "15060"
    assert "step-a=137:Error" in failed


def test_a_step_may_answer_the_signal_with_an_exit_code_of_its_own() -> None:
    stage = Stage({"step-a": Behaviour(hangs=True, sigterm_exit_code=143)})
    stage.create_task("a")
    stage.run(3)
    stage.delete()
    stage.run(60)
    assert any("step-a=143:Error" in line for line in stage.trace())


def test_a_second_delete_may_shorten_the_grace() -> None:
    stage = Stage({"step-a": DEAF})
    stage.create_task("a")
    stage.run(3)
    stage.delete()
    stage.run(2)
    stage.delete(grace_period_s=1)
    stage.run(30)
    failed = next(line for line in stage.trace() if "phase=Failed" in line)
    assert failed.split()[0] == "6060"
    assert stage.gone()


def test_a_forced_delete_removes_the_object_and_nobody_reports_about_it() -> None:
    stage = Stage({"step-a": LONG})
    stage.create_task("a")
    stage.run(3)
    stage.delete(grace_period_s=0)
    assert stage.gone()
    patches = stage.calls("kubelet")["patch pods/status"]
    stage.run(7200)
    assert stage.calls("kubelet")["patch pods/status"] == patches


def test_the_work_of_a_forced_out_pod_starts_anew_in_its_namesake() -> None:
    stage = Stage({"step-a": Behaviour(duration_us=5 * SECOND, log="once\n")})
    stage.create_task("a")
    stage.run(3)
    stage.delete(grace_period_s=0)
    stage.create_task("a")
    stage.run(30)
    assert stage.pod()["status"]["phase"] == "Succeeded"
    assert [line for line in stage.trace() if "phase=Running" in line][1].split()[0] == "4200"


def test_a_pod_deleted_while_it_starts_is_removed_without_another_status() -> None:
    stage = Stage()
    stage.create_task("a")
    stage.run(0.2)
    stage.delete()
    stage.run(30)
    assert stage.gone()
    assert not any("running" in line for line in stage.trace())


def test_a_pod_deleted_in_an_init_container_fails_with_its_steps_waiting() -> None:
    stage = Stage({"prepare": LONG})
    stage.create_task("a")
    stage.run(3)
    stage.delete()
    stage.run(30)
    last = stage.rows[-2][3]["status"]
    assert last["phase"] == "Failed"
    assert last["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_finished_pod_is_deleted_at_once() -> None:
    stage = Stage()
    stage.create_task("a")
    stage.run(30)
    stage.delete()
    assert stage.gone()


def test_a_pod_that_ends_before_the_signal_reaches_it_keeps_its_end() -> None:
    stage = Stage({"step-a": Behaviour(duration_us=1_800_000)}, options=timed(kubelet_watch=100_000))
    stage.create_task("a")
    stage.run(3)
    stage.delete()
    stage.run(30)
    assert stage.gone()
    assert any("step-a=0:Completed" in line for line in stage.trace())


def test_a_deadline_fails_the_pod_in_the_kubelets_words() -> None:
    stage = Stage({"step-a": LONG})
    stage.create_task("a", activeDeadlineSeconds=90)
    stage.run(300)
    status = stage.pod()["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    assert stage.state("step-a") == "137:Error"
    assert stage.trace()[-1].split()[0] == "91210"


def test_deadlines_of_many_pods_are_met_one_by_one() -> None:
    stage = Stage({"step-a": LONG, "step-b": Behaviour(duration_us=SECOND)})
    stage.create_task("a", name="first", activeDeadlineSeconds=60)
    stage.create_task("b", name="done", activeDeadlineSeconds=60)
    stage.run(20)
    stage.create("last", **{**task_spec("a"), "activeDeadlineSeconds": 60})
    stage.run(55)
    assert [stage.pod(name)["status"].get("reason", "") for name in ("first", "done", "last")] == [
        "DeadlineExceeded",
        "",
        "",
    ]
    stage.run(10)
    assert stage.pod("last")["status"]["reason"] == "DeadlineExceeded"


def test_a_pod_that_is_being_deleted_has_no_deadline_any_more() -> None:
    stage = Stage({"step-a": DEAF})
    stage.create_task("a", activeDeadlineSeconds=5)
    stage.run(3)
    stage.delete()
    stage.run(60)
    assert not any("reason=" in line for line in stage.trace())
    assert next(line for line in stage.trace() if "phase=Failed" in line).split()[0] == "33060"


def test_a_deadline_that_was_dropped_never_expires() -> None:
    loop, expired = Loop(), []
    deadlines = Deadlines(loop, lambda uid: expired.append((uid, loop.now_us // SECOND)))
    for second, uid in ((0, "a"), (10, "b"), (20, "c")):
        loop.run_until(second * SECOND)
        deadlines.add(uid, 60)
    deadlines.drop("a", 60)
    loop.run_until(1000 * SECOND)
    deadlines.add("d", 60)
    loop.run_until(2000 * SECOND)
    assert expired == [("b", 70), ("c", 80), ("d", 1060)]
