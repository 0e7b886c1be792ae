"""Unknown fields of builtin kinds, at the top of the object and in its metadata."""

from collections.abc import Sequence

from controller.ports import Document
from sim.apiserver.conforming import conform_metadata


def known_fields(body: Document, old: Document | None, fields: frozenset[str]) -> tuple[Document, Sequence[str]]:
    """``body`` without what the kind does not have, and the paths of what went; fields below are not looked at.

    A body that replaces ``old`` may leave its kind out.
    """
    if old is not None and "kind" not in body:
        body = {"apiVersion": old["apiVersion"], "kind": old["kind"], **body}
    metadata = body.get("metadata")
    unknown: list[str] = []
    kept = metadata
    if metadata is not None and (old is None or metadata is not old["metadata"]):
        kept = conform_metadata(metadata, None, (None, ".metadata"), unknown)
    if kept is metadata and fields.issuperset(body):
        return body, ()
    unknown = sorted((*(key for key in body if key not in fields), *unknown))
    pruned = {key: value for key, value in body.items() if key in fields}
    if kept is not metadata:
        pruned["metadata"] = kept
    return pruned, unknown
