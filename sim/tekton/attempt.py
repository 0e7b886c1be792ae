"""One reconcile attempt as knative's generated reconcilers make it: read the cache, decide, write the status once."""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import ApiError, Cluster, ConnectionLost, Document, Resource
from controller.runtime.controller import Result
from sim.tekton.access import Access
from sim.tekton.conditions import condition_of, same_condition, same_status

_EMPTY: Mapping[str, Any] = {}
_TRIES = 5  # client-go's retry.DefaultRetry: 5 tries, 10 ms apart, 10 % jitter
_RETRY_US = 10_000
_SOONEST_US = 1_000
_NO_EXTRA: Mapping[str, str] = {}


class RequeueAfter(Exception):
    """Not an error: look again after ``delay_us``, without an event."""

    def __init__(self, delay_us: int) -> None:
        super().__init__(delay_us)
        self.delay_us = delay_us


class Attempt:
    """A run while it is reconciled. ``status``, ``labels`` and ``annotations`` start as what the cache showed.

    ``changed``: the condition is known to say something else than before.
    ``pod``: the pod that was looked at, if there is nothing to do until it, or the run, changes.
    ``precise``: a start or completion time was taken in this attempt. In the controller's memory it has nanoseconds,
    so a re-read status never equals this one and is written again even when the text would be the same.
    """

    __slots__ = (
        "annotations",
        "before",
        "changed",
        "document",
        "labels",
        "members",
        "metadata",
        "name",
        "namespace",
        "pod",
        "precise",
        "relabelled",
        "standing",
        "status",
        "template",
    )

    def __init__(self, document: Document) -> None:
        self.document = document
        metadata: Mapping[str, Any] = document["metadata"]
        self.metadata = metadata
        self.namespace: str = metadata["namespace"]
        self.name: str = metadata["name"]
        status = document.get("status")
        self.status: dict[str, Any] = status.copy() if status else {}
        self.labels: Mapping[str, str] = metadata.get("labels") or _NO_EXTRA
        self.annotations: Mapping[str, str] = metadata.get("annotations") or _NO_EXTRA
        self.before: Document | None = condition_of(self.status)
        self.changed = False
        self.precise = False
        self.relabelled = False
        self.standing: Document = _EMPTY
        self.pod: Document | None = None
        self.members: Sequence[Any] = ()
        self.template: Any = None

    def relabel(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """Labels and annotations that the run is to have when the attempt is over."""
        self.labels = labels
        self.annotations = annotations
        self.relabelled = True

    def stands_in(self, document: Document) -> bool:
        """Whether ``document`` has the status of this attempt, so that it need not be written."""
        if self.precise or (self.changed and document is self.document):
            return False
        return same_status(document.get("status") or _EMPTY, self.status)

    def with_metadata(self) -> Document:
        """The document with the labels and annotations of this attempt, to derive children from."""
        return {**self.document, "metadata": {**self.metadata, "labels": self.labels, "annotations": self.annotations}}


def emit_change(access: Access, attempt: Attempt, before: Document | None, after: Document | None) -> None:
    """The Event that tells a change of the condition; none when nothing changed."""
    if after is before or after is None or same_condition(before, after):
        return
    attempt.changed = attempt.changed or before is attempt.before
    message = after.get("message", "")
    if after["status"] == "True":
        access.event(attempt.document, "Normal", "Succeeded", message)
    elif after["status"] == "False":
        access.event(attempt.document, "Warning", "Failed", message)
    elif before is None:
        access.event(attempt.document, "Normal", "Started", "")
    else:
        access.event(attempt.document, "Normal", after.get("reason", ""), message)


async def _sync_metadata(access: Access, resource: Resource, newest: Document | None, attempt: Attempt) -> None:
    """Write labels and annotations that this attempt added, as a PUT of what the cache holds now.

    Raises ApiError; a conflict is not retried here, the whole key is.
    """
    if newest is None:
        raise ApiError(404, "NotFound", f'{resource.kind.lower()}.{resource.group} "{attempt.name}" not found')
    metadata = newest["metadata"]
    labels, annotations = metadata.get("labels") or _NO_EXTRA, metadata.get("annotations") or _NO_EXTRA
    if _adds_nothing(labels, attempt.labels) and _adds_nothing(annotations, attempt.annotations):
        return
    merged = {**metadata, "labels": {**labels, **attempt.labels}}
    if annotations or attempt.annotations:
        merged["annotations"] = {**annotations, **attempt.annotations}
    body = {**newest, "metadata": merged}
    await access.tekton.update(resource, attempt.namespace, attempt.name, body)


def _sync_failed(access: Access, attempt: Attempt, failure: Exception, error: Exception | None) -> Exception:
    """What the attempt ends with when its labels could not be written: what it met before, if that is an error or a
    wish to look again at another time, which hides the failure."""
    access.event(attempt.document, "Warning", "Error", message_of(failure))
    return failure if error is None else error


def _adds_nothing(present: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return present is wanted or wanted.items() <= present.items()


async def write_status(access: Access, cluster: Cluster, resource: Resource, attempt: Attempt) -> Document:
    """PUT the status; after a conflict read the object again and PUT only if that has another one.

    Answers the status that now stands. Raises ApiError or ConnectionLost when it could not be written.
    """
    existing = attempt.document
    for number in range(_TRIES):
        if number:
            jitter = 1 + 0.1 * access.retry_stream.random()
            await access.loop.pause(round(_RETRY_US * jitter))
            existing = await cluster.get(resource, attempt.namespace, attempt.name)
            if attempt.stands_in(existing):
                return existing.get("status") or _EMPTY
        body = {**existing, "status": attempt.status}
        try:
            answer = await cluster.update(resource, attempt.namespace, attempt.name, body, subresource="status")
        except ApiError as error:
            if error.reason != "Conflict" or number == _TRIES - 1:
                raise
        else:
            standing: Document = answer["status"]
            return standing
    raise AssertionError("the last try raises or answers")


async def finish(
    access: Access,
    resource: Resource,
    newest: Document | None,
    attempt: Attempt,
    error: Exception | None,
) -> Result | None:
    """What follows every attempt: labels, the status, then the Event of an error. Raises the error, for the queue.

    ``newest`` is what the cache shows now; ``error`` is what the attempt met. ``attempt.standing`` is the status that
    now stands.
    """
    if attempt.relabelled or newest is not attempt.document:
        try:
            await _sync_metadata(access, resource, newest, attempt)
        except (ApiError, ConnectionLost) as failure:
            error = _sync_failed(access, attempt, failure, error)
    if attempt.stands_in(attempt.document):
        attempt.standing = attempt.document.get("status") or _EMPTY
    else:
        try:
            attempt.standing = await write_status(access, access.tekton, resource, attempt)
        except (ApiError, ConnectionLost) as failure:
            text = f'Failed to update status for "{attempt.name}": {message_of(failure)}'
            access.event(attempt.document, "Warning", "UpdateFailed", text)
            raise
        if access.options.version.wind_up_us:
            await access.loop.pause(access.options.version.wind_up_us)
    if error is None:
        return None
    if isinstance(error, RequeueAfter):
        return look_again(error.delay_us)
    conflict = isinstance(error, ApiError) and error.reason == "Conflict"
    if not (conflict and access.options.version.conflicts_untold):
        access.event(attempt.document, "Warning", "InternalError", message_of(error))
    raise error


def look_again(delay_us: int) -> Result:
    """A requeue; never at once, or an attempt that takes no time would repeat itself within one instant.

    One microsecond is added, for limits are over only when they are exceeded.
    """
    return Result((delay_us + 1 if delay_us >= _SOONEST_US else _SOONEST_US) / 1_000_000)


def message_of(error: Exception) -> str:
    """An error's text as Tekton would quote it."""
    return error.message if isinstance(error, ApiError) else str(error)
