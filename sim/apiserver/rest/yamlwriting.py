"""Documents as YAML, spelled as the API server's library spells them."""

from typing import Any

import yaml

from controller.ports import Document

_OLD_BOOLEANS = ("", "y", "Y", "n", "N")
"""What other readers of YAML take for something else than text."""
_ENDLESS = 1 << 30  # columns: lines are never folded


class _Dumper(yaml.SafeDumper):
    """Quotes only where YAML would read something else than text, and then doubly; texts of lines stand in blocks."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True  # documents share what they have in common


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    read: str = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    plain = read == "tag:yaml.org,2002:str" and text not in _OLD_BOOLEANS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _text)


def written(document: Document) -> str:
    return str(yaml.dump(document, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=_ENDLESS))
