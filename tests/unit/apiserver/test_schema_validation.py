"""Structural schemas: the causes that kube-apiserver 1.36 gave for the same documents."""

import pytest

from controller.ports import ApiError
from sim.apiserver.errors import invalid
from sim.apiserver.schema import compile_schema

SPEC = {
    "type": "object",
    "properties": {
        "image": {"type": "string", "minLength": 1, "maxLength": 40},
        "replicas": {"type": "integer", "minimum": 0, "maximum": 10, "default": 1},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
        "slug": {"type": "string", "pattern": "^[a-z]+$"},
        "ratio": {"type": "number", "minimum": 0.5, "exclusiveMinimum": True},
        "enabled": {"type": "boolean"},
        "step": {"type": "integer", "multipleOf": 5},
        "when": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "maxItems": 3, "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port"],
            "items": {
                "type": "object",
                "properties": {"port": {"type": "integer"}, "name": {"type": "string"}},
                "required": ["port"],
            },
        },
        "params": {"type": "object", "additionalProperties": {"type": "string"}},
        "limits": {"type": "object", "maxProperties": 2, "additionalProperties": {"x-kubernetes-int-or-string": True}},
        "template": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
        "nick": {"type": "string", "nullable": True},
        "either": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "oneOf": [{"required": ["a"]}]},
        "ref": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "ref is immutable"}],
        },
    },
    "required": ["image"],
}
SCHEMA = compile_schema({"type": "object", "properties": {"spec": SPEC}, "required": ["spec"]})
UNCHECKED = (
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


def causes(**spec):
    return [tuple(cause) for cause in SCHEMA.validate({"spec": {"image": "a", **spec}})]


@pytest.mark.parametrize(
    ("spec", "reason", "field", "message", "blocks"),
    [
        pytest.param(
            {"replicas": "three"},
            "FieldValueTypeInvalid",
            "spec.replicas",
            'Invalid value: "string": spec.replicas in body must be of type integer: "string"',
            True,
            id="crd-13 a string for an integer",
        ),
        pytest.param(
            {"slug": 5},
            "FieldValueTypeInvalid",
            "spec.slug",
            'Invalid value: "integer": spec.slug in body must be of type string: "integer"',
            True,
            id="crd-14 an integer for a string",
        ),
        pytest.param(
            {"replicas": True},
            "FieldValueTypeInvalid",
            "spec.replicas",
            'Invalid value: "boolean": spec.replicas in body must be of type integer: "boolean"',
            True,
            id="a boolean is no integer",
        ),
        pytest.param(
            {"replicas": 11},
            "FieldValueInvalid",
            "spec.replicas",
            "Invalid value: 11: spec.replicas in body should be less than or equal to 10",
            False,
            id="crd-15 above the maximum",
        ),
        pytest.param(
            {"replicas": -1},
            "FieldValueInvalid",
            "spec.replicas",
            "Invalid value: -1: spec.replicas in body should be greater than or equal to 0",
            False,
            id="crd-16 below the minimum",
        ),
        pytest.param(
            {"ratio": 0.5},
            "FieldValueInvalid",
            "spec.ratio",
            "Invalid value: 0.5: spec.ratio in body should be greater than 0.5",
            False,
            id="an exclusive minimum",
        ),
        pytest.param(
            {"mode": "medium"},
            "FieldValueNotSupported",
            "spec.mode",
            'Unsupported value: "medium": supported values: "fast", "slow"',
            True,
            id="crd-17 enumeration",
        ),
        pytest.param(
            {"slug": "A1"},
            "FieldValueInvalid",
            "spec.slug",
            "Invalid value: \"A1\": spec.slug in body should match '^[a-z]+$'",
            False,
            id="pattern",
        ),
        pytest.param(
            {"slug": "a\n"},
            "FieldValueInvalid",
            "spec.slug",
            "Invalid value: \"a\\n\": spec.slug in body should match '^[a-z]+$'",
            False,
            id="a dollar is the end of the text, not of a line",
        ),
        pytest.param(
            {"image": ""},
            "FieldValueInvalid",
            "spec.image",
            'Invalid value: "": spec.image in body should be at least 1 chars long',
            False,
            id="crd-19 too short",
        ),
        pytest.param(
            {"image": "x" * 41},
            "FieldValueTooLong",
            "spec.image",
            "Too long: may not be more than 40 bytes",
            True,
            id="crd-19 too long",
        ),
        pytest.param(
            {"tags": ["1", "2", "3", "4"]},
            "FieldValueTooMany",
            "spec.tags",
            "Too many: 4: must have at most 3 items",
            True,
            id="crd-22 too many items",
        ),
        pytest.param(
            {"tags": ["1", "1"]},
            "FieldValueDuplicate",
            "spec.tags[1]",
            'Duplicate value: "1"',
            False,
            id="crd-22 a set holds nothing twice",
        ),
        pytest.param(
            {"ports": [{"port": 1}, {"port": 1, "name": "x"}]},
            "FieldValueDuplicate",
            "spec.ports[1]",
            'Duplicate value: {"port":1}',
            False,
            id="a map list holds no key twice",
        ),
        pytest.param(
            {"ports": [{"name": "x"}]},
            "FieldValueRequired",
            "spec.ports[0].port",
            "Required value",
            True,
            id="a required field of an item",
        ),
        pytest.param(
            {"step": 7},
            "FieldValueInvalid",
            "spec.step",
            "Invalid value: 7: spec.step in body should be a multiple of 5",
            False,
            id="multipleOf",
        ),
        pytest.param(
            {"when": "yesterday"},
            "FieldValueTypeInvalid",
            "spec.when",
            'Invalid value: "yesterday": spec.when in body must be of type date-time: "yesterday"',
            True,
            id="format",
        ),
        pytest.param(
            {"params": {"A": 1}},
            "FieldValueTypeInvalid",
            "spec.params.A",
            'Invalid value: "integer": spec.params.A in body must be of type string: "integer"',
            True,
            id="values of additionalProperties",
        ),
        pytest.param(
            {"limits": {"a": True}},
            "FieldValueTypeInvalid",
            "spec.limits.a",
            'Invalid value: "boolean": spec.limits.a in body must be of type integer,string: "boolean"',
            True,
            id="int or string",
        ),
        pytest.param(
            {"template": {"kind": "Pod"}},
            "FieldValueRequired",
            "spec.template.apiVersion",
            "Required value: must not be empty",
            True,
            id="an embedded resource says what it is",
        ),
        pytest.param(
            {"either": {}},
            "FieldValueInvalid",
            "<nil>",
            'Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
            False,
            id="oneOf",
        ),
    ],
)
def test_a_violation_is_reported_in_the_servers_words(spec, reason, field, message, blocks):
    expected = [(reason, field, message), *([UNCHECKED] if blocks else [])]
    assert causes(**spec) == expected


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3.0},
        {"limits": {"a": 1, "b": "x"}},
        {"nick": None},
        {"when": "2025-12-01T10:07:13.5+02:00"},
        {"slug": "abc", "ratio": 1, "enabled": False, "step": 10, "either": {"a": 1}},
    ],
)
def test_what_fits_gives_no_cause(spec):
    assert causes(**spec) == []


