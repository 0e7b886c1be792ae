"""Field errors of knative: what is wrong, at which paths; merged and sorted before they are told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_TEXT_MAX = 8192


@dataclass(frozen=True, slots=True)
class FieldError:
    message: str
    paths: tuple[str, ...] = ()
    details: str = ""


def under(errors: Iterable[FieldError], *prefix: str) -> Iterator[FieldError]:
    """The errors as seen from further up: every path goes behind ``prefix`` (fields, ``[index]``, ``[key]``)."""
    for error in errors:
        yield replace(error, paths=tuple(_joined((*prefix, path)) for path in error.paths))


def _joined(parts: tuple[str, ...]) -> str:
    joined: list[str] = []
    for part in parts:
        for piece in part.split("."):
            if not piece:
                continue
            if joined and piece[0] == "[" and piece[-1] == "]":
                joined[-1] += piece
            else:
                joined.append(piece)
    return ".".join(joined)


def invalid_value(value: object, path: str, details: str = "") -> FieldError:
    return FieldError(f"invalid value: {value}", (path,), details)


def missing(path: str) -> FieldError:
    return FieldError("missing field(s)", (path,))


def both(*paths: str) -> FieldError:
    return FieldError("expected exactly one, got both", paths)


def neither(*paths: str) -> FieldError:
    return FieldError("expected exactly one, got neither", paths)


def generic(message: str, *paths: str) -> FieldError:
    return FieldError(message, paths)


def gated(feature: str) -> FieldError:
    """An alpha feature under the default ``enable-api-fields: beta``; it names no field."""
    return FieldError(f'{feature} requires "enable-api-fields" feature gate to be "alpha" but it is "beta"')


def report(errors: Iterable[FieldError]) -> str:
    """One line per message, sorted, each with all its paths, sorted; ``""`` when there are none."""
    merged: dict[tuple[str, str], set[str]] = {}
    for error in errors:
        merged.setdefault((error.message, error.details), set()).update(error.paths)
    lines = []
    for (message, details), paths in sorted(merged.items()):
        lines.append(f"{message}: {', '.join(sorted(paths))}" + (f"\n{details}" if details else ""))
    text = "\n".join(lines)
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX]
