"""What a list or a watch is asked for, checked as apimachinery checks ListOptions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sim.apiserver.errors import Cause, forbidden_field, invalid, not_supported
from sim.apiserver.rest.options import integer, is_true

_MATCH = "resourceVersionMatch"
_MATCHES = ("Exact", "NotOlderThan")


@dataclass(frozen=True, slots=True)
class ListOptions:
    """``initial`` is sendInitialEvents, None where nothing is said; ``limit`` 0 is none."""

    labels: str
    fields: str
    version: str
    match: str
    continue_token: str
    limit: int
    timeout_s: float | None
    bookmarks: bool
    initial: bool | None


def list_options(query: Mapping[str, str], *, watching: bool) -> ListOptions:
    """Raises ApiError 400, 422."""
    timeout_s = integer(query.get("timeoutSeconds", "0"))
    options = ListOptions(
        query.get("labelSelector", ""),
        query.get("fieldSelector", ""),
        query.get("resourceVersion", ""),
        query.get(_MATCH, ""),
        query.get("continue", ""),
        max(integer(query.get("limit", "0")), 0),
        float(max(timeout_s, 0)) if timeout_s else None,
        is_true(query, "allowWatchBookmarks"),
        is_true(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
    )
    if watching:
        causes = list(_watch_causes(options))
    else:
        causes = list(match_causes(options.version, options.match, options.continue_token))
        if options.initial is not None:
            causes.append(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise invalid("meta.k8s.io", "ListOptions", "", causes)
    return options


def match_causes(version: str, match: str, continue_token: str) -> Iterator[Cause]:
    """What is wrong with how a list wants its version to be met."""
    if not match:
        return
    if not version:
        yield forbidden_field(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided")
    if continue_token:
        yield forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided")
    if match not in _MATCHES:
        yield not_supported(_MATCH, match, (*_MATCHES, ""))
    elif match == "Exact" and version == "0":
        yield forbidden_field(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"')


def _watch_causes(options: ListOptions) -> Iterator[Cause]:
    match = options.match
    if options.initial is not None and match != "NotOlderThan":
        yield forbidden_field(_MATCH, f"sendInitialEvents requires setting {_MATCH} to NotOlderThan")
    if not match:
        return
    if options.initial is None:
        yield forbidden_field(_MATCH, f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided")
    if match != "NotOlderThan":
        yield not_supported(_MATCH, match, ("NotOlderThan",))
    if options.continue_token:
        yield forbidden_field(_MATCH, f"{_MATCH} is forbidden when continue is provided")
