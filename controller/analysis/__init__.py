"""The analyst's side of the contract: what a language model is told about a remediation that has to be tried again.

Belongs here: the prompt, its guidance by reason. Never here: a client of any model, and the decision to try again (that
is the orchestrator's).
"""
