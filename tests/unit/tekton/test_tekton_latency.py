"""The default profile of latencies, and the script that finds it in recordings."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton import latency, latencyfit
from sim.tekton.access import PODS, SERVICE_ACCOUNTS
from sim.tekton.latencyfit import Call
from sim.tekton.options import TektonOptions
from sim.tekton.version import V1_7, V1_15
from sim.workload.distributions import Constant

OWN, RESOLVERS, KUBELET = "tekton-controller", "tekton-resolvers", "puppet-kubelet"


@pytest.mark.parametrize("name", ["READ", "WRITE", "UPDATE", "WATCH_LAG", "PULL", "PULL_FAILURE"])
def test_every_default_says_that_it_was_recorded_and_where(name: str) -> None:
    source = getattr(latency, name).source
    assert source.startswith(("recorded: ", "fitted to the conflicts and gaps of recordings: "))
    assert "loopback, 2 cores" in source


def test_a_release_works_as_long_as_it_was_recorded_unless_told_otherwise() -> None:
    older, newer = TektonOptions(version=V1_7).reconcile, TektonOptions(version=V1_15).reconcile
    assert (older, newer) == (V1_7.reconcile, V1_15.reconcile)
    assert older != newer
    assert TektonOptions(version=V1_7, reconcile=Constant(0)).reconcile == Constant(0)


def test_a_refusal_is_back_sooner_than_the_answer_to_a_write() -> None:
    loop = Loop()  # type: ignore[abstract]  # typeshed's word; asyncio asks for less
    server = ApiServer(loop, Streams(1), Clock(loop), latency=Latency(Constant(10_000), request_share=0.6))
    client = server.client(ADMIN)

    async def took_us(name: str) -> int:
        began_us = loop.now_us
        with suppress(ApiError):
            await client.get(SERVICE_ACCOUNTS, "default", name)
        return loop.now_us - began_us

    account: Document = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "there"}}
    server.create(ADMIN, SERVICE_ACCOUNTS, "default", account)
    assert loop.run_until_complete(took_us("there")) == 10_000
    assert loop.run_until_complete(took_us("absent")) == 7_000
    loop.close()


def call(start_ms: float, took_ms: float, what: str, code: int = 200, user: str = OWN) -> Call:
    verb, resource = what.split()
    return Call(start_ms, took_ms, user, verb, resource, "name", code)


def test_calls_are_timed_by_what_the_server_has_to_do_and_events_are_left_out() -> None:
    calls = [
        call(0, 3, "create taskruns", 201),
        call(4, 1, "get taskruns"),
        call(6, 8, "update taskruns/status"),
        call(6, 4, "update taskruns/status", 409),
        call(6, 2, "create events", 201),
        call(6, 5, "patch pods/status", user=KUBELET),
    ]
    assert list(latencyfit.served(calls)) == [("write", 3), ("read", 1), ("update", 8), ("conflict", 4)]


def test_gaps_are_what_lies_between_a_call_and_the_one_that_it_leads_to() -> None:
    calls = [
        call(0, 5, "create taskruns", 201),
        call(7, 1, "get serviceaccounts"),
        call(20, 1, "get taskruns"),
        call(21.5, 6, "update taskruns/status"),
        call(40, 4, "patch pods/status", user=KUBELET),
        call(90, 6, "update taskruns/status"),
    ]
    gaps = list(latencyfit.gaps(calls))
    assert gaps == [("watch and work", 2), ("the client's side of a call", 0.5)]


def test_a_second_pull_is_kept_apart() -> None:
    asked, written = "get serviceaccounts", "patch resolutionrequests/status"
    calls = [
        call(0, 1, asked, user=RESOLVERS),
        call(100, 5, written, user=RESOLVERS),
        call(106, 1, asked, user=RESOLVERS),
        call(250, 5, written, user=RESOLVERS),
    ]
    assert list(latencyfit.pulls(calls)) == [("pull", 99), ("second pull", 143)]


def test_conflicts_beyond_the_first_of_either_run_are_old_caches() -> None:
    conflict = call(0, 3, "update taskruns/status", 409)
    assert latencyfit.stale([conflict] * 4) == (2, 3)
    assert latencyfit.stale([conflict] * 4 + [call(9, 5, "patch taskruns")]) == (2, 5)


def test_only_undisturbed_runs_that_were_alone_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = [0, 2.0, OWN, "create", PODS.plural, "$PR-run-pod", 201]
    raw: dict[str, Any] = {
        "tektonVersion": "v1.15.0",
        "scenario": "s",
        "concurrentScenarios": 1,
        "actions": [],
        "apiCalls": {"sequence_[startMs,durMs,user,verb,resource,name,code]": [row]},
    }
    others: dict[str, dict[str, Any]] = {
        "four": {"concurrentScenarios": 4},
        "restart": {"actions": [{"action": "controller start (process)"}]},
    }
    for name, change in {"alone": {}, **others}.items():
        (tmp_path / "v1.15.0").mkdir(exist_ok=True)
        (tmp_path / "v1.15.0" / f"{name}.json").write_text(json.dumps(raw | change))
    latencyfit.main(tmp_path)
    assert capsys.readouterr().out == "write: n 1, median 2.0 ms, sigma 0.00\n"
