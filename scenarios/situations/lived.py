"""What came of one situation, as seen from outside."""

from dataclasses import dataclass

from controller.ports import Document
from scenarios.chronicle import Execution


@dataclass(frozen=True, slots=True)
class Lived:
    """The WorkflowExecution as it ended, its milestones, when a creation of its run was last refused, and what the
    world took: virtual microseconds and calendar events."""

    document: Document
    execution: Execution
    refused_us: int | None
    virtual_us: int
    events: int
