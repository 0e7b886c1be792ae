"""What can be seen of remediations afterwards: steps that stand under Then."""

from features.steps.remediating import word
from features.steps.seeing import seen
from features.steps.words import seconds
from scenarios.remediation import signals
from scenarios.story import Story
from scenarios.target import Target

_NOTES = {
    "manual review": "nr-manual-review-",
    "approval": "nr-approval-",
    "its duplicates": "nr-bulk-",
    "its timeout": "timeout-",
    "the timeout of its phase": "phase-timeout-",
}


@seen("the {which} remediation completes")
def completes(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "Completed")
        assert found.outcome == "Remediated", f"its outcome is {found.outcome}"

    story.each(tell)


@seen("the {which} remediation completes without an execution")
def completes_without(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "Completed")
        assert (found.outcome, found.executions) == ("NoActionRequired", []), f"it is {signals.describe(found)}"

    story.each(tell)


@seen('the {which} remediation fails with "{reason}"')
def fails_with(story: Story, which: str, reason: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "Failed")
        assert reason in (found.skip_reason, found.failure_reason), f"it is {signals.describe(found)}"

    story.each(tell)


@seen('the {which} remediation is skipped because of "{reason}"')
def skipped_because(story: Story, which: str, reason: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "Skipped")
        assert found.skip_reason == reason, f"it is {signals.describe(found)}"

    story.each(tell)


@seen('the {which} remediation is blocked because of "{reason}"')
def blocked_because(story: Story, which: str, reason: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "Blocked")
        assert found.block_reason == reason, f"it is {signals.describe(found)}"

    story.each(tell)


@seen('the {which} remediation times out in "{phase}"')
def times_out(story: Story, which: str, phase: str) -> None:
    async def tell(target: Target) -> None:
        found = await signals.reach(target, which, "TimedOut")
        assert found.timeout_phase == phase, f"the phase named is {found.timeout_phase}"

    story.each(tell)


@seen("one of the two executes, and the other is turned away or loses the race")
def one_executes(story: Story) -> None:
    async def tell(target: Target) -> None:
        ends = [await signals.reach(target, which, "Completed", "Skipped", "Failed") for which in ("first", "second")]
        firsts = [signals.execution_reasons(target, which)[:1] for which in ("first", "second")]
        lost = sorted(firsts, key=str)
        assert lost in ([["ExecutionRaceCondition"], [None]], [[None], []]), (
            f"they ended as {[signals.describe(found) for found in ends]}, their executions with {firsts}"
        )

    story.each(tell)


@seen("the {which} remediation names the {other} one")
def names_other(story: Story, which: str, other: str) -> None:
    async def tell(target: Target) -> None:
        found, wanted = signals.remediation(target, which), signals.name_of(target, other)
        named = (found.duplicate_of or "", found.blocking or "", found.message)
        assert any(wanted in one for one in named), f'"{wanted}" is not named: {signals.describe(found)}'

    story.each(tell)


@seen("the {which} remediation was executed {count:d} times")
@seen("the {which} remediation was executed {count:d} time")
def executed(story: Story, which: str, count: int) -> None:
    async def tell(target: Target) -> None:
        made = signals.remediation(target, which).executions
        assert len(made) == count, f"executions made: {made}"

    story.each(tell)


@seen("the {which} remediation was analysed {count:d} times")
@seen("the {which} remediation was analysed {count:d} time")
def analysed(story: Story, which: str, count: int) -> None:
    async def tell(target: Target) -> None:
        made = signals.remediation(target, which).analyses
        assert len(made) == count, f"analyses made: {made}"

    story.each(tell)


@seen("the {which} remediation counts {count:d} duplicates")
@seen("the {which} remediation counts {count:d} duplicate")
def counts_duplicates(story: Story, which: str, count: int) -> None:
    async def tell(target: Target) -> None:
        await signals.until(target, which, lambda found: found.duplicates == count, f"{count} duplicates")

    story.each(tell)


@seen("somebody is asked for {what} of the {which} remediation")
@seen("somebody is told of {what} of the {which} remediation")
def notified(story: Story, what: str, which: str) -> None:
    word(_NOTES, what, "a notification about")

    async def tell(target: Target) -> None:
        await signals.until(
            target,
            which,
            lambda found: sum(name.startswith(_NOTES[what]) for name in found.notifications) == 1,
            f"one notification about {what}",
        )

    story.each(tell)


@seen("nobody is notified about the {which} remediation")
def not_notified(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        sent = signals.remediation(target, which).notifications
        assert not sent, f"notifications were sent: {sent}"

    story.each(tell)


@seen("exactly {count:d} notification was sent about the {which} remediation")
@seen("exactly {count:d} notifications were sent about the {which} remediation")
def notifications_sent(story: Story, count: int, which: str) -> None:
    async def tell(target: Target) -> None:
        sent = signals.remediation(target, which).notifications
        assert len(sent) == count, f"notifications were sent: {sent}"

    story.each(tell)


@seen("the {which} remediation was blocked between {low} and {high}")
def blocked_between(story: Story, which: str, low: str, high: str) -> None:
    low_s, high_s = seconds(low), seconds(high)

    async def tell(target: Target) -> None:
        found = signals.remediation(target, which)
        waited_s = sum(found.waited_us.values()) / 1_000_000
        assert low_s <= waited_s <= high_s, f"it was blocked for {waited_s:.1f} s"

    story.each(tell)


@seen("nothing is left of the {which} remediation")
def nothing_left(story: Story, which: str) -> None:
    async def tell(target: Target) -> None:
        await signals.gone(target, which)

    story.each(tell)
