"""The fields of the builtin kinds: names, wire numbers, types, and how lists of them merge.

``types/*.json`` holds one line a type, taken from ``types.go`` and ``generated.proto`` of k8s.io/api 0.36.2:
``name[!] number type [flag ...]``. ``!`` is a field without ``omitempty``; a type begins with ``*`` for a list, ``{}``
for a map from strings, ``>`` for a struct whose fields stand among its owner's; ``p`` marks a pointer, ``k=`` the merge
key and ``s=`` the strategy of strategic merge patches, ``l=`` and ``m=`` the list and map types that apply knows.
Nothing is read before somebody asks for a type. What a kind allows beyond types is no business of this package.
"""
