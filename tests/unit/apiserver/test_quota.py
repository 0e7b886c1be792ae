"""ResourceQuota: charged at admission, corrected by the controller (recorded: quota-01 to quota-11)."""

import pytest

from controller.ports import ApiError
from sim.apiserver.identity import ADMIN
from sim.apiserver.server import ApiServer
from sim.clock import Clock
from sim.loop import Loop
from sim.streams import Streams

SETTLED_US = 200_000


class Namespace:
    def __init__(self):
        self.loop = Loop()
        self.server = ApiServer(self.loop, Streams(1), Clock(self.loop))
        self.create("namespaces", "ns", namespace="")

    def resource(self, plural):
        return self.server.resource("", plural)

    def create(self, plural, name, body=None, *, namespace="ns", dry_run=False):
        document = {**(body or {}), "metadata": {"name": name}}
        return self.server.create(ADMIN, self.resource(plural), namespace, document, dry_run=dry_run)

    def limit(self, **hard):
        self.create("resourcequotas", "q", {"spec": {"hard": {key.replace("_", "."): v for key, v in hard.items()}}})
        self.settle()

    def pod(self, name, requests=None, limits=None, **more):
        resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
        container = {"name": "c", "image": "b", "resources": resources}
        return self.create("pods", name, {"spec": {"containers": [container], **more}})

    def settle(self):
        self.loop.run_until(self.loop.now_us + SETTLED_US)

    def used(self):
        return self.server.get(ADMIN, self.resource("resourcequotas"), "ns", "q")["status"]["used"]


@pytest.fixture
def ns():
    return Namespace()


def refused(call, *args, **kwargs):
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    assert (caught.value.code, caught.value.reason) == (403, "Forbidden")
    return caught.value


def test_a_new_quota_gets_its_status_a_little_later(ns):
    created = ns.create("resourcequotas", "q", {"spec": {"hard": {"configmaps": "3", "pods": "2"}}})
    assert created["status"] == {}
    ns.settle()
    stored = ns.server.get(ADMIN, ns.resource("resourcequotas"), "ns", "q")
    assert stored["status"] == {"hard": {"configmaps": "3", "pods": "2"}, "used": {"configmaps": "0", "pods": "0"}}


def test_until_then_what_it_limits_is_refused(ns):
    ns.create("resourcequotas", "q", {"spec": {"hard": {"configmaps": "3"}}})
    error = refused(ns.create, "configmaps", "a")
    assert error.message == 'configmaps "a" is forbidden: status unknown for quota: q, resources: configmaps'


def test_a_create_is_charged_at_once_and_one_too_many_is_refused(ns):
    ns.limit(configmaps="1")
    ns.create("configmaps", "a")
    assert ns.used() == {"configmaps": "1"}
    error = refused(ns.create, "configmaps", "b")
    assert error.message == (
        'configmaps "b" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, '
        "limited: configmaps=1"
    )
    assert error.details == {"kind": "configmaps", "name": "b"}


def test_what_was_there_before_the_quota_counts(ns):
    ns.create("configmaps", "a")
    ns.limit(configmaps="1")
    assert ns.used() == {"configmaps": "1"}


def test_objects_of_any_kind_are_counted_under_count(ns):
    ns.limit(**{"count/configmaps": "1"})
    ns.create("configmaps", "a")
    assert "requested: count/configmaps=1, used: count/configmaps=1" in refused(ns.create, "configmaps", "b").message


def test_a_zero_quota_refuses_the_first(ns):
    ns.limit(**{"count/configmaps": "0"})
    assert refused(ns.create, "configmaps", "a").message.endswith(
        "used: count/configmaps=0, limited: count/configmaps=0"
    )


def test_requests_of_pods_are_summed(ns):
    ns.limit(pods="5", requests_cpu="500m")
    ns.pod("p1", {"cpu": "300m"})
    error = refused(ns.pod, "p2", {"cpu": "0.3"})
    assert error.message == (
        'pods "p2" is forbidden: exceeded quota: q, requested: requests.cpu=300m, used: requests.cpu=300m, '
        "limited: requests.cpu=500m"
    )
    assert ns.used() == {"pods": "1", "requests.cpu": "300m"}


def test_memory_adds_up_in_its_own_suffix(ns):
    ns.limit(limits_memory="1Gi")
    ns.pod("p1", limits={"memory": "64Mi"})
    ns.pod("p2", limits={"memory": "192Mi"})
    assert ns.used() == {"limits.memory": "256Mi"}


