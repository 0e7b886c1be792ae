"""What is asked of the world and what befalls it: steps that stand under Given and under When alike."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pytest_bdd import given, parsers, when

from features.steps.words import seconds
from scenarios import permissions
from scenarios.cast import TROUBLES, check_step
from scenarios.errors import BadInput
from scenarios.story import Story
from scenarios.target import Target
from scenarios.world import World

_STATES: dict[str, Callable[[Target, str], Awaitable[object]]] = {
    "is requested": lambda _target, _which: asyncio.sleep(0),
    "is running": lambda target, which: target.reach(which, "Running"),
    "is at work": lambda target, which: target.at_work(which),
    "has completed": lambda target, which: target.reach(which, "Completed"),
    "has failed": lambda target, which: target.reach(which, "Failed"),
}


def asked(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a step under both words."""

    def register(step: Callable[..., Any]) -> Callable[..., Any]:
        for keyword in (given, when):
            keyword(parsers.parse(text), stacklevel=2)(step)
        return step

    return register


def check_workflow(world: World, workflow: str) -> None:
    """Raises BadInput for a workflow that is not in the catalogue."""
    if workflow not in world.workflows:
        raise BadInput("step", f'no workflow "{workflow}" in the catalogue', f"one of {', '.join(world.workflows)}")


@asked('the {which} execution of "{workflow}" {state}')
def execution_of(story: Story, world: World, which: str, workflow: str, state: str) -> None:
    check_workflow(world, workflow)
    if state not in _STATES:
        raise BadInput("step", f'an execution cannot be "{state}"', " or ".join(f'"{known}"' for known in _STATES))

    async def tell(target: Target) -> None:
        await target.request(which, workflow)
        await _STATES[state](target, which)

    story.each(tell)


@asked('two executions of "{workflow}" are requested at the same instant')
def two_executions(story: Story, world: World, workflow: str) -> None:
    check_workflow(world, workflow)
    story.each(lambda target: target.request_together(workflow))


@asked("the {which} execution is withdrawn")
def withdrawn(story: Story, which: str) -> None:
    story.each(lambda target: target.withdraw(which))


@asked("{duration} passes")
@asked("{duration} pass")
def time_passes(story: Story, duration: str) -> None:
    delay_s = seconds(duration)
    story.each(lambda _: asyncio.sleep(delay_s))


@asked("the lock is released")
def lock_is_released(story: Story) -> None:
    async def tell(target: Target) -> None:
        await target.released()

    story.each(tell)


@asked('the step "{step}" {trouble}')
def step_meets_trouble(story: Story, world: World, step: str, trouble: str) -> None:
    if trouble not in TROUBLES:
        raise BadInput("step", f'"{trouble}" is not known to befall a step', "; ".join(TROUBLES))
    try:
        check_step(step, world.workflows)
    except ValueError as error:
        raise BadInput("step", str(error)) from None

    async def tell(target: Target) -> None:
        target.trouble(step, trouble)

    story.each(tell)


@asked("{account} may not {action}")
def may_not(story: Story, world: World, account: str, action: str) -> None:
    permissions.check(account, action)
    story.once(lambda: world.forbid(account, action))


@asked("the controller crashes and restarts")
def controller_restarts(story: Story, world: World) -> None:
    story.once(world.crash_and_restart_controller)


@asked("the reply to the start of the next run is lost")
def reply_is_lost(story: Story) -> None:
    async def tell(target: Target) -> None:
        target.lose_next_reply()

    story.each(tell)
