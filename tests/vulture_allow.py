"""Names that are used where vulture cannot see it."""

from typing import Any

_: Any = type("Anything", (), {"__getattr__": lambda _self, name: name})()

# Fields of the kinds we own: written and read as JSON, declared so that schemas are generated from them.
_.field_path
_.last_transition_time
_.observed_generation
_.container_image
_.container_digest
_.service_account_name
_.remediation_request_ref
_.workflow_ref
_.confidence
_.rationale
_.execution_config
_.completed_tasks
_.total_tasks
_.failed_task_index
_.failed_task_name
_.failed_step_name
_.execution_time_before_failure
_.natural_language_summary
_.start_time
_.pipeline_run_ref
_.failure_reason
_.failure_details
_.INVESTIGATING
_.signal_name
_.signal_type
_.risk_tolerance
_.business_category
_.error_message
_.detected_labels
_.contributing_factors
_.failed_step_index
_.execution_time
_.workflow_execution_ref
_.original_rca
_.signal_context
_.is_recovery_attempt
_.recovery_attempt_number
_.previous_executions
_.root_cause_analysis
_.approval_required
_.approval_reason
_.completed_at
_.global_
_.processing
_.approval
_.signal_fingerprint
_.signal_source
_.target_type
_.firing_time
_.received_time
_.timeout_config
_.signal_labels
_.signal_annotations
_.overall_phase
_.processing_start_time
_.analyzing_start_time
_.approval_start_time
_.executing_start_time
_.ai_analysis_ref
_.notification_request_refs
_.approval_notification_sent
_.skip_message
_.block_message
_.blocked_until
_.blocking_workflow_execution
_.duplicate_count
_.duplicate_refs
_.next_allowed_execution
_.consecutive_failure_count
_.failure_phase
_.requires_manual_review
_.timeout_time
_.recovery_attempts

# Fields of records and reports: read by templates, or by name.
_.title
_.schema_
_.p50
_.p95

# Read by pytest.
_.shouldstop

# Read by the Kubernetes client and by asyncio.
_.refresh_api_key_hook
_.client_session_kwargs
_.user_agent
_.new_event_loop

# Methods that libraries call.
_.ignore_aliases
_.do_POST  # called by http.server
_.log_message  # likewise
