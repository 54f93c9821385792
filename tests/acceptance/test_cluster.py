"""Several newsbells on one database: whoever is ended, nothing is lost and nothing comes twice."""

from pathlib import Path

import pytest
from outside.cluster import Size, cluster
from postgres_server import PostgresServer
from sampling import SEED, SOAK

LONG = Size(seconds=300, seed=SEED, least=(100, 10))
SHORT = Size(
    seconds=8,
    seed=SEED,
    nodes=2,
    feeds=4,
    hands=("kills", "lost answers"),
    kills=4.0,
    lost_answers=2.0,
)


@pytest.mark.slow
async def test_nodes_that_are_ended_lose_nothing_and_send_nothing_twice(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    report = await cluster(tmp_path, postgres, LONG if SOAK else SHORT)

    assert report.count.published > 0, report.figures()
    assert report.count.lost == ()
    assert report.count.unmarked_twice == ()
    assert report.kept_twice == 0
