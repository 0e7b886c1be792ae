"""What a process remembers: of remediations under way only, and never anything that a restart could miss."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import SYSTEM, TARGET_RESOURCE, Stage
from target_history import NOW, TARGET, execution, request
from troubled_calls import Trouble

from controller.api.resources import REMEDIATION_REQUESTS
from controller.orchestrator import wiring
from controller.orchestrator.reconcile import Orchestrator
from controller.orchestrator.settings import Settings
from controller.orchestrator.view import View, requests_cache
from controller.runtime.cache import Cache
from sim.apiserver.identity import ADMIN
from sim.workload.distributions import Constant

Make = Callable[..., Stage]
OURS, OTHER = ("ns", "rr-1"), ("ns", "rr-2")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Orchestrator]:
    """The reconcilers that were built, to look into their memories."""
    built: list[Orchestrator] = []

    def build(desk: Any) -> Orchestrator:
        built.append(Orchestrator(desk))
        return built[-1]

    monkeypatch.setattr(wiring, "Orchestrator", build)
    return built


def remembered(made: list[Orchestrator]) -> list[str]:
    return sorted(name for _, name in made[-1]._memories)


def test_remediations_at_rest_are_forgotten_and_waiting_ones_are_not(make_stage: Make, made: list[Any]) -> None:
    stage = make_stage(Settings(on_busy="wait"))
    stage.remedied("rr-1").signal("rr-2").run(1).answer("ai-rr-2").run(1)
    stage.signal("rr-3", ("", "Node", "n")).run(1)
    assert (stage.phase("rr-2"), stage.phase("rr-3")) == ("Blocked", "Analyzing")
    assert remembered(made) == ["rr-2", "rr-3"]
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-3")
    stage.run(350).execution_ends("we-rr-2").run(60)
    assert stage.phase("rr-2") == "Completed"
    assert remembered(made) == []


@pytest.mark.parametrize("end", ["Failed", "TimedOut", "Skipped"])
def test_however_it_ends_nothing_is_left(make_stage: Make, made: list[Any], end: str) -> None:
    stage = make_stage().signal("rr-1").run(1)
    if end == "Skipped":
        stage.pipeline_run().run(1).answer()
    elif end == "Failed":
        stage.answer().run(1).execution_ends(phase="Failed", wasExecutionFailure=True)
    stage.run(700)
    assert stage.phase() == end
    assert remembered(made) == []
    view = made[-1]._desk.view
    assert (view._claims, view._claimed_by) == ({}, {})


def test_a_history_goes_with_the_last_of_its_executions(make_stage: Make, made: list[Any]) -> None:
    stage = make_stage().remedied("rr-1")
    ledgers = made[-1]._desk.view._ledgers
    assert [*ledgers] == [TARGET_RESOURCE]
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(5)
    assert ledgers == {}


def test_an_echo_of_ones_own_write_costs_no_second_look(make_stage: Make) -> None:
    stage = make_stage(watch_lag=Constant(50_000))
    stage.signal().run(1)
    looks = stage.registry.get_sample_value(
        "kubernaut_remediationorchestrator_reconcile_total", {"phase": "Pending", "namespace": SYSTEM}
    )
    assert looks == 1


def test_a_remediation_that_works_costs_no_call_but_its_own(make_stage: Make) -> None:
    trouble = Trouble("get", "nothing")
    stage = make_stage(wrap=trouble.wrap)
    stage.run(5)
    before = len(trouble.spoken())
    stage.remedied()
    calls = [(verb, plural) for verb, plural, _ in trouble.spoken()[before:] if plural != "events"]
    assert calls == [
        ("patch", "remediationrequests"),  # the finalizer
        ("patch", "remediationrequests"),  # Processing
        ("create", "aianalyses"),
        ("patch", "remediationrequests"),  # Analyzing
        ("create", "workflowexecutions"),
        ("patch", "remediationrequests"),  # Executing
        ("patch", "remediationrequests"),  # Completed
    ]


def test_looking_again_costs_no_call(make_stage: Make) -> None:
    trouble = Trouble("get", "nothing")
    stage = make_stage(wrap=trouble.wrap).signal().run(1).answer().run(5)
    before = trouble.spoken()
    stage.run(1_500)
    assert stage.phase() == "Executing"
    assert trouble.spoken() == before


# claims


@pytest.fixture
def view() -> View:
    return View(requests_cache(), Cache(), Cache(), Cache(), "runs")


def test_a_claim_is_seen_by_others_until_its_execution_shows(view: View) -> None:
    view.claim(TARGET, OURS, "we-rr-1-recovery-1")
    assert (view.claimed(TARGET, OTHER), view.claimed(TARGET, OURS)) == ("we-rr-1-recovery-1", "")
    view.note_execution(None, execution("we-rr-1", "Failed", NOW, ran=False))
    assert view.claimed(TARGET, OTHER), "that was the execution before"
    view.note_execution(None, execution("we-rr-1-recovery-1"))
    assert view.claimed(TARGET, OTHER) == ""
    assert view.history(TARGET, "uid-rr-2", NOW).unfinished is not None


def test_a_claim_on_one_target_says_nothing_of_another(view: View) -> None:
    view.claim(TARGET, OURS, "we-rr-1")
    assert view.claimed("Node/n", OTHER) == ""


def test_a_request_claims_one_target_at_a_time(view: View) -> None:
    freed: list[str] = []
    view.when_free = freed.append
    view.claim(TARGET, OURS, "we-rr-1")
    view.claim("Node/n", OURS, "we-rr-1")
    assert (view.claimed(TARGET, OTHER), view.claimed("Node/n", OTHER), freed) == ("", "we-rr-1", [TARGET])
    view.withdraw(OURS)
    view.withdraw(OURS)
    view.withdraw(OTHER)
    assert (view.claimed("Node/n", OTHER), freed) == ("", [TARGET, "Node/n"])


def test_an_execution_made_anew_for_another_target_leaves_the_history_of_the_first(view: View) -> None:
    before, after = execution("we-a", "Running"), execution("we-a", "Running")
    after["spec"] = {**after["spec"], "targetResource": "Node/n"}
    view.note_execution(None, before)
    view.note_execution(before, after)
    assert view.history(TARGET, "", NOW).unfinished is None
    assert view.history("Node/n", "", NOW).unfinished is after


def test_an_unknown_target_has_no_history(view: View) -> None:
    told = view.history("Node/unknown", request()["metadata"]["uid"], NOW)
    assert (told.unfinished, told.decisive, told.failures, told.completed) == (None, None, (), ())
