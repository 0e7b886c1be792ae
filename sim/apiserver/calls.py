"""Who called what, how often, and what was refused."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class CallCount:
    """Calls of one kind; ``errors`` counts refusals by HTTP code."""

    count: int = 0
    errors: dict[int, int] = field(default_factory=dict)

    def refused(self, code: int) -> None:
        self.errors[code] = self.errors.get(code, 0) + 1


class Calls(dict[tuple[str, str, str], CallCount]):
    """By ``(component, verb, resource[/subresource])``."""

    def __missing__(self, key: tuple[str, str, str]) -> CallCount:
        found = self[key] = CallCount()
        return found
