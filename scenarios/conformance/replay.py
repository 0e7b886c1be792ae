"""Replays one recorded case on a stage: the simulated server in process, or any server over HTTP.

A step is a request with the recorded answer as ``expect``. Steps may poll (``eventually``), keep a watch open over
other steps (``watch`` with ``during``), or be many at once (``parallel``: in whatever order, the codes are sorted).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from scenarios.conformance.comparison import first, kept
from scenarios.conformance.paths import ABSENT, read
from scenarios.conformance.recognition import Recogniser, meaning
from scenarios.conformance.stage import Answer, Event, OpenWatch, Stage
from sim.apiserver.rest.exchange import Request

_PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_PLACEHOLDER = re.compile(r"\{(ns2|ns|u|\$[A-Za-z0-9_]+)\}")
_HEADERS = ("content-type", "warning", "retry-after", "allow", "www-authenticate")
_POLL_US = 100_000
_SENT_MAX = 100_000  # characters
_WATCH_S = 4.0
_SETTLE_S = 0.3


class Difference(AssertionError):
    """The server answered something else than the recording."""


class Replay:
    """``word`` is unique to the case on its stage: a few letters and digits, for names.

    :attr:`texts` tells, after a run, of answers that mean what was recorded in other words.
    """

    def __init__(self, stage: Stage, case: Mapping[str, Any], word: str) -> None:
        self.texts: list[str] = []
        self._stage = stage
        self._case = case
        self._values = {"ns": f"cf-{word}", "ns2": f"cf-{word}b", "u": word}
        names = {self._values["ns2"]: "{ns2}", self._values["ns"]: "{ns}", word: "{u}"}
        self._known = Recogniser(names)

    def run(self) -> None:
        """Raises Difference at the first answer that means something else than the recording."""
        if self._case.get("fixtures"):
            self._stage.define()
        spaces = [self._values["ns"], self._values["ns2"]]
        for name in spaces:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._stage.ask(self._request({"method": "POST", "path": "/api/v1/namespaces", "body": body}))
        for number, step in enumerate(self._case.get("setup", []), 1):
            self._step(step, f"p{number}")
        for number, step in enumerate(self._case["steps"], 1):
            self._step(step, f"s{number}")
        self._stage.leave(spaces)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: str(self._values[found.group(1)]), value)
        if isinstance(value, dict):
            if set(value) == {"$repeat"}:
                return value["$repeat"][0] * value["$repeat"][1]
            if set(value) == {"$int"}:
                return int(self._filled(value["$int"]))
            return {self._filled(key): self._filled(one) for key, one in value.items()}
        return [self._filled(one) for one in value] if isinstance(value, list) else value

    def _request(self, step: Mapping[str, Any]) -> Request:
        headers = {"accept": "application/json", "user-agent": "conformance/1.0"}
        body = b""
        if "body" in step:
            body = json.dumps(self._filled(step["body"])).encode()
        elif "rawBody" in step:
            body = self._filled(step["rawBody"]).encode()
        if "body" in step or "rawBody" in step:
            headers["content-type"] = _PATCHES.get(step.get("patch", ""), "application/json")
        who = step.get("as", "admin")
        if who != "anonymous":
            headers["authorization"] = f"Bearer {self._stage.credentials(who)}"
        for name, value in (self._filled(step.get("headers")) or {}).items():
            headers.pop(name.lower(), None)
            if value is not None:
                headers[name.lower()] = value
        sent = {key: step[key] for key in ("path", "query", "headers", "body", "rawBody") if key in step}
        self._known.sent += json.dumps(sent)[:_SENT_MAX]
        query = {key: str(one) for key, one in (self._filled(step.get("query")) or {}).items()}
        return Request(step["method"], self._filled(step["path"]), query, headers, body)

    def _step(self, step: Mapping[str, Any], name: str) -> None:
        if "sleep" in step:
            self._stage.wait(round(step["sleep"] * 1_000_000))
            return
        if "parallel" in step:
            steps = [one for one in step["parallel"] for _ in range(step.get("repeat", 1))]
            answers = self._stage.ask_at_once([self._request(one) for one in steps])
            self._compare(step, name, {"statuses": sorted(one.status for one in answers)})
            return
        if "watch" in step:
            self._watch(step, name)
            return
        answer = self._answer(step)
        body = answer.body
        for key, path in step.get("capture", {}).items():
            self._values[f"${key}"] = read(body, path)
        shown = self._known.document(body, name, managed=step.get("compare", {}).get("managed", False))
        found: dict[str, Any] = {"status": answer.status, **kept(step.get("compare", {}), shown)}
        found.update(self._headers(step, name, answer))
        if name.startswith("p"):
            if answer.status >= 300:
                raise Difference(f"{name}: setup was refused: {body}")
            return
        self._compare(step, name, found)

    def _answer(self, step: Mapping[str, Any]) -> Answer:
        answer = self._stage.ask(self._request(step))
        if "eventually" in step:
            polls = int(step["eventually"].get("timeout", 5) * 1_000_000 / _POLL_US) + 1
            for _ in range(polls):
                if self._holds(step["eventually"]["until"], answer):
                    break
                self._stage.wait(_POLL_US)
                answer = self._stage.ask(self._request(step))
        return answer

    def _holds(self, until: Mapping[str, Any], answer: Answer) -> bool:
        if "status" in until and answer.status != until["status"]:
            return False
        if "notStatus" in until and answer.status == until["notStatus"]:
            return False
        if "path" in until:
            value = read(answer.body, self._filled(until["path"]))
            if "equals" in until:
                return bool(value == self._filled(until["equals"]))
            if "exists" in until:
                return bool((value != ABSENT) == until["exists"])
            return isinstance(value, (list, dict)) and len(value) == until["length"]
        return True

    def _watch(self, step: Mapping[str, Any], name: str) -> None:
        watch = step["watch"]
        opened = self._stage.watch(self._request(step))
        if isinstance(opened, Answer):
            shown = self._known.document(opened.body, name)
            found = {"status": opened.status, **kept(step.get("compare", {}), shown)}
            self._compare(step, name, {**found, **self._headers(step, name, opened)})
            return
        for number, during in enumerate(watch.get("during", []), 1):
            self._step(during, f"{name}.{number}")
        timeout_us = round(watch.get("timeout", _WATCH_S) * 1_000_000)
        self._stage.wait_for(lambda: _satisfied(watch, opened), timeout_us)
        if not watch.get("untilClosed"):
            self._stage.wait_for(lambda: False, round(watch.get("settle", _SETTLE_S) * 1_000_000))
        events = list(opened.events)
        found = {"status": opened.answer.status, **self._headers(step, name, opened.answer)}
        if watch.get("untilClosed"):
            found["closed"] = opened.ended
        opened.close()
        found["events"] = self._events(step, name, events)
        self._compare(step, name, found)

    def _events(self, step: Mapping[str, Any], name: str, events: list[Event]) -> list[Any]:
        watch, compare = step["watch"], step.get("compare", {})
        shown: list[Any] = []
        newest = 0
        for number, (type_, document) in enumerate(one for one in events if not _periodic(one)):
            if watch.get("capture", {}).get("event", -1) == number:
                for key, path in watch["capture"]["values"].items():
                    self._values[f"${key}"] = read(document, path)
            version = str(read(document, "metadata.resourceVersion"))
            after = newest if type_ == "BOOKMARK" else None
            newest = max(newest, int(version)) if version.isdigit() else newest
            seen = self._known.document(document, f"{name}.event{number}", after=after)
            if compare.get("mode") == "paths":
                seen = {path: read(seen, path) for path in compare["paths"]}
            shown.append({"type": type_, "object": seen})
        if watch.get("sortEvents"):
            shown.sort(key=lambda one: json.dumps(one, sort_keys=True))
        return shown

    def _headers(self, step: Mapping[str, Any], name: str, answer: Answer) -> dict[str, Any]:
        """The headers that count, spelled as the recording spells them."""
        if step.get("compare", {}).get("headers") is False:
            return {}
        shown = {key: answer.headers[key] for key in _HEADERS if key in answer.headers}
        if "content-type" in shown:
            shown["content-type"] = ";".join(part.strip() for part in str(shown["content-type"]).split(";"))
        return {"headers": self._known.document(shown, f"{name}/header")} if shown else {}

    def _compare(self, step: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> None:
        wanted = step["expect"]
        for key in sorted({*wanted, *found}):
            want, got = wanted.get(key, ABSENT), found.get(key, ABSENT)
            if want == got:
                continue
            said = f"{name} {step.get('method', '')} {step.get('path', '')}: {key}\n{first(want, got)}"
            if _meant(key, want) != _meant(key, got):
                raise Difference(said)
            self.texts.append(said)


def _meant(key: str, value: Any) -> Any:
    """What of a part of an answer counts, whatever its words."""
    if key == "headers":
        return isinstance(value, dict) and "warning" in value
    if isinstance(value, dict) and set(value) == {"text"}:
        return "<text>"
    return meaning(value)


def _periodic(event: Event) -> bool:
    return event.type == "BOOKMARK" and not event.object["metadata"].get("annotations")


def _satisfied(watch: Mapping[str, Any], opened: OpenWatch) -> bool:
    """Whether what a watch waits for has come."""
    if watch.get("untilClosed"):
        return opened.ended
    events = [one for one in opened.events if not _periodic(one)]
    if "untilType" in watch:
        return any(one.type == watch["untilType"] for one in events)
    return opened.ended or len(events) >= watch.get("count", 1)
