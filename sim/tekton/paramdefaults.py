"""The values of pipeline parameters that a run leaves to their defaults."""

from collections.abc import Iterable, Mapping
from typing import Any

from controller.ports import Document
from sim.tekton.references import expressions
from sim.tekton.substitution import param_values, substitute

_DEEPEST = 10


class Unresolvable(Exception):
    """A default refers to what has no value; the text is Tekton's."""


def default_values(declared: Iterable[Document], given: Iterable[Document], *, resolved: bool) -> dict[str, Any]:
    """The variables of the defaults.

    ``resolved``: defaults may use other parameters, and those of parameters that were given do not count at all.
    Otherwise they are taken as they are, so what the run gives has to be laid over them. Raises Unresolvable.
    """
    defaults = {one["name"]: one["default"] for one in declared if "default" in one}
    if not resolved:
        return param_values({"name": name, "value": value} for name, value in defaults.items())
    known = param_values(given)
    unresolved = {name: value for name, value in defaults.items() if f"params.{name}" not in known}
    if not any(True for value in unresolved.values() for _ in expressions(value)):
        return param_values({"name": name, "value": value} for name, value in unresolved.items())
    texts = {name: value for name, value in unresolved.items() if isinstance(value, str)}
    for name in texts:
        _resolve(name, texts, known, ())
    for name, value in unresolved.items():
        if not isinstance(value, str):
            known.update(param_values(({"name": name, "value": substitute(value, known)},)))
    return known


def _resolve(name: str, texts: Mapping[str, str], known: dict[str, Any], visiting: tuple[str, ...]) -> None:
    if f"params.{name}" in known:
        return
    key = f'param "params.{name}"'
    if name in visiting:
        raise Unresolvable(f"parameter resolution failed: circular dependency detected in {key}")
    if len(visiting) > _DEEPEST:
        raise Unresolvable(f"parameter resolution failed: maximum recursion depth ({_DEEPEST}) exceeded for {key}")
    for used in expressions(texts[name]):
        if not used.startswith("params.") or used in known:
            continue
        other = used.removeprefix("params.")
        if other not in texts:
            raise Unresolvable(f'parameter resolution failed: {key} references undefined param "{used}"')
        _resolve(other, texts, known, (*visiting, name))
    known.update(param_values(({"name": name, "value": substitute(texts[name], known)},)))
