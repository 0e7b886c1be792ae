"""Admission: the chain of plugins between authorisation and the store."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from controller.ports import Document, Resource
from sim.apiserver.identity import User

Operation = Literal["CREATE", "UPDATE", "DELETE"]


@dataclass(slots=True)
class AdmissionRequest:
    """What a plugin is asked about. ``old`` is None on CREATE, ``new`` is None on DELETE.

    ``namespace`` is ``""`` for cluster-scoped objects; ``name`` is ``""`` when generateName has not been resolved.
    """

    operation: Operation
    user: User
    resource: Resource
    subresource: str
    namespace: str
    name: str
    old: Document | None
    new: Document | None
    dry_run: bool = False


Mutator = Callable[[AdmissionRequest], Document]
"""Answers the document to go on with: ``request.new`` itself or a changed copy. Raises ApiError to refuse."""
Validator = Callable[[AdmissionRequest], None]
"""Raises ApiError to refuse."""


@dataclass(frozen=True, slots=True)
class _Rule:
    plugin: Callable[[AdmissionRequest], Document | None]
    resources: frozenset[str] | None
    operations: frozenset[str]
    active: Callable[[], bool]

    def covers(self, resource: str, operation: Operation) -> bool:
        return operation in self.operations and (self.resources is None or resource in self.resources) and self.active()


def _always() -> bool:
    return True


class Chain:
    """Plugins in the order of their registration, mutators before validators.

    ``resources`` are group resources, with ``/status`` and the like for subresources
    (``pods``, ``pipelineruns.tekton.dev``); None is every resource.
    """

    def __init__(self) -> None:
        self._mutators: list[_Rule] = []
        self._validators: list[_Rule] = []
        self._cache: dict[tuple[str, Operation], tuple[tuple[Mutator, ...], tuple[Validator, ...]]] = {}

    def mutate(
        self,
        plugin: Mutator,
        *,
        resources: Collection[str] | None = None,
        operations: Collection[str] = ("CREATE",),
        active: Callable[[], bool] = _always,
    ) -> None:
        """A plugin that is not ``active`` is passed over; call :meth:`reconsider` when that changes."""
        self._add(self._mutators, plugin, resources, operations, active)

    def validate(
        self,
        plugin: Validator,
        *,
        resources: Collection[str] | None = None,
        operations: Collection[str] = ("CREATE",),
        active: Callable[[], bool] = _always,
    ) -> None:
        """As :meth:`mutate`."""
        self._add(self._validators, plugin, resources, operations, active)

    def reconsider(self) -> None:
        self._cache.clear()

    def _add(
        self,
        rules: list[_Rule],
        plugin: Callable[[AdmissionRequest], Document | None],
        resources: Collection[str] | None,
        operations: Collection[str],
        active: Callable[[], bool] = _always,
    ) -> None:
        covered = None if resources is None else frozenset(resources)
        rules.append(_Rule(plugin, covered, frozenset(operations), active))
        self._cache.clear()

    def plugins(self, resource: str, operation: Operation) -> tuple[tuple[Mutator, ...], tuple[Validator, ...]]:
        """The plugins that cover a resource (``pods`` or ``pods/status``) under an operation."""
        found = self._cache.get((resource, operation))
        if found is None:
            mutators = tuple(rule.plugin for rule in self._mutators if rule.covers(resource, operation))
            validators = tuple(rule.plugin for rule in self._validators if rule.covers(resource, operation))
            found = self._cache[resource, operation] = (mutators, validators)  # type: ignore[assignment]
        return found  # type: ignore[return-value]
