"""Deployments, ReplicaSets and Jobs on a simulated cluster whose controllers run."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cluster_stage import NAMESPACE, Stage

from controller.ports import Document, Resource
from sim.apiserver.identity import ADMIN
from sim.cluster.api import PODS
from sim.cluster.behaviour import Behaviour
from sim.cluster.workloads.controllers import Serving, start
from sim.cluster.workloads.deployments import DEPLOYMENTS
from sim.cluster.workloads.jobs import JOBS
from sim.cluster.workloads.replicasets import REPLICASETS
from sim.streams import Streams

SERVES = Behaviour(hangs=True, sigterm_exit_code=0)
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")


class Workloads(Stage):
    def __init__(self, behaviours: Mapping[str, Behaviour] | None = None) -> None:
        super().__init__({"web": SERVES, **(behaviours or {})}, annotate=False)
        start(self.server, self.loop, Streams(1), self.clock)

    def deploy(self, replicas: int = 3, image: str = "web:1", **spec: Any) -> Document:
        template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "web", "image": image}]}}
        full = {"replicas": replicas, "selector": {"matchLabels": {"app": "a"}}, "template": template, **spec}
        return self.server.create(ADMIN, DEPLOYMENTS, NAMESPACE, {"metadata": {"name": "d"}, "spec": full})

    def job(self, **spec: Any) -> None:
        template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": "w"}]}}
        self.server.create(ADMIN, JOBS, NAMESPACE, {"metadata": {"name": "j"}, "spec": {"template": template, **spec}})

    def patch(self, resource: Resource, name: str, body: Any, subresource: str = "") -> None:
        self.server.patch(ADMIN, resource, NAMESPACE, name, body, subresource=subresource)

    def find(self, resource: Resource, name: str) -> Document:
        found = self.server.find(resource, NAMESPACE, name)
        assert found is not None
        return found

    def all(self, resource: Resource) -> list[Document]:
        return [one for one in self.server.items(resource, NAMESPACE) if "deletionTimestamp" not in one["metadata"]]

    def conditions(self, resource: Resource, name: str) -> dict[str, str]:
        found = self.find(resource, name)["status"].get("conditions", ())
        return {one["type"]: f"{one['status']} {one['reason']}" for one in found}


@pytest.fixture
def cluster() -> Iterator[Workloads]:
    made = Workloads()
    yield made
    made.server.verify()
    made.loop.close()


def test_a_deployment_gets_a_replica_set_and_that_gets_pods_that_run(cluster: Workloads) -> None:
    cluster.deploy(3)
    cluster.run(10)
    (replica_set,) = cluster.all(REPLICASETS)
    hash_ = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"d-{hash_}"
    pods = cluster.all(PODS)
    assert len(pods) == 3
    assert all(pod["metadata"]["labels"] == {"app": "a", "pod-template-hash": hash_} for pod in pods)
    assert all(pod["metadata"]["ownerReferences"][0]["uid"] == replica_set["metadata"]["uid"] for pod in pods)
    assert cluster.conditions(DEPLOYMENTS, "d") == {
        "Available": "True MinimumReplicasAvailable",
        "Progressing": "True NewReplicaSetAvailable",
    }
    status = {key: value for key, value in cluster.find(DEPLOYMENTS, "d")["status"].items() if key != "conditions"}
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    assert status == {"observedGeneration": 1, **dict.fromkeys(counts, 3)}


def test_what_goes_is_replaced_and_scaling_is_followed(cluster: Workloads) -> None:
    cluster.deploy(2)
    cluster.run(10)
    gone = cluster.all(PODS)[0]["metadata"]["name"]
    cluster.delete(gone)
    cluster.run(10)
    assert gone not in [pod["metadata"]["name"] for pod in cluster.all(PODS)]
    assert len(cluster.all(PODS)) == 2
    cluster.patch(DEPLOYMENTS, "d", {"spec": {"replicas": 4}})
    cluster.run(10)
    assert cluster.find(DEPLOYMENTS, "d")["status"]["readyReplicas"] == 4
    cluster.patch(DEPLOYMENTS, "d", {"spec": {"replicas": 0}})
    cluster.run(40)
    assert cluster.all(PODS) == []
    assert cluster.find(DEPLOYMENTS, "d")["status"]["observedGeneration"] == 3
    assert "replicas" not in cluster.find(DEPLOYMENTS, "d")["status"]


def test_a_rollout_never_has_fewer_or_more_pods_than_it_may(cluster: Workloads) -> None:
    cluster.deploy(4)
    cluster.run(20)
    seen: list[tuple[int, int]] = []

    def count(*_: object) -> None:
        status = cluster.find(DEPLOYMENTS, "d")["status"]
        wanted = sum(one["spec"]["replicas"] for one in cluster.all(REPLICASETS))
        seen.append((wanted, status.get("availableReplicas", 0)))

    cluster.server.observe(count, REPLICASETS, DEPLOYMENTS)
    changed = [{"name": "web", "image": "web:2"}]
    cluster.patch(DEPLOYMENTS, "d", {"spec": {"template": {"spec": {"containers": changed}}}})
    cluster.run(120)
    assert [pod["spec"]["containers"][0]["image"] for pod in cluster.all(PODS)] == ["web:2"] * 4
    assert max(wanted for wanted, _ in seen) == 5
    assert min(available for _, available in seen) >= 3
    revision = "deployment.kubernetes.io/revision"
    sizes = {one["metadata"]["annotations"][revision]: one["spec"]["replicas"] for one in cluster.all(REPLICASETS)}
    assert sizes == {"1": 0, "2": 4}
    assert cluster.find(DEPLOYMENTS, "d")["metadata"]["annotations"][revision] == "2"


def test_going_back_to_an_older_template_uses_its_replica_set_again(cluster: Workloads) -> None:
    cluster.deploy(1)
    cluster.run(10)
    for image in ("web:2", "web:1"):
        changed = [{"name": "web", "image": image}]
        cluster.patch(DEPLOYMENTS, "d", {"spec": {"template": {"spec": {"containers": changed}}}})
        cluster.run(60)
    assert len(cluster.all(REPLICASETS)) == 2
    assert cluster.find(DEPLOYMENTS, "d")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_recreating_waits_until_the_old_pods_are_gone(cluster: Workloads) -> None:
    cluster.deploy(2, strategy={"type": "Recreate"})
    cluster.run(10)
    changed = [{"name": "web", "image": "web:2"}]
    cluster.patch(DEPLOYMENTS, "d", {"spec": {"template": {"spec": {"containers": changed}}}})
    mixed: list[bool] = []

    def look(*_: object) -> None:
        mixed.append(len({pod["spec"]["containers"][0]["image"] for pod in cluster.all(PODS)}) > 1)

    cluster.server.observe(look, PODS)
    cluster.run(60)
    assert [pod["spec"]["containers"][0]["image"] for pod in cluster.all(PODS)] == ["web:2", "web:2"]
    assert not any(mixed)


def test_a_rollout_that_does_not_get_on_is_called_late(cluster: Workloads) -> None:
    cluster.deploy(1, progressDeadlineSeconds=30, minReadySeconds=20, image="web:1")
    cluster.run(40)
    assert cluster.conditions(DEPLOYMENTS, "d")["Progressing"] == "True NewReplicaSetAvailable"
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    cluster.server.create(ADMIN, QUOTAS, NAMESPACE, quota)
    cluster.run(5)
    changed = [{"name": "web", "image": "web:2"}]
    cluster.patch(DEPLOYMENTS, "d", {"spec": {"template": {"spec": {"containers": changed}}}})
    cluster.run(60)
    conditions = cluster.conditions(DEPLOYMENTS, "d")
    assert conditions["Progressing"] == "False ProgressDeadlineExceeded"
    assert conditions["ReplicaFailure"] == "True FailedCreate"


def test_what_a_deployment_owns_goes_with_it(cluster: Workloads) -> None:
    cluster.deploy(2)
    cluster.run(10)
    cluster.server.delete(ADMIN, DEPLOYMENTS, NAMESPACE, "d", propagation="Background")
    cluster.run(60)
    assert (cluster.all(REPLICASETS), cluster.all(PODS)) == ([], [])


def test_a_job_ends_when_enough_pods_have_succeeded() -> None:
    cluster = Workloads({"work": Behaviour(duration_us=5_000_000)})
    cluster.job(completions=5, parallelism=2)
    cluster.run(3)
    assert cluster.find(JOBS, "j")["status"]["active"] == 2
    cluster.run(60)
    status = cluster.find(JOBS, "j")["status"]
    assert (status["succeeded"], status.get("active"), status["ready"]) == (5, None, 0)
    assert status["completionTime"] > status["startTime"]
    assert cluster.conditions(JOBS, "j") == {
        "SuccessCriteriaMet": "True CompletionsReached",
        "Complete": "True CompletionsReached",
    }
    cluster.loop.close()


def test_a_job_that_fails_too_often_gives_up_with_growing_pauses() -> None:
    cluster = Workloads({"work": Behaviour(exit_code=1)})
    cluster.job(backoffLimit=2)
    cluster.run(200)
    assert cluster.conditions(JOBS, "j")["Failed"] == "True BackoffLimitExceeded"
    assert cluster.find(JOBS, "j")["status"]["failed"] == 3
    created = [at for at, type_, _, _ in cluster.rows if type_ == "ADDED"]
    first, second = created[1] - created[0], created[2] - created[1]
    assert 10_000 <= first < second
    assert second >= 20_000
    cluster.loop.close()


def test_a_job_that_takes_too_long_is_stopped_and_goes_after_its_time() -> None:
    cluster = Workloads({"work": Behaviour(hangs=True)})
    cluster.job(activeDeadlineSeconds=10, ttlSecondsAfterFinished=30)
    cluster.run(20)
    assert cluster.conditions(JOBS, "j")["Failed"] == "True DeadlineExceeded"
    cluster.run(40)
    assert cluster.server.find(JOBS, NAMESPACE, "j") is None
    cluster.loop.close()


def test_every_pod_of_an_indexed_job_knows_its_number() -> None:
    cluster = Workloads({"work": Behaviour(duration_us=1_000_000)})
    cluster.job(completions=3, parallelism=3, completionMode="Indexed")
    cluster.run(30)
    assert cluster.find(JOBS, "j")["status"]["completedIndexes"] == "0-2"
    names = sorted(pod["metadata"]["name"].rsplit("-", 1)[0] for pod in cluster.all(PODS))
    assert names == ["j-0", "j-1", "j-2"]
    told = [pod["spec"]["containers"][0]["env"] for pod in cluster.all(PODS)]
    assert sorted(one[0]["value"] for one in told) == ["0", "1", "2"]
    cluster.loop.close()


def test_a_suspended_job_has_no_pods_until_it_goes_on() -> None:
    cluster = Workloads({"work": Behaviour(duration_us=1_000_000)})
    cluster.job(suspend=True)
    cluster.run(10)
    assert cluster.all(PODS) == []
    assert cluster.conditions(JOBS, "j") == {"Suspended": "True JobSuspended"}
    cluster.patch(JOBS, "j", {"spec": {"suspend": False}})
    cluster.run(20)
    assert "Complete" in cluster.conditions(JOBS, "j")
    cluster.loop.close()


def test_containers_that_are_always_restarted_do_not_end_by_themselves() -> None:
    class Silent:
        def perform(self, _pod: Document, _container: str) -> Behaviour | None:
            return None

    serving = Serving(Silent())
    pod = {"spec": {"containers": [{"name": "web"}], "initContainers": [{"name": "first"}]}}
    told = serving.perform(pod, "web")
    assert told is not None
    assert told.hangs
    assert serving.perform(pod, "first") is None
    assert serving.perform({"spec": {**pod["spec"], "restartPolicy": "Never"}}, "web") is None
