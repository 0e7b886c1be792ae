"""Somebody who tidies up: deletes remediations some time after they have ended, as operators let a job of theirs do.

The garbage collector takes the analyses, executions and messages with them. What still blocks a target, a failure
that nobody has cleared, stays until somebody has.
"""

from controller.api.remediationrequest import TERMINAL
from controller.api.resources import REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.history import is_cleared, was_execution_failure
from controller.ports import Document, Resource, WatchType
from sim.apiserver.server import ApiServer
from sim.cluster.api import Api, component_user
from sim.loop import Loop
from sim.people.deed import do

NAME = "janitor"
_NONE: Document = {}


class Janitor:
    """Watches RemediationRequests and deletes each ``keep_us`` after it has ended."""

    def __init__(self, server: ApiServer, loop: Loop, keep_us: int) -> None:
        self._api = Api(server, component_user(NAME), NAME)
        self._loop = loop
        self._keep_us = keep_us
        server.observe(self._observed, REMEDIATION_REQUESTS)

    def _observed(self, type_: WatchType, _resource: Resource, old: Document | None, new: Document) -> None:
        if type_ == "MODIFIED" and _has_ended(new) and not _has_ended(old or _NONE):
            metadata = new["metadata"]
            self._loop.after(self._keep_us, self._tidy, metadata["namespace"], metadata["name"], metadata["uid"])

    def _tidy(self, namespace: str, name: str, uid: str) -> None:
        found = self._api.find(REMEDIATION_REQUESTS, namespace, name)
        if found is None or found["metadata"]["uid"] != uid:
            return
        if self._blocks(found):
            self._loop.after(self._keep_us, self._tidy, namespace, name, uid)
            return
        do(NAME, self._api.delete, REMEDIATION_REQUESTS, namespace, name)

    def _blocks(self, request: Document) -> bool:
        reference = request["status"].get("workflowExecutionRef")
        if reference is None:
            return False
        execution = self._api.find(WORKFLOW_EXECUTIONS, request["metadata"]["namespace"], reference["name"])
        if execution is None or (execution.get("status") or _NONE).get("phase") != "Failed":
            return False
        return was_execution_failure(execution) and not is_cleared(execution)


def _has_ended(request: Document) -> bool:
    return (request.get("status") or _NONE).get("overallPhase") in TERMINAL
