"""The names by which a remediation knows its children, and what people write on objects to be heard."""

import hashlib
from collections.abc import Mapping
from typing import Any

from controller.api.labels import label_value
from controller.api.remediationrequest import RemediationRequest
from controller.ports import Document

FINALIZER = "remediationrequest.kubernaut.ai/remediationrequest-cleanup"
REQUEST = "kubernaut.ai/remediation-request"
COMPONENT = "kubernaut.ai/component"
CLEAR_BLOCK = "kubernaut.ai/clear-execution-block"
"""Annotation on a WorkflowExecution: somebody has looked, and its failure blocks its target no longer."""
APPROVAL = "kubernaut.ai/approval"
"""Annotation on a RemediationRequest: ``approved`` or ``rejected``."""
APPROVED, REJECTED = "approved", "rejected"

_NAME_LIMIT = 253
_DIGEST_LENGTH = 10


def child_name(prefix: str, request: str, suffix: str = "") -> str:
    """``<prefix><request><suffix>``; a name that would be too long is cut and told apart by a digest."""
    name = f"{prefix}{request}{suffix}"
    if len(name) <= _NAME_LIMIT:
        return name
    digest = hashlib.sha256(request.encode()).hexdigest()[:_DIGEST_LENGTH]
    room = _NAME_LIMIT - len(prefix) - len(suffix) - _DIGEST_LENGTH - 1
    return f"{prefix}{request[:room].rstrip('-.')}-{digest}{suffix}"


def execution_name(request: str, attempt: int) -> str:
    """Of the execution after ``attempt`` recoveries."""
    return child_name("we-", request, f"-recovery-{attempt}" if attempt else "")


def analysis_name(request: str, attempt: int) -> str:
    """Of the first analysis, or of the recovery numbered ``attempt``."""
    return child_name("", request, f"-recovery-{attempt}") if attempt else child_name("ai-", request)


def child_metadata(request: Document, name: str, component: str, **labels: str) -> dict[str, Any]:
    """Metadata of a child: in the request's namespace, owned by it, and labelled with it."""
    parent: Mapping[str, Any] = request["metadata"]
    return {
        "name": name,
        "namespace": parent["namespace"],
        "labels": {REQUEST: label_value(parent["name"]), COMPONENT: component, **labels},
        "ownerReferences": [
            {
                **reference(request, RemediationRequest.model_fields["kind"].default),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def reference(document: Document, kind: str) -> dict[str, Any]:
    """An ownerReference's four fields."""
    metadata = document["metadata"]
    return {"apiVersion": "kubernaut.ai/v1alpha1", "kind": kind, "name": metadata["name"], "uid": metadata["uid"]}


def owner_uid(document: Document) -> str:
    """The uid of the object that controls this one, or nothing."""
    for one in document["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            return str(one["uid"])
    return ""


def owning_request(document: Document) -> tuple[str, str] | None:
    """Namespace and name of the request whose child this is; None for somebody else's."""
    metadata = document["metadata"]
    for one in metadata.get("ownerReferences") or ():
        if one.get("controller") and one["kind"] == "RemediationRequest":
            return metadata["namespace"], one["name"]
    return None
