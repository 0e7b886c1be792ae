"""Recognises what a server makes up (uids, versions, names, times) so that an answer can be compared with a recording.

A recording spells such values as tokens: ``<uid:s1/metadata.uid>`` is the UUID first seen there, ``<rv:new>`` a version
later than all before it, ``<rv:=s1/…>`` the version first seen there, ``<generated:job-#1>`` a made-up name.
"""

import re
from typing import Any

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_VERSION = re.compile(r"(current: |too old resource version: \d+ \()\d+")
_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5}")
_AGE = re.compile(r"(\d+[smhd])+")


class Recogniser:
    """Knows what one case has shown so far. ``names`` maps the case's own words to their placeholders."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names
        self._uids: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._generated: dict[str, str] = {}
        self._newest = -1
        self.sent = ""

    def document(self, document: Any, step: str, *, managed: bool = False, after: int | None = None) -> Any:
        """The answer of ``step`` with tokens for what the server made up.

        ``after`` is the newest version of the events before a BOOKMARK, and makes its version a bookmark's.
        """
        self._find_generated(document)
        kind = str(document.get("kind", "")) if isinstance(document, dict) else ""
        is_list = isinstance(document, dict) and (
            isinstance(document.get("items"), list) or kind.endswith("List") or kind == "Table"
        )
        return self._walk(document, f"{step}/", "", is_list, managed, after)

    def _find_generated(self, document: Any) -> None:
        if isinstance(document, dict):
            prefix, name = document.get("generateName"), document.get("name")
            if prefix and isinstance(prefix, str) and isinstance(name, str) and self._is_generated(prefix, name):
                self._generated[name] = f"<generated:{name[:-5]}#{len(self._generated) + 1}>"
            for value in document.values():
                self._find_generated(value)
        elif isinstance(document, list):
            for value in document:
                self._find_generated(value)

    def _is_generated(self, prefix: str, name: str) -> bool:
        known = name in self._generated or name in self.sent
        return not known and name[:-5] == prefix[: len(name) - 5] and bool(_SUFFIX.fullmatch(name[-5:]))

    def _walk(self, value: Any, step: str, path: str, is_list: bool, managed: bool, after: int | None) -> Any:
        if isinstance(value, dict):
            shown: dict[str, Any] = {}
            for key in sorted(value):
                if key == "managedFields" and not managed:
                    continue
                if key == "description" and path.startswith("columnDefinitions"):
                    continue
                place = f"{path}.{key}" if path else key
                if key == "resourceVersion" and isinstance(value[key], str):
                    shown[key] = self._version(value[key], step + place, is_list and path == "metadata", after)
                elif key == "continue" and value[key]:
                    shown[key] = "<continue>"
                else:
                    name = key if key.isidentifier() else self._text(key, step + place)
                    shown[name] = self._walk(value[key], step, place, is_list, managed, after)
                    if key == "cells":
                        shown[name] = ["<age>" if _is_age(cell) else cell for cell in shown[name]]
            return shown
        if isinstance(value, list):
            return [self._walk(one, step, f"{path}[{at}]", is_list, managed, after) for at, one in enumerate(value)]
        return self._text(value, step + path) if isinstance(value, str) else value

    def _version(self, text: str, place: str, of_list: bool, after: int | None) -> str:
        number = int(text) if text.isdigit() else None
        if text == "" or number is None:
            return text
        if after is not None:
            return "<bookmarkrv>" if number >= after else "<bookmarkrv: too old>"
        if of_list:
            return "<listrv>" if number >= self._newest else "<listrv: too old>"
        if text in self._versions:
            return f"<rv:={self._versions[text]}>"
        self._versions[text] = place
        newer, self._newest = number > self._newest, max(number, self._newest)
        return "<rv:new>" if newer else "<rv:older>"

    def _text(self, text: str, place: str) -> str:
        for name, token in self._generated.items():
            text = text.replace(name, token)
        text = UUID.sub(lambda found: self._uid(found.group(), place), text)
        text = _TIME.sub(self._time, text)
        text = _VERSION.sub(r"\1<rv>", text)
        for name, placeholder in self._names.items():
            text = text.replace(name, placeholder)
        return text

    def _uid(self, uid: str, place: str) -> str:
        if uid not in self._uids:
            if uid in self.sent:
                return uid
            self._uids[uid] = f"<uid:{place}>"
        return self._uids[uid]

    def _time(self, found: re.Match[str]) -> str:
        text = found.group()
        if text[:19] in self.sent or text.startswith("2006-01-02T15:04:05"):
            return text
        return "<microtime>" if found.group(1) else "<time>"


def _is_age(cell: Any) -> bool:
    return isinstance(cell, str) and _AGE.fullmatch(cell) is not None


def meaning(value: Any) -> Any:
    """What of a normalised body counts: not the wording of messages."""
    if isinstance(value, dict):
        if value.get("kind") == "Status" and value.get("status") == "Failure":
            details = dict(value.get("details") or {})
            if details.get("causes"):
                details["causes"] = [{k: v for k, v in one.items() if k != "message"} for one in details["causes"]]
            return {"status": "Failure", "reason": value.get("reason"), "code": value.get("code"), "details": details}
        condition = "type" in value and "status" in value and "message" in value
        return {
            key: meaning(one)
            for key, one in value.items()
            if not (key == "message" and condition) and not (key == "continue" and one == "")
        }
    return [meaning(one) for one in value] if isinstance(value, list) else value
