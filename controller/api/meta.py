"""What every kind of ours shares: the base of the models, references, conditions."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict


class ApiModel(BaseModel):
    """JSON names are camelCase; a field we do not know is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    def document(self) -> dict[str, Any]:
        """The JSON document, absent fields left out, times as RFC 3339 text."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ObjectMeta(BaseModel):
    """The part of ``metadata`` that we read; the rest is kept as it came."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    name: str = ""
    namespace: str = ""


class ObjectReference(ApiModel):
    """Which object, in core/v1 terms."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    api_version: str | None = Field(None, description="API version of the referent.")
    kind: str | None = Field(None, description="Kind of the referent.")
    name: str | None = Field(None, description="Name of the referent.")
    namespace: str | None = Field(None, description="Namespace of the referent.")
    uid: str | None = Field(None, description="UID of the referent.")
    resource_version: str | None = Field(None, description="Version of the referent that was seen.")
    field_path: str | None = Field(None, description="Part of the referent, as a JSONPath without the leading dot.")


class LocalObjectReference(ApiModel):
    """An object in a namespace that the context implies."""

    name: str = Field(description="Name of the referent.")


class Condition(ApiModel):
    """metav1.Condition."""

    type: str = Field(description="What is being said, in CamelCase.", max_length=316)
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(
        description="Why, as one CamelCase word.",
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    )
    message: str = Field(description="Why, for a person.", max_length=32768)
    last_transition_time: datetime = Field(description="When status last changed.")
    observed_generation: int | None = Field(
        None, description="Generation of the object that this is about.", ge=0, json_schema_extra={"format": "int64"}
    )


Conditions = list[Condition]
CONDITION_LIST: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
"""Schema extension of a list of conditions: one per type."""
