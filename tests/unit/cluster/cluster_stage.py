"""A cluster without Tekton: pods are created by hand, the ready annotation is set as Tekton's controller sets it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from controller.ports import Document, Resource
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.cluster.api import PODS
from sim.cluster.behaviour import Behaviour
from sim.cluster.cluster import ClusterModels, build
from sim.cluster.nodes import NODES
from sim.cluster.options import ClusterOptions, NodePool, as_recorded
from sim.loop import Loop
from sim.streams import Streams
from sim.workload.distributions import Constant

NAMESPACE = "workflows"
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SECOND = 1_000_000
ONE_NODE = (NodePool(count=1),)


class Cast:
    """Performer by container name; what is not listed does what is usual."""

    def __init__(self, behaviours: Mapping[str, Behaviour]) -> None:
        self.behaviours = dict(behaviours)

    def perform(self, pod: Document, container: str) -> Behaviour | None:
        return self.behaviours.get(container)


class Stage:
    def __init__(
        self,
        behaviours: Mapping[str, Behaviour] | None = None,
        *,
        options: ClusterOptions | None = None,
        seed: int = 1,
        annotate: bool = True,
    ) -> None:
        self.loop = Loop()
        self.clock = Clock(self.loop)
        self.server = ApiServer(self.loop, Streams(seed), self.clock, guard=True)
        self.cast = Cast(behaviours or {})
        options = options or as_recorded(ClusterOptions(pools=ONE_NODE))
        self.models: ClusterModels = build(self.server, self.loop, Streams(seed), self.clock, options, self.cast)
        self.rows: list[tuple[int, str, str, Document]] = []
        self.server.create(ADMIN, NAMESPACES, "", {"metadata": {"name": NAMESPACE}})
        self.models.start()
        self.server.observe(self._observe)
        self._annotate = annotate

    def _observe(self, type_: str, resource: Resource, _old: Document | None, new: Document) -> None:
        if resource.plural != "pods":
            return
        name = new["metadata"]["name"]
        self.rows.append((self.loop.now_us // 1000, type_, name, new))
        running = new.get("status", {}).get("phase") == "Running"
        if self._annotate and type_ == "MODIFIED" and running and not new["metadata"].get("annotations"):
            self.loop.after(20_000, self._set_ready, name)

    def _set_ready(self, name: str) -> None:
        if self.server.find(PODS, NAMESPACE, name) is not None:
            patch = {"metadata": {"annotations": {"tekton.dev/ready": "READY"}}}
            self.server.patch(ADMIN, PODS, NAMESPACE, name, patch)

    def create(self, name: str = "p", **spec: Any) -> Document:
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}
        return self.server.create(ADMIN, PODS, NAMESPACE, body)

    def create_task(self, *steps: str, name: str = "p", **spec: Any) -> Document:
        """A pod as Tekton builds it: two init containers, the named steps."""
        return self.create(name, **{**task_spec(*steps), **spec})

    def delete(self, name: str = "p", *, grace_period_s: int | None = None) -> None:
        self.server.delete(ADMIN, PODS, NAMESPACE, name, grace_period_s=grace_period_s)

    def run(self, seconds: float) -> None:
        """Let that much time pass."""
        self.loop.run_until(self.loop.now_us + round(seconds * SECOND))
        self.server.verify()

    def pod(self, name: str = "p") -> Document:
        found = self.server.find(PODS, NAMESPACE, name)
        assert found is not None, f"no pod {name}"
        return found

    def gone(self, name: str = "p") -> bool:
        return self.server.find(PODS, NAMESPACE, name) is None

    def node(self, name: str = "node-0") -> Document:
        found = self.server.find(NODES, "", name)
        assert found is not None
        return found

    def terminated(self, container: str, name: str = "p") -> Document:
        status = self.pod(name)["status"]
        statuses = [*status.get("initContainerStatuses", ()), *status["containerStatuses"]]
        return next(one["state"]["terminated"] for one in statuses if one["name"] == container)

    def state(self, container: str, name: str = "p") -> str:
        return _facts(self.pod(name)).get(container, "")

    def trace(self, name: str = "p") -> list[str]:
        """One line per write: milliseconds and what it changed."""
        lines, last = [], {}
        for at_ms, type_, of, pod in self.rows:
            if of == name:
                facts = _facts(pod)
                changed = [f"{key}={value}" for key, value in facts.items() if last.get(key) != value]
                lines.append(" ".join([str(at_ms), type_[:3], *changed]))
                last = facts
        return lines

    def calls(self, component: str) -> dict[str, int]:
        return {
            f"{verb} {resource}": count.count
            for (who, verb, resource), count in self.server.calls.items()
            if who == component and not resource.startswith("nodes")
        }


def _facts(pod: Document) -> dict[str, str]:
    status, metadata = pod.get("status") or {}, pod["metadata"]
    facts = {"phase": status.get("phase", "")}
    if "nodeName" in pod["spec"]:
        facts["node"] = pod["spec"]["nodeName"]
    if "reason" in status:
        facts["reason"] = status["reason"]
    if "deletionGracePeriodSeconds" in metadata:
        facts["grace"] = str(metadata["deletionGracePeriodSeconds"])
    if metadata.get("annotations"):
        facts["annotated"] = "yes"
    for one in status.get("conditions", ()):
        facts[one["type"]] = one["status"] + (f":{one['reason']}" if "reason" in one else "")
    for one in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        facts[one["name"]] = _state(one["state"])
    return facts


def _state(state: Document) -> str:
    if "running" in state:
        return "running"
    if "waiting" in state:
        return f"waiting:{state['waiting']['reason']}"
    return f"{state['terminated']['exitCode']}:{state['terminated']['reason']}"


def step(index: int, name: str, *flags: str, **fields: Any) -> dict[str, Any]:
    """A step's container; ``flags`` go to its entrypoint."""
    before = ["-wait_file", f"/tekton/run/{index - 1}/out"]
    first = ["-wait_file", "/tekton/downward/ready", "-wait_file_content"]
    return {
        "name": f"step-{name}",
        "image": "reg.local/tool:1",
        "command": ["/tekton/bin/entrypoint"],
        "args": [
            *(before if index else first),
            *("-post_file", f"/tekton/run/{index}/out", "-termination_path", "/tekton/termination"),
            *flags,
            *("-entrypoint", f"/tekton/scripts/script-{index}", "--"),
        ],
        **fields,
    }


def task_spec(*names: str) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": "runner",
        "initContainers": [{"name": name, "image": "reg.local/entry:1"} for name in ("prepare", "place-scripts")],
        "containers": [step(index, name) for index, name in enumerate(names or ("a",))],
    }


def limited(container: Mapping[str, Any], memory: str) -> dict[str, Any]:
    return {**container, "resources": {"limits": {"memory": memory}}}


def recorded(**changes: Any) -> ClusterOptions:
    """The recordings' timing on one node, with ``changes`` to the options."""
    return as_recorded(replace(ClusterOptions(pools=ONE_NODE), **changes))


def started(lines: Sequence[str]) -> list[str]:
    """The part of a trace after the pod began to run."""
    return list(lines[next(index for index, line in enumerate(lines) if "phase=Running" in line) + 1 :])


def timed(**latencies_us: int) -> ClusterOptions:
    """The recordings' timing with some constants changed."""
    options = recorded()
    changed = {name: Constant(us) for name, us in latencies_us.items()}
    return replace(options, latencies=replace(options.latencies, **changed))
