"""Free capacity of all nodes, kept so that a fitting node is found without looking at every one.

Nodes sit in a heap, least allocated first. An entry whose node has changed since is stale and is dropped when it
surfaces; of equally free nodes the one registered first is taken (the real scheduler draws lots).
"""

from collections import Counter
from heapq import heapify, heappop, heappush

from controller.ports import Document
from sim.apiserver.quantity import thousandths
from sim.cluster.quantities import cpu_milli, memory_bytes
from sim.cluster.requests import PodRequest

UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"
_HINDERING = frozenset({"NoSchedule", "NoExecute"})


class Room:
    """What is left on one node."""

    __slots__ = (
        "cpu_m",
        "free_cpu_m",
        "free_memory",
        "free_pods",
        "index",
        "labels",
        "memory",
        "name",
        "pods",
        "score_cpu_m",
        "score_memory",
        "taints",
        "unschedulable",
        "version",
    )

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        self.index = index
        self.version = 0
        self.cpu_m = self.memory = self.pods = 0
        self.free_cpu_m = self.free_memory = self.free_pods = 0
        self.score_cpu_m = self.score_memory = 0

    def describe(self, node: Document) -> None:
        """Take over what the Node object says; what its pods hold stays taken."""
        allocatable = (node.get("status") or {}).get("allocatable") or {}  # anybody may write a Node
        cpu_m, memory = cpu_milli(allocatable.get("cpu", 0)), memory_bytes(allocatable.get("memory", 0))
        pods = thousandths(allocatable.get("pods", 0)) // 1000
        self.free_cpu_m += cpu_m - self.cpu_m
        self.free_memory += memory - self.memory
        self.free_pods += pods - self.pods
        self.score_cpu_m += cpu_m - self.cpu_m
        self.score_memory += memory - self.memory
        self.cpu_m, self.memory, self.pods = cpu_m, memory, pods
        spec = node.get("spec") or {}
        self.unschedulable: bool = spec.get("unschedulable", False)
        self.labels: Document = node["metadata"].get("labels") or {}
        self.taints = [
            (one["key"], one.get("value", ""), one["effect"])
            for one in spec.get("taints") or ()
            if one.get("effect") in _HINDERING and "key" in one
        ]

    def fits(self, request: PodRequest) -> bool:
        if self.free_pods < 1 or not (self.free_cpu_m >= request.cpu_m or request.cpu_m == 0):
            return False
        if not (self.free_memory >= request.memory or request.memory == 0):
            return False
        if self.unschedulable or self.taints or request.selector:
            return not self._aversion(request)
        return True

    def objections(self, request: PodRequest) -> list[str]:
        """Why the node does not fit, as the scheduler words it; the first plugin that objects speaks alone."""
        aversion = self._aversion(request)
        if aversion:
            return [aversion]
        reasons = []
        if self.free_pods < 1:
            reasons.append("Too many pods")
        if request.cpu_m > max(self.free_cpu_m, 0):
            reasons.append("Insufficient cpu")
        if request.memory > max(self.free_memory, 0):
            reasons.append("Insufficient memory")
        return reasons

    def _aversion(self, request: PodRequest) -> str:
        if self.unschedulable and not request.tolerates(UNSCHEDULABLE_TAINT, "", "NoSchedule"):
            return "node(s) were unschedulable"
        if any(not request.tolerates(*taint) for taint in self.taints):
            return "node(s) had untolerated taint(s)"
        if any(self.labels.get(key) != value for key, value in request.selector):
            return "node(s) didn't match Pod's node affinity/selector"
        return ""


class Fleet:
    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._by_index: dict[int, Room] = {}
        self._heap: list[tuple[int, int, int]] = []
        self._registered = 0

    def describe(self, node: Document) -> None:
        """A Node object appeared or changed."""
        name = node["metadata"]["name"]
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = self._by_index[self._registered] = Room(name, self._registered)
            self._registered += 1
        room.describe(node)
        self._push(room)

    def remove(self, name: str) -> None:
        room = self._rooms.pop(name, None)
        if room is not None:
            del self._by_index[room.index]

    def take(self, name: str, request: PodRequest) -> None:
        """A pod holds its request on a node; nothing happens on a node that is not known."""
        room = self._rooms.get(name)
        if room is not None:
            room.free_cpu_m -= request.cpu_m
            room.free_memory -= request.memory
            room.score_cpu_m -= request.score_cpu_m
            room.score_memory -= request.score_memory
            room.free_pods -= 1
            self._push(room)

    def give_back(self, name: str, request: PodRequest) -> None:
        room = self._rooms.get(name)
        if room is not None:
            room.free_cpu_m += request.cpu_m
            room.free_memory += request.memory
            room.score_cpu_m += request.score_cpu_m
            room.score_memory += request.score_memory
            room.free_pods += 1
            self._push(room)

    def find(self, request: PodRequest) -> str | None:
        """The least allocated node that fits, or None."""
        heap, rooms = self._heap, self._by_index
        passed = []
        found = None
        while heap:
            entry = heap[0]
            room = rooms.get(entry[1])
            if room is None or room.version != entry[2]:
                heappop(heap)
            elif room.fits(request):
                found = room.name
                break
            else:
                passed.append(heappop(heap))
        for entry in passed:
            heappush(heap, entry)
        return found

    def fits_on(self, name: str, request: PodRequest) -> bool:
        room = self._rooms.get(name)
        return room is not None and room.fits(request)

    def explain(self, request: PodRequest) -> str:
        """The message of the Unschedulable condition."""
        total = len(self._rooms)
        if not total:
            return "no nodes available to schedule pods"
        reasons: Counter[str] = Counter()
        hopeless = 0
        for room in self._rooms.values():
            objections = room.objections(request)
            reasons.update(objections)
            hopeless += objections[0].startswith("node(s)") if objections else 0
        listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
        preemption = []
        if hopeless < total:
            preemption.append(f"{total - hopeless} No preemption victims found for incoming pod")
        if hopeless:
            preemption.append(f"{hopeless} Preemption is not helpful for scheduling")
        tried = f"preemption: 0/{total} nodes are available: {', '.join(sorted(preemption))}."
        return f"0/{total} nodes are available: {listed}. {tried}"

    def _push(self, room: Room) -> None:
        room.version = version = room.version + 1
        free = room.score_cpu_m * 1000 // (room.cpu_m or 1) + room.score_memory * 1000 // (room.memory or 1)
        heappush(self._heap, (-free, room.index, version))
        if len(self._heap) > 8 * len(self._rooms) + 64:
            rooms = self._by_index
            self._heap = [one for one in self._heap if one[1] in rooms and rooms[one[1]].version == one[2]]
            heapify(self._heap)
