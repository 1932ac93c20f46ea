"""What `--check`, `--health` and `--restore` find out: a line each, with ✔ or ✖."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is well, or is not; then the text says what to do."""

    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'✔' if self.ok else '✖'} {self.text}"


def say(text: str) -> None:
    """Print for the person who started the bot."""
    print(text, flush=True)  # noqa: T201 - this is what the log is not: for the eyes of that person


def show(findings: Iterable[Finding]) -> int:
    """Say each as it comes, and return the exit code: 0 if all is well."""
    code = 0
    for finding in findings:
        say(str(finding))
        code = code if finding.ok else 1
    return code
