"""kr8s, as it comes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kr8s import NotFoundError, ServerError
from kr8s.asyncio import api as connect
from kr8s.asyncio.objects import ConfigMap, Deployment, Namespace, Pod, new_class

WORKFLOWS = new_class("WorkflowExecution", "kubernaut.ai/v1alpha1", asyncio=True)


def config_map(api: Any, name: str, **data: str) -> Any:
    metadata = {"name": name, "namespace": "kr8s", "labels": {"for": "kr8s"}}
    return ConfigMap({"metadata": metadata, "data": data}, api=api)


async def lives(api: Any) -> dict[str, Any]:
    """What came of some twenty calls."""
    told: dict[str, Any] = {}
    told["version"] = (await api.version())["gitVersion"]
    told["resources"] = {one["name"] for one in await api.api_resources()}
    told["whoami"] = await api.whoami()
    namespace = Namespace({"metadata": {"name": "kr8s"}}, api=api)
    await namespace.create()
    one = config_map(api, "one", a="b")
    told["missing"] = await one.exists()
    await one.create()
    told["there"] = await one.exists()
    await one.patch({"data": {"c": "d"}})
    await one.patch([{"op": "remove", "path": "/data/a"}], type="json")
    await one.label(color="red")
    await one.annotate(note="x")
    await one.refresh()
    told["one"] = (dict(one.data), one.labels["color"], one.annotations["note"])
    with pytest.raises(ServerError) as twice:
        await config_map(api, "one").create()
    told["twice"] = twice.value.response.status_code
    for n in range(3):
        await config_map(api, f"n{n}").create()
    listed = [found.name async for found in api.get("configmaps", namespace="kr8s", label_selector="for=kr8s")]
    told["listed"] = sorted(listed)
    events = []
    async for kind, found in api.watch("configmaps", namespace="kr8s"):
        events.append((kind, found.name))
        if len(events) == 4:
            break
    told["events"] = sorted(events)
    with pytest.raises(NotFoundError):
        await ConfigMap.get("nobody", namespace="kr8s", api=api)
    await one.delete()
    await one.wait("delete", timeout=20)
    told["workloads"] = await _workloads(api)
    told["executions"] = [found.name async for found in WORKFLOWS.list(namespace="kr8s", api=api)]
    await namespace.delete()
    await namespace.wait("delete", timeout=20)
    return told


async def _workloads(api: Any) -> tuple[Any, ...]:
    pod = Pod(
        {"metadata": {"name": "p", "namespace": "kr8s"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}, api=api
    )
    await pod.create()
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"app": "d"}}, "template": template}
    deployment = Deployment({"metadata": {"name": "d", "namespace": "kr8s"}, "spec": spec}, api=api)
    await deployment.create()
    await deployment.scale(0)
    await deployment.refresh()
    await pod.refresh()
    return deployment.replicas, pod.spec.containers[0].image


@pytest.mark.filterwarnings("ignore:Kubernetes version v1.36")  # newer than it knows
def test_twenty_calls(kubeconfig: Path) -> None:
    async def connected() -> dict[str, Any]:
        return await lives(await connect(kubeconfig=str(kubeconfig)))

    told = asyncio.run(connected())

    assert told["version"].startswith("v1.36.")
    assert {"configmaps", "workflowexecutions"} <= told["resources"]
    assert (told["missing"], told["there"], told["twice"]) == (False, True, 409)
    assert told["one"] == ({"c": "d"}, "red", "x")
    assert told["listed"] == ["n0", "n1", "n2", "one"]
    assert told["events"] == [("ADDED", name) for name in told["listed"]]
    assert told["workloads"] == (0, "i")
    assert told["executions"] == []
    assert told["whoami"]
