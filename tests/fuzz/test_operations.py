"""Requests made up, deterministically, from what the server says of itself in OpenAPI."""

import json
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from victim import Victim

DOCUMENTS = (
    "api/v1",
    "apis/apps/v1",
    "apis/authorization.k8s.io/v1",
    "apis/batch/v1",
    "apis/kubernaut.ai/v1alpha1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/tekton.dev/v1",
    "apis/apiextensions.k8s.io/v1",
)
EXAMPLES = 60
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_request_is_answered_with_an_error_of_the_server(victim: Victim, document: str) -> None:
    described: Any = victim.client.get(f"/openapi/v3/{document}").json()
    found = schemathesis.openapi.from_dict(described).get_all_operations()
    # All definitions at once are not taken away: others need them.
    operations = [operation for operation in (one.ok() for one in found) if _bearable(operation)]
    codes: set[int] = set()

    @SETTINGS
    @hypothesis.given(st.sampled_from(operations).flatmap(lambda operation: operation.as_strategy()))
    def ask(case: Any) -> None:
        answer = victim.client.send(_request(victim, case))
        codes.add(answer.status_code)
        blamed = "failed to create typed patch object" in answer.text  # a real server blames itself for these, too
        assert answer.status_code < 500 or blamed, answer.text
        assert answer.status_code < 400 or answer.text.startswith(("404 page", '{"kind":"Status"')), answer.text

    ask()

    assert codes & {400, 404, 422}


def _bearable(operation: Any) -> bool:
    return operation.method.upper() != "DELETE" or not operation.path.endswith("customresourcedefinitions")


def _request(victim: Victim, case: Any) -> Any:
    """The case, in a namespace that is there; watches would last."""
    path = case.path.replace("{namespace}", "default").replace("{name}", "made-up")
    query = {name: json.dumps(value).strip('"') for name, value in (case.query or {}).items() if name != "watch"}
    media = case.media_type if case.method.upper() == "PATCH" else "application/json"
    body = None if case.method.upper() == "GET" else json.dumps(case.body, default=str).encode()
    return victim.client.build_request(
        case.method.upper(), path, params=query, content=body, headers={"content-type": media or "application/json"}
    )
