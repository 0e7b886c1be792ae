"""The RemediationOrchestrator: decides whether, when and what is executed for a signal, and what its end means.

Belongs here: routing, back-off, the children of a remediation, recovery, duplicates, notifications, the reconciler.
Never here: how a workflow is run (that is the executor's), which workflow is right (that is the analyst's), and any
client of an API server.
"""
