"""A CRD version's structural OpenAPI v3 schema, compiled once into closures.

What a document shares with its predecessor (the very same object) is neither pruned, defaulted nor validated again,
so a status patch costs what the status costs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.causes import BLOCKING, UNCHECKED
from sim.apiserver.celrules import compile_rules
from sim.apiserver.conforming import compile_conforming
from sim.apiserver.errors import Cause
from sim.apiserver.structure import any_object, compile_check, compile_uniqueness
from sim.apiserver.valuechecks import ABSENT


class CompiledSchema:
    """What one served version of a custom resource accepts. Raises RuleError for a CEL rule that does not compile."""

    def __init__(self, openapi: Mapping[str, Any]) -> None:
        self.openapi = openapi
        self._conform = compile_conforming(openapi, resource=True)
        check = compile_check(_without_metadata(openapi))
        self._check = None if check is any_object else check  # a document is an object
        self._unique = compile_uniqueness(openapi)
        self._rules = compile_rules(openapi)
        self._accepts_all = self._check is None and self._unique is None and self._rules is None

    def conform(self, document: Document, old: Document | None = None) -> tuple[Document, list[str]]:
        """The document pruned, without nulls that are no values, with its defaults; and the unknown fields' paths.

        The paths are sorted, as the server reports them.
        """
        if self._conform is None or document is old:
            return document, []
        unknown: list[str] = []
        shaped: Document = self._conform(document, old, None, unknown)
        unknown.sort()
        return shaped, unknown

    def validate(self, new: Document, old: Document | None = None) -> list[Cause]:
        """Everything wrong with ``new``; unchanged wrongs of ``old`` are forgiven (ratcheting)."""
        causes: list[Cause] = []
        if new is old or self._accepts_all:
            return causes
        if self._check is not None:
            self._check(new, ABSENT if old is None else old, None, causes)
        if self._unique is not None:
            self._unique(new, old, None, causes)
        if self._rules is not None:
            if causes and any(cause.reason in BLOCKING for cause in causes):
                causes.append(UNCHECKED)
            else:
                self._rules(new, old, "", causes)
        return causes

    def joined(self, metadata_causes: Sequence[Cause], causes: Sequence[Cause]) -> list[Cause]:
        """All causes in the server's order; wrong metadata keeps CEL rules from being evaluated, too."""
        found = [*metadata_causes, *causes]
        blocked = any(cause.reason in BLOCKING for cause in metadata_causes)
        return [*found, UNCHECKED] if blocked and self._rules is not None and UNCHECKED not in causes else found


def compile_schema(openapi: Mapping[str, Any]) -> CompiledSchema:
    """Compile ``spec.versions[].schema.openAPIV3Schema``."""
    return CompiledSchema(openapi)


def _without_metadata(openapi: Mapping[str, Any]) -> Mapping[str, Any]:
    """ObjectMeta and TypeMeta are checked by the server's own rules, except for what the schema adds to the name."""
    properties = openapi.get("properties") or {}
    kept = {key: child for key, child in properties.items() if key not in ("apiVersion", "kind", "metadata")}
    metadata = (properties.get("metadata") or {}).get("properties")
    if metadata:
        kept["metadata"] = {"type": "object", "properties": metadata}
    return {**openapi, "properties": kept}
