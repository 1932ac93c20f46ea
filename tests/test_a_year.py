"""A short run of the year simulation; `make year` is the long one."""

from pathlib import Path

import pytest

from year import DAYS, MUST_BE_NONE, OUT_OF_ORDER, USED_UP, Year, bounds, failures

GOOD = dict.fromkeys((*MUST_BE_NONE, *bounds(0)), 0.0) | {"updates": 1000.0}


def test_a_year_later_it_answers_without_anybody_having_touched_it(tmp_path: Path) -> None:
    tally = Year(tmp_path, seed=3, updates=DAYS).run()
    assert failures(tally) == [], tally
    assert tally["days"] == DAYS
    assert tally["updates"] > DAYS
    assert tally["questions"] > tally["questions told why there is no answer"] >= len(OUT_OF_ORDER + USED_UP)
    assert tally["copies kept at most"] == 11


@pytest.mark.parametrize("lie", MUST_BE_NONE)
def test_what_went_wrong_is_not_overlooked(lie: str) -> None:
    assert failures(GOOD) == []
    assert failures(GOOD | {lie: 1.0}) == [lie]


@pytest.mark.parametrize("grown", bounds(0))
def test_what_grows_without_bound_is_not_overlooked(grown: str) -> None:
    most = bounds(GOOD["updates"])[grown]
    assert failures(GOOD | {grown: most}) == []
    assert failures(GOOD | {grown: most + 1}) == [grown]
