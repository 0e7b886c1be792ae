"""What the API server refuses in a CustomResourceDefinition, and what it writes into one's status."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.ports import Document
from sim.apiserver.causes import bad_value, unsupported
from sim.apiserver.celrules import RuleError, compile_rules
from sim.apiserver.definitions import DefinitionStrategy
from sim.apiserver.errors import Cause, required

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_KEPT_NAMES = ("kind", "plural")
_PATH = re.compile(r"\.[^.].*")
_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_TERMINATING = {
    "type": "Terminating",
    "status": "True",
    "reason": "InstanceDeletionPending",
    "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
}


class CheckedDefinitions(DefinitionStrategy):
    returns_deleted = True

    def prepare_create(self, new: Document) -> Document:
        stored = [version.get("name", "") for version in new["spec"].get("versions") or () if version.get("storage")]
        status = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": stored}
        return {**super().prepare_create(new), "status": status}

    def canonicalize(self, new: dict[str, Any]) -> dict[str, Any]:
        """The finalizer that keeps a definition until its objects are gone."""
        metadata = new["metadata"]
        finalizers = metadata.get("finalizers") or []
        if CLEANUP not in finalizers:
            metadata["finalizers"] = [*finalizers, CLEANUP]
        return new

    def prepare_update(self, new: Document, old: Document, subresource: str) -> Document:
        """A version that becomes the storage version joins ``status.storedVersions``."""
        updated = super().prepare_update(new, old, subresource)
        if subresource or updated["spec"] is old["spec"]:
            return updated
        status = updated.get("status") or {}
        stored = status.get("storedVersions") or []
        added = [
            version.get("name", "")
            for version in updated["spec"].get("versions") or ()
            if version.get("storage") and version.get("name", "") not in stored
        ]
        return {**updated, "status": {**status, "storedVersions": [*stored, *added]}} if added else updated

    def prepare_delete(self, marked: dict[str, Any]) -> dict[str, Any]:
        status = marked.get("status") or {}
        conditions = status.get("conditions") or []
        if not any(condition["type"] == "Terminating" for condition in conditions):
            condition = {"lastTransitionTime": marked["metadata"]["deletionTimestamp"], **_TERMINATING}
            marked["status"] = {**status, "conditions": [*conditions, condition]}
        return super().prepare_delete(marked)

    def validate_create(self, new: Document) -> Sequence[Cause]:
        spec = new["spec"]
        names = spec["names"]
        causes = list(_check_names(new["metadata"]["name"], spec, names))
        versions = spec.get("versions") or []
        if sum(1 for version in versions if version.get("storage")) != 1:
            text = "must have exactly one version marked as storage version"
            causes.append(bad_value("spec.versions", versions, text))
        for index, version in enumerate(versions):
            if not _LABEL.fullmatch(version.get("name", "")):
                causes.append(bad_value(f"spec.versions[{index}].name", version.get("name", ""), _LABEL_TEXT))
            causes.extend(_check_version(version, index, alone=len(versions) == 1))
        return causes

    def validate_update(self, new: Document, old: Document, subresource: str) -> Sequence[Cause]:
        if subresource or new["spec"] is old["spec"]:
            return ()
        before, after = old["spec"], new["spec"]
        kept = [(f"spec.{field}", before.get(field), after.get(field)) for field in ("group", "scope")]
        kept += [
            (f"spec.names.{field}", before["names"].get(field), after["names"].get(field)) for field in _KEPT_NAMES
        ]
        moved = [bad_value(field, now, "field is immutable") for field, then, now in kept if then != now]
        return [*self.validate_create(new), *moved, *_check_stored(new)]


def _check_names(name: str, spec: Document, names: Document) -> Iterator[Cause]:
    if name != f"{names.get('plural', '')}.{spec.get('group', '')}":
        yield bad_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not spec.get("group"):
        yield required("spec.group")
    elif "." not in spec["group"]:
        yield bad_value("spec.group", spec["group"], "should be a domain with at least one dot")
    if not spec.get("scope"):
        yield required("spec.scope")
    elif spec["scope"] not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")


def _check_stored(new: Document) -> Iterator[Cause]:
    """Nothing may be lost: a version that objects may be stored under stays."""
    names = [version.get("name", "") for version in new["spec"].get("versions") or ()]
    for index, name in enumerate((new.get("status") or {}).get("storedVersions") or ()):
        if name not in names:
            text = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                f"spec.versions until a storage migration ensures no data remains persisted in {name} and "
                f"removes {name} from status.storedVersions"
            )
            yield bad_value(f"status.storedVersions[{index}]", name, text)


def _check_version(version: Document, index: int, *, alone: bool) -> Iterator[Cause]:
    """A lone version's contents are reported at the top of the spec: that is where the server keeps them."""
    place = "spec" if alone else f"spec.versions[{index}]"
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if not schema:
        yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
        return
    root = f"{'spec.validation' if alone else place + '.schema'}.openAPIV3Schema"
    if not schema.get("type"):
        yield required(f"{root}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        yield bad_value(f"{root}.type", schema["type"], "must be object at the root")
    yield from _check_structure(schema, root)
    for number, selectable in enumerate(version.get("selectableFields") or ()):
        path = selectable.get("jsonPath", "")
        if not _refers(schema, path):
            text = "is an invalid path: does not refer to a valid field"
            yield bad_value(f"{place}.selectableFields[{number}].jsonPath", path, text)
    for number, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _check_column(column, f"{place}.additionalPrinterColumns[{number}]")


def _check_column(column: Document, field: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{field}.name")
    kind, path = column.get("type", ""), column.get("jsonPath", "")
    if kind not in _COLUMN_TYPES:
        yield bad_value(f"{field}.type", kind, f"must be one of {','.join(_COLUMN_TYPES)}")
    if not _PATH.fullmatch(path):
        yield bad_value(f"{field}.JSONPath", path, "must be a simple json path starting with .")


def _refers(schema: Mapping[str, Any], path: str) -> bool:
    if not path.startswith("."):
        return False
    for part in path[1:].split("."):
        found = (schema.get("properties") or {}).get(part)
        if found is None:
            return False
        schema = found
    return schema.get("type") in ("string", "integer", "boolean")


def _check_structure(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """What makes a schema structural: a type everywhere; and its CEL rules compile."""
    for number, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        if not rule.get("rule", "").strip():
            yield required(f"{path}.x-kubernetes-validations[{number}].rule", "rule is not specified")
            continue
        try:
            compile_rules({"x-kubernetes-validations": [rule]})
        except RuleError as error:
            field = f"{path}.x-kubernetes-validations[{number}].rule"
            yield bad_value(field, rule.get("rule", ""), f"compilation failed: {error}")
    children = [(f"{path}.properties[{key}]", child) for key, child in (schema.get("properties") or {}).items()]
    if isinstance(schema.get("additionalProperties"), Mapping):
        children.append((f"{path}.additionalProperties", schema["additionalProperties"]))
    for place, child in children:
        yield from _check_type(child, place, "object fields")
    if schema.get("items"):
        yield from _check_type(schema["items"], f"{path}.items", "array items")


def _check_type(child: Mapping[str, Any], place: str, noun: str) -> Iterator[Cause]:
    open_type = child.get("x-kubernetes-int-or-string") or child.get("x-kubernetes-preserve-unknown-fields")
    if not child.get("type") and not open_type:
        yield required(f"{place}.type", f"must not be empty for specified {noun}")
    yield from _check_structure(child, place)
