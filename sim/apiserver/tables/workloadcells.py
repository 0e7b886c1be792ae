"""What a person sees of the kinds that run pods."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from controller.ports import Document
from sim.apiserver.tables.ages import human_duration, instant, since

_NONE: Mapping[str, Any] = {}


def _name_and_age(document: Document, now: datetime) -> tuple[str, str]:
    metadata = document["metadata"]
    return metadata["name"], since(metadata.get("creationTimestamp"), now)


def _parts(document: Document) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return document.get("spec") or _NONE, document.get("status") or _NONE


def labels(found: Mapping[str, Any] | None) -> str:
    return ",".join(f"{key}={found[key]}" for key in sorted(found)) if found else "<none>"


def selector(found: Mapping[str, Any] | None) -> str:
    """A label selector as one writes it on a command line."""
    if found is None:
        return "<none>"
    terms = [f"{key}={value}" for key, value in sorted((found.get("matchLabels") or {}).items())]
    for one in sorted(found.get("matchExpressions") or (), key=lambda one: str(one.get("key"))):
        key, operator, values = one.get("key"), one.get("operator"), ",".join(sorted(one.get("values") or ()))
        terms.append(
            {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "DoesNotExist": f"!{key}"}.get(
                str(operator), str(key)
            )
        )
    return ",".join(terms) or "<none>"


def _containers(template: Mapping[str, Any] | None) -> tuple[str, str]:
    containers = ((template or _NONE).get("spec") or _NONE).get("containers") or ()
    return ",".join(one.get("name", "") for one in containers), ",".join(one.get("image", "") for one in containers)


def deployment(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    counts = (status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return [name, ready, *counts, age, *_containers(spec.get("template")), selector(spec.get("selector"))]


def replica_set(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    counts = (spec.get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0))
    return [name, *counts, age, *_containers(spec.get("template")), selector(spec.get("selector"))]


def stateful_set(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    return [
        name,
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        age,
        *_containers(spec.get("template")),
    ]


def daemon_set(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    fields = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    counts = [status.get(field, 0) for field in fields]
    template = spec.get("template") or _NONE
    where = labels((template.get("spec") or _NONE).get("nodeSelector"))
    return [name, *counts, where, age, *_containers(template), selector(spec.get("selector"))]


def job(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    completions, succeeded = spec.get("completions"), status.get("succeeded", 0)
    if completions is not None:
        done = f"{succeeded}/{completions}"
    else:
        parallel = spec.get("parallelism") or 0
        done = f"{succeeded}/1 of {parallel}" if parallel > 1 else f"{succeeded}/1"
    lasted = ""
    if status.get("startTime"):
        until = instant(status["completionTime"]) if status.get("completionTime") else now
        lasted = human_duration((until - instant(status["startTime"])).total_seconds())
    return [
        name,
        _job_state(document, status),
        done,
        lasted,
        age,
        *_containers(spec.get("template")),
        selector(spec.get("selector")),
    ]


def _job_state(document: Document, status: Mapping[str, Any]) -> str:
    true = [one.get("type") for one in status.get("conditions") or () if one.get("status") == "True"]
    for kind in ("Complete", "Failed"):
        if kind in true:
            return kind
    if document["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((kind for kind in ("Suspended", "FailureTarget") if kind in true), "Running")


def cron_job(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    last = status.get("lastScheduleTime")
    suspend = spec.get("suspend")
    inner = (spec.get("jobTemplate") or _NONE).get("spec") or _NONE
    return [
        name,
        spec.get("schedule", ""),
        spec.get("timeZone") or "<none>",
        "<unset>" if suspend is None else str(suspend).capitalize(),
        len(status.get("active") or ()),
        since(last, now) if last else "<none>",
        age,
        *_containers(inner.get("template")),
        selector(inner.get("selector")),
    ]


def disruption_budget(document: Document, now: datetime) -> list[Any]:
    spec, status = _parts(document)
    name, age = _name_and_age(document, now)
    bounds = [str(spec[field]) if field in spec else "N/A" for field in ("minAvailable", "maxUnavailable")]
    return [name, *bounds, status.get("disruptionsAllowed", 0), age]
