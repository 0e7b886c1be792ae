"""Plays recordings to a real Tekton and makes new recordings of what it writes."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from controller.live.access import NoAccess, from_kubeconfig
from controller.ports import ApiError, ConnectionLost, Resource
from scenarios.errors import BadInput
from scenarios.golden.form import collapsed
from scenarios.golden.live import LiveStage, PlayBroken, StageCluster
from scenarios.golden.milestones import recorded_order
from scenarios.golden.notebook import Notebook
from scenarios.golden.player import Played, play
from scenarios.golden.premises import Premises
from scenarios.golden.recording import Recording, of_json, to_json

_CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
_OVERTIME_S = 120.0  # more than setting up, settling and synchronising take together


@dataclass(frozen=True, slots=True)
class Site:
    """A real cluster, and where in it to play."""

    kubeconfig: Path
    context: str = ""
    namespace: str = "rehearse-golden"
    existing: bool = False
    """The namespace is there already, unused, and stays."""
    tekton_namespace: str = "tekton-pipelines"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one recording: either it was ``played``, or one of the two texts says why not."""

    script: Recording
    """What was played, moved to the site's namespace."""
    played: Played | None = None
    recorded: Recording | None = None
    """The same situation with what this Tekton wrote, to be kept as ``text(recorded)``."""
    needs_simulation: str = ""
    """What a real cluster cannot be asked to do from outside."""
    trouble: str = ""


def record(
    site: Site,
    choose: Callable[[str], Sequence[Recording]],
    tell: Callable[[Outcome], None],
) -> None:
    """Play what ``choose`` answers for the cluster's release of Tekton (``v1.15.0``), one after the other.

    ``tell`` hears every outcome at once. Raises BadInput for a site that cannot be used, PlayBroken when a
    namespace cannot be set up or cleaned up.
    """
    asyncio.run(_record(site, choose, tell))


async def _record(
    site: Site,
    choose: Callable[[str], Sequence[Recording]],
    tell: Callable[[Outcome], None],
) -> None:
    try:
        configuration = await from_kubeconfig(site.kubeconfig, site.context)
    except NoAccess as error:
        raise BadInput("--kubeconfig", str(error)) from None
    async with StageCluster(configuration, site.namespace) as cluster:
        try:
            version = await _release(cluster, site)
        except (ApiError, ConnectionLost) as error:
            raise BadInput(f"--kubeconfig {site.kubeconfig}", f"no answer that helps: {error}") from None
        playable = []
        for recording in choose(version):
            if recording.needs:
                tell(Outcome(recording, needs_simulation=f"to {', to '.join(sorted(recording.needs))}"))
            else:
                playable.append(recording)
        if playable:
            try:
                await _play_all(cluster, site, version, playable, tell)
            except (ApiError, ConnectionLost) as error:
                raise PlayBroken(f"before or after a play: {error}") from None


async def _play_all(
    cluster: StageCluster,
    site: Site,
    version: str,
    recordings: Iterable[Recording],
    tell: Callable[[Outcome], None],
) -> None:
    async with Premises(cluster, site.namespace, existing=site.existing) as premises:
        for number, recording in enumerate(recordings):
            script = _moved(recording, site.namespace)
            stage = LiveStage(cluster, site.namespace, f"rehearse-{premises.uid[:8]}-{number}")
            try:
                async with asyncio.timeout(script.duration_ms / 1000 + _OVERTIME_S):
                    played = await stage.through(play(script, stage))
            except (ApiError, ConnectionLost, PlayBroken, TimeoutError) as error:
                tell(Outcome(script, trouble=str(error) or "the cluster did not keep up"))
            else:
                played = _in_order(played, stage, site.namespace)
                tell(Outcome(script, played, _recorded(script, played, version)))
            await premises.clear()


async def _release(cluster: StageCluster, site: Site) -> str:
    """What Tekton says of itself, to everybody who may log in."""
    try:
        told = await cluster.get(_CONFIG_MAPS, site.tekton_namespace, "pipelines-info")
    except ApiError as error:
        if error.code != 404:
            raise
        where = f"--tekton-namespace {site.tekton_namespace}"
        raise BadInput(where, "there is no ConfigMap pipelines-info in it", "the namespace of Tekton") from None
    return str(told["data"]["version"])


def _moved(recording: Recording, namespace: str) -> Recording:
    """The same situation in another namespace: texts that name it follow."""
    text = json.dumps(to_json(recording))
    return of_json(json.loads(text.replace(recording.namespace, namespace)))


def _in_order(played: Played, stage: LiveStage, namespace: str) -> Played:
    """What was noted as it arrived, noted once more as it was stored: a child may overtake its parent."""
    notebook = Notebook(namespace)
    for seen in stage.in_store_order():
        notebook.observed(*seen)
    writes = {symbol: collapsed(ones) for symbol, ones in notebook.writes.items()}
    return replace(played, writes=writes, ordered=notebook.ordered, told=sorted(notebook.told))


def _recorded(script: Recording, played: Played, version: str) -> Recording:
    actions = [
        {**action, "answer": list(played.answers[number])} if "answer" in action else action
        for number, action in enumerate(script.actions)
    ]
    return replace(
        script,
        version=version,
        alone=True,
        returned_spec=played.returned_spec,
        refusal=played.refusal,
        actions=actions,
        expect=played.writes,
        order=recorded_order(played.ordered),
        events=played.told,
        calls={},
        whole_calls=False,
    )
