"""What a recorded run met, inferred from what Tekton and the API server said of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenarios.golden.circumstances import Circumstances
from scenarios.golden.deeds import Deed, Unplayable
from scenarios.golden.stage import Component

Row = Mapping[str, Any]
_EXCEEDED = re.compile(r"exceeded quota: ([\w.-]+), requested: (\S+), used: (\S+), limited: (\S+)")
_UNSPECIFIED = re.compile(r"failed quota: ([\w.-]+): must specify ([^\n]*?)(?:\. Maybe |\"?$|\n)")
_USAGE = re.compile(r"(minimum|maximum) (\S+) usage per (Container|Pod) is ([^\s,]+)")
_FORBIDDEN = re.compile(r'(pods|taskruns\.tekton\.dev) "[^"]*" is forbidden: (.*)', re.DOTALL)
_NO_ANSWER = re.compile(r'failed to call webhook: Post "[^"]*": (.*)')
_RETRIEVE = "cannot retrieve the oci image: "
_NOT_IN_IMAGE = "could not find object in image"
_LACKING = re.compile(r"pipelineRun missing parameters: \[([^\]]*)\]")
_CACHE_OPERATION = "resolution.tekton.dev/cache-operation"
_LIMIT_RANGER = "kubernetes.io/limit-ranger"
_LEADER = "invalid resource request"
_TIMED_OUT = "resolution took longer than global timeout"
_PLENTY = {"cpu": "100", "memory": "100Gi", "ephemeral-storage": "100Gi"}


def circumstances_of(raw: Mapping[str, Any], rows: Sequence[Row], deeds: Sequence[Deed]) -> Circumstances:
    """``rows`` are those of PipelineRuns, TaskRuns, ResolutionRequests and Pods. Raises Unplayable."""
    told = list(_told(raw["events"]))
    answer = (raw["createCall"].get("body") or {}).get("message") or ""
    unanswered = _NO_ANSWER.search(answer)
    usual = Circumstances()
    down = components_down(raw, rows, deeds)
    if unanswered:
        down.pop("webhook", None)
    return Circumstances(
        service_accounts=[*usual.service_accounts, *_accounts(raw, told)],
        quotas=_quotas(told),
        limit_ranges=[*_limit_ranges(rows), *_violated(told)],
        bundle=bundle_of(raw, rows),
        refused=_refused(told),
        webhook_error=unanswered[1] if unanswered else "",
        down=down,
    )


def _told(events: Sequence[Any]) -> Iterator[str]:
    """Every text of a condition or Event, once, in order."""
    seen: set[str] = set()
    for row in events:
        if isinstance(row, Mapping):
            texts = [row.get("message")] if row["resource"] == "events" else _conditions(row)
            for text in texts:
                if text and text not in seen:
                    seen.add(text)
                    yield text


def _conditions(row: Row) -> list[str]:
    return [one.get("message") or "" for one in (row.get("status") or {}).get("conditions") or ()]


def webhook_error(raw: Mapping[str, Any]) -> str:
    """What a connection to the webhook ended with while it was away; ``""`` if nobody was told."""
    answers = [(action.get("body") or {}).get("message") or "" for action in raw["actions"]]
    found = [_NO_ANSWER.search(text) for text in (*_told(raw["events"]), *answers)]
    return next((one[1].rstrip() for one in found if one), "")


def _accounts(raw: Mapping[str, Any], told: Sequence[str]) -> list[str]:
    template = raw["submitted"].get("spec", {}).get("taskRunTemplate") or {}
    name = template.get("serviceAccountName")
    known = Circumstances().service_accounts
    if not isinstance(name, str) or name in known or any(f'serviceaccounts "{name}" not found' in one for one in told):
        return []
    return [name]


def _quotas(told: Sequence[str]) -> list[dict[str, Any]]:
    quotas: dict[str, dict[str, Any]] = {}
    for text in told:
        for name, _, used, limited in _EXCEEDED.findall(text):
            if name not in quotas:
                quotas[name] = {"name": name, "hard": _amounts(limited), "used": _used(_amounts(used))}
        for name, lacking in _UNSPECIFIED.findall(text):
            ones = lacking.split("; ") if " for: " in lacking else lacking.split(",")
            hard = {one.split()[0]: _plenty(one.split()[0]) for one in ones}
            quotas.setdefault(name, {"name": name, "hard": hard, "used": {}})
    return list(quotas.values())


def _amounts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.rstrip('"').split(","))


def _used(amounts: Mapping[str, str]) -> dict[str, str]:
    return {key: amount for key, amount in amounts.items() if amount != "0"}


def _plenty(resource: str) -> str:
    return _PLENTY.get(resource.rpartition(".")[2], "100")


def _limit_ranges(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A LimitRange whose defaults are those that the pods say they were given; how much is told nowhere."""
    given: dict[str, dict[str, str]] = {}
    amounts = {"limit": {"cpu": "500m", "memory": "256Mi"}, "request": {"cpu": "100m", "memory": "64Mi"}}
    for row in rows:
        text = (row.get("annotations") or {}).get(_LIMIT_RANGER, "")
        for part in text.removeprefix("LimitRanger plugin set: ").split("; "):
            found = re.match(r"([\w, .-]+) (limit|request) for ", part)
            if found:
                kind = {"limit": "default", "request": "defaultRequest"}[found[2]]
                for name in found[1].split(", "):
                    given.setdefault(kind, {})[name] = amounts[found[2]].get(name, "1Gi")
    return [{"limits": [{"type": "Container", **given}]}] if given else []


