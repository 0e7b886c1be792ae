"""The body of an apply request: YAML, of which JSON is a part, with the complaints of the real decoder."""

import re
from typing import Any

import yaml

from sim.apiserver.errors import bad_request

_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_NODES_MAX = 400_000
_ALIAS = re.compile(r"\*([^\s,\]\}]*)")
_DECODING = "error decoding YAML: "
_CONVERTING = "error converting YAML to JSON: yaml: "


class _Loader(yaml.CSafeLoader):
    """libyaml, whose words are those of the Go library; without timestamps, which JSON does not have."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def apply_patch(body: bytes, field_validation: str) -> dict[str, Any]:
    """The applied document. Raises ApiError 400."""
    repeated: list[str] = []
    try:
        loader = _Loader(body)
        node = loader.get_single_node()
        found = None if node is None else _Conversion(loader, repeated).value(node)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise bad_request(f"{_DECODING}{_CONVERTING}{_complaint(error, body)}") from None
    if found is None:
        return {}
    if type(found) is not dict:
        kind = {list: "array", str: "string", bool: "bool"}.get(type(found), "number")
        text = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise bad_request(f"{_DECODING}error unmarshaling JSON: while decoding JSON: {text}")
    if field_validation == "Strict" and repeated:
        listed = "\n  ".join(("unmarshal errors:", *repeated))
        raise bad_request(f"error strict decoding YAML: {_CONVERTING}{listed}")
    return found


class _Conversion:
    """From nodes to JSON. Notes keys that come twice; ends what aliases would blow up."""

    def __init__(self, loader: _Loader, repeated: list[str]) -> None:
        self._loader = loader
        self._repeated = repeated
        self._left = _NODES_MAX

    def value(self, node: yaml.Node) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("document contains excessive aliasing")
        if isinstance(node, yaml.MappingNode):
            return self._map(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        found = self._loader.construct_object(node)
        return found.decode("utf-8", "replace") if type(found) is bytes else found

    def _map(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._loader.flatten_mapping(node)
        for key, value in node.value:
            name = self._key(key)
            if name in found:
                self._repeated.append(f'line {key.start_mark.line + 1}: key "{name}" already set in map')
            found[name] = self.value(value)
        return found

    def _key(self, node: yaml.Node) -> str:
        key = self.value(node)
        if type(key) is bool:
            return "true" if key else "false"
        return "null" if key is None else str(key)


def _complaint(error: Exception, body: bytes) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0][:200]
    line = 0 if mark is None else mark.line
    if isinstance(error, yaml.composer.ComposerError):
        text = body.decode("utf-8", "replace").split("\n")[line]
        alias = _ALIAS.match(text, 0 if mark is None else mark.column)
        return problem if alias is None else f"unknown anchor '{alias.group(1)}' referenced"
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    return f"line {line}: {problem}" if line else problem
