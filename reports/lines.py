"""The lines of a record: the public schema, one pydantic model a kind.

A record is JSON lines: one ``run``, then per scenario a ``scenario``, its ``step``, ``execution``, ``routing``,
``remediation``, ``span`` and ``calls`` lines and one ``scenario_end``, and at last one ``end``. Every ``*_us`` is in
whole virtual microseconds since the world of that scenario began; each scenario has its own world. Models are strict
(no number in quotes, no 1 for true) and ignore fields that they do not know, so that a writer may add some.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_LARGEST = 2**53  # beyond it JSON readers disagree about whole numbers, and 285 years are enough

Micros = Annotated[int, Field(ge=0, le=_LARGEST, description="whole virtual microseconds, 0 to 2^53")]
Instant = Annotated[int | None, Field(ge=0, le=_LARGEST, description="whole virtual microseconds, 0 to 2^53, or null")]
Count = Annotated[int, Field(ge=0, le=_LARGEST, description="a whole number, 0 to 2^53")]
Text = Annotated[str, Field(description="text")]
TextOrNull = Annotated[str | None, Field(description="text or null")]
Flag = Annotated[bool, Field(description="true or false")]
Settings = Annotated[dict[str, Any], Field(description="an object")]
Verdict = Annotated[Literal["passed", "failed"], Field(description='"passed" or "failed"')]


class Line(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Run(Line):
    """The first line: what was run, with which seed, against which backend.

    ``epoch`` is the time of day (RFC 3339) at 0 virtual microseconds; ``settings`` is free JSON.
    """

    kind: Literal["run"]
    schema_: Annotated[Literal[1], Field(alias="schema", description="the number 1")]
    version: Text
    seed: Annotated[int, Field(description="a whole number")]
    backend: Text
    epoch: Text
    command: Text
    settings: Settings


class Scenario(Line):
    """A scenario begins. ``id`` is 1 for the first and grows by 1; ``scale`` multiplies its executions."""

    kind: Literal["scenario"]
    id: Annotated[int, Field(ge=1, description="a whole number, 1 or more")]
    feature: Text
    description: Text
    file: Text
    line: Count
    name: Text
    tags: Annotated[list[str], Field(description="a list of texts")]
    scale: Count
    source: Annotated[
        Literal["feature", "workload", "recordings", "session"],
        Field(description='"feature", "workload", "recordings" or "session"'),
    ]
    settings: Settings


class Step(Line):
    """One Gherkin step and the stretch of virtual time it took."""

    kind: Literal["step"]
    scenario: Count
    keyword: Text
    text: Text
    line: Count
    status: Annotated[Literal["passed", "failed", "skipped"], Field(description='"passed", "failed" or "skipped"')]
    start_us: Micros
    end_us: Micros
    error: TextOrNull


class Execution(Line):
    """One WorkflowExecution and the instants of its life; null where an instant was not reached.

    ``pipeline_run`` is null when it never had one. ``censored``: not terminal when the run ended. Skipped is what an
    executor of version 3.1 wrote.
    ``hazard_us``: when something befell it that the scenario is about.
    """

    kind: Literal["execution"]
    scenario: Count
    namespace: Text
    name: Text
    workflow: Text
    target: Text
    pipeline_run: TextOrNull
    created_us: Micros
    pipeline_run_created_us: Instant
    running_us: Instant
    pipeline_run_finished_us: Instant
    terminal_us: Instant
    lock_released_us: Instant
    phase: Annotated[
        Literal["Pending", "Running", "Completed", "Failed", "Skipped"],
        Field(description='"Pending", "Running", "Completed", "Failed" or "Skipped"'),
    ]
    reason: TextOrNull
    was_execution_failure: Annotated[bool | None, Field(description="true, false or null")]
    message: Text
    censored: Flag
    deleted_us: Instant = None
    hazard_us: Instant = None


Phase = Literal[
    "Pending",
    "Processing",
    "Analyzing",
    "AwaitingApproval",
    "Executing",
    "Blocked",
    "Completed",
    "Failed",
    "TimedOut",
    "Skipped",
    "Cancelled",
]


class Routing(Line):
    """Of a scenario with remediations: how many were admitted by the API server, and the orchestrator's cooldown.

    ``cooldown_us`` is null where it is not known. There is none in a scenario without remediations.
    """

    kind: Literal["routing"]
    scenario: Count
    remediations: Count
    cooldown_us: Instant


class Remediation(Line):
    """One RemediationRequest: every phase it entered and when, how it ended and what it took.

    ``reason`` is why it was skipped, failed, timed out or waits; ``blocked_us`` the time it was blocked, by reason;
    ``executions`` the names of its WorkflowExecutions, in order. ``censored``: not terminal when the run ended.
    """

    kind: Literal["remediation"]
    scenario: Count
    namespace: Text
    name: Text
    target: Text
    signal: Text
    created_us: Micros
    decided_us: Instant
    terminal_us: Instant
    deleted_us: Instant
    phase: Annotated[Phase, Field(description="a phase of a RemediationRequest")]
    phases: Annotated[
        list[tuple[Phase, Annotated[int, Field(ge=0, le=_LARGEST)]]],
        Field(description="a list of pairs of a phase and an instant", strict=False),
    ]
    outcome: TextOrNull
    reason: TextOrNull
    message: Text
    requires_review: Flag
    duplicate_of: TextOrNull
    duplicates: Count
    recoveries: Count
    executions: Annotated[list[str], Field(description="a list of names")]
    analyses: Count
    notifications: Count
    blocked_us: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=_LARGEST)]],
        Field(description="an object of microseconds by reason"),
    ]
    censored: Flag


class Situation(Line):
    """What a controller told of one recorded situation; ``noticed_us`` from the end of the run, null if it had none.

    ``evidence`` is what ended the run, ``verdict`` what Tekton itself said of it.
    """

    kind: Literal["situation"]
    scenario: Count
    situation: Text
    version: Text
    phase: Text
    reason: Text
    started: Annotated[bool | None, Field(description="true, false or null")]
    task: Text
    evidence: Text
    noticed_us: Instant
    verdict: Text
    summary: Text


class Span(Line):
    """A stretch of one execution's life on one lane (an object, or a step of it); ``end_us`` null: still open."""

    kind: Literal["span"]
    scenario: Count
    execution: Annotated[str, Field(description='text "namespace/name"')]
    lane: Text
    name: Text
    start_us: Micros
    end_us: Instant
    status: Annotated[
        Literal["ok", "failed", "waiting", "lock", "open"],
        Field(description='"ok", "failed", "waiting", "lock" or "open"'),
    ]


