"""What may be set about Tekton in a scenario, and what befalls it and its runs.

Belongs here: the tekton section, incidents of its processes, hazards that others bring about.
Never here: how Tekton works (that is sim.tekton).
"""
