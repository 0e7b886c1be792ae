"""Pruning and defaulting by a structural schema (recorded: create-20, crd-28, crd-29, crd-31, crd-36)."""

from sim.apiserver.schema import compile_schema

SCHEMA = compile_schema(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "image": {"type": "string"},
                    "replicas": {"type": "integer", "default": 1},
                    "slug": {"type": "string"},
                    "nick": {"type": "string", "nullable": True},
                    "nested": {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}},
                    "opts": {
                        "type": "object",
                        "properties": {"level": {"type": "integer", "default": 3}},
                        "default": {},
                    },
                    "ports": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "port": {"type": "integer"},
                                "protocol": {"type": "string", "default": "TCP"},
                            },
                        },
                    },
                    "params": {"type": "object", "additionalProperties": {"type": "string"}},
                    "raw": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "template": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "properties": {"spec": {"type": "object", "properties": {"x": {"type": "string"}}}},
                    },
                },
            }
        },
    }
)


def admitted(spec, old=None):
    document, _ = SCHEMA.prune({"spec": spec}, old)
    return SCHEMA.default(document, old)["spec"]


def unknown(document):
    return SCHEMA.prune(document)[1]


def test_unknown_fields_go_and_are_named_in_order():
    pruned, paths = SCHEMA.prune({"spec": {"foo": 1, "ports": [{"port": 1, "bar": 2}], "image": "a"}, "extra": 1})
    assert pruned == {"spec": {"ports": [{"port": 1}], "image": "a"}}
    assert paths == ["extra", "spec.foo", "spec.ports[0].bar"]


def test_a_document_without_unknown_fields_is_the_same_object():
    document = {
        "apiVersion": "v1",
        "kind": "W",
        "metadata": {"name": "a"},
        "spec": {"image": "a", "params": {"A": "1"}},
    }
    assert SCHEMA.prune(document)[0] is document


def test_the_document_given_is_never_changed():
    document = {"spec": {"foo": 1, "nested": {"b": 1}}}
    admitted(document["spec"])
    assert document == {"spec": {"foo": 1, "nested": {"b": 1}}}


def test_unknown_metadata_is_pruned_too():
    assert unknown({"metadata": {"name": "a", "bogus": 5}}) == ["metadata.bogus"]


def test_everything_below_preserve_unknown_fields_stays():
    raw = {"x": {"y": [1, "2", None, {"z": True}]}, "f": 1.5, "big": 9007199254740993}
    assert admitted({"raw": raw})["raw"] is raw


def test_keys_of_additional_properties_are_known():
    assert unknown({"spec": {"params": {"ANY": "x"}}}) == []


def test_an_embedded_resource_keeps_its_type_and_metadata_only():
    template = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a", "odd": 1}, "spec": {"y": 1}}
    assert unknown({"spec": {"template": template}}) == ["spec.template.metadata.odd", "spec.template.spec.y"]


def test_defaults_fill_what_is_absent():
    assert admitted({"image": "a"}) == {"image": "a", "replicas": 1, "opts": {"level": 3}}


def test_nested_defaults_need_their_parent():
    assert "nested" not in admitted({})
    assert admitted({"nested": {}})["nested"] == {"a": "x"}
    assert admitted({"ports": [{"port": 1}]})["ports"] == [{"port": 1, "protocol": "TCP"}]
    assert admitted({"opts": {"level": 9}})["opts"] == {"level": 9}


def test_null_gives_way_to_the_default_or_goes_unless_it_is_a_value():
    assert admitted({"replicas": None, "slug": None, "nick": None}) == {
        "replicas": 1,
        "nick": None,
        "opts": {"level": 3},
    }


def test_what_the_old_document_shares_is_not_looked_at_again():
    spec = {"foo": "left by an older schema"}
    old = {"spec": spec}
    assert SCHEMA.prune({"spec": spec, "metadata": {}}, old)[0]["spec"] is spec
    assert SCHEMA.default({"spec": spec, "metadata": {}}, old)["spec"] is spec
