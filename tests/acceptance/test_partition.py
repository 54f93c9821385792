"""Machines that lose sight of the database: nothing is lost, and nothing comes twice."""

from pathlib import Path

import pytest
from outside.networks import missing
from outside.partition import HOWS, Plan, partition
from sampling import SEED, SOAK

SHORT = [Plan("silent", seed=SEED)]
#: longer than newsbell takes to notice that nobody answers
LONG = [Plan(how, leader=30, standby=30, seed=SEED) for how in HOWS]


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("plan", LONG if SOAK else SHORT, ids=lambda plan: plan.how)
async def test_who_is_cut_off_sends_nothing_more_and_nothing_is_lost(
    tmp_path: Path, plan: Plan
) -> None:
    report = await partition(tmp_path, plan)

    figures = report.figures()
    assert report.count is not None
    assert report.count.published > 0, figures
    assert report.count.lost == (), figures
    assert report.count.unmarked_twice == (), figures
    assert report.kept_twice == 0
    assert report.in_parallel == 0
    assert not report.standby_led
