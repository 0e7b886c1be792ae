"""What can be seen afterwards: steps that stand under Then."""

from collections.abc import Callable

from pytest_bdd import parsers, then

from features.steps.words import seconds
from scenarios.errors import BadInput
from scenarios.story import Story
from scenarios.target import Target, describe
from scenarios.world import World

_INSTANTS = {"it was requested": "created_us", "its run was made": "pipeline_run_created_us", "that": "hazard_us"}


def seen(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a step under Then."""
    return then(parsers.parse(text))


@seen("the {which} execution completes")
def completes(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        await target.reach(which, "Completed")

    story.each(tell)


@seen('the {which} execution fails with "{reason}"')
def fails_with(story: Story, which: str, reason: str) -> None:
    async def tell(target: Target) -> None:
        execution = await target.reach(which, "Failed")
        assert execution.reason == reason, f"expected {reason}, but it is {describe(execution)}"

    story.each(tell)


@seen('the {which} execution fails with "{reason}" or "{other}"')
def fails_with_either(story: Story, which: str, reason: str, other: str) -> None:
    async def tell(target: Target) -> None:
        execution = await target.reach(which, "Failed")
        assert execution.reason in (reason, other), f"expected {reason} or {other}, but it is {describe(execution)}"

    story.each(tell)


@seen("the {which} execution is still running")
def still_running(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        execution = await target.reach(which, "Running")
        assert execution.phase == "Running", f"it is {describe(execution)}"

    story.each(tell)


@seen("it ended between {low} and {high} after {instant}")
def ended_between(story: Story, low: str, high: str, instant: str) -> None:
    low_s, high_s = seconds(low), seconds(high)
    if instant not in _INSTANTS:
        raise BadInput("step", f'"after {instant}" is unknown', " or ".join(f'"after {one}"' for one in _INSTANTS))

    async def tell(target: Target) -> None:
        execution = target.spoken_of
        assert execution is not None, "no execution was spoken of yet"
        since_us = getattr(execution, _INSTANTS[instant])
        assert since_us is not None, f"never came to pass: {instant}"
        assert execution.terminal_us is not None, f"it is {describe(execution)}"
        took_s = (execution.terminal_us - since_us) / 1_000_000
        assert low_s <= took_s <= high_s, f"it ended {took_s:.1f} s after {instant}"

    story.each(tell)


@seen("no pod of its run has begun to work")
def no_pod_began(story: Story) -> None:
    async def tell(target: Target) -> None:
        started = target.lock.starts.get(target.lock.held_by or "", {})
        assert not started, f"pods began to work on {', '.join(started)}"

    story.each(tell)


@seen("the work of one task was begun twice")
def begun_twice(story: Story) -> None:
    async def tell(target: Target) -> None:
        starts = [count for tasks in target.lock.starts.values() for count in tasks.values()]
        assert sorted(starts)[-1:] == [2], f"the pods that began to work on each task: {starts}"

    story.each(tell)


@seen('one execution completes and the other fails with "{reason}"')
def one_completes(story: Story, reason: str) -> None:
    async def tell(target: Target) -> None:
        for which in ("first", "second"):
            await target.reach(which, "Completed", "Failed")
        states = sorted((execution.phase, execution.reason or "") for execution in target.executions())
        assert states == [("Completed", ""), ("Failed", reason)], f"the two ended as {states}"

    story.each(tell)


@seen("the {which} execution is waiting for the lock")
def waiting_for_lock(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        execution = target.execution(which)
        assert execution.phase == "Pending", f"it is {describe(execution)}"
        assert execution.waiting_for, "it is Pending, but says nothing about a lock"

    story.each(tell)


@seen("its explanation mentions {what}")
def explanation_mentions(story: Story, what: str) -> None:
    async def tell(target: Target) -> None:
        execution = target.spoken_of
        assert execution is not None, "no execution was spoken of yet"
        text = execution.waiting_for or f"{execution.message}\n{execution.summary}"
        named = target.execution(what.split()[1]).name if what.startswith("the ") else what.strip('"')
        target.spoken_of = execution
        assert named in text, f'"{named}" is not in: {text[:300]}'

    story.each(tell)


@seen("it {change} the cluster")
def changed(story: Story, change: str) -> None:
    words = {"changed nothing in": False, "may have changed": True}
    if change not in words:
        raise BadInput("step", f'"it {change} the cluster" is unknown', '"changed nothing in" or "may have changed"')

    async def tell(target: Target) -> None:
        execution = target.spoken_of
        assert execution is not None, "no execution was spoken of yet"
        assert execution.was_execution_failure is words[change], (
            f"counted as an execution failure: {execution.was_execution_failure}; it is {describe(execution)}"
        )

    story.each(tell)


@seen("exactly {count:d} runs were started on the target")
@seen("exactly {count:d} run was started on the target")
def runs_started(story: Story, count: int) -> None:
    async def tell(target: Target) -> None:
        taken = target.lock.taken
        assert taken == count, f"{taken} runs were started"

    story.each(tell)


@seen("no two runs worked on the target at the same time")
def no_overlap(story: Story) -> None:
    async def tell(target: Target) -> None:
        overlaps = target.lock.overlaps
        assert overlaps == 0, f"{overlaps} times a run began to work while another still worked"

    story.each(tell)


@seen("the lock is still held")
def still_held(story: Story) -> None:
    async def tell(target: Target) -> None:
        assert target.lock.held_by is not None, "nobody holds it"

    story.each(tell)


@seen("the lock is released between {low} and {high} after the {which} execution ended")
def released_between(story: Story, low: str, high: str, which: str) -> None:
    low_s, high_s = seconds(low), seconds(high)

    async def tell(target: Target) -> None:
        await target.released()
        execution = target.execution(which)
        assert execution.terminal_us is not None, f"it is {describe(execution)}"
        assert execution.lock_released_us is not None, "it held no lock"
        held_s = (execution.lock_released_us - execution.terminal_us) / 1_000_000
        assert low_s <= held_s <= high_s, f"it was released after {held_s:.1f} s"

    story.each(tell)


@seen('{statistic} of "{timing}" is below {limit}')
def statistic_below(story: Story, world: World, statistic: str, timing: str, limit: str) -> None:
    limit_s = seconds(limit)
    world.statistic(statistic, timing)  # refuses unknown words now, not after everything was played

    async def tell() -> None:
        value_s, n = world.statistic(statistic, timing)
        assert n, f'nothing to measure: no "{timing}" is over'
        assert value_s < limit_s, f"{statistic} is {value_s:.2f} s (n = {n})"

    story.once(tell)
