"""The body of an apply request: YAML, of which JSON is a part, with the complaints of the real decoder."""

from typing import Any

import yaml

from sim.apiserver.errors import bad_request

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_DEPTH_MAX = 200
_NODES_MAX = 400_000


class _Loader(yaml.SafeLoader):
    """Without timestamps, which JSON does not have."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def apply_patch(body: bytes, field_validation: str) -> dict[str, Any]:
    """The applied document. Raises ApiError 400."""
    try:
        node = _parsed(body)
        found = None if node is None else _as_json(_Loader("").construct_document(node), [_NODES_MAX])
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {_complaint(error)}") from None
    if found is None:
        return {}
    if type(found) is not dict:
        kind = "array" if type(found) is list else {str: "string", bool: "bool"}.get(type(found), "number")
        text = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {text}")
    if field_validation == "Strict":
        repeated: list[str] = []
        _find_repeated(node, repeated, 0)
        if repeated:
            listed = "\n  ".join(("yaml: unmarshal errors:", *repeated))
            raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: {listed}")
    return found


def _parsed(body: bytes) -> yaml.Node | None:
    """Composed by libyaml where it is there: its words are those of the Go library."""
    return yaml.compose(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _complaint(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0][:200]
    if isinstance(error, yaml.composer.ComposerError):
        return f"unknown anchor '{problem.rpartition(' ')[2]}' referenced" if "alias" in problem else problem
    line = mark.line if mark is not None else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    return f"line {line}: {problem}" if line else problem


def _find_repeated(node: Any, found: list[str], depth: int) -> None:
    if depth > _DEPTH_MAX:
        return
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            text = str(key.value)
            if text in seen:
                found.append(f'line {key.start_mark.line + 1}: key "{text}" already set in map')
            seen.add(text)
            _find_repeated(value, found, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _find_repeated(item, found, depth + 1)


def _as_json(value: Any, left: list[int]) -> Any:
    """What YAML knows and JSON does not: keys that are no texts. ``left`` bounds what aliases can blow up."""
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("document contains excessive aliasing")
    if type(value) is dict:
        return {_key(key): _as_json(one, left) for key, one in value.items()}
    if type(value) in (list, tuple, set):
        return [_as_json(one, left) for one in value]
    return value.decode("utf-8", "replace") if type(value) is bytes else value


def _key(key: Any) -> str:
    if type(key) is bool:
        return "true" if key else "false"
    return "null" if key is None else str(key)
