"""`newsbell run` on a machine that waited for its turn, when the database goes as it takes it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from support import config_text

from bot.cli import run
from bot.config.load import load
from bot.errors import StoreAway
from bot.model.database_address import PostgresAddress
from bot.service.build import Wiring

pytestmark = pytest.mark.own_engine("a file is never away")


@pytest.mark.parametrize("waited", [True, False])
async def test_who_has_waited_waits_on_and_who_has_not_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: bool
) -> None:
    """At a first start the address may be wrong: a person has to hear of it."""
    (tmp_path / "feeds.yaml").write_text(config_text([]), encoding="utf-8")
    address = PostgresAddress("postgresql://newsbell@db.example/newsbell")
    config = replace(load(tmp_path / "feeds.yaml", {}), database=address)
    opened: list[bool] = []

    async def until_turn(*arguments: Callable[[], None]) -> None:
        if waited:
            arguments[-1]()

    @asynccontextmanager
    async def open_app(*_: object) -> AsyncIterator[str]:
        opened.append(True)
        if len(opened) == 1:
            raise StoreAway("The database could not be opened.")
        yield "newsbell"

    monkeypatch.setattr(run, "until_turn", until_turn)
    monkeypatch.setattr(run, "open_app", open_app)
    monkeypatch.setattr(run, "AGAIN", timedelta(0))
    opening = run._opened(config, Wiring(), Console(file=StringIO()), once=False)
    if waited:
        async with opening as app:
            assert app == "newsbell"  # type: ignore[comparison-overlap]  # it stands for one
    else:
        with pytest.raises(StoreAway):
            await opening.__aenter__()
    assert len(opened) == (2 if waited else 1)
