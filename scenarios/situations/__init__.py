"""The executor in every situation that was recorded of the real Tekton: what it tells, and how soon.

Belongs here: a stage with the executor as the submitter of a recorded run, one row a situation, the table of them.
Never here: what a recording is and how its pods, quotas and registries are played (``scenarios.golden``).
"""
