"""LimitRange: defaults and bounds (recorded: limitrange-01 to limitrange-06)."""

import pytest

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams


@pytest.fixture
def server():
    loop = Loop()
    made = ApiServer(loop, Streams(1), Clock(loop))
    made.create(ADMIN, made.resource("", "namespaces"), "", {"metadata": {"name": "ns"}})
    return made


def limit(server, name="l", **entry):
    body = {"metadata": {"name": name}, "spec": {"limits": [{"type": "Container", **entry}]}}
    return server.create(ADMIN, server.resource("", "limitranges"), "ns", body)["spec"]["limits"][0]


def pod(server, resources=None, **more):
    container = {"name": "c", "image": "b", **({"resources": resources} if resources else {})}
    body = {"metadata": {"name": "p"}, "spec": {"containers": [container], **more}}
    return server.create(ADMIN, server.resource("", "pods"), "ns", body)


def refused(server, resources=None, **more):
    with pytest.raises(ApiError) as caught:
        pod(server, resources, **more)
    assert (caught.value.code, caught.value.details) == (403, {"kind": "pods", "name": "p"})
    return caught.value.message


def test_limits_are_derived_from_maxima_and_requests_from_limits(server):
    assert limit(server, max={"cpu": "1"}, min={"cpu": "100m"}) == {
        "type": "Container",
        "max": {"cpu": "1"},
        "min": {"cpu": "100m"},
        "default": {"cpu": "1"},
        "defaultRequest": {"cpu": "1"},
    }
    assert limit(server, "m", default={"memory": "64Mi"})["defaultRequest"] == {"memory": "64Mi"}


@pytest.mark.parametrize(
    ("resources", "requests", "note"),
    [
        (
            None,
            {"cpu": "100m", "memory": "64Mi"},
            "cpu, memory request for container c; cpu, memory limit for container c",
        ),
        (
            {"requests": {"cpu": "50m"}},
            {"cpu": "50m", "memory": "64Mi"},
            "memory request for container c; cpu, memory limit for container c",
        ),
    ],
)
def test_defaults_are_put_into_pods_and_noted(server, resources, requests, note):
    limit(server, default={"cpu": "500m", "memory": "64Mi"}, defaultRequest={"cpu": "100m"})
    made = pod(server, resources)
    assert made["spec"]["containers"][0]["resources"] == {
        "requests": requests,
        "limits": {"cpu": "500m", "memory": "64Mi"},
    }
    assert made["metadata"]["annotations"] == {"kubernetes.io/limit-ranger": f"LimitRanger plugin set: {note}"}
    assert made["status"]["qosClass"] == "Burstable"


def test_init_containers_get_defaults_too(server):
    limit(server, default={"cpu": "1"})
    made = pod(server, {"limits": {"cpu": "1"}}, initContainers=[{"name": "i", "image": "b"}])
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for init container i; cpu limit for init container i"
    )


def test_a_pod_that_says_everything_is_left_alone(server):
    limit(server, default={"cpu": "500m"})
    assert "annotations" not in pod(server, {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}})["metadata"]


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        ({"limits": {"cpu": "2"}}, "maximum cpu usage per Container is 1, but limit is 2"),
        (
            {"requests": {"cpu": "10m"}, "limits": {"cpu": "200m"}},
            "minimum cpu usage per Container is 100m, but request is 10m",
        ),
    ],
)
def test_a_container_out_of_bounds_is_refused(server, resources, text):
    limit(server, max={"cpu": "1"}, min={"cpu": "100m"})
    assert refused(server, resources) == f'pods "p" is forbidden: {text}'


def test_all_violations_are_listed(server):
    limit(server, max={"cpu": "1", "memory": "1Gi"})
    assert refused(server, {"limits": {"cpu": "2", "memory": "2Gi"}}) == (
        'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, '
        "maximum memory usage per Container is 1Gi, but limit is 2Gi]"
    )


def test_a_pods_containers_are_bounded_together(server):
    limit(server, type="Pod", max={"cpu": "1"})
    other = {"name": "d", "image": "b", "resources": {"limits": {"cpu": "600m"}}}
    sidecar = {**other, "restartPolicy": "Always"}
    text = refused(server, {"limits": {"cpu": "600m"}}, initContainers=[sidecar])
    assert text == 'pods "p" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m'


def test_a_pod_without_the_bounded_resource_is_refused(server):
    limit(server, type="Pod", min={"cpu": "1"})
    assert refused(server) == 'pods "p" is forbidden: minimum cpu usage per Pod is 1.  No request is specified'


def test_a_ratio_bounds_limits_by_requests(server):
    limit(server, maxLimitRequestRatio={"cpu": "2"})
    assert refused(server, {"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}}) == (
        'pods "p" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000'
    )


def test_a_deleted_range_binds_nobody(server):
    limit(server, max={"cpu": "1"})
    server.delete(ADMIN, server.resource("", "limitranges"), "ns", "l")
    assert pod(server, {"limits": {"cpu": "2"}})["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "2"}


def test_defaults_satisfy_a_quota(server):
    limit(server, default={"cpu": "500m"}, defaultRequest={"cpu": "100m"})
    quotas = server.resource("", "resourcequotas")
    server.create(ADMIN, quotas, "ns", {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "1"}}})
    server.loop.run_until(200_000)
    pod(server)
    assert server.get(ADMIN, quotas, "ns", "q")["status"]["used"] == {"requests.cpu": "100m"}


def test_a_range_that_contradicts_itself_is_refused(server):
    with pytest.raises(ApiError) as caught:
        limit(server, min={"cpu": "2"}, max={"cpu": "1"})
    assert (
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1' in caught.value.message
    )
