"""The resources that our controllers ask for."""

from controller.ports import Resource

WORKFLOW_EXECUTIONS = Resource("kubernaut.ai", "v1alpha1", "workflowexecutions", "WorkflowExecution")
REMEDIATION_REQUESTS = Resource("kubernaut.ai", "v1alpha1", "remediationrequests", "RemediationRequest")
AI_ANALYSES = Resource("kubernaut.ai", "v1alpha1", "aianalyses", "AIAnalysis")
NOTIFICATION_REQUESTS = Resource("kubernaut.ai", "v1alpha1", "notificationrequests", "NotificationRequest")
PIPELINE_RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")
TASK_RUNS = Resource("tekton.dev", "v1", "taskruns", "TaskRun")
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
