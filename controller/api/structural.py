"""From a pydantic model to a structural OpenAPI v3 schema, as apiextensions/v1 wants it."""

from collections.abc import Mapping
from typing import Any

from controller.api.meta import ApiModel

_COPIED = (
    "description",
    "format",
    "enum",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)


def structural(model: type[ApiModel]) -> dict[str, Any]:
    """The schema of ``model``: references inlined, titles and nulls dropped, one type a field."""
    schema = model.model_json_schema(by_alias=True)
    return _convert(schema, schema.get("$defs", {}))


def _convert(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    merged = _resolve(schema, definitions)
    result: dict[str, Any] = {"type": merged["type"]} if "type" in merged else {}
    for key in _COPIED:
        if key in merged and not (key == "default" and merged[key] is None):
            result[key] = merged[key]
    for key in sorted(key for key in merged if key.startswith("x-kubernetes-")):
        result[key] = merged[key]
    if "items" in merged:
        result["items"] = _convert(merged["items"], definitions)
    if isinstance(merged.get("additionalProperties"), Mapping):
        result["additionalProperties"] = _convert(merged["additionalProperties"], definitions)
    if "properties" in merged:
        result["properties"] = {
            name: _convert(part, definitions) for name, part in sorted(merged["properties"].items())
        }
        if merged.get("required"):
            result["required"] = sorted(merged["required"])
    return result


def _resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` with its reference or its only non-null alternative put in; its own words win."""
    own = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "const")}
    if "const" in schema:
        own["enum"] = [schema["const"]]
    if "$ref" in schema:
        return {**_resolve(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions), **own}
    if "anyOf" in schema:
        alternatives = [part for part in schema["anyOf"] if part.get("type") != "null"]
        if len(alternatives) != 1:
            raise ValueError(f"a structural schema has one type a field, not {len(alternatives)}: {schema}")
        return {**_resolve(alternatives[0], definitions), **own}
    return own