class Calls(Line):
    """API calls of one component, by verb and resource; ``errors`` counts answers by HTTP status code."""

    kind: Literal["calls"]
    scenario: Count
    component: Text
    verb: Text
    resource: Text
    count: Count
    errors: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=_LARGEST)]],
        Field(description="an object of counts by HTTP status code"),
    ]


class Request(Line):
    """Of a session: a request from outside, ``number`` 1 for the first, and the code of its answer.

    The line holds the whole request, so that the session can be repeated.
    """

    kind: Literal["request"]
    scenario: Count
    at_us: Micros
    number: Count
    method: Text
    path: Text
    status: Count


class Attempt(Line):
    """Of a session: a request came as far as a webhook that had to be asked first, and changed nothing yet."""

    kind: Literal["attempt"]
    scenario: Count
    at_us: Micros


class HangUp(Line):
    """Of a session: the watch that request ``request`` opened was ended from outside."""

    kind: Literal["hang_up"]
    scenario: Count
    at_us: Micros
    request: Count


class ScenarioEnd(Line):
    """A scenario is over. ``executions`` must agree with the lines above it."""

    kind: Literal["scenario_end"]
    scenario: Count
    status: Verdict
    error: TextOrNull
    virtual_us: Micros
    executions: Count
    simpy_events: Count


class End(Line):
    """The last line: without it, or when a count does not agree, the record is truncated."""

    kind: Literal["end"]
    scenarios: Count
    executions: Count


Outside = Request | Attempt | HangUp
ScenarioLine = Step | Outside | Execution | Routing | Remediation | Situation | Span | Calls | ScenarioEnd
"""What stands between a ``scenario`` line and the next."""
AnyLine = Run | Scenario | ScenarioLine | End
MODELS: dict[str, type[Line]] = {
    "run": Run,
    "scenario": Scenario,
    "step": Step,
    "request": Request,
    "attempt": Attempt,
    "hang_up": HangUp,
    "execution": Execution,
    "routing": Routing,
    "remediation": Remediation,
    "situation": Situation,
    "span": Span,
    "calls": Calls,
    "scenario_end": ScenarioEnd,
    "end": End,
}


class Wall(Line):
    """What the wall clock said, beside the record: seconds of the run and of each scenario by its id."""

    wall_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False, description="seconds, 0 or more")]
    scenarios: Annotated[
        dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]],
        Field(description="an object of seconds by scenario id"),
    ] = {}
