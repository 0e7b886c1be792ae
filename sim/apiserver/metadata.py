"""ObjectMeta: what the server sets, what a client may set, and how both are checked."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from controller.ports import Document
from sim.apiserver.errors import Cause, invalid_value, required
from sim.apiserver.names import NameRule, label_value, qualified_name

_ANNOTATIONS_LIMIT_BYTES = 262_144
NEW_FINALIZERS = "Forbidden: no new finalizers can be added if the object is being deleted"
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_GENERATE_NAME_LIMIT = 58
_USER_FIELDS = ("generateName", "labels", "annotations", "ownerReferences", "finalizers")
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes", "customresourcecleanup.apiextensions.k8s.io")
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_NO_META: Mapping[str, Any] = {}


def fresh_uid(random: Random) -> str:
    """A version 4 UUID from a seeded stream."""
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:]}"


def generated_name(prefix: str, random: Random) -> str:
    return prefix[:_GENERATE_NAME_LIMIT] + "".join(random.choices(_SUFFIX_ALPHABET, k=5))


def for_create(body: Document, namespace: str, name: str, uid: str, timestamp: str, generation: int) -> dict[str, Any]:
    """The metadata of a new object: the client's own fields and the server's."""
    metadata: dict[str, Any] = {"name": name}
    if len(body) > 2 or "name" not in body or "namespace" not in body:  # an Event's has nothing else
        for field in _USER_FIELDS:
            value = body.get(field)
            if value:
                metadata[field] = value
    if namespace:
        metadata["namespace"] = namespace
    metadata["uid"] = uid
    metadata["creationTimestamp"] = timestamp
    if generation:
        metadata["generation"] = generation
    return metadata


def for_update(body: Document, old: Document) -> dict[str, Any]:
    """The metadata of a replaced object: user fields from ``body``, everything else from ``old``."""
    if body is old:
        return dict(old)
    metadata = {key: value for key, value in old.items() if key not in _USER_FIELDS}
    for field in _USER_FIELDS:
        value = body.get(field)
        if value:
            metadata[field] = value
    return metadata


def check_create(metadata: Document, name_rule: NameRule) -> Sequence[Cause]:
    name = metadata["name"]
    causes: list[Cause] = []
    prefix = metadata.get("generateName", "")
    if prefix:
        causes += [
            invalid_value("metadata.generateName", prefix, text) for text in name_rule(prefix.rstrip("-.") or "-")
        ]
    if not name:
        causes.append(required("metadata.name", "name or generateName is required"))
    else:
        complaints = name_rule(name)
        if complaints:
            causes += [invalid_value("metadata.name", name, text) for text in complaints]
    if "labels" in metadata or "annotations" in metadata or "ownerReferences" in metadata or "finalizers" in metadata:
        causes += _check_user_fields(metadata, _NO_META)
    return causes


def check_update(new: Document, old: Document, body: Document) -> Sequence[Cause]:
    """``new`` is the metadata to be stored, ``body`` what the client sent."""
    if body is old:
        return ()
    causes: list[Cause] = []
    if "deletionTimestamp" in old:
        kept = old.get("finalizers", ())
        added = [one for one in new.get("finalizers", ()) if one not in kept]
        if added:
            listed = ", ".join(json.dumps(one) for one in added)
            message = f"{NEW_FINALIZERS}, found new finalizers []string{{{listed}}}"
            causes.append(Cause("FieldValueForbidden", "metadata.finalizers", message))
    for field in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        sent = body.get(field)
        if sent is not None and sent != old.get(field):
            causes.append(invalid_value(f"metadata.{field}", sent, "field is immutable"))
    return causes + _check_user_fields(new, old)


def _check_user_fields(new: Document, old: Document) -> list[Cause]:
    causes: list[Cause] = []
    labels = new.get("labels")
    if labels and labels is not old.get("labels"):
        for key, value in labels.items():
            if not _is_fine(key, value):
                causes += [invalid_value("metadata.labels", key, text) for text in qualified_name(key)]
                causes += [invalid_value("metadata.labels", value, text) for text in label_value(value)]
    annotations = new.get("annotations")
    if annotations and annotations is not old.get("annotations"):
        causes += _check_annotations(annotations)
    references = new.get("ownerReferences")
    if references and references is not old.get("ownerReferences"):
        causes += _check_owners(references)
    finalizers = new.get("finalizers")
    if finalizers and finalizers is not old.get("finalizers"):
        causes += _check_finalizers(finalizers)
    return causes


@lru_cache(maxsize=4096)
def _is_fine(key: str, value: str) -> bool:
    """Whether the label is in order; the objects of one run carry the same ones."""
    return not _key_complaints(key) and not label_value(value)


@lru_cache(maxsize=4096)
def _key_complaints(key: str) -> tuple[str, ...]:
    return qualified_name(key)


def _check_annotations(annotations: Mapping[str, str]) -> list[Cause]:
    causes: list[Cause] = []
    size = 0
    for key, value in annotations.items():
        causes += [invalid_value("metadata.annotations", key, text) for text in _key_complaints(key)]
        size += len(key) + len(value)
    if size > _ANNOTATIONS_LIMIT_BYTES // 4:
        size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_LIMIT_BYTES:
        text = f"Too long: may not be more than {_ANNOTATIONS_LIMIT_BYTES} bytes"
        causes.append(Cause("FieldValueTooLong", "metadata.annotations", text))
    return causes


def _check_owners(references: Sequence[Document]) -> list[Cause]:
    causes: list[Cause] = []
    controllers: list[str] = []
    for reference in references:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not reference.get(field):
                shown = "version must not be empty" if field == "apiVersion" else "must not be empty"
                causes.append(invalid_value(f"metadata.ownerReferences.{field}", "", shown))
        if reference.get("controller"):
            controllers.append(f"{reference.get('kind')}/{reference.get('name')}")
    if len(controllers) > 1:
        listed = json.dumps(references, separators=(",", ":"))
        text = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {controllers[0]} and {controllers[1]}'
        )
        message = f"Invalid value: {listed}: {text}"
        causes.append(Cause("FieldValueInvalid", "metadata.ownerReferences", message))
    return causes


@lru_cache(maxsize=4096)
def _finalizer_complaints(finalizer: str) -> tuple[str, ...]:
    if finalizer in _STANDARD_FINALIZERS:
        return ()
    complaints = qualified_name(finalizer)
    if not complaints and "/" not in finalizer:
        return ("name is neither a standard finalizer name nor is it fully qualified",)
    return complaints


def _check_finalizers(finalizers: Sequence[str]) -> list[Cause]:
    causes = [
        invalid_value("metadata.finalizers", one, text) for one in finalizers for text in _finalizer_complaints(one)
    ]
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.append(invalid_value("metadata.finalizers", json.dumps(finalizers), text))
    return causes
