"""The time that remediations were blocked, by reason."""

from collections.abc import Iterable
from itertools import pairwise

from reports.lines import Remediation

_UNNAMED = "Unknown"


def blocked_us(remediation: Remediation, end_us: int) -> dict[str, int]:
    """Microseconds by reason; a block that was not over counts until ``end_us``, the end of the run."""
    waited = dict(remediation.blocked_us)
    if remediation.phase == "Blocked":
        # The record attributes time when a reason ends: what is left belongs to the present one.
        rest = _all_us(remediation, end_us) - sum(waited.values())
        if rest > 0:
            reason = remediation.reason or _UNNAMED
            waited[reason] = waited.get(reason, 0) + rest
    return waited


def by_reason(remediations: Iterable[Remediation], end_us: int) -> dict[str, list[int]]:
    """The microseconds of every remediation that was blocked for a reason; the reason with most time first."""
    found: dict[str, list[int]] = {}
    for remediation in remediations:
        if remediation.blocked_us or remediation.phase == "Blocked":
            for reason, waited in blocked_us(remediation, end_us).items():
                found.setdefault(reason, []).append(waited)
    return dict(sorted(found.items(), key=lambda pair: (-sum(pair[1]), pair[0])))


def _all_us(remediation: Remediation, end_us: int) -> int:
    last_us = end_us if remediation.deleted_us is None else remediation.deleted_us
    stays = pairwise([*remediation.phases, ("", max(last_us, remediation.phases[-1][1]))] if remediation.phases else [])
    return sum(until - since for (phase, since), (_, until) in stays if phase == "Blocked")
