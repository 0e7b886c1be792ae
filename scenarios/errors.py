"""What a user can get wrong, said in one line."""


class BadInput(Exception):
    """Input that cannot be used. The text is one line naming the file, the field and the expected form."""

    def __init__(self, where: str, what: str, expected: str = "") -> None:
        self.what = what
        self.expected = expected
        line = ": ".join(part for part in (where, what) if part) + (f"; expected {expected}" if expected else "")
        super().__init__(" ".join(line.split())[:500])

    def at(self, where: str) -> "BadInput":
        """The same mistake, by somebody who knows better where it is."""
        return BadInput(where, self.what, self.expected)
