"""Writes the record of a run: JSON lines, one fact each, nothing in it from a wall clock.

The schema is documented where it is read, in ``reports.record``. Keys are written in a fixed order and numbers as
integers of virtual microseconds, so that one seed gives one file, byte for byte.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from scenarios.chronicle import Chronicle, Execution
from scenarios.errors import BadInput
from scenarios.remediation.remediations import Remediation, Remediations
from scenarios.situations.row import Row
from scenarios.story import Step
from scenarios.world import ApiCalls
from sim.workload.durations import parse_us

SCHEMA = 1
_TEXT_MAX = 2000
_SKIPPED = "Skipped"  # the end of an execution under version 3.1, which the chronicle does not know


class Witness(Protocol):
    """What a record needs to know of a world, whichever it is."""

    chronicle: Chronicle
    remediations: Remediations

    def settings(self) -> dict[str, Any]: ...

    def api_calls(self) -> list[ApiCalls]: ...


class Recording:
    """The lines of one run, kept until :meth:`write`; a run that is broken off leaves no file."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.wall: dict[str, Any] = {}
        self._scenarios = 0
        self._executions = 0
        self._mode = 0o666
        """Of the files: requests from outside may hold Secrets, which are for their owner's eyes only."""

    def _line(self, kind: str, **fields: Any) -> None:
        self.lines.append(json.dumps({"kind": kind, **fields}, ensure_ascii=False, separators=(",", ":")))

    def run(self, *, version: str, seed: int, backend: str, epoch: str, command: str, settings: dict[str, Any]) -> None:
        self._line(
            "run",
            schema=SCHEMA,
            version=version,
            seed=seed,
            backend=backend,
            epoch=epoch,
            command=command,
            settings=settings,
        )

    def scenario(self, **fields: Any) -> int:
        """Open a scenario; the number it is known by in the lines that follow."""
        self._scenarios += 1
        self._line("scenario", id=self._scenarios, **fields)
        return self._scenarios

    def steps(self, scenario: int, steps: list[Step], targets: int, now_us: int) -> None:
        """The steps; one that was never reached stands at ``now_us``, the end of the scenario."""
        for step in steps:
            self._line(
                "step",
                scenario=scenario,
                keyword=step.keyword,
                text=step.text,
                line=step.line,
                status=step.status,
                start_us=now_us if step.started_us is None else step.started_us,
                end_us=now_us if step.ended_us is None else step.ended_us,
                error=step.explain(targets)[:_TEXT_MAX] if step.failures else None,
            )

    def request(
        self, scenario: int, at_us: int, number: int, fields: Mapping[str, Any], *, status: int, answer: str
    ) -> None:
        """A request that came from outside, whole, with the code and a digest of its answer."""
        self._mode = 0o600
        self._line("request", scenario=scenario, at_us=at_us, number=number, **fields, status=status, answer=answer)

    def attempt(self, scenario: int, at_us: int) -> None:
        """A request came as far as a webhook that has to be asked outside the world."""
        self._line("attempt", scenario=scenario, at_us=at_us)

    def hang_up(self, scenario: int, at_us: int, number: int) -> None:
        """Somebody outside ended the watch that request ``number`` had opened."""
        self._line("hang_up", scenario=scenario, at_us=at_us, request=number)

    def history(self, scenario: int, world: Witness) -> None:
        """Everything the chronicle knows: executions and remediations in the order of their creation, spans, API
        calls."""
        for execution in world.chronicle:
            self._execution(scenario, execution)
        if len(world.remediations):
            self._routing(scenario, world)
        for remediation in world.remediations:
            self._remediation(scenario, remediation)
        self._spans(scenario, world.chronicle)
        for calls in world.api_calls():
            self._line(
                "calls",
                scenario=scenario,
                component=calls.component,
                verb=calls.verb,
                resource=calls.resource,
                count=calls.count,
                errors={str(code): count for code, count in sorted(calls.errors.items())},
            )

    def _execution(self, scenario: int, execution: Execution) -> None:
        self._executions += 1
        self._line(
            "execution",
            scenario=scenario,
            namespace=execution.namespace,
            name=execution.name,
            workflow=execution.workflow,
            target=execution.target,
            pipeline_run=execution.pipeline_run,
            created_us=execution.created_us,
            pipeline_run_created_us=execution.pipeline_run_created_us,
            running_us=execution.running_us,
            pipeline_run_finished_us=execution.pipeline_run_finished_us,
            terminal_us=execution.terminal_us,
            lock_released_us=execution.lock_released_us,
            deleted_us=execution.deleted_us,
            **({} if execution.hazard_us is None else {"hazard_us": execution.hazard_us}),
            phase=execution.phase,
            reason=execution.reason,
            was_execution_failure=execution.was_execution_failure,
            message=execution.message[:_TEXT_MAX],
            censored=not execution.terminal and execution.deleted_us is None and execution.phase != _SKIPPED,
        )

    def _routing(self, scenario: int, world: Witness) -> None:
        cooldown = world.settings().get("orchestrator", {}).get("cooldown")
        cooldown_us = None if cooldown is None else parse_us(cooldown)
        self._line("routing", scenario=scenario, remediations=len(world.remediations), cooldown_us=cooldown_us)

    def _remediation(self, scenario: int, remediation: Remediation) -> None:
        reason = remediation.skip_reason or remediation.failure_reason or remediation.timeout_phase
        self._line(
            "remediation",
            scenario=scenario,
            namespace=remediation.namespace,
            name=remediation.name,
            target=remediation.target,
            signal=remediation.signal,
            created_us=remediation.created_us,
            decided_us=remediation.decided_us,
            terminal_us=remediation.terminal_us,
            deleted_us=remediation.deleted_us,
            phase=remediation.phase,
            phases=[list(reached) for reached in remediation.phases],
            outcome=remediation.outcome,
            reason=reason or (remediation.block_reason if remediation.phase == "Blocked" else None),
            message=remediation.message[:_TEXT_MAX],
            requires_review=remediation.requires_review,
            duplicate_of=remediation.duplicate_of,
            duplicates=remediation.duplicates,
            recoveries=remediation.recoveries,
            executions=remediation.executions,
            analyses=len(remediation.analyses),
            notifications=len(remediation.notifications),
            blocked_us=remediation.waited_us,
            censored=not remediation.terminal and remediation.deleted_us is None,
        )

    def situation(self, scenario: int, row: Row, execution: Execution) -> None:
        """What one recorded situation came to: the execution that lived it, and the row of the table."""
        self._execution(scenario, execution)
        self._line("situation", scenario=scenario, **asdict(row))

    def _spans(self, scenario: int, chronicle: Chronicle) -> None:
        for span in chronicle.spans:
            self._line(
                "span",
                scenario=scenario,
                execution=f"{span.execution[0]}/{span.execution[1]}",
                lane=span.lane,
                name=span.name,
                start_us=span.start_us,
                end_us=span.end_us,
                status=span.status if span.end_us is not None or span.status != "ok" else "open",
            )

    def scenario_end(
        self, scenario: int, *, status: str, error: str | None, virtual_us: int, executions: int, events: int
    ) -> None:
        self._line(
            "scenario_end",
            scenario=scenario,
            status=status,
            error=error[:_TEXT_MAX] if error else None,
            virtual_us=virtual_us,
            executions=executions,
            simpy_events=events,
        )

    def end(self) -> None:
        self._line("end", scenarios=self._scenarios, executions=self._executions)

    def write(self, path: Path) -> None:
        """Write the record and, beside it, what the wall clock said. Raises BadInput when the place is not writable."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, "\n".join(self.lines) + "\n", self._mode)
            _replace(path.with_suffix(".wall.json"), json.dumps(self.wall, indent=1) + "\n", self._mode)
        except OSError as error:
            raise BadInput(str(path), f"cannot be written ({error.strerror})", "a writable place") from None


def _replace(path: Path, text: str, mode: int) -> None:
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)  # a full disk leaves nothing half-written
        raise
