"""The catalogue of workflows: what each bundle contains, and how its steps behave in the simulation.

A workflow file holds one workflow: its bundle (image, version), its tasks with their order, and for each step the
image it runs, how long it takes, how much memory it needs, which API requests it makes and what it prints.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import pydantic
import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import ErrorDetails

from scenarios.errors import BadInput
from sim.cluster.quantities import cpu_milli
from sim.workload import distributions
from sim.workload.distributions import Distribution

FOLDER = Path(__file__).parent / "workflows"

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=42)]
"""A DNS label short enough for Tekton to build readable child names from it."""

Time = Annotated[Distribution, PlainValidator(distributions.parse)]
"""A duration or a distribution of durations; units are part of the value."""


M = TypeVar("M", bound=BaseModel)


def _quantity(text: object) -> str:
    try:
        below_zero = cpu_milli(str(text)) < 0
    except ValueError:
        raise ValueError(f"{text!r:.60} is not a quantity: write it like 128Mi, 1Gi or 100m") from None
    if below_zero:
        raise ValueError(f"quantity {text!r:.60} is negative")
    return str(text)


Quantity = Annotated[str, PlainValidator(_quantity)]
"""A Kubernetes quantity such as ``128Mi`` or ``100m``."""


class Part(BaseModel):
    """Every part of a file: unknown fields are mistakes, and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Request(Part):
    """One API request that a step makes about the target, with the run's service account."""

    verb: Literal["get", "patch"]
    patch: dict[str, Any] = {}


class Memory(Part):
    """Kubernetes quantities: what the container may use, and what it really uses at its highest."""

    limit: Quantity = "128Mi"
    peak: Quantity = "32Mi"


class WorkflowStep(Part):
    name: Name
    image: str = Field(min_length=1)
    script: str = ""
    duration: Time
    memory: Memory = Memory()
    cpu: Quantity = "100m"
    requests: list[Request] = []
    log: str = ""


class Task(Part):
    name: Name
    run_after: list[Name] = Field(default=[], alias="runAfter")
    retries: int = Field(default=0, ge=0, le=10)
    steps: list[WorkflowStep] = Field(min_length=1)


class Workflow(Part):
    """One workflow of the catalogue."""

    workflow: Name
    description: str
    version: str
    image: str = Field(min_length=1)
    parameters: dict[str, str] = {}
    tasks: list[Task] = Field(min_length=1)

    def execution(self, name: str, namespace: str, target_resource: str) -> dict[str, Any]:
        """A WorkflowExecution document that asks for this workflow on a target."""
        return {
            "apiVersion": "kubernaut.ai/v1alpha1",
            "kind": "WorkflowExecution",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "remediationRequestRef": {
                    "apiVersion": "kubernaut.ai/v1alpha1",
                    "kind": "RemediationRequest",
                    "name": name.replace("we-", "rr-", 1),
                    "namespace": namespace,
                },
                "workflowRef": {"workflowId": self.workflow, "version": self.version, "containerImage": self.image},
                "targetResource": target_resource,
                "parameters": self.parameters,
            },
        }

    def pipeline(self) -> dict[str, Any]:
        """The Tekton Pipeline that the bundle holds."""
        return {
            "apiVersion": "tekton.dev/v1",
            "kind": "Pipeline",
            "metadata": {"name": "workflow"},
            "spec": {
                "params": [{"name": key, "type": "string"} for key in [*self.parameters, "TARGET_RESOURCE"]],
                "tasks": [_pipeline_task(task) for task in self.tasks],
            },
        }


def _pipeline_task(task: Task) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": task.name, "taskSpec": {"steps": [_step(step) for step in task.steps]}}
    if task.run_after:
        entry["runAfter"] = list(task.run_after)
    if task.retries:
        entry["retries"] = task.retries
    return entry


def _step(step: WorkflowStep) -> dict[str, Any]:
    return {
        "name": step.name,
        "image": step.image,
        "script": step.script or f"#!/bin/sh\nexec {step.name}\n",
        "computeResources": {
            "requests": {"cpu": step.cpu, "memory": step.memory.limit},
            "limits": {"memory": step.memory.limit},
        },
    }


