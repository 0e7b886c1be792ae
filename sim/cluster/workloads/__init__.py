"""The controllers of Deployments, ReplicaSets and Jobs, as far as rehearsals need them.

Belongs here: what kube-controller-manager makes of these kinds: children with their owners, scaling, rollouts,
completions, status and conditions. Never here: anything that looks at a cluster nobody asked to run workloads; pods
themselves, which scheduler and kubelets run like all others.
"""
