"""What befalls Tekton's own processes: steps that stand under Given and under When alike."""

from features.steps.asking import asked
from features.steps.words import seconds
from scenarios.errors import BadInput
from scenarios.story import Story
from scenarios.tekton.settings import PROCESSES, Mishap, Process
from scenarios.world import World


def _process(word: str, kind: Mishap) -> Process:
    known = [name for name in PROCESSES if kind == "outage" or name != "webhook"]
    for name in known:
        if name == word:
            return name
    raise BadInput("step", f'no {kind} can befall "{word}"', " or ".join(f"Tekton's {name}" for name in known))


def _befalls(story: Story, world: World, word: str, kind: Mishap, lasting_s: float = 0.0) -> None:
    process = _process(word, kind)
    story.once(lambda: world.befall_tekton(process, kind, lasting_s))


@asked("an outage of Tekton's {process} for {duration}")
def outage(story: Story, world: World, process: str, duration: str) -> None:
    _befalls(story, world, process, "outage", seconds(duration))


@asked("a crash of Tekton's {process}")
def crash(story: Story, world: World, process: str) -> None:
    _befalls(story, world, process, "crash")


@asked("a restart of Tekton's {process}")
def restart(story: Story, world: World, process: str) -> None:
    _befalls(story, world, process, "restart")


@asked("a rollout of Tekton's {process}")
def rollout(story: Story, world: World, process: str) -> None:
    _befalls(story, world, process, "rollout")
