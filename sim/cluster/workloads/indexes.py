"""Jobs whose pods have numbers: completion indexes, in pods and in the Job's status."""

from collections.abc import Collection
from typing import Any

from controller.ports import Document

_INDEX = "batch.kubernetes.io/job-completion-index"
_VARIABLE = "JOB_COMPLETION_INDEX"


def indexed(job: Document) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def index_of(pod: Document) -> int | None:
    text = (pod["metadata"].get("annotations") or {}).get(_INDEX, "")
    return int(text) if text.isdigit() else None


def indexed_pod(body: dict[str, Any], job: str, index: int) -> dict[str, Any]:
    """The pod with its number: in its name, its labels and annotations, and the environment of its containers."""
    metadata, spec = body["metadata"], body["spec"]
    number = {_INDEX: str(index)}
    variable = {"name": _VARIABLE, "value": str(index)}
    named = {
        **metadata,
        "generateName": f"{job}-{index}-",
        "labels": {**metadata.get("labels", {}), **number},
        "annotations": {**metadata.get("annotations", {}), **number},
    }
    told = [{**one, "env": [*(one.get("env") or ()), variable]} for one in spec["containers"]]
    return {**body, "metadata": named, "spec": {**spec, "containers": told, "hostname": f"{job}-{index}"}}


def spelled(done: Collection[int]) -> str:
    """Numbers as the status lists them: ``0-2,5``."""
    runs: list[list[int]] = []
    for number in sorted(done):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"