def test_missing_fields_are_reported_in_the_order_of_the_required_list():
    assert [tuple(cause) for cause in SCHEMA.validate({})] == [
        ("FieldValueRequired", "spec", "Required value"),
        UNCHECKED,
    ]


def test_several_violations_are_reported_together_and_the_message_lists_them_in_brackets():
    found = SCHEMA.validate({"spec": {"image": "a", "replicas": 11, "mode": "medium"}})
    error = invalid("conf.example.com", "Widget", "a", found)
    assert isinstance(error, ApiError)
    assert error.code == 422
    assert error.message == (
        'Widget.conf.example.com "a" is invalid: [spec.replicas: Invalid value: 11: spec.replicas in body should be '
        'less than or equal to 10, spec.mode: Unsupported value: "medium": supported values: "fast", "slow", '
        f"<nil>: {UNCHECKED[2]}]"
    )


class TestRatcheting:
    OLD = {"spec": {"image": "", "replicas": 99, "ports": [{"port": 1, "name": 5}], "tags": ["a", "a"]}}

    def changed(self, **spec):
        return [cause.field for cause in SCHEMA.validate({"spec": {**self.OLD["spec"], **spec}}, self.OLD)]

    def test_unchanged_wrongs_pass_while_something_else_changes(self):
        assert self.changed(slug="abc") == []

    def test_a_wrong_that_is_equal_but_not_the_same_object_passes_too(self):
        assert self.changed(slug="abc", ports=[{"port": 1, "name": 5}], tags=["a", "a"]) == []

    def test_a_wrong_that_changes_is_reported(self):
        assert self.changed(replicas=98) == ["spec.replicas"]

    def test_an_item_of_a_map_list_is_compared_with_the_item_of_its_key(self):
        assert self.changed(ports=[{"port": 2}, {"port": 1, "name": 5}]) == []
        assert self.changed(ports=[{"port": 1, "name": 6}])[0] == "spec.ports[0].name"

    def test_true_is_not_the_old_one(self):
        old = {"spec": {"image": "a", "replicas": 1}}
        assert SCHEMA.validate({"spec": {"image": "a", "replicas": True}}, old)[0].reason == "FieldValueTypeInvalid"


def test_an_item_found_valid_is_still_checked_where_another_list_holds_a_broken_copy():
    good = {"port": 1}
    assert causes(ports=[good]) == []
    assert causes(ports=[good, {"port": "x"}])[0][1] == "spec.ports[1].port"
