"""What a user can get wrong, said in one line."""


class BadInput(Exception):
    """Input that cannot be used. The text is one line naming the file, the field and the expected form."""

    def __init__(self, where: str, what: str, expected: str = "") -> None:
        line = f"{where}: {what}" + (f"; expected {expected}" if expected else "")
        super().__init__(" ".join(line.split())[:500])
