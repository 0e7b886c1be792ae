"""Resource quantities (``500m``, ``64Mi``, ``2``) as whole thousandths, and their canonical spelling."""

import re
from decimal import Decimal
from functools import lru_cache
from math import ceil

from kubernetes.utils.quantity import parse_quantity

_FORM = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
MUST_MATCH = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_BINARY = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki")
_DECIMAL = ("E", "P", "T", "G", "M", "k")


@lru_cache(maxsize=8192)
def thousandths(text: str | float) -> int:
    """The amount in thousandths, rounded up. Raises ValueError with the API server's text for what is no quantity."""
    spelled = str(text)
    if _FORM.fullmatch(spelled) is None:
        raise ValueError(MUST_MATCH)
    try:
        amount: Decimal = parse_quantity(spelled)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ValueError(MUST_MATCH) from error
    return ceil(amount * 1000)


def is_binary(text: str | float) -> bool:
    """Whether a quantity was written with a suffix of 1024s; sums keep the form of what they are added to."""
    return str(text).endswith("i")


@lru_cache(maxsize=8192)
def canonical(amount: int, *, binary: bool = False) -> str:
    """``amount`` thousandths as Kubernetes prints them: the largest suffix that leaves a whole number."""
    if amount == 0:
        return "0"
    if amount % 1000:
        return f"{amount}m"
    whole = amount // 1000
    base, suffixes = (1024, _BINARY) if binary else (1000, _DECIMAL)
    for index, suffix in enumerate(suffixes):
        unit = base ** (len(suffixes) - index)
        if whole % unit == 0:
            return f"{whole // unit}{suffix}"
    return str(whole)


def canonical_text(text: str | float) -> str:
    """A quantity respelled canonically (``1000m`` is ``1``)."""
    return canonical(thousandths(text), binary=is_binary(text))
