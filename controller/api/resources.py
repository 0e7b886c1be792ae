"""The resources that our controllers ask for."""

from controller.ports import Resource

WORKFLOW_EXECUTIONS = Resource("kubernaut.ai", "v1alpha1", "workflowexecutions", "WorkflowExecution")
PIPELINE_RUNS = Resource("tekton.dev", "v1", "pipelineruns", "PipelineRun")
TASK_RUNS = Resource("tekton.dev", "v1", "taskruns", "TaskRun")
PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
