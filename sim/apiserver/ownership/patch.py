"""The body of an apply request: YAML, of which JSON is a part, with the complaints of the real decoder."""

from typing import Any

from sim.apiserver.errors import bad_request
from sim.apiserver.rest.yamltext import read_yaml


def apply_patch(body: bytes, field_validation: str) -> dict[str, Any]:
    """The applied document. Raises ApiError 400."""
    repeated: list[str] = []
    try:
        found = read_yaml(body, repeated)
    except ValueError as error:
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {error}") from None
    if found is None:
        return {}
    if type(found) is not dict:
        kind = "array" if type(found) is list else {str: "string", bool: "bool"}.get(type(found), "number")
        text = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {text}")
    if repeated and field_validation == "Strict":
        listed = "\n  ".join(("yaml: unmarshal errors:", *repeated))
        raise bad_request(f"error strict decoding YAML: error converting YAML to JSON: {listed}")
    return found
