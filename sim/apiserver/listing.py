"""The list verb: selectors, pages pinned to a version, and what resourceVersion means to a list."""

import base64
import json
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any

from controller.ports import Document
from sim.apiserver.errors import bad_request, expired, invalid, too_large_version
from sim.apiserver.index import Index, label_getter
from sim.apiserver.registry import Served
from sim.apiserver.rest.jsontext import read_json
from sim.apiserver.rest.listoptions import match_causes
from sim.apiserver.selectors import Predicate, field_equalities, field_predicate, label_equalities, label_predicate
from sim.apiserver.store import Table

if TYPE_CHECKING:
    from sim.apiserver.server import ApiServer

_Key = tuple[str, str]
_SELECTIVE = ("involvedObject.name", "involvedObject.uid", "spec.nodeName")
"""Fields with many values: worth an index."""
_TYPE = ("kind", "apiVersion")
_ALPHABET = frozenset(f"{ascii_letters}{digits}-_")


def both(first: Predicate | None, second: Predicate | None) -> Predicate | None:
    if first is None or second is None:
        return first or second
    return lambda document: first(document) and second(document)


def predicate(served: Served, label_selector: str, field_selector: str) -> Predicate | None:
    """What both selectors ask; None is everything. Raises ApiError 400."""
    labels = label_predicate(label_selector) if label_selector else None
    fields = field_predicate(field_selector, served.fields, served.refuse_field) if field_selector else None
    return both(labels, fields)


def parse_version(text: str) -> int:
    """A resourceVersion of a request. Raises ValueError with the real server's words."""
    if not text.isdigit() or not text.isascii():
        shown = json.dumps(text)
        raise ValueError(f"resourceVersion: Invalid value: {shown}: strconv.ParseUint: parsing {shown}: invalid syntax")
    return int(text)


def list_objects(
    server: "ApiServer",
    served: Served,
    namespace: str,
    label_selector: str,
    field_selector: str,
    limit: int,
    continue_token: str,
    resource_version: str,
    version_match: str,
) -> Document:
    """A List document. Raises ApiError 400, 410, 422, 504."""
    match = predicate(served, label_selector, field_selector)
    start: _Key | None = None
    pinned = 0
    if version_match:
        _check_match(resource_version, version_match, continue_token)
    if continue_token:
        pinned, start = _decode(continue_token)
        if resource_version not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
    elif resource_version:
        pinned = _asked_version(server, resource_version, version_match, limit)
    shown_version = pinned or server.store.version
    if pinned:
        selected = _as_of(server, served, namespace, shown_version, bool(start))
    else:
        selected = _candidates(served, namespace, label_selector, field_selector)
    if start is not None:
        selected = (one for one in selected if _key(one) > start)
    if match is not None:
        selected = (one for one in selected if match(one))
    metadata: dict[str, Any] = {"resourceVersion": str(shown_version)}
    found = list(selected)
    if 0 < limit < len(found):
        if match is None:
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
        metadata["continue"] = _encode(shown_version, _key(found[-1]))
    if served.foreign:
        found = [served.present(one) for one in found]
    if not served.custom:
        found = [_bare(one) for one in found]
    return {
        "kind": served.list_kind,
        "apiVersion": served.resource.api_version,
        "metadata": metadata,
        "items": found,
    }


def _key(document: Document) -> _Key:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _bare(document: Document) -> Document:
    """An item as typed lists carry it: kind and apiVersion stand on the list only."""
    return {key: value for key, value in document.items() if key not in _TYPE}


def _candidates(served: Served, namespace: str, label_selector: str, field_selector: str) -> Iterator[Document]:
    """The objects to look at, in order: few where a selector wants one name, or one value of a label or field."""
    table = served.table
    for field, value in field_equalities(field_selector) if field_selector else ():
        if field == "metadata.name" and (namespace or not served.resource.namespaced):
            found = table.find(namespace, value)
            return iter(() if found is None else (found,))
        if field in _SELECTIVE and field in served.fields:
            index = table.index(f"field {field}", served.fields[field])
            if index is not None:
                return _indexed(table, index, namespace, value)
    found_by = [
        (index, value)
        for label, value in (label_equalities(label_selector) if label_selector else ())
        if (index := table.index(f"label {label}", label_getter(label))) is not None
    ]
    if not found_by:
        return table.in_order(namespace)
    index, value = min(found_by, key=lambda one: one[0].count(namespace, one[1]))
    return _indexed(table, index, namespace, value)


def _indexed(table: Table, index: Index, namespace: str, value: str) -> Iterator[Document]:
    spaces = [namespace] if namespace or not table.resource.namespaced else sorted(table.rows)
    for space in spaces:
        for name in index.names(space, value):
            found = table.find(space, name)
            if found is not None:
                yield found


def _as_of(server: "ApiServer", served: Served, namespace: str, version: int, page: bool) -> Iterator[Document]:
    """The objects as they stood at ``version``: the present with later changes undone."""
    history = served.table.history
    if version < max(history.floor, server.store.compacted()):
        if page:
            raise expired(_EXPIRED_PAGE)
        raise expired(f"The resourceVersion for the provided list is too old: {version}")
    objects = {_key(one): one for one in served.table.in_order(namespace)}
    for change in history.undoing(version):
        key = _key(change.new)
        if namespace and key[0] != namespace:
            continue
        if change.old is None:
            objects.pop(key, None)
        else:
            objects[key] = change.old
    return iter([objects[key] for key in sorted(objects)])


_EXPIRED_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def _check_match(resource_version: str, version_match: str, continue_token: str) -> None:
    causes = list(match_causes(resource_version, version_match, continue_token))
    if causes:
        raise invalid("meta.k8s.io", "ListOptions", "", causes)


def _asked_version(server: "ApiServer", resource_version: str, version_match: str, limit: int) -> int:
    """The version to show; 0 for the present, which is never older than what was asked."""
    try:
        version = parse_version(resource_version)
    except ValueError as error:
        raise bad_request(f"invalid resource version: {error}") from None
    if version > server.store.version:
        raise too_large_version(version, server.store.version)
    exact = version_match == "Exact" or (not version_match and limit > 0 and version > 0)
    return version if exact else 0


def _encode(version: int, key: _Key) -> str:
    start = f"{key[0]}/{key[1]}\u0000" if key[0] else f"{key[1]}\u0000"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(token: str) -> tuple[int, _Key]:
    corrupt = _corrupt_at(token)
    if corrupt is not None:
        detail = f"illegal base64 data at input byte {corrupt}"
    else:
        try:
            fields = read_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            namespace, _, name = fields["start"].rstrip("\u0000").rpartition("/")
            return int(fields["rv"]), (namespace, name)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            detail = str(error)
    raise bad_request(f"invalid continue token: continue key is not valid: {detail}")


def _corrupt_at(token: str) -> int | None:
    """Where a token stops being base64 for URLs without padding, counted as Go's decoder counts."""
    wrong = next((at for at, one in enumerate(token) if one not in _ALPHABET), None)
    if wrong is not None:
        return wrong
    return len(token) - 1 if len(token) % 4 == 1 else None
