"""Foreign text, bounded: messages and logs come from whatever ran in a pod."""

MESSAGE_LIMIT = 1024


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """``text`` on one line, printable, at most ``limit`` characters."""
    text = text[: limit * 4]
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    if "  " in text:
        text = " ".join(text.split())
    text = text.strip()
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
