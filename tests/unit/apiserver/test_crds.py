"""CustomResourceDefinitions as the API server checks them and writes their status (recorded: crd-01 to crd-39)."""

import pytest

from controller.ports import ApiError, Resource
from sim.apiserver.definitions import DEFINITIONS
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

NAME = "things.x.example.com"
HEAD = f'CustomResourceDefinition.apiextensions.k8s.io "{NAME}" is invalid: '
THINGS = Resource("x.example.com", "v1", "things", "Thing")
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@pytest.fixture
def server():
    loop = Loop()
    return ApiServer(loop, Streams(1), Clock(loop))


def definition(schema=OPEN, name=NAME, **version):
    served = {"name": "v1", "served": True, "storage": True, **version}
    if schema is not None:
        served["schema"] = {"openAPIV3Schema": schema}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": "x.example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
            "versions": [served],
        },
    }


def spec_schema(**properties):
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


def refused(server, body):
    with pytest.raises(ApiError) as caught:
        server.create(ADMIN, DEFINITIONS, "", body)
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    return caught.value.message


def test_a_new_definition_names_its_stored_version_and_nothing_accepted_yet(server):
    made = server.create(ADMIN, DEFINITIONS, "", definition())
    assert made["spec"]["names"]["listKind"] == "ThingList"
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert made["status"] == {
        "acceptedNames": {"kind": "", "plural": ""},
        "conditions": None,
        "storedVersions": ["v1"],
    }


def test_it_is_established_in_the_end(server):
    server.create(ADMIN, DEFINITIONS, "", definition())
    server.loop.run_until(5_000_000)
    status = server.get(ADMIN, DEFINITIONS, "", NAME)["status"]
    assert {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]} == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert status["acceptedNames"]["listKind"] == "ThingList"
    assert server.list(ADMIN, THINGS, "default")["items"] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            definition(schema=None),
            "spec.versions[0].schema.openAPIV3Schema: Required value",
        ),
        (
            definition({"type": "object", "properties": {"spec": {"properties": {"a": {"type": "string"}}}}}),
            "spec.validation.openAPIV3Schema.properties[spec].type: Required value: "
            "must not be empty for specified object fields",
        ),
        (
            definition(spec_schema(n={"type": "integer"}), selectableFields=[{"jsonPath": ".spec.nope"}]),
            'spec.selectableFields[0].jsonPath: Invalid value: ".spec.nope": '
            "is an invalid path: does not refer to a valid field",
        ),
        (
            definition(
                spec_schema(n={"type": "integer"}),
                additionalPrinterColumns=[{"name": "x", "type": "blob", "jsonPath": "spec.n"}],
            ),
            '[spec.additionalPrinterColumns[0].type: Invalid value: "blob": '
            "must be one of boolean,date,integer,number,string, "
            'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.n": '
            "must be a simple json path starting with .]",
        ),
    ],
)
def test_a_bad_definition_is_refused(server, body, text):
    assert refused(server, body) == HEAD + text


def test_the_name_says_plural_and_group(server):
    assert refused(server, definition(name="wrong.x.example.com")) == (
        'CustomResourceDefinition.apiextensions.k8s.io "wrong.x.example.com" is invalid: metadata.name: Invalid value: '
        '"wrong.x.example.com": must be spec.names.plural+"."+spec.group'
    )


def test_a_rule_that_does_not_compile_is_refused_not_served(server):
    rule = {"rule": "self.n ==", "message": "never"}
    text = refused(server, definition(spec_schema(n={"type": "integer", "x-kubernetes-validations": [rule]})))
    assert "properties[spec].properties[n].x-kubernetes-validations[0].rule" in text
    with pytest.raises(ApiError):
        server.list(ADMIN, THINGS, "default")


def test_exactly_one_version_is_stored(server):
    assert "must have exactly one version marked as storage version" in refused(server, definition(storage=False))


def test_a_version_that_becomes_the_stored_one_is_remembered(server):
    server.create(ADMIN, DEFINITIONS, "", definition())
    first = definition()["spec"]["versions"][0]
    versions = [{**first, "storage": False}, {**first, "name": "v2"}]
    patched = server.patch(ADMIN, DEFINITIONS, "", NAME, {"spec": {"versions": versions}})
    assert patched["status"]["storedVersions"] == ["v1", "v2"]


def test_a_stored_version_may_not_vanish(server):
    server.create(ADMIN, DEFINITIONS, "", definition())
    versions = [{**definition()["spec"]["versions"][0], "name": "v2"}]
    with pytest.raises(
        ApiError, match=r"status.storedVersions\[0\]: Invalid value: \"v1\": missing from spec.versions"
    ):
        server.patch(ADMIN, DEFINITIONS, "", NAME, {"spec": {"versions": versions}})


def test_group_and_kind_stay(server):
    server.create(ADMIN, DEFINITIONS, "", definition())
    with pytest.raises(ApiError, match="field is immutable"):
        server.patch(ADMIN, DEFINITIONS, "", NAME, {"spec": {"names": {"kind": "Other"}}})


def test_a_changed_schema_takes_effect_and_forgives_what_is_stored(server):
    server.create(ADMIN, DEFINITIONS, "", definition(spec_schema(n={"type": "integer"}, o={"type": "string"})))
    thing = {"apiVersion": "x.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"n": 9}}
    server.create(ADMIN, THINGS, "default", thing)
    narrower = definition(spec_schema(n={"type": "integer", "maximum": 5}, o={"type": "string"}))
    server.patch(ADMIN, DEFINITIONS, "", NAME, {"spec": {"versions": narrower["spec"]["versions"]}})
    with pytest.raises(ApiError, match="should be less than or equal to 5"):
        server.create(ADMIN, THINGS, "default", {**thing, "metadata": {"name": "b"}})
    assert server.patch(ADMIN, THINGS, "default", "a", {"spec": {"o": "x"}})["spec"] == {"n": 9, "o": "x"}
    with pytest.raises(ApiError, match="Invalid value: 8"):
        server.patch(ADMIN, THINGS, "default", "a", {"spec": {"n": 8}})


def test_a_deleted_definition_says_so_until_its_objects_are_gone(server):
    server.create(ADMIN, DEFINITIONS, "", definition())
    thing = {"apiVersion": "x.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}
    server.create(ADMIN, THINGS, "default", thing)
    deleted = server.delete(ADMIN, DEFINITIONS, "", NAME)
    assert deleted["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    terminating = next(one for one in deleted["status"]["conditions"] if one["type"] == "Terminating")
    assert (terminating["reason"], terminating["message"]) == (
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    )
    server.loop.run_until(5_000_000)
    with pytest.raises(ApiError, match="not found"):
        server.get(ADMIN, DEFINITIONS, "", NAME)
    with pytest.raises(ApiError, match="could not find the requested resource"):
        server.list(ADMIN, THINGS, "default")
