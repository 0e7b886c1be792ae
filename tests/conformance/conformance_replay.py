"""Replays one recorded case against the simulated server, in process and on virtual time.

A step is a request with the recorded answer as ``expect``. Steps may poll (``eventually``), keep a watch open over
other steps (``watch`` with ``during``), or be many at once (``parallel``: in whatever order, the codes are sorted).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from conformance_paths import ABSENT, read, replaced
from conformance_recognition import Recogniser, meaning

from sim.apiserver.identity import ADMIN, User, service_account
from sim.apiserver.rest import Request, Response, Rest
from sim.apiserver.server import ApiServer
from sim.apiserver.watch import Stream
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

TOKENS = {
    "admin": ADMIN,
    "we": User(
        "system:serviceaccount:kubernaut-system:workflowexecution-controller",
        ("system:serviceaccounts", "system:authenticated"),
        "we-uid",
    ),
    "nobody": User(
        service_account("default", "nobody").name, ("system:serviceaccounts", "system:authenticated"), "nobody-uid"
    ),
}
_PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
_PLACEHOLDER = re.compile(r"\{(ns2|ns|u|\$[A-Za-z0-9_]+)\}")
_KINDS = {bool: "<bool>", int: "<int>", float: "<number>", str: "<string>", list: "<list>", dict: "<object>"}
_HEADERS = ("content-type", "warning", "retry-after", "allow", "www-authenticate")
_POLL_US = 100_000


class Difference(AssertionError):
    """The server answered something else than the recording."""


class Stage:
    """One simulated server that cases are replayed against."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self.loop = Loop()
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop), guard=True, managed_fields=True)
        self.rest = Rest(self.server, TOKENS)
        self._definitions = dict(definitions)

    def define(self) -> None:
        """Install the definitions that cases use, as they all were when the recordings were made."""
        while self._definitions:
            self.server.install_crd(self._definitions.pop(next(iter(self._definitions))))

    def wait(self, us: int) -> None:
        self.loop.run_until(self.loop.now_us + us)


