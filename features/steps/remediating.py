"""What reaches the orchestrator and what people do about it: steps that stand under Given and under When alike."""

from collections.abc import Callable, Mapping

from controller.orchestrator.labels import APPROVED, REJECTED
from features.steps.asking import asked, check_workflow
from features.steps.words import seconds
from scenarios.cast import TROUBLES, check_step
from scenarios.errors import BadInput
from scenarios.remediation import signals
from scenarios.story import Story
from scenarios.target import Target
from scenarios.world import World

_STATES: Mapping[str, tuple[str, ...]] = {
    "is being analysed": ("Analyzing",),
    "awaits approval": ("AwaitingApproval",),
    "is executing": ("Executing",),
    "is blocked": ("Blocked",),
    "has completed": ("Completed",),
    "has failed": ("Failed",),
    "has timed out": ("TimedOut",),
    "was skipped": ("Skipped",),
}
_MOODS: Mapping[str, str] = {
    "finds nothing to do": "not_needed",
    "finds no workflow": "nothing_found",
    "is not sure": "unsure",
    "breaks down": "error",
    "never answers": "silent",
}
_ANSWERS: Mapping[str, str] = {"approves": APPROVED, "rejects": REJECTED, "never looks at": ""}
_ATTEMPTS: Mapping[str, str] = {"first": "", "second": "-recovery-1", "third": "-recovery-2", "fourth": "-recovery-3"}


def word(words: Mapping[str, object], text: str, what: str) -> None:
    """Raises BadInput for a word that is not among ``words``."""
    if text not in words:
        raise BadInput("step", f'{what} "{text}" is unknown', " or ".join(f'"{known}"' for known in words))


@asked('the {which} signal arrives, for which the analyst recommends "{workflow}"')
def signal_arrives(story: Story, world: World, which: str, workflow: str) -> None:
    _signal(story, world, which, (workflow,))


@asked('the {which} signal arrives, for which the analyst recommends first "{one}" and then "{two}"')
def signal_with_two(story: Story, world: World, which: str, one: str, two: str) -> None:
    _signal(story, world, which, (one, two))


@asked('the {which} signal arrives about the same as the {other}, for which the analyst recommends "{workflow}"')
def same_signal(story: Story, world: World, which: str, other: str, workflow: str) -> None:
    _signal(story, world, which, (workflow,), about=other)


@asked("the {which} signal arrives, for which the analyst recommends what it likes")
def signal_of_choice(story: Story, world: World, which: str) -> None:
    _signal(story, world, which, ())


def _signal(story: Story, world: World, which: str, workflows: tuple[str, ...], about: str = "") -> None:
    for workflow in workflows:
        check_workflow(world, workflow)
    story.each(lambda target: signals.signal(target, which, workflows, about=about))


@asked('two signals arrive at the same instant, for which the analyst recommends first "{one}" and then "{two}"')
def two_signals(story: Story, world: World, one: str, two: str) -> None:
    for workflow in (one, two):
        check_workflow(world, workflow)
    story.each(lambda target: signals.together(target, (one, two)))


@asked("the {which} remediation {state}")
def remediation_is(story: Story, which: str, state: str) -> None:
    word(_STATES, state, "a remediation that")

    async def tell(target: Target) -> None:
        await signals.reach(target, which, *_STATES[state])

    story.each(tell)


@asked("the analyst {does} about the {which} signal")
def analyst_does(story: Story, does: str, which: str) -> None:
    word(_MOODS, does, "an analyst that")
    _now(
        story, lambda target: target.backstage.orchestration.analyst.mood(signals.name_of(target, which), _MOODS[does])
    )


@asked("the analyst takes {duration} over the {which} signal")
def analyst_takes(story: Story, duration: str, which: str) -> None:
    delay_us = round(seconds(duration) * 1_000_000)
    _now(story, lambda target: target.backstage.orchestration.analyst.pace(signals.name_of(target, which), delay_us))


@asked("the approver {does} the {which} remediation")
def approver_does(story: Story, does: str, which: str) -> None:
    word(_ANSWERS, does, "an approver that")
    answer = _ANSWERS[does]
    _now(story, lambda target: target.backstage.orchestration.approver.decide(signals.name_of(target, which), answer))


@asked('the step "{step}" {trouble} in the {attempt} execution of the {which} remediation')
def one_execution_meets(story: Story, world: World, step: str, trouble: str, attempt: str, which: str) -> None:
    word(TROUBLES, trouble, "a step that")
    word(_ATTEMPTS, attempt, "the execution called")
    try:
        check_step(step, world.workflows)
    except ValueError as error:
        raise BadInput("step", str(error)) from None
    _now(
        story,
        lambda target: target.backstage.trouble(
            f"we-{signals.name_of(target, which)}{_ATTEMPTS[attempt]}", step, trouble
        ),
    )


@asked("somebody clears the block that the {which} remediation left")
def block_cleared(story: Story, which: str) -> None:
    story.each(lambda target: signals.clear_block(target, which))


@asked("somebody deletes the analysis of the {which} remediation")
def analysis_deleted(story: Story, which: str) -> None:
    story.each(lambda target: signals.delete_analysis(target, which))


@asked("somebody deletes the execution of the {which} remediation")
def execution_deleted(story: Story, which: str) -> None:
    story.each(lambda target: signals.delete_execution(target, which))


@asked("somebody withdraws the {which} remediation")
def withdrawn(story: Story, which: str) -> None:
    story.each(lambda target: signals.withdraw(target, which))


@asked("the orchestrator crashes and restarts")
def orchestrator_restarts(story: Story, world: World) -> None:
    story.once(world.crash_and_restart_orchestrator)


@asked("signals wait for a busy target")
def signals_wait(story: Story, world: World) -> None:
    story.once(world.let_signals_wait)


@asked("a second orchestrator believes that it leads")
def split_brain(story: Story, world: World) -> None:
    story.once(world.split_brain)


def _now(story: Story, do: Callable[[Target], object]) -> None:
    async def tell(target: Target) -> None:
        do(target)

    story.each(tell)
