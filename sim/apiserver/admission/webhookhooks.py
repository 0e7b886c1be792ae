"""One webhook of a configuration: which requests it is called for.

Source: apiserver's admission/plugin/webhook (generic, matchconditions).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from controller.ports import Resource
from sim.apiserver.admission.chain import AdmissionRequest
from sim.apiserver.admission.match import Match, described
from sim.apiserver.celrules import Conditions
from sim.apiserver.errors import forbidden

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer


class Hook:
    """``identity`` tells it from all others."""

    def __init__(self, configuration: str, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.identity = f"{configuration}/{self.name}"
        self.ignores_failures = spec.get("failurePolicy") == "Ignore"
        self.reinvocable = spec.get("reinvocationPolicy") == "IfNeeded"
        self._match = Match(spec, spec.get("rules") or ())
        self._has_rules = bool(spec.get("rules"))
        self._conditions = Conditions(spec.get("matchConditions") or ())

    def resource_for(self, server: "ApiServer", request: AdmissionRequest) -> Resource | None:
        """The resource in whose version the webhook wants the request; None where it is not to be called.

        Raises ApiError 403 where a condition cannot be told and failures are not ignored.
        """
        found = self._match.resource_for(server, request) if self._has_rules else None
        if found is None:
            return None
        variables = {"object": request.new, "oldObject": request.old, "request": described(request, found)}
        try:
            return found if self._conditions.hold(variables) else None
        except ValueError as error:
            if self.ignores_failures:
                return None
            raise forbidden(request.resource, request.name, str(error)) from None
