"""The WorkflowExecution controller: runs one workflow as one Tekton PipelineRun and explains what came of it.

Belongs here: validation, the PipelineRun, its outcome as evidence and words, the lock on the target, the reconciler.
Never here: whether a workflow should run (that is the orchestrator's), and any client of an API server.
"""
