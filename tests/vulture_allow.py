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
