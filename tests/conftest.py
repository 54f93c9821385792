"""Fixtures that tests share; the parts are in `support`."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import FeedServer, ManualClock, Recorder, feed_server

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """A feed server on loopback."""
    async with feed_server() as made:
        yield made


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon until it is moved."""
    return ManualClock()


@pytest.fixture
def terminal() -> Recorder:
    """A channel that remembers."""
    return Recorder()


@pytest.fixture
def shared() -> Path:
    """The folder of real data; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data (shared/data beside the project) is absent")
    return SHARED
