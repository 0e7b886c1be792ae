"""What one process remembers of an execution. Losing it costs a few API calls, never correctness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.api.conditions import Fact
from controller.executor.audit import AuditType
from controller.executor.labels import Owner, owner
from controller.ports import Document

Key = tuple[str, str]


@dataclass(slots=True)
class Announcement:
    """What is to be told once the status shows ``mark``: the answer to the write that sets it may get lost."""

    mark: str
    tell: Callable[[Document], None]


@dataclass(slots=True)
class Memory:
    """``*_s`` are instants of the loop's clock."""

    execution: Document | None = None  # as our own last read or write of it was answered
    verified: str = ""  # resourceVersion that the API server itself, not a cache, has shown us
    must_read: bool = False  # what we knew was refused as outdated
    announcement: Announcement | None = None
    audited: dict[AuditType, Fact] = field(default_factory=dict)
    audit_trouble: Fact | None = None  # not told in the status yet

    not_before_s: float = 0.0  # of the next create
    refusals: int = 0  # creates in a row that another try may mend
    answer_lost: bool = False  # a create went without an answer
    waits_for: str = ""  # name of the lock

    run: Document | None = None  # newest known version of our PipelineRun
    run_uid: str = ""  # its uid, also when its versions are forgotten
    run_news_s: float = 0.0  # when it was last news
    run_cached: bool = False  # the cache has shown it
    ended_s: float | None = None  # when its end was first seen
    mirrored_s: float = 0.0
    seen_run: Document | None = None  # the version of it whose progress is known
    seen: Mapping[str, Any] | None = None  # that progress
    quiet: tuple[Document, Document | None] | None = None  # execution and cached run with which nothing is to be done
    quiet_until_s: float = 0.0

    deleting: str = ""  # uid of the PipelineRun whose deletion was accepted
    deletion_seen_s: float = 0.0
    said_farewell: bool = False
    at_rest: bool = False  # nothing is left to do

    def know(self, run: Document) -> None:
        """This is our PipelineRun, as it is now."""
        self.run, self.run_uid = run, run["metadata"]["uid"]

    def is_ours(self, run: Document, execution: Document) -> bool:
        """By its uid, if we know it: Tekton writes the labels of a run that is gone onto its successor of that name."""
        if self.run_uid:
            return bool(run["metadata"]["uid"] == self.run_uid)
        return owner(run, execution) is Owner.OURS

    def forget_run(self) -> None:
        """It has ended and that is written: its old versions need not be kept for the length of the cooldown."""
        self.run = self.seen_run = self.seen = self.quiet = None


def version(document: Document) -> int:
    """The resourceVersion as a number: versions of one object are ordered."""
    return int(document["metadata"]["resourceVersion"])
