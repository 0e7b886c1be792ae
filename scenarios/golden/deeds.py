"""The recorder's words for what its script did, as deeds that can be done again: see ``scenarios.golden.script``."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.golden.audit import CLIENT, Call
from scenarios.golden.requests import request_of

Deed = dict[str, Any]
_REMARK = re.compile(
    r"\bobserved\b|\ball done|\bdone$|^wait|re-?create accepted|accepted after|\d+ PipelineRuns (?:created|submitted)"
    r"|^(?:seen|reached|finished|ended|expired|elapsed|checked|still|nothing|no action)\b"
    r"|^(?:pod|container|step|kubelet|node|puppet)s? (?:is |was )?(?:evict|fail|kill|OOM|bound|lost|marked)",
    re.I,
)
"""What happened to a pod by itself is in its rows."""
_COMPONENTS = {
    "controller": r"(?:tekton[- ])?(?:pipelines[- ])?controller|core",
    "resolvers": r"(?:tekton[- ])?(?:pipelines[- ])?(?:remote[- ])?resolvers?",
    "webhook": r"(?:tekton[- ])?(?:pipelines[- ])?webhook",
    "garbage collector": r"garbage[- ]collector|gc|kube-controller-manager",
}
_VERBS = {
    "kill": r"SIGKILL|kill(?:ed|s)?|crash(?:ed|es)?",
    "stop": r"SIGTERM|stop(?:ped|s)?|down|scaled to 0|shut ?down|terminated",
    "pause": r"SIGSTOP|pause[ds]?|frozen",
    "start": r"SIGCONT|(?:re)?start(?:ed|s)?(?: again)?|resume[ds]?|continue[ds]?|scaled to [1-9]|up|back",
}
_AGAIN = re.compile(r"\brestart", re.I)
_SIGNALS = re.compile("|".join(f"(?P<{verb}>\\b(?:{words})\\b)" for verb, words in _VERBS.items()), re.I)
_KINDS = (
    (r"task ?runs?", "taskruns"),
    (r"blockers?|pods?", "pods"),
    (r"(?:resource ?)?quotas?", "resourcequotas"),
    (r"limit ?ranges?", "limitranges"),
    (r"resolution ?requests?", "resolutionrequests"),
)
_OTHER = re.compile("|".join(rf"\b{words}\b" for words, _ in _KINDS) + r"|namespace|secret|config ?map", re.I)
_PROPAGATION = re.compile(r"\b(Background|Foreground|Orphan)\b", re.I)
_GRACE = re.compile(r"grace(?:-period|PeriodSeconds)?[ =:]*(\d+)", re.I)
_FORCE = re.compile(r"\bforced?\b|--force|\bforce-delete", re.I)
_STATUS = re.compile(r"spec\.status\s*(?:=|to|:)?\s*[\"']?([A-Za-z]*)", re.I)
_NOTHING = ("", "null", "none", "nil", "removed", "remove", "removing", "cleared", "unset")


class Unplayable(Exception):
    """A recording that cannot be understood; the text says what of it."""


@dataclass(frozen=True, slots=True)
class Objects:
    """The names that the script's words leave out: the run's, and those of its first TaskRun and pod."""

    run: str
    task_run: str
    pod: str

    def named(self, resource: str) -> str:
        """``""`` for what the recorder's words never name: all there are in the namespace."""
        names = {"taskruns": self.task_run, "pods": self.pod, "pipelineruns": self.run}
        return names.get(resource, "")


def deeds_of(actions: Sequence[Mapping[str, Any]], calls: Sequence[Call], objects: Objects) -> list[Deed]:
    """``at_ms`` of each is since the submission arrived; ``answer`` is ``[code, message]`` where one was recorded.

    Raises Unplayable for words that mean nothing here.
    """
    own = [call for call in calls if call.user == CLIENT]
    begin_ms = next((call.commit_ms for call in own if call.verb == "create"), 0.0)
    deeds: list[Deed] = []
    for action in actions:
        text = action["action"]
        deed = _deed(text, action, objects)
        trying = deeds and deeds[-1]["do"] == "recreate until accepted"
        if deed is None or (trying and deed["do"].startswith("recreate")):
            continue  # the one that was accepted in the end is no deed of its own
        call = _call(deed, action, own)
        if call is not None and deed["do"] in ("delete", "patch"):
            deed["name"] = call.name
        at_ms = call.commit_ms if call is not None else action["tMs"]
        answer = _answer(action)
        if deed["do"] == "start" and _AGAIN.search(text):
            how = "stop" if re.search("SIGTERM|graceful", text, re.I) else "kill"
            deeds.append({"at_ms": max(0, round(at_ms - begin_ms)), **deed, "do": how})
        deeds.append({"at_ms": max(0, round(at_ms - begin_ms)), **deed, **({"answer": answer} if answer else {})})
    return deeds


