"""What one process remembers of a remediation. Losing it costs a few API calls, never correctness."""

from collections.abc import Callable
from dataclasses import dataclass

from controller.ports import Document


@dataclass(slots=True)
class Memory:
    request: Document | None = None  # as our own last read or write of it was answered
    must_read: bool = False  # what we knew was refused as outdated, or an answer was lost
    owed: tuple[Document, Callable[[Document], None]] | None = None
    """The status fields of a write without an answer, and what is to be told if it was carried out."""
    last_execution: Document | None = None  # the last state of an execution that is gone
    unsure: bool = False  # a create of the execution went without an answer
    adopted: str = ""  # name of a child that is known to exist already, whatever the caches show
