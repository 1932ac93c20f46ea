"""The result of a long run as a table."""


def table(tally: dict[str, float], wrong: list[str], all_is_well: str) -> str:
    """Return the counts, one per line, and the verdict."""
    lines = [f"{name:<40} {count:>8}" for name, count in tally.items()]
    return "\n".join([*lines, "FAILED: " + ", ".join(wrong) if wrong else all_is_well])
