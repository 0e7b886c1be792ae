"""The custom resources that Tekton serves, open in what their specs and statuses hold, as the release manifests are."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document, Resource
from sim.tekton.access import PIPELINE_RUNS, PIPELINES, RESOLUTION_REQUESTS, TASK_RUNS, TASKS

_OUTCOME = (
    ("Succeeded", "string", '.status.conditions[?(@.type=="Succeeded")].status'),
    ("Reason", "string", '.status.conditions[?(@.type=="Succeeded")].reason'),
)
_COLUMNS: Mapping[Resource, Sequence[tuple[str, str, str]]] = {
    **dict.fromkeys(
        (PIPELINE_RUNS, TASK_RUNS),
        (*_OUTCOME, ("StartTime", "date", ".status.startTime"), ("CompletionTime", "date", ".status.completionTime")),
    ),
    RESOLUTION_REQUESTS: (
        ("OwnerKind", "string", ".metadata.ownerReferences[0].kind"),
        ("Owner", "string", ".metadata.ownerReferences[0].name"),
        *_OUTCOME,
        ("StartTime", "string", ".metadata.creationTimestamp"),
        ("EndTime", "string", '.status.conditions[?(@.type=="Succeeded")].lastTransitionTime'),
    ),
}
"""What lists of a kind show, as the release manifests have it: title, type, path."""
_OPEN: Document = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definitions() -> list[Document]:
    """The CustomResourceDefinition objects, ready to be created."""
    return [
        _definition(PIPELINE_RUNS, ["pr", "prs"]),
        _definition(TASK_RUNS, ["tr", "trs"]),
        _definition(PIPELINES, []),
        _definition(TASKS, []),
        _definition(RESOLUTION_REQUESTS, []),
    ]


def _definition(resource: Resource, short_names: list[str]) -> Document:
    names: dict[str, Any] = {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "categories": ["tekton", "tekton-pipelines"],
    }
    if short_names:
        names["shortNames"] = short_names
    version: dict[str, Any] = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _OPEN},
        "subresources": {"status": {}},
    }
    if resource in _COLUMNS:
        version["additionalPrinterColumns"] = [
            {"name": title, "type": kind, "jsonPath": path} for title, kind, path in _COLUMNS[resource]
        ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.group_resource},
        "spec": {"group": resource.group, "names": names, "scope": "Namespaced", "versions": [version]},
    }