def parse(text: str, where: str) -> Workflow:
    """Read one workflow file. Raises BadInput naming ``where``, the field and the expected form."""
    workflow = validate(Workflow, load_yaml(text, where), where)
    known = {task.name for task in workflow.tasks}
    for task in workflow.tasks:
        for before in task.run_after:
            if before not in known:
                raise BadInput(
                    where, f'task "{task.name}" runs after "{before}"', "the name of a task of this workflow"
                )
    cycle = next(_cycles({task.name: task.run_after for task in workflow.tasks}), None)
    if cycle:
        raise BadInput(where, f"tasks: {' -> '.join(cycle)} is a cycle", "an acyclic task graph")
    return workflow


def _cycles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    done: set[str] = set()

    def visit(task: str, path: list[str]) -> Iterator[list[str]]:
        if task in path:
            yield [*path[path.index(task) :], task]
        elif task not in done:
            for before in graph[task]:
                yield from visit(before, [*path, task])
            done.add(task)

    for task in graph:
        yield from visit(task, [])


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f'"{twice}" is given twice', node.start_mark)
        return super().construct_mapping(node, deep)


def load_yaml(text: str, where: str) -> Any:
    """YAML to plain data. Raises BadInput with the line when it is malformed."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise BadInput(f"{where}{line}", f"malformed YAML ({getattr(error, 'problem', error)})") from None
    except ValueError as error:  # a date that is none, for one
        raise BadInput(where, f"malformed YAML ({error})") from None
    except RecursionError:
        raise BadInput(where, "nested too deeply", "a few levels") from None


def text_of(path: Path) -> str:
    """The text of a file that a person wrote. Raises BadInput when it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(str(path), f"cannot be read ({error.strerror})", "a readable YAML file") from None
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"is not UTF-8 text ({error.reason})", "a YAML file") from None


def validate(model: type[M], data: Any, where: str, *, context: dict[str, Any] | None = None) -> M:
    """Data to a model. Raises BadInput for the first field that does not fit."""
    if not isinstance(data, dict):
        raise BadInput(where, "is empty" if data is None else f"holds a {type(data).__name__}", "a mapping")
    try:
        return model.model_validate(data, context=context)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(where, f"{field}: {_complaint(model, first)}") from None


def _complaint(model: type[BaseModel], error: ErrorDetails) -> str:
    """What is wrong with one field, in words that know nothing of Python."""
    if error["type"] == "extra_forbidden":
        return f"unknown; expected one of {', '.join(_known_fields(model, error['loc'][:-1]))}"
    if error["type"] == "missing":
        return "is missing"
    if error["type"] in ("model_type", "dict_type"):
        return f"expected a mapping, not {error['input']!r:.60}"
    return error["msg"].removeprefix("Value error, ")


def _known_fields(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The fields of the part of ``model`` that ``path`` leads to."""
    for name in path:
        if isinstance(name, str):
            annotation = next(
                field.annotation for key, field in model.model_fields.items() if name in (key, field.alias)
            )
            (model,) = get_args(annotation) or (annotation,)
    return [field.alias or key for key, field in model.model_fields.items()]


def load_folder(folder: Path = FOLDER) -> dict[str, Workflow]:
    """All workflows of a folder by their name, in the order of the file names. Raises BadInput."""
    workflows: dict[str, Workflow] = {}
    for path in sorted(folder.glob("*.yaml")):
        workflow = parse(text_of(path), str(path))
        workflows[workflow.workflow] = workflow
    return workflows


def beside(path: Path) -> dict[str, Workflow]:
    """The catalogue, and the user's own workflows from a folder ``workflows`` beside a feature or workload file."""
    return {**_shipped(), **load_folder(path.parent / "workflows")}


@cache
def _shipped() -> dict[str, Workflow]:
    """The catalogue, read once: workflows are frozen, and every scenario asks for them again."""
    return load_folder()
