"""CEL rules (recorded: crd-33, crd-34, crd-35)."""

import pytest

from sim.apiserver.celrules import RuleError
from sim.apiserver.errors import required
from sim.apiserver.schema import compile_schema


def schema(*rules, properties=None):
    spec = {"type": "object", "properties": properties or {}, "x-kubernetes-validations": list(rules)}
    return compile_schema({"type": "object", "properties": {"spec": spec}})


def found(compiled, new, old=None):
    return [tuple(cause) for cause in compiled.validate({"spec": new}, None if old is None else {"spec": old})]


IMMUTABLE = schema({"rule": "self == oldSelf", "message": "spec is immutable after creation (ADR-001)"})
WRITTEN = ("FieldValueInvalid", "spec", "Invalid value: spec is immutable after creation (ADR-001)")


def test_a_transition_rule_does_not_apply_to_a_create():
    assert found(IMMUTABLE, {"a": 1}) == []


def test_an_immutable_spec_refuses_a_change_and_leaves_the_value_out_of_the_text():
    assert found(IMMUTABLE, {"a": 2}, {"a": 1}) == [WRITTEN]
    assert found(IMMUTABLE, {"a": 1, "b": {"c": [1]}}, {"a": 1}) == [WRITTEN]


def test_an_equal_spec_passes_whether_or_not_it_is_the_same_object():
    spec = {"a": 1, "b": {"c": [1, "x", None]}}
    assert found(IMMUTABLE, spec, spec) == []
    assert found(IMMUTABLE, {"a": 1, "b": {"c": [1, "x", None]}}, spec) == []


MIN_MAX = schema(
    {
        "rule": "!has(self.min) || !has(self.max) || self.min <= self.max",
        "messageExpression": "self.max < 5 ? 'min exceeds a small max' : 'min exceeds max'",
        "message": "min exceeds max",
        "fieldPath": ".min",
        "reason": "FieldValueForbidden",
    },
    {"rule": "!has(oldSelf.ref) || has(self.ref)", "message": "ref may not be removed"},
    properties={
        "min": {"type": "integer"},
        "max": {"type": "integer"},
        "ref": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "ref is immutable"}],
        },
    },
)


@pytest.mark.parametrize(("low", "high", "text"), [(3, 2, "min exceeds a small max"), (9, 8, "min exceeds max")])
def test_reason_field_path_and_message_expression_make_the_cause(low, high, text):
    assert found(MIN_MAX, {"min": low, "max": high}) == [("FieldValueForbidden", "spec.min", f"Forbidden: {text}")]


def test_a_rule_that_holds_says_nothing():
    assert found(MIN_MAX, {"min": 2, "max": 3}) == []


def test_a_field_once_set_stays_as_it_is():
    assert found(MIN_MAX, {"ref": "two"}, {"ref": "one"}) == [
        ("FieldValueInvalid", "spec.ref", 'Invalid value: "two": ref is immutable')
    ]
    assert found(MIN_MAX, {}, {"ref": "one"}) == [
        ("FieldValueInvalid", "spec", "Invalid value: ref may not be removed")
    ]
    assert found(MIN_MAX, {"ref": "late"}, {}) == []


def test_an_ordinary_rule_forgives_what_did_not_change():
    broken = {"min": 3, "max": 2}
    assert found(MIN_MAX, {**broken}, broken) == []
    assert found(MIN_MAX, {**broken, "max": 1}, broken) != []


def test_a_transition_rule_is_applied_to_an_unchanged_value_too():
    never = schema({"rule": "oldSelf.n != self.n", "message": "n must change with every write"})
    spec = {"n": 1}
    new = {"metadata": {"labels": {}}, "spec": spec}
    assert [cause.message for cause in never.validate(new, {"spec": spec})] == [
        "Invalid value: n must change with every write"
    ]


def test_a_rule_that_cannot_be_evaluated_refuses():
    fragile = schema({"rule": "self.a.b > 1", "message": "b must be more than 1"})
    assert found(fragile, {}) == [
        ("FieldValueInvalid", "spec", "Invalid value: no such key: a evaluating rule: b must be more than 1")
    ]


def test_string_functions_of_the_cel_libraries_are_there():
    named = schema({"rule": "self.target.split('/').size() == 3 && self.target.find('[0-9]+') == '42'"})
    assert found(named, {"target": "ns/Pod/api-42"}) == []
    assert found(named, {"target": "api-42"})[0][0] == "FieldValueInvalid"


def test_rules_of_items_see_the_old_item_of_their_key():
    item = {
        "type": "object",
        "properties": {"type": {"type": "string"}, "n": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.n >= oldSelf.n", "message": "n may not fall"}],
    }
    listed = {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    compiled = compile_schema({"type": "object", "properties": {"list": listed}})
    old = {"list": [{"type": "a", "n": 1}, {"type": "b", "n": 5}]}
    new = {"list": [{"type": "b", "n": 4}, {"type": "a", "n": 2}]}
    assert [(cause.field, cause.message) for cause in compiled.validate(new, old)] == [
        ("list[0]", "Invalid value: n may not fall")
    ]


def test_blocking_errors_keep_rules_from_being_evaluated():
    assert [cause.field for cause in MIN_MAX.validate({"spec": {"min": "x", "max": 2}})] == ["spec.min", "<nil>"]


def test_wrong_metadata_keeps_rules_from_being_evaluated_too():
    missing = required("metadata.name", "name or generateName is required")
    assert [cause.field for cause in MIN_MAX.joined([missing], [])] == ["metadata.name", "<nil>"]


def test_a_rule_that_does_not_compile_is_named():
    with pytest.raises(RuleError, match="'self ==' does not compile"):
        schema({"rule": "self =="})
