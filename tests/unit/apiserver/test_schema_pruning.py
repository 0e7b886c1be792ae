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
    return SCHEMA.conform({"spec": spec}, old)[0]["spec"]


def unknown(document):
    return SCHEMA.conform(document)[1]


def test_unknown_fields_go_and_are_named_in_order():
    ports = [{"port": 1, "protocol": "TCP", "bar": 2}]
    shaped, paths = SCHEMA.conform(
        {"spec": {"foo": 1, "ports": ports, "replicas": 2, "opts": {"level": 1}}, "extra": 1}
    )
    assert shaped == {
        "spec": {"ports": [{"port": 1, "protocol": "TCP"}], "replicas": 2, "opts": {"level": 1}},
    }
    assert paths == ["extra", "spec.foo", "spec.ports[0].bar"]


def test_a_document_that_needs_nothing_is_the_same_object():
    spec = {"image": "a", "replicas": 1, "opts": {"level": 3}, "params": {"A": "1"}, "ports": []}
    document = {"apiVersion": "v1", "kind": "W", "metadata": {"name": "a"}, "spec": spec}
    assert SCHEMA.conform(document)[0] is document


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
    shaped, paths = SCHEMA.conform({"spec": spec, "metadata": {}}, {"spec": spec})
    assert shaped["spec"] is spec
    assert paths == []


def test_an_item_that_the_old_list_shares_stays_the_same_object():
    port = {"port": 1, "protocol": "TCP"}
    old = {"spec": {"replicas": 1, "opts": {}, "ports": [port]}}
    ports = admitted({"replicas": 1, "opts": {}, "ports": [port, {"port": 2}]}, old)["ports"]
    assert ports[0] is port
    assert ports[1] == {"port": 2, "protocol": "TCP"}
