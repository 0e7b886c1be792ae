"""Tekton as controllers on the simulated API, in Tekton's own words."""
