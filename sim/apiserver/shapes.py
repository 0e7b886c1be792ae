"""The JSON types of ObjectMeta, and what Go's decoder says of others."""

from typing import Any

from controller.ports import ApiError, Document


def well_shaped(kind: str, version: str, metadata: Any, old: Document) -> Document:
    """What JSON decoding makes of an ObjectMeta: nulls are as good as absent. Raises ApiError 400 for wrong types.

    Containers of ``old``, the stored metadata, are known to be in shape.
    """
    if type(metadata) is not dict:
        if metadata is None:
            return {}
        raise undecodable(kind, version, f"{kind}.metadata", metadata, "v1.ObjectMeta")
    clean = True
    for field, value in metadata.items():
        wanted = _SHAPES.get(field)
        if wanted is None or type(value) is wanted:
            if (wanted is dict or wanted is list) and value is not old.get(field):
                clean = _check_items(kind, version, field, value) and clean
        elif value is None:
            clean = False
        else:
            raise undecodable(kind, version, f"ObjectMeta.{field}", value, _GO_TYPES.get(field, wanted.__name__))
    return metadata if clean else _without_nulls(metadata)


def _check_items(kind: str, version: str, field: str, container: Any) -> bool:
    """Whether a map or list is free of nulls. Raises ApiError 400 for items of the wrong type."""
    clean = True
    items = container.values() if type(container) is dict else container
    if set(map(type, items)) == _STRINGS and field != "ownerReferences":
        return True
    for item in items:
        if item is None:
            clean = False
        elif field != "ownerReferences":
            if type(item) is not str:
                raise undecodable(kind, version, f"ObjectMeta.{field}", item, "string")
        elif type(item) is not dict:
            raise undecodable(kind, version, f"ObjectMeta.{field}", item, "v1.OwnerReference")
        else:
            for key, value in item.items():
                if type(value) is not _REFERENCE.get(key, type(value)):
                    raise undecodable(kind, version, f"OwnerReference.{field}.{key}", value, _REFERENCE[key].__name__)
    return clean


def _without_nulls(metadata: Document) -> Document:
    """Null fields go; a null in a map or list becomes the empty value, as Go decodes it."""
    kept: dict[str, Any] = {}
    for field, value in metadata.items():
        if isinstance(value, dict):
            kept[field] = {key: "" if item is None else item for key, item in value.items()}
        elif isinstance(value, list):
            kept[field] = [({} if field == "ownerReferences" else "") if item is None else item for item in value]
        elif value is not None:
            kept[field] = value
    return kept


_SHAPES: dict[str, type] = {
    "name": str,
    "generateName": str,
    "namespace": str,
    "uid": str,
    "resourceVersion": str,
    "creationTimestamp": str,
    "deletionTimestamp": str,
    "generation": int,
    "deletionGracePeriodSeconds": int,
    "labels": dict,
    "annotations": dict,
    "finalizers": list,
    "ownerReferences": list,
}
_STRINGS = {str}
_REFERENCE: dict[str, type] = {
    "apiVersion": str,
    "kind": str,
    "name": str,
    "uid": str,
    "controller": bool,
    "blockOwnerDeletion": bool,
}
_GO_TYPES = {
    "generation": "int64",
    "deletionGracePeriodSeconds": "int64",
    "labels": "map[string]string",
    "annotations": "map[string]string",
    "finalizers": "[]string",
    "ownerReferences": "[]v1.OwnerReference",
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion"), "string"),
}
_GO_NAMES: dict[type, str] = {
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def undecodable(kind: str, version: str, field: str, value: object, wanted: str) -> ApiError:
    found = _GO_NAMES.get(type(value), "object")
    text = f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    return ApiError(400, "BadRequest", f'{kind} in version "{version}" cannot be handled as a {kind}: {text}')
