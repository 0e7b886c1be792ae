"""The short way of Events stores and answers what the long way does."""

import json

import pytest
from core_world import World

import sim.apiserver.server
from controller.ports import ApiError, Document
from sim.apiserver.identity import ADMIN

_REGARDING = {"kind": "Widget", "namespace": "default", "name": "w"}
_BODIES = [
    {"involvedObject": _REGARDING, "reason": "Started", "count": 1, "type": "Normal"},
    {"involvedObject": _REGARDING, "source": {"component": "c"}, "eventTime": None, "series": {"count": 2}},
    {"involvedObject": _REGARDING, "note": "unknown in the core"},
    {"involvedObject": {**_REGARDING, "namespace": "other"}},
    {"involvedObject": "no object"},
    {"reason": "NoObject"},
]
_CHANGES = [
    {"count": 2, "lastTimestamp": "2026-01-05T08:00:01Z", "message": "again"},
    {"count": 2},
    {"message": None},
    {"count": [3]},
    {"reason": "Other"},
    {"metadata": {"labels": {"a": "b"}}},
]


def _history() -> list[str]:
    """Everything that is answered, told to watchers and stored, key orders included."""
    world = World()
    watch = world.server.watch(ADMIN, world.events, "default")
    told: list[str] = []

    def note(answer: Document) -> None:
        told.append(json.dumps(answer))

    for number, body in enumerate(_BODIES):
        for kind in ({"apiVersion": "v1", "kind": "Event"}, {}):
            for name in (f"e{number}", "e0", "Bad_Name"):
                metadata = {"name": name, "namespace": "default"}
                try:
                    note(world.server.create(ADMIN, world.events, "default", {**kind, "metadata": metadata, **body}))
                except ApiError as error:
                    note(error.status())
    for change in _CHANGES:
        for name in ("e0", "e1", "absent"):
            try:
                note(world.server.patch(ADMIN, world.events, "default", name, change))
            except ApiError as error:
                note(error.status())
    told.extend(event.type + json.dumps(event.object) for event in watch.take())
    told.extend(json.dumps(one) for one in world.server.items(world.events))
    return told


def test_both_ways_answer_and_store_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    short = _history()
    monkeypatch.setattr(sim.apiserver.server, "create_event", lambda *_: None)
    monkeypatch.setattr(sim.apiserver.server, "count_event", lambda *_: None)
    assert _history() == short
    assert len(short) > 60
