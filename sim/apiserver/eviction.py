"""Evictions: a pod's deletion that a PodDisruptionBudget may refuse (Kubernetes ``registry/core/pod/storage``)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import ApiError, Document, Resource
from sim.apiserver.deletion import Options, delete
from sim.apiserver.errors import bad_request, forbidden, not_found
from sim.apiserver.identity import User
from sim.apiserver.labelselector import selects

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
_REFUSED_AS = Resource("policy", "v1", "poddisruptionbudget", "PodDisruptionBudget")
"""How refusals name the resource."""
_UNPROTECTED = ("Succeeded", "Failed", "Pending")
_DISRUPTED_MAX = 2_000
_RETRY_S = 10
_NONE: Mapping[str, Any] = {}


def evict(
    server: "ApiServer", user: User, namespace: str, name: str, body: Document, *, dry_run: bool = False
) -> Document:
    """Create a pod's eviction. Raises ApiError 400, 403, 404, 409, 429, 500."""
    pods = server.registry.named("", "pods")
    if (body.get("metadata") or _NONE).get("name", "") != name:
        raise bad_request("name in URL does not match name in Eviction object")
    pod = pods.table.find(namespace, name)
    if pod is None:
        raise not_found(pods.resource, name)
    asked = body.get("deleteOptions") or _NONE
    dry_run = dry_run or bool(asked.get("dryRun"))
    budget = _budget(server, pod)
    if budget is not None:
        _spend(server, budget, name, dry_run)
    wanted = asked.get("preconditions") or _NONE
    options = Options(
        asked.get("propagationPolicy"),
        wanted.get("uid"),
        wanted.get("resourceVersion"),
        asked.get("gracePeriodSeconds"),
        dry_run,
    )
    delete(server, user, pods, namespace, name, options)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _budget(server: "ApiServer", pod: Document) -> Document | None:
    """The budget that the pod's eviction has to be paid from. Raises ApiError 500 when there are several."""
    metadata, status = pod["metadata"], pod.get("status") or _NONE
    if status.get("phase") in _UNPROTECTED or "deletionTimestamp" in metadata or not metadata.get("labels"):
        return None
    found = [
        one
        for one in server.items(_BUDGETS, metadata["namespace"])
        if (selector := (one.get("spec") or _NONE).get("selector")) is not None
        and selects(selector, metadata["labels"])
    ]
    if not found:
        return None
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "InternalError", text)
    return None if _free(found[0], status) else found[0]


def _free(budget: Document, status: Mapping[str, Any]) -> bool:
    """Whether a pod that is not ready may go without being counted."""
    if any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ()):
        return False
    if (budget.get("spec") or _NONE).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    told = budget.get("status") or _NONE
    desired = told.get("desiredHealthy", 0)
    return bool(desired > 0 and told.get("currentHealthy", 0) >= desired)


def _spend(server: "ApiServer", budget: Document, pod: str, dry_run: bool) -> None:
    metadata, told = budget["metadata"], budget.get("status") or _NONE
    name, allowed = metadata["name"], told.get("disruptionsAllowed", 0)
    if told.get("observedGeneration", 0) < metadata.get("generation", 0):
        raise _later(f"The disruption budget {name} is still being processed by the server.", _RETRY_S)
    if allowed < 0:
        raise forbidden(_REFUSED_AS, name, "pdb disruptions allowed is negative")
    if len(told.get("disruptedPods") or ()) > _DISRUPTED_MAX:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden(_REFUSED_AS, name, text)
    if not allowed:
        raise _later(_denial(name, told), 0)
    if dry_run:
        return
    disrupted = {**(told.get("disruptedPods") or _NONE), pod: server.clock.timestamp()}
    status = {**told, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    served = server.registry.find(_BUDGETS)
    new = {**budget, "metadata": dict(metadata), "status": status}
    if server.ownership is not None:
        server.ownership.stamp(served, budget, new, "status", "kube-apiserver")
    server.store.put(served.table, metadata["namespace"], name, budget, new)


def _denial(name: str, told: Mapping[str, Any]) -> str:
    denied = next(
        (
            one
            for one in told.get("conditions") or ()
            if one.get("type") == "DisruptionAllowed" and one.get("status") == "False" and one.get("message")
        ),
        _NONE,
    )
    start = f"The disruption budget {name}"
    if denied.get("reason") == "SyncFailed":
        return f"{start} does not allow evicting pods currently because it failed sync: {denied['message']}"
    healthy, desired = told.get("currentHealthy", 0), told.get("desiredHealthy", 0)
    if healthy <= desired:
        return f"{start} needs {desired} healthy pods and has {healthy} currently"
    if denied:
        return f"{start} does not allow evicting pods currently ({denied.get('reason', '')}): {denied['message']}"
    return f"{start} does not allow evicting pods currently"


def _later(cause: str, retry_s: int) -> ApiError:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry_s:
        details["retryAfterSeconds"] = retry_s
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", text, details, retry_after_s=float(retry_s) if retry_s else None)