def _violated(told: Sequence[str]) -> list[dict[str, Any]]:
    specs = []
    for text in told:
        for word, name, type_, amount in _USAGE.findall(text):
            specs.append({"limits": [{"type": type_, {"minimum": "min", "maximum": "max"}[word]: {name: amount}}]})
    return specs


def _refused(told: Sequence[str]) -> dict[str, str]:
    """What admission said of a creation, whoever it was: PodSecurity, a policy, a quota that nobody had counted yet.

    It is played, not modelled: what is compared is what Tekton makes of it.
    """
    refused: dict[str, str] = {}
    for text in told:
        found = _FORBIDDEN.search(text)
        if found and not any(one.search(text) for one in (_EXCEEDED, _UNSPECIFIED, _USAGE)):
            plural = found[1].partition(".")[0]
            refused.setdefault(plural, found[2].removesuffix(". Maybe invalid TaskSpec"))
    return refused


def components_down(raw: Mapping[str, Any], rows: Sequence[Row], deeds: Sequence[Deed]) -> dict[Component, str]:
    """Whatever is started before it was stopped; the resolvers, too, if nothing ever came of a request."""
    down: dict[Component, str] = {}
    stopped = set()
    words = [action["action"] for action in raw["actions"]]
    for deed in deeds:
        component = deed.get("component")
        if component is None:
            continue
        if deed["do"] == "start" and component not in stopped:
            terminated = any("SIGTERM" in word and component.split()[-1] in word for word in words)
            down.setdefault(component, "stop" if terminated else "kill")
        stopped.add(component)
    waited = [row for row in rows if row["resource"] == "resolutionrequests" and row["type"] == "ADDED"]
    answered = any((row.get("status") or {}).get("data") for row in rows if row["resource"] == "resolutionrequests")
    if waited and not answered and "resolvers" not in stopped:
        texts = [text for row in rows for text in _conditions(row)]
        if any(_TIMED_OUT in text for text in texts) or not any(_RETRIEVE in text or _LEADER in text for text in texts):
            down["resolvers"] = "kill"
    return down


def bundle_of(raw: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    reference = raw["submitted"].get("spec", {}).get("pipelineRef") or {}
    params = {one["name"]: one["value"] for one in reference.get("params") or ()}
    if reference.get("resolver") != "bundles":
        return {}
    image, name = params.get("bundle", ""), params.get("name", "")
    for row in rows:
        for text in _conditions(row):
            if row["resource"] == "resolutionrequests" and _RETRIEVE in text:
                return {"image": image, "refusal": text.partition(_RETRIEVE)[2]}
    texts = [text for row in rows for text in _conditions(row)]
    if any(_NOT_IN_IMAGE in text for text in texts):
        return {"image": image, "name": f"not-{name}", "spec": DEFAULT_PIPELINE}
    spec = {**pipeline_spec(rows)}
    if not spec["tasks"]:
        spec = dict(DEFAULT_PIPELINE)
    lacking = [found[1] for text in texts if (found := _LACKING.search(text))]
    if lacking:
        spec["params"] = [{"name": one, "type": "string"} for one in lacking[0].split()]
    return {"image": image, "name": name, "spec": spec, **_cached(rows)}


def _cached(rows: Sequence[Row]) -> dict[str, Any]:
    """Whether the first answer came from the resolvers' cache, and what for."""
    requests = [row for row in rows if row["resource"] == "resolutionrequests"]
    operations = [((row.get("status") or {}).get("annotations") or {}).get(_CACHE_OPERATION) for row in requests]
    first = next((one for one in operations if one), "")
    return {"cached": requests[0]["spec"]["params"]} if first == "retrieve" else {}


def pipeline_spec(rows: Sequence[Row]) -> dict[str, Any]:
    """The pipeline that lay in the bundle, put together from the TaskRuns that came of it."""
    groups: dict[str, dict[str, dict[str, Any]]] = {"tasks": {}, "finally": {}}
    ended: list[str] = []
    for row in rows:
        if row["resource"] != "taskruns":
            continue
        labels = row.get("labels") or {}
        task, group = labels.get("tekton.dev/pipelineTask", ""), labels.get("tekton.dev/memberOf", "tasks")
        if row["type"] == "ADDED":
            spec = row.get("spec") or {}
            if "taskSpec" not in spec:
                raise Unplayable(f"what the bundle says of its task {task!r} is told nowhere")
            one = {"name": task, "taskSpec": spec["taskSpec"]}
            one |= {key: spec[key] for key in ("params",) if spec.get(key)}
            if group == "tasks" and ended:
                one["runAfter"] = list(ended)
            groups[group].setdefault(task, one)
        elif group == "tasks" and task not in ended and _ended(row):
            ended.append(task)
    return {group: list(tasks.values()) for group, tasks in groups.items() if tasks or group == "tasks"}


def _ended(row: Row) -> bool:
    return any(one["status"] != "Unknown" for one in (row.get("status") or {}).get("conditions") or ())


DEFAULT_PIPELINE: Mapping[str, Any] = {
    "tasks": [
        {"name": "run", "taskSpec": {"steps": [{"name": "a", "image": "reg.local/tool:1", "script": "#!/bin/sh\n"}]}}
    ]
}
"""What lies in a bundle of which the recording shows nothing."""
