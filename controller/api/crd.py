"""The CustomResourceDefinition manifests, generated from the models.

``python -m controller.api.crd --write`` rewrites the committed manifests, ``--check`` tells the stale ones.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.api.aianalysis import AIAnalysis
from controller.api.meta import ApiModel
from controller.api.notificationrequest import NotificationRequest
from controller.api.remediationrequest import RemediationRequest
from controller.api.resources import AI_ANALYSES, NOTIFICATION_REQUESTS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.api.structural import structural
from controller.api.workflowexecution import WorkflowExecution
from controller.ports import Resource

DIRECTORY = Path(__file__).resolve().parent.parent / "deploy" / "crds"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``; ``type_`` is string, integer or date."""

    name: str
    json_path: str
    type_: str = "string"


@dataclass(frozen=True, slots=True)
class CustomKind:
    """A kind of ours and how it is served."""

    resource: Resource
    model: type[ApiModel]
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    immutable_spec: bool = False
    selectable: tuple[str, ...] = ()
    """JSON paths that field selectors may use."""

    @property
    def file_name(self) -> str:
        return f"{self.resource.group}_{self.resource.plural}.yaml"


KINDS: tuple[CustomKind, ...] = (
    CustomKind(
        WORKFLOW_EXECUTIONS,
        WorkflowExecution,
        ("wfe",),
        (
            Column("Phase", ".status.phase"),
            Column("WorkflowID", ".spec.workflowRef.workflowId"),
            Column("Target", ".spec.targetResource"),
            Column("Duration", ".status.duration"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        immutable_spec=True,
    ),
    CustomKind(
        REMEDIATION_REQUESTS,
        RemediationRequest,
        ("rr",),
        (
            Column("Phase", ".status.overallPhase"),
            Column("Outcome", ".status.outcome"),
            Column("Reason", ".status.skipReason"),
            Column("Signal", ".spec.signalName"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        selectable=(".spec.signalFingerprint",),
    ),
    CustomKind(
        AI_ANALYSES,
        AIAnalysis,
        ("aia",),
        (
            Column("Phase", ".status.phase"),
            Column("Workflow", ".status.selectedWorkflow.workflowId"),
            Column("Recovery", ".spec.recoveryAttemptNumber", "integer"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        immutable_spec=True,
    ),
    CustomKind(
        NOTIFICATION_REQUESTS,
        NotificationRequest,
        ("nr",),
        (
            Column("Type", ".spec.type"),
            Column("Priority", ".spec.priority"),
            Column("Phase", ".status.phase"),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        immutable_spec=True,
    ),
)


def manifest(kind: CustomKind) -> dict[str, Any]:
    """The CustomResourceDefinition document of ``kind``."""
    resource = kind.resource
    singular = resource.kind.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": singular,
                "shortNames": list(kind.short_names),
            },
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [
                {
                    "name": resource.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [
                        {"name": column.name, "type": column.type_, "jsonPath": column.json_path}
                        for column in kind.columns
                    ],
                    **_selectable(kind),
                    "schema": {"openAPIV3Schema": _schema(kind)},
                }
            ],
        },
    }


def _selectable(kind: CustomKind) -> dict[str, Any]:
    return {"selectableFields": [{"jsonPath": path} for path in kind.selectable]} if kind.selectable else {}


def _schema(kind: CustomKind) -> dict[str, Any]:
    schema = structural(kind.model)
    properties = dict(schema["properties"])
    properties["apiVersion"] = {"type": "string"}
    properties["kind"] = {"type": "string"}
    properties["metadata"] = {"type": "object"}
    if kind.immutable_spec:
        rule = {"rule": "self == oldSelf", "message": "spec is immutable after creation"}
        properties["spec"] = {**properties["spec"], "x-kubernetes-validations": [rule]}
    return {**schema, "properties": properties}


def render(kind: CustomKind) -> str:
    """The committed text of the manifest."""
    head = f"# Generated from controller/api/{kind.resource.kind.lower()}.py by: python -m controller.api.crd --write\n"
    return head + yaml.safe_dump(manifest(kind), sort_keys=False, width=120, allow_unicode=True)


def stale(directory: Path = DIRECTORY) -> list[Path]:
    """The manifests in ``directory`` that are absent or differ from the models."""
    paths = [(directory / kind.file_name, kind) for kind in KINDS]
    return [path for path, kind in paths if not path.exists() or path.read_text("utf-8") != render(kind)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m controller.api.crd", description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="exit 1 and name the stale manifests")
    action.add_argument("--write", action="store_true", help="write the manifests")
    parser.add_argument("--directory", type=Path, default=DIRECTORY)
    options = parser.parse_args(arguments)
    if options.write:
        for kind in KINDS:
            (options.directory / kind.file_name).write_text(render(kind), "utf-8")
        return 0
    found = stale(options.directory)
    for path in found:
        sys.stderr.write(f"{path}: stale; run python -m controller.api.crd --write\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
