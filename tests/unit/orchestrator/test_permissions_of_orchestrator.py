"""What the manifest allows: every call the orchestrator makes, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from orchestrator_stage import RUNS, SYSTEM, Stage, manifest

from controller.api.resources import AI_ANALYSES, PIPELINE_RUNS, REMEDIATION_REQUESTS, WORKFLOW_EXECUTIONS
from controller.orchestrator.settings import Settings
from controller.ports import Cluster, Resource
from sim.apiserver.identity import ADMIN, service_account
from sim.faults.interception import Intercepted

Make = Callable[..., Stage]
Calls = set[tuple[str, str, str]]
ORCHESTRATOR = service_account(SYSTEM, "remediation-orchestrator")
NOT_CALLS: Calls = {("kubernaut.ai", "remediationrequests/finalizers", "update")}
"""Asked of whoever sets ``blockOwnerDeletion`` where OwnerReferencesPermissionEnforcement is on."""
RULES = [document for document in manifest("rbac-orchestrator.yaml") if document["kind"] in ("Role", "ClusterRole")]


class Listening(Intercepted):
    """Notes verb, resource and subresource of every call."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster, self._note)
        self.calls: Calls = set()

    async def _note(self, verb: str, resource: Resource, _: str, call: Callable[[], Any]) -> Any:
        if verb != "patch":
            self.calls.add((resource.group, resource.plural, verb))
        return await call()

    async def patch(self, resource: Resource, namespace: str, name: str, body: Any, **options: Any) -> Any:
        suffix = f"/{options['subresource']}" if options.get("subresource") else ""
        self.calls.add((resource.group, resource.plural + suffix, "patch"))
        return await super().patch(resource, namespace, name, body, **options)


def granted() -> Calls:
    return {
        (group, resource, verb)
        for document in RULES
        for rule in document["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def whole_life(make_stage: Make) -> Calls:
    """A remediation with everything in it: another writer, children that are there already, a recovery; and one that
    waits for a name and says so again and again."""
    heard: list[Listening] = []

    def wrap(cluster: Cluster, _: Any) -> Cluster:
        heard.append(Listening(cluster))
        return heard[-1]

    stage = make_stage(Settings(), wrap=wrap, replicas=2)
    stage.signal().run(1).answer(approvalRequired=True).run(1)
    foreign = {"metadata": {"name": "ai-rr-2"}, "spec": stage.analysis()["spec"]}
    typed = {"apiVersion": AI_ANALYSES.api_version, "kind": AI_ANALYSES.kind, **foreign}
    stage.server.create(ADMIN, AI_ANALYSES, SYSTEM, typed)
    stage.signal("rr-2", target=("", "Node", "n")).run(20)
    stage.annotate(REMEDIATION_REQUESTS, "rr-1", "kubernaut.ai/approval", "approved").run(1)
    stage.execution_ends(phase="Failed", reason="Forbidden").run(1)
    stage.answer("rr-1-recovery-1").until(lambda: stage.phase() == "Executing", 100)
    stage.execution_ends("we-rr-1-recovery-1", phase="Failed", wasExecutionFailure=True).run(20)
    assert stage.phase() == "Failed"
    stage.server.delete(ADMIN, REMEDIATION_REQUESTS, SYSTEM, "rr-1")
    stage.run(5)
    assert stage.request() is None
    return {call for one in heard for call in one.calls}


def test_what_is_granted_is_what_is_called(make_stage: Make) -> None:
    assert granted() - NOT_CALLS == whole_life(make_stage)


def test_no_rule_has_a_wildcard() -> None:
    rules = [rule for document in RULES for rule in document["rules"]]
    assert not [rule for rule in rules for values in rule.values() if "*" in values]


@pytest.mark.parametrize(
    ("call", "resource", "namespace"),
    [
        ("delete", WORKFLOW_EXECUTIONS, SYSTEM),
        ("delete", REMEDIATION_REQUESTS, SYSTEM),
        ("delete", PIPELINE_RUNS, RUNS),
        ("get", PIPELINE_RUNS, RUNS),
        ("list", PIPELINE_RUNS, SYSTEM),
    ],
)
def test_what_it_must_not_do_is_refused(stage: Stage, call: str, resource: Resource, namespace: str) -> None:
    arguments = (resource, namespace) if call == "list" else (resource, namespace, "x")
    with pytest.raises(Exception, match="forbidden"):
        getattr(stage.server, call)(ORCHESTRATOR, *arguments)
