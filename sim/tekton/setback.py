"""An error of a reconcile that is no API server's."""


class Setback(Exception):
    """The reconcile failed as Tekton words it; the queue tries again."""