def test_every_exceeded_resource_is_named_in_order(ns):
    ns.limit(pods="0", requests_cpu="100m", requests_memory="1Gi")
    error = refused(ns.pod, "p", {"cpu": "2", "memory": "1Mi"})
    assert error.message.endswith(
        "exceeded quota: q, requested: pods=1,requests.cpu=2, used: pods=0,requests.cpu=0, "
        "limited: pods=0,requests.cpu=100m"
    )


def test_a_quota_on_compute_makes_requests_and_limits_obligatory(ns):
    ns.limit(limits_cpu="2", requests_memory="1Gi", pods="9")
    error = refused(ns.pod, "p")
    assert (
        error.message
        == 'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c'
    )


def test_an_init_container_counts_only_as_far_as_it_needs_more(ns):
    ns.limit(requests_cpu="2")
    init = {"name": "i", "image": "b", "resources": {"requests": {"cpu": "700m"}}}
    ns.pod("p", {"cpu": "300m"}, initContainers=[init])
    assert ns.used() == {"requests.cpu": "700m"}


def test_an_update_is_not_charged(ns):
    ns.limit(configmaps="1")
    ns.create("configmaps", "a")
    patched = ns.server.patch(ADMIN, ns.resource("configmaps"), "ns", "a", {"data": {"k": "v"}})
    assert patched["data"] == {"k": "v"}


def test_a_dry_run_is_checked_but_not_charged(ns):
    ns.limit(configmaps="1")
    ns.create("configmaps", "a", dry_run=True)
    assert ns.used() == {"configmaps": "0"}
    ns.create("configmaps", "a")
    refused(ns.create, "configmaps", "b", dry_run=True)


def test_a_deleted_object_is_given_back_later_not_at_once(ns):
    ns.limit(configmaps="1")
    ns.create("configmaps", "a")
    ns.server.delete(ADMIN, ns.resource("configmaps"), "ns", "a")
    refused(ns.create, "configmaps", "b")
    ns.settle()
    assert ns.used() == {"configmaps": "0"}
    ns.create("configmaps", "b")


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pod_no_longer_counts_but_is_still_an_object(ns, phase):
    ns.limit(pods="1", requests_cpu="1", **{"count/pods": "2"})
    ns.pod("p1", {"cpu": "1"})
    ns.server.patch(ADMIN, ns.resource("pods"), "ns", "p1", {"status": {"phase": phase}}, subresource="status")
    ns.settle()
    assert ns.used() == {"pods": "0", "requests.cpu": "0", "count/pods": "1"}
    ns.pod("p2", {"cpu": "1"})


def test_a_raised_quota_takes_effect_once_the_controller_has_seen_it(ns):
    ns.limit(configmaps="1")
    ns.create("configmaps", "a")
    ns.server.patch(ADMIN, ns.resource("resourcequotas"), "ns", "q", {"spec": {"hard": {"configmaps": "2"}}})
    refused(ns.create, "configmaps", "b")
    ns.settle()
    ns.create("configmaps", "b")
    assert ns.used() == {"configmaps": "2"}


def test_a_charge_for_a_create_that_failed_is_corrected_by_the_resync(ns):
    ns.limit(configmaps="3")
    ns.create("configmaps", "a")
    with pytest.raises(ApiError, match="already exists"):
        ns.create("configmaps", "a")
    assert ns.used() == {"configmaps": "2"}
    ns.loop.run_until(ns.loop.now_us + 301_000_000)
    assert ns.used() == {"configmaps": "1"}


def test_a_scoped_quota_takes_in_only_pods_of_its_scope(ns):
    spec = {"hard": {"pods": "1"}, "scopes": ["NotBestEffort"]}
    ns.create("resourcequotas", "q", {"spec": spec})
    ns.settle()
    ns.pod("free")
    ns.pod("counted", {"cpu": "1"})
    refused(ns.pod, "second", {"cpu": "1"})
    ns.server.delete(ADMIN, ns.resource("pods"), "ns", "counted")
    ns.settle()
    assert ns.used() == {"pods": "0"}


def test_without_a_quota_nothing_is_scheduled(ns):
    ns.create("configmaps", "a")
    ns.loop.run_until(10_000_000)
    assert not ns.loop.env._queue
