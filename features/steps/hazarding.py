"""What others do behind the controller's back: steps that stand under Given and under When alike."""

from collections.abc import Awaitable, Callable

import pytest

from features.steps.asking import asked, check_workflow
from features.steps.words import seconds
from scenarios.errors import BadInput
from scenarios.story import Story
from scenarios.target import Target
from scenarios.tekton import hazards
from scenarios.tekton.rollout import Rollout
from scenarios.world import World


def _befalls(story: Story, hazard: str, do: Callable[[Target], Awaitable[None]], *, lasting: bool = False) -> None:
    async def tell(target: Target) -> None:
        target.struck(hazard, lasting=lasting)
        await do(target)

    story.each(tell)


@asked("someone deletes its run but leaves its tasks behind")
def orphaned(story: Story) -> None:
    _befalls(story, "tasks are left behind", lambda target: hazards.delete_run(target, "Orphan"), lasting=True)


@asked("someone deletes its run without waiting for its pods")
def deleted_in_the_background(story: Story) -> None:
    _befalls(story, "the run is deleted", lambda target: hazards.delete_run(target, "Background"), lasting=True)


@asked("someone deletes what was left behind")
def leftovers_deleted(story: Story) -> None:
    story.each(hazards.delete_leftovers)


@asked("someone removes its pod by force")
def pod_removed(story: Story) -> None:
    _befalls(story, "the pod is removed by force", hazards.force_delete_pod)


@asked("a log collector holds its pods")
def pods_held(story: Story) -> None:
    story.each(hazards.hold_pods)


@asked("the log collector lets go of its pods")
def pods_let_go(story: Story) -> None:
    story.each(hazards.let_pods_go)


@asked("an execution may take {duration}")
def may_take(story: Story, duration: str) -> None:
    timeout = f"{round(seconds(duration) * 1000)}ms"

    async def tell(target: Target) -> None:
        target.timeout = timeout

    story.each(tell)


@asked("a quota leaves no room for {what}")
def no_room(story: Story, world: World, what: str) -> None:
    if what not in hazards.COUNTED:
        raise BadInput("step", f'"{what}" cannot be limited', " or ".join(hazards.COUNTED))

    async def tell() -> None:
        for target in world.targets:
            target.struck(f"no room for {what}", lasting=True)
        await world.leave_no_room(what)

    story.once(tell)


@asked("the quota is raised")
def room_made(story: Story, world: World) -> None:
    async def tell() -> None:
        for target in world.targets:
            target.struck("the quota is raised")
        await world.make_room()

    story.once(tell)


@asked("the registry does not answer")
def registry_is_silent(story: Story, world: World) -> None:
    story.once(world.silence_registry)


@asked("the registry answers again")
def registry_answers(story: Story, world: World) -> None:
    story.once(world.heal_registry)


@pytest.fixture
def rollout(world: World) -> Rollout:
    """The restarts of Tekton's resolvers in this scenario."""
    return Rollout(world)


@asked('Tekton\'s resolvers restart while the bundle of the {which} execution of "{workflow}" is fetched')
def resolvers_restart(story: Story, world: World, rollout: Rollout, which: str, workflow: str) -> None:
    check_workflow(world, workflow)
    story.each(lambda target: rollout.meet(target, lambda: target.request(which, workflow)))
