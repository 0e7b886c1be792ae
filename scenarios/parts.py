"""The parts of a simulated world that a person, or a program of theirs, can play instead."""

from scenarios.errors import BadInput

TEKTON = "tekton"
SCHEDULER = "scheduler"
KUBELET = "kubelet"
COLLECTOR = "gc"
EXECUTOR = "we"
ORCHESTRATOR = "ro"
PEOPLE = "people"
WORKLOADS = "workloads"
PARTS = {
    TEKTON: "Tekton's controller and resolvers; its kinds and webhooks stay without them",
    SCHEDULER: "binds pods to nodes",
    KUBELET: "runs pods; the nodes stay without it",
    COLLECTOR: "the garbage collector",
    EXECUTOR: "the WorkflowExecution controller",
    ORCHESTRATOR: "the RemediationOrchestrator",
    PEOPLE: "the analyst and the approver whom the orchestrator asks",
    WORKLOADS: "the controllers of Deployments, ReplicaSets and Jobs; only where they are asked for",
}
OPTIONAL = frozenset((WORKLOADS,))


def without(with_: str | None, without_: str | None) -> frozenset[str]:
    """The parts that are left out, by the lists of ``--with`` and ``--without``. Raises BadInput.

    ``--with`` names the only parts there are, or optional ones that come in addition.
    """
    usual = frozenset(PARTS) - OPTIONAL
    chosen = usual if with_ is None else _named("--with", with_)
    if with_ is not None and chosen and chosen <= OPTIONAL:
        chosen |= usual
    return frozenset(PARTS) - (chosen - _named("--without", without_ or ""))


def _named(option: str, text: str) -> frozenset[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in PARTS:
            raise BadInput(option, f'there is no part "{name}"', f"names of {', '.join(PARTS)}, separated by commas")
    return frozenset(names)
