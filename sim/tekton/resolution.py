"""ResolutionRequests in the core controller: in progress until the resolver's data is there or the time is over."""

from typing import Any

from controller.ports import ApiError, Document
from controller.runtime.cache import Key
from controller.runtime.controller import Result
from sim.tekton.access import RESOLUTION_REQUESTS, Access
from sim.tekton.attempt import Attempt, look_again, write_status
from sim.tekton.conditions import is_done, same_status, set_condition
from sim.tekton.deadlines import parse_timestamp_us
from sim.workload.durations import format_us


class ResolutionRequests:
    def __init__(self, access: Access) -> None:
        self._access = access

    async def reconcile(self, key: Key) -> Result | None:
        """Reconcile one key. Raises ApiError and ConnectionLost for the queue."""
        access = self._access
        document = access.requests.get(*key)
        if document is None or "deletionTimestamp" in document["metadata"]:
            return None
        attempt = Attempt(document)
        if is_done(attempt.status):
            return None
        wait_us = self._judge(attempt)
        if access.options.version.resolution_patched:
            conflicted = await self._patch(attempt)
            if conflicted:
                return look_again(0)
        elif not attempt.stands_in(document):
            await write_status(access, access.resolution, RESOLUTION_REQUESTS, attempt)
        return None if wait_us is None else look_again(wait_us)

    def _judge(self, attempt: Attempt) -> int | None:
        """Set the condition; answers how long there is still to wait, or None."""
        access, status = self._access, attempt.status
        now, limit_us = access.time.timestamp(), access.options.resolution_timeout_us
        left_us = limit_us - (access.time.now_us() - parse_timestamp_us(attempt.metadata["creationTimestamp"]))
        status["observedGeneration"] = attempt.metadata.get("generation", 1)
        if status.get("data"):
            set_condition(status, "True", "", "", now)
            return None
        if left_us < 0:
            text = f"resolution took longer than global timeout of {format_us(limit_us)}"
            set_condition(status, "False", "ResolutionTimedOut", text, now)
            return None
        set_condition(status, "Unknown", "ResolutionInProgress", "waiting for resolver", now)
        return left_us

    async def _patch(self, attempt: Attempt) -> bool:
        """PATCH the conditions under the version that was read; whether somebody else was faster."""
        before: Document = attempt.document.get("status") or {}
        if same_status(before, attempt.status):
            return False
        body: dict[str, Any] = {
            "metadata": {"resourceVersion": attempt.metadata["resourceVersion"]},
            "status": {
                "observedGeneration": attempt.status["observedGeneration"],
                "conditions": attempt.status["conditions"],
            },
        }
        try:
            await self._access.resolution.patch(
                RESOLUTION_REQUESTS, attempt.namespace, attempt.name, body, subresource="status"
            )
        except ApiError as error:
            if error.reason == "Conflict":
                return True
            raise
        return False
