"""What `--check`, `--health`, `--backup` and `--restore` print: one line per finding, with ✔ or ✖."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One result; if it is not `ok`, the text says what to do."""

    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'✔' if self.ok else '✖'} {self.text}"


def say(text: str) -> None:
    """Print for the person who started the bot."""
    print(text, flush=True)  # noqa: T201 - for that person's eyes, unlike the log


def show(findings: Iterable[Finding]) -> int:
    """Print the findings as they come, and return the exit code: 0 if all are ok."""
    code = 0
    for finding in findings:
        say(str(finding))
        code = code if finding.ok else 1
    return code
