"""What Tekton's validating webhook refuses, and in which words.

Here belong the checks of Pipelines, Tasks and their runs as the webhook makes them, release differences taken from
:class:`~sim.tekton.version.WebhookChecks`. They read specs that the mutating webhook has decoded and defaulted, yield
field errors, and never look at the cluster.
"""
