"""What an operator may set."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a remediation may take in all and in each phase, in seconds."""

    global_s: float = 3600.0
    processing_s: float = 300.0
    analyzing_s: float = 600.0
    approval_s: float = 900.0
    executing_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """``base_s`` after the first failure in a row, doubled by each further one up to ``cap_s``; ``jitter`` is a part of
    the delay, to either side."""

    base_s: float = 60.0
    cap_s: float = 600.0
    jitter: float = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """``cooldown_s`` keeps the same workflow from a target it has just mended; ``on_busy`` is what happens to a request
    whose target is busy, freshly mended or already seen to; ``poll_s`` is the safety net under every watch;
    ``settle_s`` how long a finished remediation listens for late duplicates before it announces them."""

    execution_namespace: str = "kubernaut-workflows"
    on_busy: Literal["skip", "wait"] = "skip"
    cooldown_s: float = 300.0
    max_failures: int = 5
    max_recoveries: int = 3
    poll_s: float = 30.0
    settle_s: float = 10.0
    audit_timeout_s: float = 2.0
    workers: int = 4
    backoff: Backoff = field(default_factory=Backoff)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        for name in ("cooldown_s", "max_failures", "poll_s", "settle_s", "audit_timeout_s", "workers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"orchestrator settings: {name} must be positive, got {getattr(self, name)!r}")
        if self.max_recoveries < 0:
            raise ValueError(f"orchestrator settings: max_recoveries must be 0 or more, got {self.max_recoveries!r}")
        if not 0 < self.backoff.base_s <= self.backoff.cap_s or not 0 <= self.backoff.jitter < 1:
            raise ValueError(
                f"orchestrator settings: backoff must be 0 < base <= cap, 0 <= jitter < 1: {self.backoff!r}"
            )
        if self.on_busy not in ("skip", "wait"):
            raise ValueError(f"orchestrator settings: on_busy must be skip or wait, got {self.on_busy!r}")
