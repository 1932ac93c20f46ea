"""A short run of the soak test; `make soak` is the long one."""

from pathlib import Path

import pytest

from soak import MUST_BE_NONE, Soak, failures


def test_nothing_is_lost_when_the_bot_is_killed_again_and_again(tmp_path: Path) -> None:
    tally = Soak(tmp_path, seed=5).run(kills=6)
    assert failures(tally) == [], tally
    assert tally["updates sent"] > 100
    assert tally["questions"] > 10


@pytest.mark.parametrize("lie", MUST_BE_NONE)
def test_a_loss_is_not_overlooked(lie: str) -> None:
    good = dict.fromkeys((*MUST_BE_NONE, "updates sent", "updates answered"), 0.0)
    assert failures(good) == []
    assert failures(good | {lie: 1}) == [lie]
    assert failures(good | {"updates sent": 1}) == ["unanswered"]
