"""Times of a CDA in words."""


def french_time(value: str) -> str:
    """Return a CDA time as French readers write it, without inventing precision: `14/03/2026 à 08:05`."""
    digits = value.partition("+")[0].partition("-")[0].partition(".")[0]
    date = "/".join(part for part in (digits[6:8], digits[4:6], digits[:4]) if part)
    return f"{date} à {digits[8:10]}:{digits[10:12]}" if len(digits) >= 12 else date