def _answer(action: Mapping[str, Any]) -> list[Any]:
    if "code" not in action:
        return []
    body = action.get("body") or {}
    return [action["code"], body.get("message", "") if action["code"] >= 300 else ""]


def _call(deed: Deed, action: Mapping[str, Any], own: list[Call]) -> Call | None:
    """The logged call of this action, which is then used up: the nearest of its verb and resource."""
    verb = {"recreate": "create", "recreate until accepted": "create"}.get(deed["do"], deed["do"])
    resource = deed.get("resource", "pipelineruns")
    code = action.get("code")
    for call in own:
        near = -100.0 < action["tMs"] + action.get("ms", 0.0) - call.start_ms < 5_000.0
        if near and (call.verb, call.resource) == (verb, resource) and code in (None, call.code):
            if verb == "create" and call is own[0]:
                continue  # the submission itself
            own.remove(call)
            return call
    return None


def _deed(text: str, action: Mapping[str, Any], objects: Objects) -> Deed | None:
    request = request_of(text, objects.run)
    if request is not None:
        return request
    if _REMARK.search(text):
        return None
    for rule in _RULES:
        deed = rule(text, action, objects)
        if deed is not None:
            return deed
    raise Unplayable(f"the action {text[:80]!r} is not one that can be played")


def _signal(text: str, _action: Mapping[str, Any], _objects: Objects) -> Deed | None:
    for component, words in _COMPONENTS.items():
        named = re.match(rf"(?:the )?(?:{words})\b", text, re.I) or re.search(rf"\b(?:{words})$", text, re.I)
        verb = _SIGNALS.search(text)
        if named and verb:
            return {"do": str(verb.lastgroup), "component": component}
    return None


def _patch(text: str, _action: Mapping[str, Any], objects: Objects) -> Deed | None:
    status = _STATUS.search(text)
    if status is None and not re.search(r"\bun-?pend", text, re.I):
        return None
    value = status[1] if status is not None else ""
    resource = "taskruns" if re.search(r"task ?run\b", text.partition("spec.")[0], re.I) else "pipelineruns"
    body = {"spec": {"status": None if value.lower() in _NOTHING else value}}
    return {"do": "patch", "resource": resource, "name": objects.named(resource), "body": body}


def _delete(text: str, _action: Mapping[str, Any], objects: Objects) -> Deed | None:
    if not re.search(r"\b(?:force-?)?(?:delete[ds]?|removed?)\b", text, re.I):
        return None
    if re.search(r"\bblocker", text, re.I):
        return {"do": "free quota"}
    resource = next((plural for words, plural in _KINDS if re.search(rf"\b{words}\b", text, re.I)), "pipelineruns")
    deed: Deed = {"do": "delete", "resource": resource, "name": objects.named(resource)}
    propagation, grace = _PROPAGATION.search(text), _GRACE.search(text)
    if propagation:
        deed["propagation"] = propagation[1].capitalize()
    if grace or _FORCE.search(text):
        deed["grace_period_s"] = int(grace[1]) if grace else 0
    return deed


def _recreate(text: str, action: Mapping[str, Any], _objects: Objects) -> Deed | None:
    if re.search(r"first re-?create attempt", text, re.I):
        return {"do": "recreate until accepted"}
    if re.search(
        r"\bre-?creat|\bcreated? again\b|\bcreate[ds]? .*same name|\bre-?submit|\bsubmitted again", text, re.I
    ):
        return {"do": "recreate until accepted" if action.get("attempts", 1) > 1 else "recreate"}
    if re.match(r"(?:create|submit)(?:d|s|ted)?\b", text, re.I) and not _OTHER.search(text):
        return {"do": "recreate until accepted" if action.get("attempts", 1) > 1 else "recreate"}
    return None


def _quota(text: str, _action: Mapping[str, Any], _objects: Objects) -> Deed | None:
    if re.search(r"\bquota\b", text, re.I) and re.search(
        r"\b(?:PATCH|raised?|lift|free[ds]?|widen|increased?)", text, re.I
    ):
        return {"do": "free quota"}
    return None


_RULES: tuple[Callable[[str, Mapping[str, Any], Objects], Deed | None], ...] = (
    _patch,
    _signal,
    _recreate,
    _delete,
    _quota,
)
