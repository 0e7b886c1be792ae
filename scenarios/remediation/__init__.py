"""Remediations on the stage: signals, the orchestrator with those who decide around it, what became of it all.

Belongs here: what is asked of the orchestrator, its settings, its books and its invariants.
Never here: steps of features, and what concerns executions alone.
"""
