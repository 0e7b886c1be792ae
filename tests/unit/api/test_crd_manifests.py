"""The committed manifests, and what an API server makes of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.api import crd
from controller.api.workflowexecution import FailureReason, WorkflowExecution

MANIFEST = crd.manifest(crd.KINDS[0])
VERSION = MANIFEST["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]


def test_the_committed_manifests_are_those_of_the_models() -> None:
    assert crd.stale() == [], "run python -m controller.api.crd --write"


def test_a_stale_manifest_is_found_and_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main(["--check", "--directory", str(tmp_path)]) == 1
    assert "kubernaut.ai_workflowexecutions.yaml: stale" in capsys.readouterr().err
    assert crd.main(["--write", "--directory", str(tmp_path)]) == 0
    assert crd.main(["--check", "--directory", str(tmp_path)]) == 0
    path = tmp_path / "kubernaut.ai_workflowexecutions.yaml"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert crd.stale(tmp_path) == [path]


def test_names_columns_and_status_subresource() -> None:
    names = MANIFEST["spec"]["names"]
    assert (names["plural"], names["shortNames"]) == ("workflowexecutions", ["wfe"])
    columns = [column["name"] for column in VERSION["additionalPrinterColumns"]]
    assert columns == ["Phase", "WorkflowID", "Target", "Duration", "Age"]
    assert VERSION["subresources"] == {"status": {}}


def test_the_reason_enum_is_closed() -> None:
    details = SCHEMA["properties"]["status"]["properties"]["failureDetails"]
    assert details["properties"]["reason"]["enum"] == [str(reason) for reason in FailureReason]
    assert "wasExecutionFailure" in details["required"]


def test_the_spec_is_immutable() -> None:
    assert SCHEMA["properties"]["spec"]["x-kubernetes-validations"] == [
        {"rule": "self == oldSelf", "message": "spec is immutable after creation"}
    ]


def test_execution_config_has_its_defaults() -> None:
    config = SCHEMA["properties"]["spec"]["properties"]["executionConfig"]["properties"]
    assert (config["timeout"]["default"], config["serviceAccountName"]["default"]) == (
        "30m",
        "kubernaut-workflow-runner",
    )


def walk(schema: Any) -> Any:
    yield schema
    for child in [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(child, dict):
            yield from walk(child)


def test_the_schema_is_structural() -> None:
    for part in walk(SCHEMA):
        assert part.get("type") in ("object", "string", "integer", "number", "boolean", "array"), part
        assert not {"$ref", "$defs", "anyOf", "allOf", "oneOf", "title", "const"} & set(part)


def test_a_document_survives_the_models() -> None:
    document = {
        "apiVersion": "kubernaut.ai/v1alpha1",
        "kind": "WorkflowExecution",
        "metadata": {"name": "we-1", "namespace": "ns", "labels": {"a": "b"}},
        "spec": {
            "remediationRequestRef": {"name": "rr", "apiVersion": "kubernaut.ai/v1alpha1"},
            "workflowRef": {"workflowId": "w", "version": "1", "containerImage": "i"},
            "targetResource": "node/n",
            "parameters": {"Mixed_Case": " x "},
        },
        "status": {"phase": "Running", "startTime": "2026-01-05T08:00:00Z", "pipelineRunRef": {"name": "wfe-x"}},
    }
    assert WorkflowExecution.model_validate(document).document() == document


def test_the_text_is_yaml_of_the_manifest() -> None:
    assert yaml.safe_load(crd.render(crd.KINDS[0])) == MANIFEST
