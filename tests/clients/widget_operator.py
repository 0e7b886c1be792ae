"""An operator as people write them, with kopf; nothing in it knows of a simulation."""

from typing import Any

import kopf


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.loggers = True
    settings.persistence.finalizer = "toys.example.com/operator"


@kopf.on.create("toys.example.com", "v1", "toys")
async def built(spec: kopf.Spec, name: str, namespace: str, body: kopf.Body, patch: kopf.Patch, **_: Any) -> Any:
    if spec["size"] > 10:
        raise kopf.PermanentError("too large")
    patch.status["phase"] = "Built"
    kopf.info(body, reason="Built", message=f"{name} of size {spec['size']}")
    return {"size": spec["size"]}


@kopf.on.field("toys.example.com", "v1", "toys", field="spec.size")
async def resized(old: int | None, new: int | None, patch: kopf.Patch, **_: Any) -> None:
    if old is not None:
        patch.status["phase"] = f"Resized from {old} to {new}"


@kopf.on.delete("toys.example.com", "v1", "toys")
async def dismantled(name: str, logger: Any, **_: Any) -> None:
    logger.info("%s is gone", name)
