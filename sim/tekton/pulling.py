"""One pull of a bundle: manifest and layer, the registry's moods, two attempts and a minute at most."""

from random import Random

from controller.ports import ConnectionLost
from sim.loop import Loop
from sim.tekton.bundles import BundleCatalogue, Entry, RegistryError
from sim.tekton.imagereference import ImageReference, parse
from sim.tekton.options import TektonOptions
from sim.tekton.registry import ANSWERS, RETRIES, RETRY_AFTER_US, RETRY_STRETCH, Answer

_LATE = "context deadline exceeded"


class Puller:
    def __init__(
        self, loop: Loop, options: TektonOptions, bundles: BundleCatalogue, stream: Random, moods: Random
    ) -> None:
        self._loop = loop
        self._options = options
        self._bundles = bundles
        self._stream = stream
        self._moods = moods

    async def pull(self, image: str, kind: str, name: str, logins: frozenset[str]) -> Entry:
        """One object of ``image``. Raises RegistryError, BundleError; ConnectionLost when the time is over."""
        reference = parse(image)
        until_us = self._loop.now_us + self._options.fetch_timeout_us
        for attempt in range(RETRIES + 1):
            answer = self._answer(image, reference, logins)
            if answer is None:
                await self._within(until_us, self._options.pull.sample_us(self._stream))
                return self._bundles.fetch(image, kind, name)
            refused_us = self._options.pull_failure.sample_us(self._stream)
            await self._within(until_us, refused_us if answer.wait_us is None else answer.wait_us)
            if attempt == RETRIES or not self._again(answer):
                raise RegistryError(answer.told(reference))
            await self._within(until_us, int(RETRY_AFTER_US * (1 + self._moods.random() * RETRY_STRETCH)))
        raise AssertionError("the last attempt neither returned nor raised")

    def _again(self, answer: Answer) -> bool:
        return answer.temporary or (answer is ANSWERS["rate limited"] and self._options.version.registry_retries_429)

    def _answer(self, image: str, reference: ImageReference, logins: frozenset[str]) -> Answer | None:
        answer = self._bundles.refusal(image, reference, logins)
        if answer is None and self._options.registry_failures:
            luck = self._moods.random()
            for kind, rate in self._options.registry_failures:
                if luck < rate:
                    return ANSWERS[kind]
                luck -= rate
        return answer

    async def _within(self, until_us: int, delay_us: int) -> None:
        left_us = until_us - self._loop.now_us
        await self._loop.pause(min(delay_us, max(left_us, 0)))
        if delay_us >= left_us:
            raise ConnectionLost(_LATE)
