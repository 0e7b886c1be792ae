"""Recorded exchanges with a real kube-apiserver 1.36, and what it takes to have another server answer them.

Here belong the cases, the stages they are replayed on, and the score. What a server should answer stands in the cases
alone. ``cases`` holds them by area, ``definitions`` the CustomResourceDefinitions that they use.
"""
