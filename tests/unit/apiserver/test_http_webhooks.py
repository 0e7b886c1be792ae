"""Webhooks and apply over ASGI: calls are made between attempts, and what came of them is taken down."""

import asyncio
import json
from typing import Any

from http_world import CONFIG_MAPS, HttpWorld

from sim.apiserver.admission.webhookreplies import Call, Reply
from sim.apiserver.http.application import Application
from sim.apiserver.http.journal import read, written
from sim.apiserver.rest.rest import Request, Response, Rest

HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
HOOK = {
    "metadata": {"name": "h"},
    "webhooks": [
        {
            "name": "a.hooks.test",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://127.0.0.1:1/x"},
            "rules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
            ],
        }
    ],
}


class Journal:
    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.attempts: list[int] = []

    def request(self, _at_us: int, request: Request, rest: Rest, _response: Response) -> int:
        self.requests.append(json.loads(json.dumps(written(request, rest))))
        return len(self.requests)

    def attempt(self, at_us: int) -> None:
        self.attempts.append(at_us)

    def hang_up(self, at_us: int, number: int) -> None:
        raise AssertionError((at_us, number))


def test_a_webhook_decides_about_a_request_from_outside() -> None:
    calls: list[Call] = []

    async def call(made: Call) -> Reply:
        calls.append(made)
        await asyncio.sleep(0)
        asked = json.loads(made.body)["request"]
        response = {"uid": asked["uid"], "allowed": asked["object"]["metadata"]["name"] == "good"}
        review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response}
        return Reply(200, json.dumps(review).encode())

    async def run() -> None:
        journal = Journal()
        world = HttpWorld()
        world.application = Application(world.rest, world.pump, call=call, journal=journal)
        assert (await world.ask("POST", HOOKS, HOOK)).status == 201
        assert (await world.ask("POST", CONFIG_MAPS, {"metadata": {"name": "good"}})).status == 201
        refused = await world.ask("POST", CONFIG_MAPS, {"metadata": {"name": "bad"}})
        assert refused.status == 400
        assert (await world.ask("GET", f"{CONFIG_MAPS}/bad")).status == 404
        assert len(journal.attempts) == 2
        assert [call.url for call in calls] == ["https://127.0.0.1:1/x?timeout=10s"] * 2
        again = HttpWorld()
        statuses = [again.rest.handle(read(one)).status for one in journal.requests]
        assert statuses == [201, 201, 400, 404]

    asyncio.run(run())


def test_an_apply_that_creates_answers_201_and_names_its_manager() -> None:
    async def run() -> None:
        world = HttpWorld()
        body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"
        headers = {"content-type": "application/apply-patch+yaml"}
        for status in (201, 200):
            answer = await world.ask("PATCH", f"{CONFIG_MAPS}/a", body, query="fieldManager=m&force=true", **headers)
            assert answer.status == status
        assert answer.json["metadata"]["managedFields"][0]["manager"] == "m"
        refused = await world.ask("PATCH", f"{CONFIG_MAPS}/a", body, **headers)
        assert refused.json["message"].endswith("fieldManager: Required value: is required for apply patch")

    asyncio.run(run())
