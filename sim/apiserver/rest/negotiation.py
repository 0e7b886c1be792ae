"""Which representation of an answer a client accepts (apiserver ``endpoints/handlers/negotiation`` and go-restful)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from controller.ports import ApiError

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
MEDIA_TYPES = (JSON, YAML, PROTOBUF)
_STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
_TRANSFORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


class Clause(NamedTuple):
    """One media range of an Accept header."""

    type: str
    subtype: str
    params: Mapping[str, str]
    weight: float

    def covers(self, media: str) -> bool:
        kind, _, subtype = media.partition("/")
        return (self.type, self.subtype) in ((kind, subtype), (kind, "*"), ("*", "*"))


@dataclass(frozen=True, slots=True)
class Choice:
    """``media`` is one of MEDIA_TYPES; ``transform`` the kind asked for in place of the object's."""

    media: str = JSON
    transform: str = ""
    version: str = "v1"


PLAIN = Choice()


def clauses(header: str) -> list[Clause]:
    """The media ranges of ``header``, the most wanted first."""
    found: list[Clause] = []
    for part in header.split(","):
        media, *rest = part.split(";")
        kind, _, subtype = media.strip().partition("/")
        params: dict[str, str] = {}
        for item in rest:
            key, _, value = item.strip().partition("=")
            params[key] = value
        try:
            weight = float(params.pop("q", "1"))
        except ValueError:
            weight = 1.0
        found.append(Clause(kind or "*", subtype or "*", params, weight))
    return sorted(found, key=lambda one: (-one.weight, one.type == "*", one.subtype == "*"))


def negotiated(header: str, *, custom: bool, watching: bool) -> Choice:
    """What to answer with. A custom kind has no protobuf of its own. Raises ApiError 406."""
    if header in (JSON, "", "*/*"):
        return PLAIN
    wanted = clauses(header)
    for clause in wanted:
        for media in MEDIA_TYPES:
            if clause.covers(media) and (choice := _accepted(clause, media, custom, watching)) is not None:
                return _readable(choice, wanted)
    listed = _STREAMS if watching else MEDIA_TYPES
    raise ApiError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(listed)}")


def _accepted(clause: Clause, media: str, custom: bool, watching: bool) -> Choice | None:
    params = clause.params
    if params.get("sv", "v1") not in ("v1", "") or params.get("stream", "watch") not in ("watch", ""):
        return None
    if watching and media == YAML:
        return None
    if not any(key in params for key in ("as", "g", "v")):
        return None if custom and media == PROTOBUF else Choice(media)
    kind, version = params.get("as", ""), params.get("v", "")
    if params.get("g") != "meta.k8s.io" or version not in ("v1", "v1beta1") or kind not in _TRANSFORMS:
        return None
    if kind == "Table" and media == PROTOBUF:
        return None
    return Choice(media, kind, version)


def _readable(choice: Choice, wanted: list[Clause]) -> Choice:
    """JSON in place of protobuf for whoever takes it as well: both say the same."""
    if choice.media != PROTOBUF:
        return choice
    for clause in wanted:
        if clause.covers(JSON) and clause.params.get("as", "") == choice.transform:
            return Choice(JSON, choice.transform, choice.version)
    return choice


def route_accepts(header: str, *, listing: bool) -> None:
    """What the router of the builtin kinds asks before any handler does. Raises ApiError 406."""
    media = [part.partition(";")[0].strip() for part in header.split(",")] if header else ["*/*"]
    if "*/*" not in media and not any(one in MEDIA_TYPES for one in media):
        offered = ", ".join((*MEDIA_TYPES, *_STREAMS) if listing else MEDIA_TYPES)
        text = f"406: Not Acceptable\n\nAvailable representations: {offered}"
        raise ApiError(406, "NotAcceptable", text)
