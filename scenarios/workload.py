"""Workload scenarios: who asks for what and when, over many targets, and what is expected of it all.

A file says how requests arrive, over how many targets, for which workflows, and with which outcomes; then whatever
setting differs from the default. ``expect`` holds sentences such as ``p95 of "creation to running" is below 30s``.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator

from scenarios import settings
from scenarios.cast import TROUBLES
from scenarios.errors import BadInput
from scenarios.settings import Seconds, Settings
from scenarios.story import Step
from scenarios.target import Target
from scenarios.workflows import Part, load_yaml, validate
from scenarios.world import World
from sim.streams import Streams
from sim.workload import arrivals, outcomes
from sim.workload.arrivals import Arrivals
from sim.workload.durations import parse_us
from sim.workload.outcomes import Mix

_EXPECTATION = re.compile(r'(?P<statistic>\S+) of "(?P<timing>[^"]+)" is below (?P<limit>\S+)')


class Expectation(Part):
    """One sentence about a statistic of a timing."""

    statistic: str
    timing: str
    limit_s: float
    text: str


def _expectation(sentence: object) -> Expectation:
    match = _EXPECTATION.fullmatch(str(sentence))
    if match is None:
        raise ValueError(f'"{sentence}" is no expectation: write p95 of "creation to running" is below 30s')
    return Expectation(
        statistic=match["statistic"],
        timing=match["timing"],
        limit_s=parse_us(match["limit"]) / 1_000_000,
        text=str(sentence),
    )


class Outcome(Part):
    """Something that befalls a share of the executions."""

    step: str
    trouble: str
