"""The conditions of a RemediationRequest: their types and reasons."""

from controller.api.conditions import Fact

ANALYSIS_READY = "AIAnalysisReady"
ANALYSIS_COMPLETE = "AIAnalysisComplete"
EXECUTION_READY = "WorkflowExecutionReady"
EXECUTION_COMPLETE = "WorkflowExecutionComplete"
RECOVERY_COMPLETE = "RecoveryComplete"


def child_ready(type_: str, kind: str, name: str) -> Fact:
    return Fact(type_, "True", f"{kind}Created", f"{kind} {name} created")


def analysis_begins(name: str) -> Fact:
    """Another one, after an earlier was complete."""
    return Fact(ANALYSIS_COMPLETE, "False", "AnalysisInProgress", f"AIAnalysis {name} is awaited")


def analysis_complete(name: str) -> Fact:
    return Fact(ANALYSIS_COMPLETE, "True", "AnalysisSucceeded", f"AIAnalysis {name} recommends a workflow")


def execution_complete(name: str, reason: str = "") -> Fact:
    """``reason`` is why it failed, or empty."""
    if not reason:
        return Fact(EXECUTION_COMPLETE, "True", "WorkflowSucceeded", f"WorkflowExecution {name} completed")
    return Fact(EXECUTION_COMPLETE, "False", "WorkflowFailed", f"WorkflowExecution {name} failed: {reason}")


def recovery_complete(message: str, *, failed: bool) -> Fact:
    """The end of the whole remediation."""
    if failed:
        return Fact(RECOVERY_COMPLETE, "False", "RecoveryFailed", message)
    return Fact(RECOVERY_COMPLETE, "True", "RecoverySucceeded", message)
