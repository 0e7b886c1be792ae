"""What there is to run: finds features, workload scenarios and workflows, and lists them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios import gherkin, workflows
from scenarios.console import counted
from scenarios.errors import BadInput
from scenarios.settings import Settings, described, notes

FOLDER = Path(__file__).parent
FEATURES = FOLDER.parent.parent / "features"


@dataclass(frozen=True, slots=True)
class Found:
    """What the given paths stand for, in the order they were given."""

    features: list[Path]
    workloads: list[Path]


def find(paths: list[str]) -> Found:
    """Resolve paths and names; no path at all means every feature of ours. Raises BadInput for what is not there."""
    found = Found([], [])
    for text in paths or [str(FEATURES)]:
        for path in _resolve(text):
            (found.features if path.suffix == ".feature" else found.workloads).append(path)
    return found


def _resolve(text: str) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        loads = [file for file in path.rglob("*.yaml") if file.parent.name != workflows.FOLDER.name]
        inside = sorted(path.rglob("*.feature")) + sorted(loads)
        if not inside:
            raise BadInput(text, "holds neither features nor workload scenarios", "*.feature or *.yaml files")
        return inside
    if path.suffix in (".feature", ".yaml") and path.is_file():
        return [path]
    if path.exists():
        raise BadInput(text, "is neither a feature nor a workload scenario", "a .feature or .yaml file")
    for folder, suffix in ((FEATURES, ".feature"), (FOLDER, ".yaml")):
        if (folder / f"{text}{suffix}").is_file():
            return [folder / f"{text}{suffix}"]
    if path.suffix or "/" in text:
        raise BadInput(
            text, "does not exist", "a feature, a folder, a workload scenario or a name from `rehearse list`"
        )
    names = ", ".join(sorted(path.stem for path in [*FEATURES.glob("*.feature"), *FOLDER.glob("*.yaml")]))
    raise BadInput(text, "unknown catalogue entry", f"one of {names}")


def lines() -> list[str]:
    """One line for each feature, scenario, workload scenario, workflow and setting."""
    out = []
    for path in sorted(FEATURES.glob("*.feature")):
        feature = gherkin.read(path)
        out.append(f"feature   {path.stem:<20} {feature.name}: {_first_sentence(feature.description)}")
        out += [f"scenario    {name}" for name in feature.scenarios]
    for path in sorted(FOLDER.glob("*.yaml")):
        data = workflows.load_yaml(path.read_text(encoding="utf-8"), str(path))
        out.append(f"workload  {path.stem:<20} {data.get('description', '')}")
    for workflow in workflows.load_folder().values():
        out.append(f"workflow  {workflow.workflow:<20} {workflow.description} ({counted(len(workflow.tasks), 'task')})")
    said = dict(notes())
    for key, value in _flat(described(Settings())):
        note = f"; {said[key]}" if key in said else ""
        out.append(f"setting   {key:<20} {value}{note}")
    return out


def _flat(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if value == {}:
            yield f"{above}{key}.NAME", "as the catalogue says"
        elif isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _first_sentence(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words.partition(". ")[0].rstrip(".")
