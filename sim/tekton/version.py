"""What differs between the modelled releases of Tekton Pipelines, as data.

Sources: recordings of both releases, and the tags v1.7.0 and v1.15.0 of tektoncd/pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """One release. Every field is a visible difference; nothing else may branch on the release."""

    name: str
    feature_flags: Mapping[str, Any]
    """``status.provenance.featureFlags`` under the default configuration."""
    classified_failures: bool
    """TaskRun reasons StepFailed, StepOOM, PodEvicted … (since v1.12) instead of plain Failed."""
    init_containers_inspected: bool
    """Waiting init containers count as pull and configuration errors (since v1.9)."""
    failing_waits: frozenset[str]
    """Waiting reasons of a step that fail the TaskRun on sight."""
    previous_status_kept: bool
    """Cancel and timeout messages quote the condition they replace (since v1.13)."""
    finally_after_tasks_timeout: bool
    """A tasks timeout leaves the PipelineRun Unknown until finally is done (since v1.13)."""
    validation_details: bool
    """``Failed Validation: n`` names the tasks and their missing results (since v1.12)."""
    resolution_requeue: bool
    """A run that awaits a ResolutionRequest also looks again every second (since v1.15)."""
    resolver_skips_resolved: bool
    """The resolver leaves a request alone whose data is already written (since v1.13)."""
    resolution_patched: bool
    """The core controller PATCHes the ResolutionRequest's conditions instead of a PUT (since v1.15)."""
    requeue_hides_sync_errors: bool
    """A failed write of labels is not an error where the attempt asks for a requeue (seen in v1.15, not in v1.7)."""
    pending_task_runs: bool
    """``spec.status: TaskRunPending`` is understood (since v1.11)."""
    quoted_messages_cut: bool
    """An unreadable termination message is quoted up to 256 characters only (since v1.13)."""
    unresolved_task_runs_fail: bool
    """A TaskRun that awaits a ResolutionRequest ends its reconcile with an error, so the queue backs off (to v1.14)."""
    failures_give_results: bool
    """The results of a failed task count for the pipeline's results and for embedded Tasks (not in v1.7)."""
    defaults_use_params: bool
    """Defaults of pipeline parameters may use other parameters; a default object is not merged with a given one."""
    generated_names_label: bool
    """The label of the pipeline is ``generateName`` where an embedded pipeline's run has one (not in v1.7)."""
    long_timeouts_inherited: bool
    """A TaskRun gets the timeout of its part of the run where that is longer than the default (not in v1.7)."""
    evictions_verified: bool
    """A TaskRun that failed as PodEvicted is read from the API server before it counts (since v1.15)."""


_FLAGS: dict[str, Any] = {
    "awaitSidecarReadiness": True,
    "coschedule": "workspaces",
    "enableAPIFields": "beta",
    "enableProvenanceInStatus": True,
    "enforceNonfalsifiability": "none",
    "maxResultSize": 4096,
    "resultExtractionMethod": "termination-message",
    "runningInEnvWithInjectedSidecars": True,
    "verificationNoMatchPolicy": "ignore",
}

V1_7 = Version(
    name="v1.7.0",
    feature_flags=_FLAGS,
    classified_failures=False,
    init_containers_inspected=False,
    failing_waits=frozenset({"ImagePullBackOff", "InvalidImageName"}),
    previous_status_kept=False,
    finally_after_tasks_timeout=False,
    validation_details=False,
    resolution_requeue=False,
    resolver_skips_resolved=False,
    resolution_patched=False,
    requeue_hides_sync_errors=False,
    pending_task_runs=False,
    quoted_messages_cut=False,
    unresolved_task_runs_fail=True,
    failures_give_results=False,
    defaults_use_params=False,
    generated_names_label=False,
    long_timeouts_inherited=False,
    evictions_verified=False,
)

V1_15 = Version(
    name="v1.15.0",
    feature_flags={**_FLAGS, "sendCloudEventsForRuns": True},
    classified_failures=True,
    init_containers_inspected=True,
    failing_waits=frozenset(
        {"ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError"}
    ),
    previous_status_kept=True,
    finally_after_tasks_timeout=True,
    validation_details=True,
    resolution_requeue=True,
    resolver_skips_resolved=True,
    resolution_patched=True,
    requeue_hides_sync_errors=True,
    pending_task_runs=True,
    quoted_messages_cut=True,
    unresolved_task_runs_fail=False,
    failures_give_results=True,
    defaults_use_params=True,
    generated_names_label=True,
    long_timeouts_inherited=True,
    evictions_verified=True,
)

VERSIONS: Mapping[str, Version] = MappingProxyType({version.name: version for version in (V1_7, V1_15)})
