"""Text cut at a sign, quickly whatever its length."""

LONG = 64 * 1024  # characters; str.split looks at each, str.find leaps: what pays for the few signs of a long text


def split(text: str, sign: str, limit: int) -> list[str]:
    """Return the parts of a text; the last holds what is left after `limit` cuts."""
    if len(text) < LONG:
        return text.split(sign, limit)
    parts: list[str] = []
    at = 0
    while len(parts) < limit and (end := text.find(sign, at)) >= 0:
        parts.append(text[at:end])
        at = end + 1
    parts.append(text[at:])
    return parts
