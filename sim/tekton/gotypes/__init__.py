"""How Tekton's webhook reads JSON: into Go types and out again.

Here belong the field tables of the Go types, decoding with the texts of its errors, and what a round trip through a
type changes (zero values dropped or written out, durations and quantities respelled). Never what a value means:
defaults and validation are next door.
"""
