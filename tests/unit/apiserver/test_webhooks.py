"""Webhook configurations: who is asked about a write, and what comes of the answer."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controller.ports import ApiError, Document, Resource
from sim.apiserver.admission.webhookkinds import MUTATING, VALIDATING
from sim.apiserver.admission.webhookreplies import CallNeeded, Replies, Reply
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

MAPS = Resource("", "v1", "configmaps", "ConfigMap")
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Cluster:
    """``asked`` are the requests of the reviews that were sent, ``attempts`` how often the last request was tried."""

    def __init__(self) -> None:
        self.loop = Loop()  # type: ignore[abstract]
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True)
        self.rest = Rest(self.server, {"t": ADMIN})
        self.asked: list[dict[str, Any]] = []
        self.replies = Replies()

    def hook(self, resource: Resource = VALIDATING, name: str = "a", **changes: Any) -> None:
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}
        hook = {
            "name": f"{name}.hooks.test",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://127.0.0.1:1/x"},
            "rules": [rule],
            **changes,
        }
        self.server.create(ADMIN, resource, "", {"metadata": {"name": name}, "webhooks": [hook]})

    def send(self, method: str, name: str, body: Any, answer: Answer, **query: str) -> Response:
        """A request whose webhooks all answer with ``answer``."""
        path = f"/api/v1/namespaces/default/configmaps{f'/{name}' if name else ''}"
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"authorization": "Bearer t", "content-type": kind}
        self.replies = Replies()
        content = json.dumps(body).encode() if body else b""
        request = Request(method, path, query, headers, content, replies=self.replies)
        for _ in range(10):
            found = self.rest.attempt(request)
            if not isinstance(found, CallNeeded):
                return found
            asked = json.loads(found.call.body)
            self.asked.append(asked["request"])
            response = {"uid": asked["request"]["uid"], **answer(asked["request"])}
            review = {"kind": "AdmissionReview", "apiVersion": asked["apiVersion"], "response": response}
            self.replies.add(found, Reply(200, json.dumps(review).encode()))
        raise AssertionError("it never ends")

    def create(self, answer: Answer, **content: Any) -> Response:
        body = {"metadata": {"name": "m"}, "data": {"k": "1"}, **content}
        return self.send("POST", "", body, answer)


def allow(_: dict[str, Any]) -> dict[str, Any]:
    return {"allowed": True}


def patching(*operations: dict[str, Any]) -> Answer:
    text = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return lambda _: {"allowed": True, "patchType": "JSONPatch", "patch": text}


def document(response: Response) -> Document:
    assert isinstance(response.body, dict)
    return response.body


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.server.verify()
    made.loop.close()


def test_a_webhook_is_told_what_is_asked_and_by_whom(cluster: Cluster) -> None:
    cluster.hook()
    assert cluster.create(allow).status == 201
    asked = cluster.asked[0]
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (asked["operation"], asked["namespace"], asked["name"]) == ("CREATE", "default", "m")
    assert asked["userInfo"]["username"] == ADMIN.name
    assert (asked["object"]["kind"], asked["object"]["data"], asked["oldObject"]) == ("ConfigMap", {"k": "1"}, None)


def test_a_refusal_is_passed_on_in_the_words_of_the_webhook(cluster: Cluster) -> None:
    cluster.hook()
    status = {"code": 403, "reason": "Forbidden", "message": "not today"}
    refused = cluster.create(lambda _: {"allowed": False, "status": status})
    assert refused.status == 403
    said = 'admission webhook "a.hooks.test" denied the request'
    assert (document(refused)["reason"], document(refused)["message"]) == ("Forbidden", f"{said}: not today")
    refused = cluster.create(lambda _: {"allowed": False})
    assert (refused.status, document(refused)["message"]) == (400, f"{said} without explanation")
    assert cluster.server.find(MAPS, "default", "m") is None


def test_warnings_come_with_the_answer_once(cluster: Cluster) -> None:
    cluster.hook()
    cluster.hook(name="b")
    answered = cluster.create(lambda asked: {"allowed": True, "warnings": ["old"] if len(cluster.asked) == 1 else []})
    assert answered.headers["warning"] == ['299 - "old"']


def test_patches_change_the_object_before_others_are_asked(cluster: Cluster) -> None:
    cluster.hook(MUTATING)
    cluster.hook(MUTATING, name="b")
    add = {"op": "add", "path": "/data/x", "value": "2"}
    created = cluster.create(lambda asked: patching(add)(asked) if len(cluster.asked) == 1 else allow(asked))
    assert document(created)["data"] == {"k": "1", "x": "2"}
    assert [one["object"]["data"] for one in cluster.asked] == [{"k": "1"}, {"k": "1", "x": "2"}]


def test_who_asks_for_it_is_called_again_when_a_later_one_changes_the_object(cluster: Cluster) -> None:
    cluster.hook(MUTATING, reinvocationPolicy="IfNeeded")
    cluster.hook(MUTATING, name="b", reinvocationPolicy="IfNeeded")
    add = {"op": "add", "path": "/data/x", "value": "2"}
    cluster.create(lambda asked: patching(add)(asked) if len(cluster.asked) == 2 else allow(asked))
    assert [("x" in one["object"]["data"]) for one in cluster.asked] == [False, False, True]


def test_only_what_the_rules_and_selectors_cover_is_asked_about(cluster: Cluster) -> None:
    labels = {"metadata": {"name": "default", "labels": {"on": "yes"}}}
    cluster.server.patch(ADMIN, cluster.server.resource("", "namespaces"), "", "default", labels)
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["*"]}
    cluster.hook(rules=[rule], name="a")
    cluster.hook(namespaceSelector={"matchLabels": {"on": "no"}}, name="b")
    cluster.hook(namespaceSelector={"matchExpressions": [{"key": "on", "operator": "Exists"}]}, name="c")
    cluster.hook(objectSelector={"matchLabels": {"x": "y"}}, name="d")
    cluster.hook(matchConditions=[{"name": "big", "expression": "size(object.data) > 1"}], name="e")
    cluster.create(allow)
    assert len(cluster.asked) == 1
    assert cluster.send("PATCH", "m", {"data": {"l": "2"}}, allow).status == 200
    assert len(cluster.asked) == 1 + 3


def test_a_deletion_is_asked_about_with_the_object_that_goes(cluster: Cluster) -> None:
    cluster.hook()
    cluster.create(allow)
    refused = cluster.send("DELETE", "m", None, lambda _: {"allowed": False})
    assert refused.status == 400
    assert (cluster.asked[-1]["object"], cluster.asked[-1]["oldObject"]["data"]) == (None, {"k": "1"})
    assert cluster.send("DELETE", "m", None, allow).status == 200


def test_an_attempt_that_ends_in_a_call_leaves_no_trace(cluster: Cluster) -> None:
    cluster.hook()
    body = {"metadata": {"generateName": "m-"}, "data": {"k": "1"}}
    created = document(cluster.send("POST", "", body, allow))
    other = Cluster()
    same = document(other.send("POST", "", body, allow))
    other.loop.close()
    assert created["metadata"]["name"] == same["metadata"]["name"]
    assert [one["name"] for one in cluster.asked] == [created["metadata"]["name"]]


def test_replies_can_be_kept_and_used_again(cluster: Cluster) -> None:
    cluster.hook()
    headers = {"authorization": "Bearer t", "content-type": "application/json"}
    body = json.dumps({"metadata": {"name": "n"}, "data": {"k": "1"}}).encode()
    cluster.send("POST", "", json.loads(body), allow)
    kept = json.loads(json.dumps(cluster.replies.recorded()))
    other = Cluster()
    other.hook()
    path = "/api/v1/namespaces/default/configmaps"
    again = other.rest.attempt(Request("POST", path, {}, headers, body, replies=Replies(kept)))
    other.loop.close()
    assert isinstance(again, Response)
    assert again.status == 201


def test_an_answer_about_something_else_does_not_count(cluster: Cluster) -> None:
    cluster.hook()
    refused = cluster.create(lambda _: {"uid": "other", "allowed": True})
    assert refused.status == 500
    assert "received invalid webhook response: expected response.uid=" in document(refused)["message"]


def test_a_webhook_with_side_effects_keeps_dry_runs_away(cluster: Cluster) -> None:
    with pytest.raises(ApiError, match="sideEffects: Unsupported value"):
        cluster.hook(sideEffects="Some")
    cluster.hook(sideEffects="NoneOnDryRun")
    answered = cluster.send("POST", "", {"metadata": {"name": "m"}}, allow, dryRun="All")
    assert answered.status == 201
    assert cluster.asked[0]["dryRun"] is True


def test_where_nothing_outside_can_be_reached_nobody_listens(cluster: Cluster) -> None:
    cluster.hook(timeoutSeconds=3)
    with pytest.raises(ApiError) as error:
        cluster.server.create(ADMIN, MAPS, "default", {"metadata": {"name": "m"}})
    assert error.value.message == (
        'Internal error occurred: failed calling webhook "a.hooks.test": failed to call webhook: '
        'Post "https://127.0.0.1:1/x?timeout=3s": dial tcp 127.0.0.1:1: connect: connection refused'
    )
    cluster.server.delete(ADMIN, VALIDATING, "", "a")
    cluster.hook(failurePolicy="Ignore")
    cluster.server.create(ADMIN, MAPS, "default", {"metadata": {"name": "m"}})


def test_in_a_world_with_an_outside_writes_from_inside_are_not_asked_about(cluster: Cluster) -> None:
    cluster.hook()
    cluster.server.webhooks.has_outside = True
    cluster.server.create(ADMIN, MAPS, "default", {"metadata": {"name": "inside"}})
    assert cluster.create(lambda _: {"allowed": False}).status == 400


def test_a_webhook_of_a_service_that_is_not_there_cannot_be_called(cluster: Cluster) -> None:
    cluster.hook(clientConfig={"service": {"name": "s", "namespace": "default"}})
    refused = document(cluster.create(allow))
    assert refused["message"].endswith('Post "https://s.default.svc:443/?timeout=10s": service "s" not found')


def test_defaults_are_written_and_nonsense_is_refused(cluster: Cluster) -> None:
    cluster.hook()
    stored = cluster.server.get(ADMIN, VALIDATING, "", "a")
    hook = stored["webhooks"][0]
    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["rules"][0]["scope"]) == ("Fail", 10, "*")
    assert stored["metadata"]["generation"] == 1
    with pytest.raises(ApiError) as error:
        cluster.hook(name="b", clientConfig={"url": "http://x/y"}, timeoutSeconds=31, rules=[{"operations": ["GO"]}])
    assert [one["field"] for one in error.value.details["causes"]] == [
        "webhooks[0].rules[0].operations[0]",
        "webhooks[0].rules[0].apiGroups",
        "webhooks[0].rules[0].apiVersions",
        "webhooks[0].rules[0].resources",
        "webhooks[0].timeoutSeconds",
        "webhooks[0].clientConfig.url",
    ]
