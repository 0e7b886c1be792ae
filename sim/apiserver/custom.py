"""The strategy of custom resources: what their CRD's schema says."""

from collections.abc import Sequence

from controller.ports import Document
from sim.apiserver.errors import Cause
from sim.apiserver.metadata import NEW_FINALIZERS
from sim.apiserver.schema import CompiledSchema
from sim.apiserver.strategy import Strategy


class CustomStrategy(Strategy):
    generation = True
    unconditional_update = False
    strategic_merge = False
    status_writes_metadata = False

    def __init__(self, schema: CompiledSchema, subresources: tuple[str, ...]) -> None:
        self.subresources = subresources
        self._schema = schema
        self.openapi = schema.openapi

    def decode(self, body: Document, old: Document | None, subresource: str) -> tuple[Document, Sequence[str]]:  # noqa: ARG002
        return self._schema.conform(body, old)

    def validate_create(self, new: Document) -> Sequence[Cause]:
        return self._schema.validate(new)

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:  # noqa: ARG002
        return self._schema.validate(new, old)

    def joined(self, metadata_causes: Sequence[Cause], causes: Sequence[Cause]) -> Sequence[Cause]:
        """New finalizers on a dying object are reported twice: the real server checks them in two places."""
        repeated = [one for one in metadata_causes if one.message.startswith(NEW_FINALIZERS)]
        return self._schema.joined([*metadata_causes, *repeated], causes)
