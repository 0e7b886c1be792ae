"""Names of namespaces and targets that read like a real cluster's, all different, all valid DNS labels.

faker invents the words once per world; names are combined from them, because asking faker for each would cost more
than the whole execution that the name is for.
"""

import re
from collections.abc import Iterator
from random import Random

from faker import Faker

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
_ROLES = ("api", "worker", "cache", "gateway", "db", "queue", "auth", "search", "batch", "web")
_STAGES = ("prod", "staging", "dev", "test")
_WORDS = 200
_LABEL_MAX = 63
_NOT_LABEL = re.compile(r"[^a-z0-9]+")


class Names:
    """``stream`` seeds a faker of its own, so that no other names of the process are disturbed."""

    def __init__(self, stream: Random) -> None:
        faker = Faker("en_US")
        faker.seed_instance(stream.getrandbits(64))
        self._stream = stream
        self._companies = _distinct(faker.last_name() for _ in range(20 * _WORDS))
        self._words = _distinct(faker.word() for _ in range(20 * _WORDS))

    def namespaces(self, count: int) -> list[str]:
        """``count`` different namespaces, such as ``henderson-prod``."""
        return _numbered(_pairs(self._shuffled(self._companies), _STAGES, count), count)

    def workloads(self, count: int) -> list[str]:
        """``count`` different names of deployments and their like, such as ``season-api``."""
        return _numbered(_pairs(self._shuffled(self._words), _ROLES, count), count)

    def targets(self, count: int, *, namespaces: int = 10) -> list[str]:
        """``count`` different targets ``namespace/Kind/name``, no two names alike, over so many namespaces."""
        if namespaces < 1:
            raise ValueError(f"targets need at least 1 namespace, not {namespaces}")
        homes = self.namespaces(namespaces)
        draw = self._stream.random
        return [
            f"{homes[number % namespaces]}/{KINDS[int(draw() * len(KINDS))]}/{name}"
            for number, name in enumerate(self.workloads(count))
        ]

    def _shuffled(self, words: tuple[str, ...]) -> list[str]:
        return self._stream.sample(words, len(words))


def targets(stream: Random, count: int, *, namespaces: int = 10) -> list[tuple[str, str]]:
    """``count`` pairs of a workload's name and its target: ``("season-api", "ford-prod/Deployment/season-api")``."""
    return [(target.rpartition("/")[2], target) for target in Names(stream).targets(count, namespaces=namespaces)]


def _distinct(raw: Iterator[str]) -> tuple[str, ...]:
    """The first ``_WORDS`` different ones that are DNS labels with room for a suffix."""
    labels: dict[str, None] = {}
    for text in raw:
        label = _NOT_LABEL.sub("-", text.lower()).strip("-")
        if label and label[0].isalpha() and len(label) <= _LABEL_MAX // 2:
            labels[label] = None
            if len(labels) == _WORDS:
                break
    return tuple(labels)


def _pairs(words: list[str], suffixes: tuple[str, ...], count: int) -> list[str]:
    """At most ``count`` different combinations, in which neither words nor suffixes come in runs."""
    rounds = range(min(len(suffixes), count // len(words) + 1))
    return [
        f"{word}-{suffixes[(position + turn) % len(suffixes)]}"
        for turn in rounds
        for position, word in enumerate(words)
    ]


def _numbered(names: list[str], count: int) -> list[str]:
    """``count`` names: those given first, then the same ones with a number."""
    size = len(names)
    return [names[n] if n < size else f"{names[n % size]}-{n // size + 1}" for n in range(count)]
