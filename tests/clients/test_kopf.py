"""kopf runs an operator, both as they come."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch

PATIENCE_S = 30
GROUP, PLURAL = "toys.example.com", "toys"
WHERE = {"group": GROUP, "version": "v1", "namespace": "default", "plural": PLURAL}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"{PLURAL}.{GROUP}"},
    "spec": {
        "group": GROUP,
        "scope": "Namespaced",
        "names": {"plural": PLURAL, "singular": "toy", "kind": "Toy"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": OPEN, "status": OPEN}}},
            }
        ],
    },
}


def toy(name: str, size: int) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Toy", "metadata": {"name": name}, "spec": {"size": size}}


@pytest.fixture(scope="module")
def api(kubeconfig: Path) -> Iterator[Any]:
    with config.new_client_from_config(str(kubeconfig)) as api:
        client.ApiextensionsV1Api(api).create_custom_resource_definition(DEFINITION)
        yield api


@pytest.fixture(scope="module")
def operator(api: Any, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The log of a running operator."""
    log = tmp_path_factory.mktemp("kopf") / "log"
    program = Path(__file__).with_name("widget_operator.py")
    command = (sys.executable, "-m", "kopf", "run", "--standalone", "--namespace=default", str(program))
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, "KUBECONFIG": str(kubeconfig)}
        )
        try:
            yield log
        finally:
            os.kill(process.pid, signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def seen(stream: Iterator[Any], holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first event of a watch of which something holds."""
    with closing(stream):
        for event in stream:
            found: dict[str, Any] = event
            if holds(found):
                return found
    pytest.fail(f"it did not come to that within {PATIENCE_S} s")


def toys(api: Any, name: str, since: str | None = None) -> Iterator[Any]:
    custom = client.CustomObjectsApi(api)
    selector = {"field_selector": f"metadata.name={name}", "timeout_seconds": PATIENCE_S, "resource_version": since}
    return watch.Watch().stream(custom.list_namespaced_custom_object, **WHERE, **selector)


def delete(api: Any, name: str) -> None:
    """Delete a toy, and see it go."""
    marked = client.CustomObjectsApi(api).delete_namespaced_custom_object(**WHERE, name=name)
    seen(toys(api, name, marked["metadata"]["resourceVersion"]), lambda event: event["type"] == "DELETED")


def phase(event: dict[str, Any]) -> str:
    return str(event["object"].get("status", {}).get("phase", ""))


def test_an_operator_builds_changes_and_dismantles(api: Any, operator: Path) -> None:
    custom = client.CustomObjectsApi(api)

    custom.create_namespaced_custom_object(**WHERE, body=toy("bear", 3))
    built = seen(toys(api, "bear"), lambda event: "built" in event["object"].get("status", {}))["object"]
    custom.patch_namespaced_custom_object(**WHERE, name="bear", body={"spec": {"size": 5}})
    resized = seen(toys(api, "bear"), lambda event: phase(event).startswith("Resized"))
    delete(api, "bear")

    assert built["status"] == {"built": {"size": 3}, "phase": "Built"}
    assert built["metadata"]["finalizers"] == ["toys.example.com/operator"]
    assert phase(resized) == "Resized from 3 to 5"
    assert "bear is gone" in operator.read_text()


def test_an_operator_tells_what_it_does_in_events(api: Any, operator: Path) -> None:
    core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)

    custom.create_namespaced_custom_object(**WHERE, body=toy("elephant", 11))
    events = watch.Watch().stream(core.list_namespaced_event, "default", timeout_seconds=PATIENCE_S)
    said = seen(events, lambda event: event["object"].type == "Error")["object"]
    delete(api, "elephant")

    assert said.message == "Handler 'built' failed permanently: too large"
    assert (said.involved_object.kind, said.involved_object.name) == ("Toy", "elephant")
    assert "Traceback" not in operator.read_text()
