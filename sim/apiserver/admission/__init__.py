"""What stands between a request and the store: plugins in the real order, webhooks and policies that users bring.

Belongs here: LimitRange, ResourceQuota, PodSecurity, webhook configurations and their calls, admission policies.
Never here: validation of a kind's own fields, authorisation, sockets.
"""
