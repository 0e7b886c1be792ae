"""What an operator may set."""

from dataclasses import dataclass

from controller.api.workflowexecution import DEFAULT_SERVICE_ACCOUNT


@dataclass(frozen=True, slots=True)
class Settings:
    """``cooldown_s`` is how long the lock outlives the run; ``poll_s`` the safety net under every watch;
    ``settle_s`` how long a finished PipelineRun's TaskRuns may take to show their own end."""

    execution_namespace: str = "kubernaut-workflows"
    service_account: str = DEFAULT_SERVICE_ACCOUNT
    cooldown_s: float = 300.0
    poll_s: float = 10.0
    settle_s: float = 3.0
    audit_timeout_s: float = 2.0
    workers: int = 4

    def __post_init__(self) -> None:
        for name in ("cooldown_s", "poll_s", "settle_s", "audit_timeout_s", "workers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"executor settings: {name} must be positive, got {getattr(self, name)!r}")
        for name in ("execution_namespace", "service_account"):
            if not getattr(self, name):
                raise ValueError(f"executor settings: {name} must not be empty")
