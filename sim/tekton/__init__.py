"""Tekton as controllers on the simulated API, in Tekton's own words.

Here belong the PipelineRun, TaskRun and ResolutionRequest controllers, the bundle resolver and the admission webhooks,
as watchers of the simulated API with caches that lag, and everything they write. What runs inside a pod, scheduling,
garbage collection and the API server itself never belong here: Tekton only sees objects.
"""
