"""What differs between the modelled releases of Tekton Pipelines, as data.

Sources: recordings of both releases, and the tags v1.7.0 and v1.15.0 of tektoncd/pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sim.tekton.latency import reconcile
from sim.workload.distributions import Distribution


@dataclass(frozen=True, slots=True)
class WebhookChecks:
    """What the webhook of one release knows and looks at."""

    absent_fields: frozenset[str]
    """Fields (``type.field``) of newer releases, unknown to this one's Go types."""
    task_run_pending: bool
    """``spec.status: TaskRunPending`` is allowed (since v1.11)."""
    cleaned_mount_paths: bool
    """Paths of volume mounts are cleaned before they are looked at."""
    step_results_apart: bool
    """A step's script may refer to the task's results beside its own."""
    custom_api_versions: bool
    """The apiVersion of a custom task must be ``group/version``."""
    variable_prefixes: bool
    """References in parameters and conditions must begin with something Tekton knows."""
    name_words: str
    """What apimachinery calls the name of a label in its complaints."""
    nested_results_refused: bool
    """Results of a pipeline that is a task of another one must not be referred to."""


@dataclass(frozen=True, slots=True)
class Version:
    """One release. Every field is a visible difference; nothing else may branch on the release."""

    name: str
    webhook: WebhookChecks
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
    resolver_awaits_lease: bool
    """A resolver that does not lead leaves its own requests alone, too (since v1.15)."""
    resolver_checks_data: bool
    """The resolver refuses data that is no object of Tekton's (since v1.13)."""
    resolver_shares_pulls: bool
    """Requests for the same cacheable bundle wait for one pull together (since v1.12 or later, seen in v1.15)."""
    cluster_resolver_needs_namespace: bool
    """The cluster resolver takes an empty default namespace for none (recorded: v1.15, not v1.7)."""
    registry_retries_429: bool
    """A registry's 429 is asked for again (go-containerregistry 0.21)."""
    resolution_patched: bool
    """The core controller PATCHes the ResolutionRequest's conditions instead of a PUT (since v1.15)."""
    conflicts_untold: bool
    """No Event tells that an attempt ended in a conflict (knative since v1.15, not in v1.7)."""
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
    references_sorted: bool
    """An attempt that fails half way leaves ``childReferences`` sorted by task (not in v1.7: in any order)."""
    reconcile: Distribution
    """The work of a reconciler before its first request."""
    wind_up_us: int
    """From the last answer to a reconcile to its end: what is ready late finds the cache up to date more often."""


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
    webhook=WebhookChecks(
        absent_fields=frozenset(
            {
                "pod.Template.hostUsers",
                "v1.EnvVarSource.fileKeyRef",
                "v1.Lifecycle.stopSignal",
                "v1.VolumeProjection.podCertificate",
            }
        ),
        task_run_pending=False,
        cleaned_mount_paths=False,
        step_results_apart=False,
        custom_api_versions=False,
        variable_prefixes=False,
        name_words="a qualified name",
        nested_results_refused=False,
    ),
    feature_flags=_FLAGS,
    classified_failures=False,
    init_containers_inspected=False,
    failing_waits=frozenset({"ImagePullBackOff", "InvalidImageName"}),
    previous_status_kept=False,
    finally_after_tasks_timeout=False,
    validation_details=False,
    resolution_requeue=False,
    resolver_skips_resolved=False,
    resolver_awaits_lease=False,
    resolver_checks_data=False,
    resolver_shares_pulls=False,
    cluster_resolver_needs_namespace=False,
    registry_retries_429=False,
    resolution_patched=False,
    conflicts_untold=False,
    pending_task_runs=False,
    quoted_messages_cut=False,
    unresolved_task_runs_fail=True,
    failures_give_results=False,
    defaults_use_params=False,
    generated_names_label=False,
    long_timeouts_inherited=False,
    evictions_verified=False,
    references_sorted=False,
    reconcile=reconcile(1_300),
    wind_up_us=600,
)

V1_15 = Version(
    name="v1.15.0",
    webhook=WebhookChecks(
        absent_fields=frozenset(),
        task_run_pending=True,
        cleaned_mount_paths=True,
        step_results_apart=True,
        custom_api_versions=True,
        variable_prefixes=True,
        name_words="a valid label key",
        nested_results_refused=True,
    ),
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
    resolver_awaits_lease=True,
    resolver_checks_data=True,
    resolver_shares_pulls=True,
    cluster_resolver_needs_namespace=True,
    registry_retries_429=True,
    resolution_patched=True,
    conflicts_untold=True,
    pending_task_runs=True,
    quoted_messages_cut=True,
    unresolved_task_runs_fail=False,
    failures_give_results=True,
    defaults_use_params=True,
    generated_names_label=True,
    long_timeouts_inherited=True,
    evictions_verified=True,
    references_sorted=True,
    reconcile=reconcile(600),
    wind_up_us=0,
)

VERSIONS: Mapping[str, Version] = MappingProxyType({version.name: version for version in (V1_7, V1_15)})
