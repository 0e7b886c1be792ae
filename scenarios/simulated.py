"""The simulated world: our executor in its own process, Tekton, kubelets and an API server on one calendar."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

import controller
from controller.api.resources import PIPELINE_RUNS
from controller.executor.settings import Settings as ExecutorSettings
from controller.executor.wiring import executor
from controller.ports import Document, Resource
from reports import statistics, timings
from scenarios import permissions, workflows
from scenarios.cast import DEPLOYMENTS, Cast
from scenarios.chronicle import Chronicle
from scenarios.errors import BadInput
from scenarios.settings import Settings, described
from scenarios.target import NAMESPACE, Target
from scenarios.world import ApiCalls, World
from sim.apiserver.identity import ADMIN, User
from sim.apiserver.latency import Latency
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.faults.lost_reply import LostReply
from sim.loop import Loop, Process, Stalled
from sim.streams import Streams

DEPLOY = Path(controller.__file__).parent / "deploy"
CONTROLLER = User(
    f"system:serviceaccount:{NAMESPACE}:workflowexecution-controller",
    ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}", "system:authenticated"),
)
_SLICE_US = 30_000_000  # how much virtual time passes between two looks at the progress


def open_world(settings: Settings, seed: int, scale: int) -> "SimulatedWorld":
    """A new simulated world with ``scale`` targets, set up and ready to be asked."""
    return SimulatedWorld(settings, seed, scale)
