"""References to variables in texts: ``$(params.x)``, ``$(context.taskRun.name)`` and what may not be said with them."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from sim.tekton.goformat import quoted
from sim.tekton.validation.fielderrors import FieldError, invalid_value, under

_NAME = r".*?(?:\[\*\])?"
_INDEX = re.compile(r"\[([0-9])*\*?\]")
_WHOLE = r"[_a-zA-Z0-9.-]+\[\*\]"
_EXPRESSION = re.compile(r"\$\([_a-zA-Z0-9.-]+(?:\.[_a-zA-Z0-9.-]+)*(?:\[(?:[0-9]+|\*)\])?\)")
_HERE = ("",)


@lru_cache(maxsize=4096)
def _pattern(prefix: str, name: str = _NAME) -> re.Pattern[str]:
    return re.compile(rf"\$\({prefix}(?:\.({name})|\[\"({name})\"\]|\['({name})'\])\)")


def refers(value: object) -> bool:
    """Whether any text in it may hold a variable; steps without any need no further look."""
    if type(value) is str:
        return "$(" in value
    if type(value) is dict:
        value = value.values()
    elif type(value) is not list:
        return False
    return any(("$(" in one) if type(one) is str else refers(one) for one in value)


def expressions(text: str) -> list[str]:
    """Everything in ``$(…)`` that looks like a reference to a variable, without the brackets."""
    if "$(" not in text:
        return []
    return [found[2:-1] for found in _EXPRESSION.findall(text)]


def _referred(text: str, prefix: str) -> list[str | FieldError]:
    """Names referred to under ``prefix`` (a pattern); ends with an error when one has too many components."""
    names: list[str | FieldError] = []
    for dotted, double, single in _pattern(prefix).findall(text):
        if dotted.count(".") > 1:
            problem = f'Invalid referencing of parameters in "{text:.4096}"! Only two dot-separated components'
            names.append(FieldError(f'{problem} after the prefix "{prefix}" are allowed.', _HERE))
            return names
        names.append(dotted.partition(".")[0] or double or single)
    return names


def unknown(text: str, prefix: str, known: Collection[str]) -> Iterator[FieldError]:
    """A reference to a variable under ``prefix`` that is not among ``known``; the first one is told."""
    if "$(" not in text:
        return
    names = _referred(text, prefix)
    if names and isinstance(names[-1], FieldError):
        yield names[-1]
        return
    for name in names:
        if _INDEX.sub("", str(name)) not in known:
            yield FieldError(f"non-existent variable in {quoted(text)}", _HERE)
            return


def prohibited(text: str, prefix: str, names: Collection[str]) -> Iterator[FieldError]:
    """A reference to one of ``names``, apart from references to single items."""
    if "$(" not in text or not (found := _referred(text, prefix)):
        return
    if isinstance(found[-1], FieldError):
        yield found[-1]
    elif any(str(name).removesuffix("[*]") in names for name in found):
        yield FieldError(f"variable type invalid in {quoted(text)}", _HERE)


def prohibited_whole(text: str, prefix: str, names: Collection[str]) -> Iterator[FieldError]:
    """A reference to the whole of one of ``names``; references to keys and items are fine."""
    if "$(" not in text:
        return
    for groups in _pattern(prefix).findall(text):
        if next((one for one in groups if one), "").removesuffix("[*]") in names:
            yield FieldError(f"variable type invalid in {quoted(text)}", _HERE)
            return


def not_isolated(text: str, prefix: str, names: Collection[str]) -> Iterator[FieldError]:
    """A reference to one of ``names`` with other text around it."""
    if "$(" not in text or not (found := _referred(text, prefix)):
        return
    if isinstance(found[-1], FieldError):
        yield found[-1]
        return
    first = _pattern(prefix).search(text)
    whole = first is not None and len(first[0]) == len(text)
    if not whole and any(str(name).removesuffix("[*]") in names for name in found):
        yield FieldError(f"variable is not properly isolated in {quoted(text)}", _HERE)


def whole_reference(text: str, prefix: str) -> bool:
    """Whether a text is one reference to all of an array or an object, and nothing else."""
    return "$(" in text and _pattern(prefix, _WHOLE).fullmatch(text) is not None


def bad_prefixes(found: list[str], path: str, *place: str) -> Iterator[FieldError]:
    """References that begin with nothing Tekton knows, such as a shell's ``$(command)``."""
    for one in found:
        if one.partition(".")[0] not in ("params", "tasks", "finally", "context", "workspaces", "results"):
            text = (
                f"invalid variable reference {quoted(f'$({one})')}, must start with a valid prefix: params, tasks, "
                "finally, context, workspaces, or results; if you meant a shell variable, use ${VAR} instead"
            )
            yield from under((invalid_value(text, path),), *place)
