"""What builtin kinds default and refuse, in the words of kube-apiserver 1.36; each case names its recording."""

import pytest

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


class World:
    def __init__(self):
        self.loop = Loop()
        self.warnings = []
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop))
        self.server.warn = self.warnings.append
        self.create("namespaces", {"metadata": {"name": "ns"}}, namespace="")

    def resource(self, plural):
        name, _, group = plural.partition(".")
        return self.server.resource(group, name)

    def create(self, plural, body, *, namespace="ns", **options):
        return self.server.create(ADMIN, self.resource(plural), namespace, body, **options)

    def patch(self, plural, name, body, **options):
        return self.server.patch(ADMIN, self.resource(plural), "ns", name, body, **options)

    def update(self, plural, name, body):
        return self.server.update(ADMIN, self.resource(plural), "ns", name, {**body, "metadata": {"name": name}})


@pytest.fixture
def world():
    return World()


def refused(call, *args, code=422, **kwargs):
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code
    return caught.value


def pod(name="p", **spec):
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "busybox"}], **spec}}


class TestPods:
    def test_a_minimal_pod_gets_the_defaults(self, world):  # pods-01
        made = world.create("pods", pod())
        spec = made["spec"]
        assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
        assert made["metadata"]["generation"] == 1
        assert {key: spec[key] for key in ("restartPolicy", "dnsPolicy", "terminationGracePeriodSeconds")} == {
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 30,
        }
        assert spec["schedulerName"] == "default-scheduler"
        assert spec["enableServiceLinks"] is True
        assert [one["key"] for one in spec["tolerations"]] == [
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
        ]
        assert spec["containers"] == [
            {
                "name": "c",
                "image": "busybox",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ]

    @pytest.mark.parametrize(
        ("image", "policy"),
        [
            ("busybox", "Always"),
            ("busybox:latest", "Always"),
            ("busybox:1", "IfNotPresent"),
            ("localhost:5000/busybox", "Always"),
            ("busybox@sha256:abc", "IfNotPresent"),
        ],
    )
    def test_the_tag_decides_the_pull_policy(self, world, image, policy):
        made = world.create("pods", pod(containers=[{"name": "c", "image": image}]))
        assert made["spec"]["containers"][0]["imagePullPolicy"] == policy

    @pytest.mark.parametrize(
        ("resources", "qos", "requests"),
        [
            ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed", {"cpu": "1", "memory": "1Gi"}),
            ({"requests": {"cpu": "1"}}, "Burstable", {"cpu": "1"}),
        ],
    )
    def test_requests_follow_limits_and_both_decide_the_qos_class(self, world, resources, qos, requests):
        made = world.create("pods", pod(containers=[{"name": "c", "image": "b", "resources": resources}]))
        assert made["spec"]["containers"][0]["resources"]["requests"] == requests
        assert made["status"]["qosClass"] == qos

    @pytest.mark.parametrize(
        ("spec", "text"),
        [
            ({"containers": []}, "spec.containers: Required value"),
            ({"containers": [{"name": "c"}]}, "spec.containers[0].image: Required value"),
            (
                {"containers": [{"name": "Bad_C", "image": "x"}]},
                f'spec.containers[0].name: Invalid value: "Bad_C": {LABEL_TEXT}',
            ),
            (
                {"restartPolicy": "Sometimes"},
                'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
            ),
            (
                {"containers": [{"name": "c", "image": "x"}, {"name": "c", "image": "x"}]},
                'spec.containers[1].name: Duplicate value: "c"',
            ),
            (
                {"containers": [{"name": "c", "image": "x", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
                'spec.containers[0].volumeMounts[0].name: Not found: "v"',
            ),
            (
                {
                    "containers": [
                        {"name": "c", "image": "x", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}
                    ]
                },
                'spec.containers[0].resources.requests: Invalid value: "2": '
                "must be less than or equal to cpu limit of 1",
            ),
        ],
    )
    def test_a_bad_pod_is_refused(self, world, spec, text):  # pods-02
        error = refused(world.create, "pods", pod(**spec))
        assert error.message == f'Pod "p" is invalid: {text}'

    def test_a_bad_container_is_refused_every_time(self, world):
        bad = {"name": "c"}
        for _ in range(2):
            refused(world.create, "pods", pod(containers=[bad]))

    def test_what_is_no_quantity_does_not_decode(self, world):
        bad = pod(containers=[{"name": "c", "image": "b", "resources": {"limits": {"cpu": "lots"}}}])
        assert refused(world.create, "pods", bad, code=400).message == (
            'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )

    def test_the_spec_is_immutable_but_for_images(self, world):  # pods-04
        world.create("pods", pod())
        error = refused(world.patch, "pods", "p", {"spec": {"restartPolicy": "Never"}})
        assert [(cause["reason"], cause["field"]) for cause in error.details["causes"]] == [
            ("FieldValueForbidden", "spec")
        ]
        container = {**world.create("pods", pod("q"))["spec"]["containers"][0], "image": "other"}
        patched = world.patch("pods", "q", {"spec": {"containers": [container]}})
        assert patched["spec"]["containers"][0]["image"] == "other"
        assert patched["metadata"]["generation"] == 2

    def test_container_statuses_show_their_last_state(self, world):  # pods-05
        world.create("pods", pod())
        terminated = {"exitCode": 137, "reason": "OOMKilled"}
        status = {"name": "c", "image": "busybox", "imageID": "", "ready": False, "restartCount": 0}
        patched = world.patch(
            "pods",
            "p",
            {"status": {"phase": "Failed", "containerStatuses": [{**status, "state": {"terminated": terminated}}]}},
            subresource="status",
        )
        assert patched["status"]["phase"] == "Failed"
        assert patched["status"]["containerStatuses"] == [
            {**status, "state": {"terminated": terminated}, "lastState": {}}
        ]
        assert patched["metadata"]["generation"] == 1


class TestConfigMapsAndSecrets:
    def test_an_unknown_field_is_dropped_with_a_warning_or_refused(self, world):  # create-19
        made = world.create("configmaps", {"metadata": {"name": "a"}, "bogus": 1})
        assert "bogus" not in made
        assert world.warnings == ['unknown field "bogus"']
        body = {"metadata": {"name": "d"}, "bogus": 1}
        assert refused(world.create, "configmaps", body, code=400, field_validation="Strict").message == (
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus"'
        )

    def test_immutable_data_stays(self, world):  # update-04
        world.create("configmaps", {"metadata": {"name": "a"}, "data": {"k": "1"}, "immutable": True})
        text = "Forbidden: field is immutable when `immutable` is set"
        error = refused(world.update, "configmaps", "a", {"data": {"k": "2"}, "immutable": True})
        assert error.message == f'ConfigMap "a" is invalid: data: {text}'
        error = refused(world.update, "configmaps", "a", {"data": {"k": "1"}})
        assert error.message == f'ConfigMap "a" is invalid: immutable: {text}'

    def test_more_than_a_mebibyte_is_too_long(self, world):  # create-35
        body = {"metadata": {"name": "a"}, "data": {"k": "a" * 1_048_600}}
        error = refused(world.create, "configmaps", body)
        assert error.message == 'ConfigMap "a" is invalid: []: Too long: may not be more than 1048576 bytes'

    def test_a_secret_encodes_its_strings_and_keeps_its_type(self, world):  # update-05
        made = world.create("secrets", {"metadata": {"name": "s"}, "stringData": {"a": "hi"}})
        assert (made["type"], made["data"]) == ("Opaque", {"a": "aGk="})
        assert "stringData" not in made
        error = refused(world.update, "secrets", "s", {"type": "example.com/x"})
        assert error.message == 'Secret "s" is invalid: type: Invalid value: "example.com/x": field is immutable'


class TestEventsAndLeases:
    def test_an_event_shows_all_its_fields(self, world):  # events-01
        body = {"metadata": {"name": "w"}, "involvedObject": {"namespace": "ns", "name": "w"}, "reason": "R"}
        made = world.create("events", body)
        assert {key: made[key] for key in ("eventTime", "firstTimestamp", "reportingComponent", "source")} == {
            "eventTime": None,
            "firstTimestamp": None,
            "reportingComponent": "",
            "source": {},
        }

    @pytest.mark.parametrize(("involved", "shown"), [({"namespace": "other"}, '"other"'), ({"kind": "Node"}, '""')])
    def test_an_event_lives_where_its_object_lives(self, world, involved, shown):  # events-02
        error = refused(world.create, "events", {"metadata": {"name": "w"}, "involvedObject": involved})
        assert error.message == (
            f'Event "w" is invalid: involvedObject.namespace: Invalid value: {shown}: does not match event.namespace'
        )

    def test_an_event_of_a_cluster_scoped_object_lives_in_default(self, world):
        body = {"metadata": {"name": "n"}, "involvedObject": {"kind": "Node", "name": "n"}}
        assert world.create("events", body, namespace="default")["metadata"]["namespace"] == "default"

    def test_a_lease_needs_microseconds(self, world):  # leases-01
        spec = {"acquireTime": "2025-12-01T10:07:13.000000Z", "renewTime": "2025-12-01T10:07:13Z"}
        error = refused(world.create, "leases.coordination.k8s.io", {"metadata": {"name": "m"}, "spec": spec}, code=400)
        assert error.message == (
            'Lease in version "v1" cannot be handled as a Lease: parsing time "2025-12-01T10:07:13Z" as '
            '"2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'
        )

    def test_a_lease_lasts(self, world):
        body = {"metadata": {"name": "m"}, "spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}}
        fields = [
            cause["field"] for cause in refused(world.create, "leases.coordination.k8s.io", body).details["causes"]
        ]
        assert fields == ["spec.leaseDurationSeconds", "spec.leaseTransitions"]


@pytest.mark.parametrize(
    ("hard", "text"),
    [
        ({"cpu": "-1"}, 'spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
        (
            {"gizmos": "1"},
            '[spec.hard[gizmos]: Invalid value: "gizmos": must be a standard resource type or fully qualified, '
            'spec.hard[gizmos]: Invalid value: "gizmos": must be a standard resource for quota]',
        ),
    ],
)
def test_a_quota_limits_known_resources_by_amounts(world, hard, text):  # quota-09
    error = refused(world.create, "resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    assert error.message == f'ResourceQuota "q" is invalid: {text}'


def test_a_quota_of_words_does_not_decode(world):  # quota-09
    body = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "many"}}}
    assert refused(world.create, "resourcequotas", body, code=400).message == (
        'ResourceQuota in version "v1" cannot be handled as a ResourceQuota: quantities must match the regular '
        "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            {"apiGroups": [""], "resources": ["pods"]},
            "rules[0].verbs: Required value: verbs must contain at least one value",
        ),
        (
            {"verbs": ["get"]},
            "[rules[0].apiGroups: Required value: resource rules must supply at least one api group, "
            "rules[0].resources: Required value: resource rules must supply at least one resource]",
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/x"]},
            'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        ),
    ],
)
def test_a_role_rule_is_complete(world, rule, text):  # rbac-17
    error = refused(world.create, "roles.rbac.authorization.k8s.io", {"metadata": {"name": "r"}, "rules": [rule]})
    assert error.message == f'Role.rbac.authorization.k8s.io "r" is invalid: {text}'


def test_a_binding_keeps_its_role_and_names_the_group_of_users(world):  # rbac-21
    bindings = "rolebindings.rbac.authorization.k8s.io"
    role = {"kind": "Role", "name": "r"}
    body = {"metadata": {"name": "b"}, "roleRef": role, "subjects": [{"kind": "User", "name": "x"}]}
    made = world.create(bindings, body)
    group = "rbac.authorization.k8s.io"
    assert made["roleRef"] == {**role, "apiGroup": group}
    assert made["subjects"] == [{"apiGroup": group, "kind": "User", "name": "x"}]
    assert "cannot change roleRef" in refused(world.patch, bindings, "b", {"roleRef": {"name": "s"}}).message


def deployment(**spec):
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    return {"metadata": {"name": "d"}, "spec": {"template": template, **spec}}


class TestWorkloads:
    SELECTOR = {"matchLabels": {"app": "a"}}

    def test_a_deployment_gets_its_defaults(self, world):  # workloads-01
        made = world.create("deployments.apps", deployment(selector=self.SELECTOR))
        spec = made["spec"]
        assert spec["replicas"] == 1
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
        }
        assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
        assert spec["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"
        assert (made["status"], made["metadata"]["generation"]) == ({}, 1)

    @pytest.mark.parametrize(
        ("spec", "text"),
        [
            (
                {},
                "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
                '{"app":"a"}: `selector` does not match template `labels`]',
            ),
            (
                {"selector": {"matchLabels": {"app": "z"}}},
                'spec.template.metadata.labels: Invalid value: {"app":"a"}: '
                "`selector` does not match template `labels`",
            ),
            (
                {"selector": SELECTOR, "replicas": -1},
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
        ],
    )
    def test_a_bad_deployment_is_refused(self, world, spec, text):  # workloads-02
        error = refused(world.create, "deployments.apps", deployment(**spec))
        assert error.message == f'Deployment.apps "d" is invalid: {text}'

    def test_a_selector_is_immutable(self, world):  # update-18
        world.create("deployments.apps", deployment(selector=self.SELECTOR))
        changed = {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}
        error = refused(world.patch, "deployments.apps", "d", {"spec": changed})
        assert error.message == (
            'Deployment.apps "d" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: '
            "field is immutable"
        )

    def test_a_jobs_pods_end_and_its_template_stays(self, world):
        body = deployment()
        error = refused(world.create, "jobs.batch", body)
        assert error.message == (
            'Job.batch "d" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Always": '
            'supported values: "OnFailure", "Never"'
        )
        body["spec"]["template"]["spec"]["restartPolicy"] = "Never"
        made = world.create("jobs.batch", body)
        own = {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}
        assert made["spec"]["selector"] == {"matchLabels": own}
        assert own.items() <= made["spec"]["template"]["metadata"]["labels"].items()
        error = refused(
            world.patch, "jobs.batch", "d", {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}
        )
        assert error.message.endswith("field is immutable")
