"""What one process remembers of a remediation. Losing it costs a few API calls, never correctness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from controller.orchestrator.audit import AuditType
from controller.ports import Document


class Owed(NamedTuple):
    """What is to be told of a status write once it is known that it was carried out, and the ``fields`` it set."""

    fields: Mapping[str, Any]
    tell: Callable[[Document], None]
    audit: tuple[AuditType, ...]
    from_phase: str


@dataclass(slots=True)
class Memory:
    request: Document | None = None  # as our own last read or write of it was answered
    uid: str = ""  # of the request that all of this is about
    must_read: bool = False  # what we knew was refused as outdated, or an answer was lost
    owed: Owed | None = None
    last_execution: Document | None = None  # the last state of an execution that is gone
    unsure: bool = False  # a create of the execution went without an answer
    adopted: str = ""  # name of a child that is known to exist already, whatever the caches show
    conflicts: int = 0  # in a row
    deletion_recorded: bool = False
    trouble: str = ""  # what the last step was refused