class Replay:
    def __init__(self, stage: Stage, case: Mapping[str, Any], word: str, *, exact: bool = True) -> None:
        self._stage = stage
        self._case = case
        self._exact = exact
        self._values = {"ns": f"cf-{word}", "ns2": f"cf-{word}b", "u": word}
        names = {self._values["ns2"]: "{ns2}", self._values["ns"]: "{ns}", word: "{u}"}
        self._known = Recogniser(names)

    def run(self) -> None:
        """Raises Difference at the first answer that differs from the recording."""
        if self._case.get("fixtures"):
            self._stage.define()
        for space in ("ns", "ns2"):
            body = {"metadata": {"name": self._values[space]}}
            self._stage.rest.handle(self._request({"method": "POST", "path": "/api/v1/namespaces", "body": body}))
        for number, step in enumerate(self._case.get("setup", []), 1):
            self._step(step, f"p{number}")
        for number, step in enumerate(self._case["steps"], 1):
            self._step(step, f"s{number}")
        self._stage.server.verify()

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
            headers["authorization"] = f"Bearer {who}"
        for name, value in (self._filled(step.get("headers")) or {}).items():
            headers.pop(name.lower(), None)
            if value is not None:
                headers[name.lower()] = value
        sent = {key: step[key] for key in ("path", "query", "headers", "body", "rawBody") if key in step}
        self._known.sent += json.dumps(sent)[:100_000]
        query = {key: str(one) for key, one in (self._filled(step.get("query")) or {}).items()}
        return Request(step["method"], self._filled(step["path"]), query, headers, body)

    def _step(self, step: Mapping[str, Any], name: str) -> None:
        if "sleep" in step:
            self._stage.wait(round(step["sleep"] * 1_000_000))
            return
        if "parallel" in step:
            steps = [one for one in step["parallel"] for _ in range(step.get("repeat", 1))]
            answers = [self._stage.rest.handle(self._request(one)) for one in steps]
            self._compare(step, name, {"statuses": sorted(one.status for one in answers)})
            return
        if "watch" in step:
            self._watch(step, name)
            return
        answer = self._answer(step)
        body = self._body(answer)
        for key, path in step.get("capture", {}).items():
            self._values[f"${key}"] = read(body, path)
        shown = self._known.document(body, name, managed=step.get("compare", {}).get("managed", False))
        found: dict[str, Any] = {"status": answer.status, **_kept(step.get("compare", {}), shown)}
        found.update(self._headers(step, name, answer))
        if name.startswith("p"):
            if answer.status >= 300:
                raise Difference(f"{name}: setup was refused: {body}")
            return
        self._compare(step, name, found)

    def _answer(self, step: Mapping[str, Any]) -> Response:
        if "eventually" not in step:
            return self._stage.rest.handle(self._request(step))
        polls = int(step["eventually"].get("timeout", 5) * 1_000_000 / _POLL_US) + 1
        answer = self._stage.rest.handle(self._request(step))
        for _ in range(polls):
            if self._holds(step["eventually"]["until"], answer):
                break
            self._stage.wait(_POLL_US)
            answer = self._stage.rest.handle(self._request(step))
        return answer

    def _holds(self, until: Mapping[str, Any], answer: Response) -> bool:
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

    def _body(self, answer: Response) -> Any:
        if isinstance(answer.body, bytes):
            return json.loads(answer.body) if answer.body[:1] == b"{" else {"text": "<binary>"}
        return {"text": answer.body} if isinstance(answer.body, str) else json.loads(json.dumps(answer.body))

    def _watch(self, step: Mapping[str, Any], name: str) -> None:
        watch = step["watch"]
        answer = self._stage.rest.handle(self._request(step))
        if not isinstance(answer.body, Stream):
            shown = self._known.document(self._body(answer), name)
            found = {"status": answer.status, **_kept(step.get("compare", {}), shown)}
            self._compare(step, name, {**found, **self._headers(step, name, answer)})
            return
        events = list(answer.body.take())
        for number, during in enumerate(watch.get("during", []), 1):
            self._step(during, f"{name}.{number}")
            events += answer.body.take()
        self._stage.wait(round(watch.get("timeout", 4) * 1_000_000))
        events += answer.body.take()
        found: dict[str, Any] = {"status": answer.status, **self._headers(step, name, answer)}
        if watch.get("untilClosed"):
            found["closed"] = answer.body.ended
        answer.body.close()
        found["events"] = self._events(step, name, [(one.type, dict(one.object)) for one in events])
        self._compare(step, name, found)

    def _events(self, step: Mapping[str, Any], name: str, events: list[tuple[str, dict[str, Any]]]) -> list[Any]:
        watch, compare = step["watch"], step.get("compare", {})
        shown: list[Any] = []
        newest = 0
        kept = [(type_, one) for type_, one in events if type_ != "BOOKMARK" or one["metadata"].get("annotations")]
        for number, (type_, document) in enumerate(kept):
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

    def _headers(self, step: Mapping[str, Any], name: str, answer: Response) -> dict[str, Any]:
        """The headers that count, spelled as the recording spells them."""
        if step.get("compare", {}).get("headers") is False:
            return {}
        shown = {key: answer.headers[key] for key in _HEADERS if key in answer.headers}
        if "content-type" in shown:
            shown["content-type"] = ";".join(part.strip() for part in str(shown["content-type"]).split(";"))
        return {"headers": self._known.document(shown, f"{name}/header")} if shown else {}

    def _counts(self, value: Any) -> Any:
        """What of an answer counts: everything, or all but the wording of messages."""
        if not self._exact and isinstance(value, dict) and set(value) == {"text"}:
            return "<text>"
        return value if self._exact else meaning(value)

    def _compare(self, step: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> None:
        wanted = step["expect"]
        for key in sorted({*wanted, *found}):
            if key == "headers" and not self._exact:
                continue
            want, got = self._counts(wanted.get(key, ABSENT)), self._counts(found.get(key, ABSENT))
            if want != got:
                raise Difference(f"{name} {step.get('method', '')} {step.get('path', '')}: {key}\n{_first(want, got)}")


def _kept(compare: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """What of a body the recording keeps: all of it, the values at some paths, or nothing but the code."""
    failure = isinstance(body, dict) and body.get("kind") == "Status" and body.get("status") == "Failure"
    mode = compare.get("mode", "full")
    if mode == "status" and not failure:
        return {}
    for path in compare.get("sort", []):
        body = replaced(body, path, lambda items: sorted(items, key=lambda one: json.dumps(one, sort_keys=True)))
    if failure or mode != "paths":
        for path in compare.get("ignore", []):
            body = replaced(body, path, lambda _: "<ignored>")
        for path in compare.get("types", []):
            body = replaced(body, path, lambda value: _KINDS.get(type(value), "<null>"))
        return {"body": body}
    subset = {path: read(body, path) for path in compare["paths"]}
    for path in compare.get("typePaths", []):
        value = read(body, path)
        subset[path] = ABSENT if value == ABSENT else _KINDS.get(type(value), "<null>")
    return {"subset": subset}


def _first(want: Any, got: Any, path: str = "") -> str:
    """The first place where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted({*want, *got}, key=str):
            if want.get(key, ABSENT) != got.get(key, ABSENT):
                return _first(want.get(key, ABSENT), got.get(key, ABSENT), f"{path}.{key}")
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for at, (one, other) in enumerate(zip(want, got, strict=True)):
            if one != other:
                return _first(one, other, f"{path}[{at}]")
    return f"at {path or '.'}\nwanted {want!r}\ngot    {got!r}"
