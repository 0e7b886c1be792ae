"""Who owns which field: managed fields, and server-side apply that goes by them.

Belongs here: field sets, what a write touches, entries of managers, merging by owners, conflicts.
Never here: where an apply comes in (that is the REST face), and when an object is stored.
"""
