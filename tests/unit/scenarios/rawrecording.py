"""Recordings written by hand in the raw recorder's form, for the tests of the converter."""

from typing import Any

RUN = "wfe-0123456789abcdef"
TASK = f"{RUN}-run"
POD = f"{RUN}-run-pod"
_STEP = {"image": "reg.local/tool:1", "script": "#!/bin/sh\necho hi\n"}
_WAITING = ["waiting", None, "PodInitializing"]
DONE = ["terminated", 0, "Completed"]
RUNNING = ["running", None, None]
UP = {
    "PodReadyToStartContainers": "True",
    "Initialized": "True",
    "Ready": "True",
    "ContainersReady": "True",
    "PodScheduled": "True",
}


class RawRecording:
    """``document`` grows row by row; calls are logged a few milliseconds before their rows."""

    def __init__(self, *, version: str = "v1.15.0", steps: str = "a", spec: dict[str, Any] | None = None) -> None:
        self.steps = steps
        task = {"name": "run", "taskSpec": {"steps": [{"name": one, **_STEP} for one in steps]}}
        full = {
            "pipelineSpec": {"tasks": [task]},
            "taskRunTemplate": {"serviceAccountName": "kubernaut-workflow-runner"},
            **(spec or {}),
        }
        full = {key: value for key, value in full.items() if value is not None}
        metadata = {"name": RUN, "namespace": "kubernaut-workflows", "labels": {"a": "b"}, "annotations": {}}
        submitted = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": metadata, "spec": full}
        self.calls: list[list[Any]] = [[1.0, 5.0, "client", "create", "pipelineruns", "$PR", 201]]
        self.document: dict[str, Any] = {
            "scenario": "by-hand",
            "tektonVersion": version,
            "kubernetes": "1.36.2",
            "namespace": "kubernaut-workflows",
            "submitOffsetWithinCreationSecond_s": 0.4,
            "createCall": {"ms": 6.0, "code": 201, "body": None},
            "submitted": submitted,
            "returnedOnCreate_spec": None,
            "actions": [],
            "concurrentScenarios": 1,
            "final": {},
            "events": [],
            "apiCalls": {
                "countedBy": "time window + user (solo)",
                "byVerbResource": {},
                "sequence_[startMs,durMs,user,verb,resource,name,code]": self.calls,
            },
        }
        self._last: dict[str, dict[str, Any]] = {}

    def row(self, at_ms: float, type_: str, resource: str, name: str, uid: str, **fields: Any) -> None:
        """A row that changes ``fields`` of the object's last one; None takes one away."""
        row = {**self._last.get(uid, {"generation": 1, "labels": {}, "annotations": {}}), **fields}
        row |= {"tMs": at_ms, "type": type_, "resource": resource, "name": name, "uid": uid}
        row["rvIndex"] = len(self.document["events"])
        row = {key: value for key, value in row.items() if value is not None}
        self._last[uid] = row
        self.document["events"].append(row)

    def action(self, at_ms: float, words: str, **answer: Any) -> None:
        self.document["actions"].append({"tMs": at_ms, "action": words, **answer})

    def run(self, at_ms: float, type_: str = "ADDED", uid: str = "PR#1", **fields: Any) -> None:
        spec = {"spec": self.document["submitted"]["spec"]} if type_ == "ADDED" else {"spec": None}
        self.row(at_ms, type_, "pipelineruns", RUN, uid, **{**spec, **fields})

    def task(self, at_ms: float, type_: str = "ADDED", uid: str = "TR#2", **fields: Any) -> None:
        spec = self.document["submitted"]["spec"].get("pipelineSpec", {"tasks": [{"taskSpec": {"steps": []}}]})
        added = {"spec": {"taskSpec": spec["tasks"][0]["taskSpec"]}} if type_ == "ADDED" else {"spec": None}
        labels = {"tekton.dev/pipelineTask": "run", "tekton.dev/memberOf": "tasks"}
        self.row(at_ms, type_, "taskruns", TASK, uid, **{**added, "labels": labels, **fields})

    def ended(self, at_ms: float, reason: str, message: str, **status: Any) -> None:
        """The TaskRun fails, or ``status`` says otherwise."""
        condition = {"type": "Succeeded", "status": "False", "reason": reason, "message": message}
        self.task(at_ms, "MODIFIED", status={"podName": POD, "conditions": [condition], **status})

    def pod(self, at_ms: float, uid: str = "POD#3") -> None:
        """A pod is created, bound and has its init containers run."""
        labels = {"tekton.dev/taskRun": TASK}
        kept = {"restartPolicy": "Never", "activeDeadlineSeconds": 5400, "serviceAccountName": "default"}
        self.calls.append([at_ms - 10, 6.0, "tekton-controller", "create", "pods", "$PR-run-pod", 201])
        self.row(at_ms, "ADDED", "pods", POD, uid, labels=labels, phase="Pending", **kept)
        self.calls.append([at_ms + 90, 6.0, "puppet-kubelet", "create", "pods/binding", "$PR-run-pod", 201])
        self.row(at_ms + 100, "MODIFIED", "pods", POD, uid, nodeName="node-a", conditions={"PodScheduled": "True"})
        waiting = dict.fromkeys([f"step-{one}" for one in self.steps], _WAITING)
        self.status(at_ms + 500, "Pending", {"prepare": DONE, "place-scripts": DONE, **waiting}, uid)

    def status(self, at_ms: float, phase: str, containers: dict[str, Any], uid: str = "POD#3", **fields: Any) -> None:
        """The kubelet writes a status; containers not named stay as they are."""
        before = self._last[uid].get("containers", {})
        self.calls.append([at_ms - 10, 6.0, "puppet-kubelet", "patch", "pods/status", "$PR-run-pod", 200])
        fields = {"conditions": {**UP, "Initialized": "True"}, **fields}
        self.row(at_ms, "MODIFIED", "pods", POD, uid, phase=phase, containers={**before, **containers}, **fields)

    def started(self, at_ms: float, uid: str = "POD#3") -> None:
        """All steps run, and Tekton lets the first one go."""
        self.status(at_ms, "Running", {f"step-{one}": RUNNING for one in self.steps}, uid)
        self.calls.append([at_ms + 5, 6.0, "tekton-controller", "patch", "pods", "$PR-run-pod", 200])
        self.row(at_ms + 15, "MODIFIED", "pods", POD, uid, annotations={"tekton.dev/ready": "READY"})

    def succeeded(self, at_ms: float, uid: str = "POD#3") -> None:
        self.status(at_ms, "Succeeded", {f"step-{one}": DONE for one in self.steps}, uid)
