"""The REST face: whatever comes in, a well-formed answer goes out."""

import json
from typing import Any

import pytest
from core_world import World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.apiserver.flow import FlowControl, LevelSpec
from sim.apiserver.identity import ADMIN
from sim.apiserver.rest.rest import Request, Response, Rest

AUTHORITY = {"authorization": "Bearer admin", "content-type": "application/json"}
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.floats(allow_nan=False) | st.text("aB-./~1", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "spec", "a")), inner),
    max_leaves=6,
)
METADATA = st.dictionaries(
    st.sampled_from(
        (
            "name",
            "namespace",
            "generateName",
            "labels",
            "annotations",
            "finalizers",
            "ownerReferences",
            "uid",
            "resourceVersion",
            "deletionTimestamp",
            "generation",
        )
    ),
    JSON,
    max_size=4,
)
BODIES = JSON | st.fixed_dictionaries(
    {"apiVersion": st.just("example.com/v1") | JSON, "kind": st.just("Widget") | JSON},
    optional={"metadata": METADATA | JSON, "spec": JSON, "status": JSON, "data": JSON},
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "odd")) | JSON},
        optional={"path": st.sampled_from(("", "/metadata/labels/x", "/spec/note", "/spec/-", "x")) | JSON,
                  "from": st.sampled_from(("/spec", "/nope")) | JSON, "value": JSON},
    ) | JSON,
    max_size=3,
)  # fmt: skip


@pytest.fixture(scope="module")
def face() -> Rest:
    world = World()
    world.create(world.widgets, "a", spec={"note": "n"})
    world.create(world.configmaps, "a", data={"k": "v"})
    return Rest(world.server, {"admin": ADMIN})


def _answer(face: Rest, method: str, path: str, body: Any = None, **headers: str) -> Response:
    content = b"" if body is None else json.dumps(body).encode()
    return face.handle(Request(method, path, {}, {**AUTHORITY, **headers}, content))


def _is_answer(answer: Response) -> bool:
    if answer.status >= 400:
        return (
            isinstance(answer.body, dict) and answer.body["kind"] == "Status" and answer.body["code"] == answer.status
        )
    return answer.status in (200, 201)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(method=st.sampled_from(("POST", "PUT", "DELETE")), plural=st.sampled_from((WIDGETS, CONFIGMAPS)), body=BODIES)
def test_any_body_is_answered(face: Rest, method: str, plural: str, body: Any) -> None:
    assert _is_answer(_answer(face, method, plural if method == "POST" else f"{plural}/b", body))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(plural=st.sampled_from((WIDGETS, CONFIGMAPS)), body=BODIES | OPERATIONS, kind=st.sampled_from(("merge", "json")))
def test_any_patch_is_answered(face: Rest, plural: str, body: Any, kind: str) -> None:
    media = f"application/{kind}-patch+json"
    assert _is_answer(_answer(face, "PATCH", f"{plural}/a", body, **{"content-type": media}))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    query=st.dictionaries(
        st.sampled_from(
            ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch", "watch",
             "timeoutSeconds")
        ),
        st.text("a=!(),<>in1 ", max_size=8) | st.sampled_from(("0", "1", "true", "Exact", "metadata.name=a")),
        max_size=3,
    )
)  # fmt: skip
def test_any_query_is_answered(face: Rest, query: dict[str, str]) -> None:
    answer = face.handle(Request("GET", WIDGETS, query, AUTHORITY))
    if answer.status != 200 or query.get("watch") not in ("true", "1"):
        assert _is_answer(answer)


def test_an_unknown_token_is_401_and_none_is_anonymous(face: Rest) -> None:
    assert face.handle(Request("GET", WIDGETS, {}, {"authorization": "Bearer odd"})).status == 401
    refused = face.handle(Request("GET", WIDGETS))
    assert refused.status == 403
    assert isinstance(refused.body, dict)
    assert "system:anonymous" in refused.body["message"]


def test_paths_outside_the_api_are_plain_404(face: Rest) -> None:
    for path in ("/nowhere", "/metrics", "/apis/nope.example.com/v1/things", "/apis/nope.example.com", "/api/v9"):
        answer = _answer(face, "GET", path)
        assert (answer.status, answer.body) == (404, "404 page not found\n")


def test_a_busy_server_answers_429_and_when_to_come_back() -> None:
    world = World()
    world.server.flow = FlowControl(world.loop, [LevelSpec("catch-all", 1, 0)])
    face = Rest(world.server, {"admin": ADMIN})
    codes = [face.handle(Request("GET", WIDGETS)).status for _ in range(2)]
    assert codes == [403, 429]
    refused = face.handle(Request("GET", WIDGETS))
    assert refused.headers["retry-after"] == "1"
    assert _answer(face, "GET", WIDGETS).status == 200
