"""How long the pause after failures is, however many there were."""

import pytest

from telegram.delivery import backoff


@pytest.mark.parametrize("failures", [1, 3, 10, 1024, 100_000])
def test_a_pause_is_never_longer_than_the_longest(failures: int) -> None:
    assert 0 < backoff(failures, 15) <= 15


def test_pauses_grow_and_differ() -> None:
    assert max(backoff(1, 15) for _ in range(50)) < min(backoff(3, 15) for _ in range(50))
    assert len({backoff(2, 15) for _ in range(20)}) > 1
