"""Plays a recording's inputs to the simulated Tekton and notes what is written, in the recordings' own form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_form import KINDS, Incarnations, collapsed, normal_labels, normal_owners, normal_status

from controller.ports import ApiError, Document, Resource, WatchType
from sim.apiserver.admission import AdmissionRequest
from sim.apiserver.errors import forbidden
from sim.apiserver.identity import ADMIN
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import Api
from sim.loop import Loop
from sim.streams import Streams
from sim.tekton.access import PIPELINE_RUNS, PODS, SERVICE_ACCOUNTS, TASK_RUNS
from sim.tekton.bundles import BundleCatalogue
from sim.tekton.install import CONTROLLER, Tekton, install
from sim.tekton.options import TektonOptions
from sim.tekton.version import VERSIONS
from sim.workload.distributions import Constant, Lognormal

DATA = Path(__file__).parent / "data"
_SETTLE_US = 2_000_000  # the real script, too, watched an idle installation before it began
_RETRY_US = 55_000
_PAUSED_US = 3_000_000  # how long the recordings stopped the garbage collector
_WATCH_LAG = Lognormal(1_200, 0.4, source="fitted to the conflicts in the recordings")
_LATENCY = Latency(Lognormal(5_500, 0.35), {"get": Lognormal(1_200, 0.3)}, request_share=0.75)
_IMAGE_ID = "reg.local/x@sha256:" + "a" * 64
_NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
_EVENTS = Resource("", "v1", "events", "Event")


def load(version: str, scenario: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads((DATA / version / f"{scenario}.json").read_text())
    return recording


@dataclass
class Played:
    """What came of a replay: writes by symbol, all of them in store order, Events, what was refused."""

    writes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ordered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: set[tuple[str, str, str]] = field(default_factory=set)
    refusal: list[Any] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    returned_spec: Document | None = None
    calls: dict[str, int] = field(default_factory=dict)


class Player:
    def __init__(self, recording: Mapping[str, Any], *, seed: int = 1, late_caches: bool = False) -> None:
        """``late_caches`` has answers overtake watches as they did where the recordings were made."""
        self.recording = recording
        self.loop = Loop()
        self.clock = Clock(self.loop)
        streams = Streams(seed)
        does = [action["do"] for action in recording["actions"]]
        network: dict[str, Any] = {"latency": _LATENCY, "watch_lag": _WATCH_LAG} if late_caches else {}
        if "pause garbage collector" in does:
            network["collector_lag"] = Constant(_PAUSED_US)
        self.server = ApiServer(self.loop, streams, self.clock, **network)
        self.namespace: str = recording["namespace"]
        self._scheduler = Api(self.server, ADMIN, "puppet-kubelet")
        self.result = Played()
        self._symbols = Incarnations()
        self._pods: dict[str, int] = {}
        self._create(_NAMESPACES, "", {"metadata": {"name": self.namespace}})
        for name in ("default", "kubernaut-workflow-runner"):
            self._create(SERVICE_ACCOUNTS, self.namespace, {"metadata": {"name": name}})
        if "quota" in recording:
            self._fill_quota(recording["quota"])
        self.bundles = _catalogue(recording.get("bundle") or {})
        self.tekton: Tekton = install(
            self.server, self.loop, streams, self.clock,
            TektonOptions(version=VERSIONS[recording["version"]]), self.bundles,
        )  # fmt: skip
        self.tekton.webhook.outage = recording.get("webhook_outage", "")
        if "uncounted_quota" in recording:
            self.server.admission.validate(self._refuse_uncounted, resources=(TASK_RUNS.group_resource,))
        if does[:1] == ["start controller"]:
            self.tekton.kill(CONTROLLER)
        self.server.observe(self._observed)

    def play(self, until_s: float) -> Played:
        """Submit the run at the recorded fraction of a second and let the world go on for ``until_s``."""
        at_us = _SETTLE_US + self.recording["offset_ms"] * 1000
        self.loop.run_until(at_us)
        for action in self.recording["actions"]:
            self.loop.after(action["at_ms"] * 1000, self._act, action)
        calls = dict(_counted(self.server))
        self._submit()
        self.loop.run_until(at_us + round(until_s * 1_000_000))
        self.result.writes = {symbol: collapsed(ones) for symbol, ones in self.result.writes.items()}
        self.result.calls = {
            key: count - calls.get(key, 0) for key, count in _counted(self.server).items() if count > calls.get(key, 0)
        }
        self.loop.close()
        return self.result

    def _submit(self) -> None:
        try:
            created = self._create(PIPELINE_RUNS, self.namespace, self.recording["submit"])
        except ApiError as error:
            self.result.refusal = [error.code, error.reason, error.message, error.details]
        else:
            self.result.returned_spec = created["spec"]

    def _create(self, resource: Resource, namespace: str, body: Document) -> Document:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return self.server.create(ADMIN, resource, namespace, body)

    def _fill_quota(self, quota: Mapping[str, Any]) -> None:
        """A quota that is used up: by a pod where it counts pods, else by allowing nothing."""
        limit = 1 if quota["resource"] == "pods" else 0
        spec = {"hard": {quota["resource"]: str(limit)}}
        self._create(_QUOTAS, self.namespace, {"metadata": {"name": quota["name"]}, "spec": spec})
        self.loop.run_until(self.loop.now_us + 500_000)
        if limit:
            container = {"name": "main", "image": "reg.local/blocker:1"}
            self._create(PODS, self.namespace, {"metadata": {"name": "blocker"}, "spec": {"containers": [container]}})
            self.loop.run_until(self.loop.now_us + 500_000)

    def _refuse_uncounted(self, request: AdmissionRequest) -> None:
        """The recorded quota controller had not yet heard of TaskRuns, and did not until the run was over."""
        raise forbidden(request.resource, request.name, self.recording["uncounted_quota"])

    # the script's actions

    def _act(self, action: Mapping[str, Any]) -> None:
        try:
            self._perform(action)
        except ApiError as error:
            self.result.refusals.append(error.message)
            if action["do"] == "recreate until accepted":
                self.loop.after(_RETRY_US, self._act, action)

    def _perform(self, action: Mapping[str, Any]) -> None:
        name, server, namespace = self.recording["submit"]["metadata"]["name"], self.server, self.namespace
        match action["do"]:
            case "patch":
                server.patch(ADMIN, PIPELINE_RUNS, namespace, name, {"spec": action["spec"]})
            case "patch task":
                server.patch(ADMIN, TASK_RUNS, namespace, f"{name}-run", {"spec": action["spec"]})
            case "delete":
                server.delete(ADMIN, PIPELINE_RUNS, namespace, name, propagation=action["propagation"])
            case "delete pod":
                server.delete(ADMIN, PODS, namespace, f"{name}-run-pod")
            case "free quota":
                server.delete(ADMIN, PODS, namespace, "blocker", grace_period_s=0)
            case "kill controller":
                self.tekton.kill(CONTROLLER)
            case "start controller":
                self.tekton.start(CONTROLLER)
            case "recreate" | "recreate until accepted":
                self._create(PIPELINE_RUNS, namespace, self.recording["submit"])

    # what is noted

    def _observed(self, type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
        if resource.plural == "events":
            if type_ == "ADDED":
                involved = new["involvedObject"]
                told = (f"{involved['kind']}/{involved['name']}", new["reason"], new.get("message") or "")
                self.result.told.add(told)
            return
        kind = KINDS.get(resource.plural)
        metadata = new["metadata"]
        if kind is None or metadata["name"] == "blocker":
            return
        symbol = self._symbols.of(metadata["uid"], kind, metadata["name"])
        write = self._write(type_, kind, new)
        self.result.writes.setdefault(symbol, []).append(write)
        self.result.ordered.append((symbol, write))
        if kind == "Pod":
            self.loop.after(0, self._advance, symbol, type_, old, new)

    def _write(self, type_: str, kind: str, document: Document) -> dict[str, Any]:
        metadata = document["metadata"]
        write: dict[str, Any] = {
            "type": type_,
            "labels": normal_labels(metadata.get("labels"), self._symbols),
            "annotations": dict(sorted((metadata.get("annotations") or {}).items())),
            "deleting": "deletionTimestamp" in metadata,
        }
        if type_ == "ADDED":
            write["owners"] = normal_owners(metadata.get("ownerReferences"), self._symbols)
        if kind == "Pod":
            if type_ == "ADDED":
                for key in ("restartPolicy", "activeDeadlineSeconds", "serviceAccountName"):
                    write[key] = document["spec"].get(key)
            return write
        write["generation"] = metadata["generation"]
        write["finalizers"] = metadata.get("finalizers", [])
        if type_ == "ADDED":
            write["spec"] = document["spec"]
        if document.get("status"):
            write["status"] = normal_status(document["status"], flags=True)
        return write

    # the kubelet of the recordings

    def _advance(self, symbol: str, type_: WatchType, old: Document | None, new: Document) -> None:
        """Schedule what the script does after this change of a pod, if it was the one that was awaited."""
        script = self.recording["pods"].get(symbol, [])
        position = self._pods.setdefault(symbol, 0)
        if position < len(script) and old is not None and type_ == "MODIFIED":
            awaited = script[position]["do"]
            before, after = old["metadata"], new["metadata"]
            ready = before.get("annotations") != after.get("annotations")
            marked = "deletionTimestamp" in after and "deletionTimestamp" not in before
            if (awaited == "await ready" and ready) or (awaited == "await deletion" and marked):
                position = self._pods[symbol] = position + 1
            elif ready or marked:
                return
        elif old is not None:
            return
        self._next(symbol, new["metadata"]["name"])

    def _next(self, symbol: str, name: str) -> None:
        script, position = self.recording["pods"].get(symbol, []), self._pods[symbol]
        if position < len(script) and not script[position]["do"].startswith("await"):
            self.loop.after(script[position]["delay_ms"] * 1000, self._kubelet, symbol, name, position)

    def _kubelet(self, symbol: str, name: str, position: int) -> None:
        if position != self._pods[symbol]:
            return
        entry = self.recording["pods"][symbol][position]
        self._pods[symbol] = position + 1
        if entry["do"] == "delete":
            self.server.delete(ADMIN, PODS, self.namespace, name, grace_period_s=0)
            return
        pod = self.server.get(ADMIN, PODS, self.namespace, name)
        if entry["do"] == "bind":
            self._scheduler.bind(pod, entry["node"])
            self._next(symbol, name)
            return
        status = self._pod_status(entry, pod)
        self.server.update(ADMIN, PODS, self.namespace, name, {**pod, "status": status}, subresource="status")
        self._next(symbol, name)

    def _pod_status(self, entry: Mapping[str, Any], pod: Document) -> dict[str, Any]:
        inits = {one["name"] for one in pod["spec"].get("initContainers") or ()}
        statuses = [self._container(name, state, entry) for name, state in entry.get("containers", {}).items()]
        unfinished = [
            one["name"]
            for one in statuses
            if one["name"] in inits and one["state"].get("terminated", {}).get("exitCode") != 0
        ]
        status: dict[str, Any] = {
            "phase": entry["phase"],
            "conditions": [_condition(type_, text, unfinished) for type_, text in entry["conditions"].items()],
            "initContainerStatuses": [one for one in statuses if one["name"] in inits],
            "containerStatuses": [one for one in statuses if one["name"] not in inits],
        }
        for key in ("reason", "message"):
            if key in entry:
                status[key] = entry[key]
        return status

    def _container(self, name: str, state: list[Any], entry: Mapping[str, Any]) -> dict[str, Any]:
        word, exit_code, reason = state
        now = self.clock.timestamp()
        details: dict[str, Any] = {}
        if word == "waiting":
            details = {"reason": reason}
            if name in entry.get("waiting_messages", {}):
                details["message"] = entry["waiting_messages"][name]
        elif word == "running":
            details = {"startedAt": now}
        else:
            details = {"exitCode": exit_code, "reason": reason, "startedAt": now, "finishedAt": now}
            if name.startswith("step-") and name not in entry.get("silent", ()):
                details["message"] = self._termination(entry, name)
        image_id = "" if word == "waiting" else _IMAGE_ID
        return {"name": name, "image": "", "imageID": image_id, "ready": word == "running", "restartCount": 0,
                "state": {word: details}}  # fmt: skip

    def _termination(self, entry: Mapping[str, Any], name: str) -> str:
        now = self.clock.utcnow().isoformat(timespec="milliseconds")[:23] + "Z"
        entries: list[dict[str, Any]] = [{"key": "StartedAt", "value": now, "type": 3}]
        reason = entry.get("entrypoint_reasons", {}).get(name, "")
        if reason:
            entries.append({"key": "Reason", "value": reason, "type": 3})
        entries += ({"key": one["name"], "value": one["value"], "type": 1} for one in entry.get("results", ()))
        return json.dumps(entries)


def _condition(type_: str, text: str, unfinished: list[str]) -> dict[str, Any]:
    status, _, reason = text.partition(":")
    condition = {"type": type_, "status": status}
    if reason:
        condition["reason"] = reason
    if reason == "ContainersNotInitialized":
        condition["message"] = f"containers with incomplete status: [{' '.join(unfinished)}]"
    elif reason == "Unschedulable":
        condition["message"] = "0/1 nodes are available: 1 Insufficient cpu."
    return condition


def _catalogue(bundle: Mapping[str, Any]) -> BundleCatalogue:
    catalogue = BundleCatalogue()
    if "refusal" in bundle:
        catalogue.refuse(bundle["image"], bundle["refusal"])
    elif bundle:
        document = {
            "apiVersion": "tekton.dev/v1",
            "kind": "Pipeline",
            "metadata": {"name": bundle["name"]},
            "spec": {"tasks": bundle["tasks"]},
        }
        catalogue.add(bundle["image"], document)
    return catalogue


def _counted(server: ApiServer) -> dict[str, int]:
    """Calls by ``component verb resource``, refusals apart as in the recordings."""
    counted: dict[str, int] = {}
    for (component, verb, resource), calls in server.calls.items():
        if verb in ("list", "watch") or not component.startswith("tekton"):
            continue
        short = resource.replace(".resolution.tekton.dev", "").replace(".tekton.dev", "")
        counted[f"{component} {verb} {short}"] = calls.count - sum(calls.errors.values())
        for code, number in calls.errors.items():
            counted[f"{component} {verb} {short} ->{code}"] = number
    return counted
