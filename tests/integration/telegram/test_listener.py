"""Asking Telegram for updates, where the database cannot take them."""

import pytest
from botapi import BotApi
from telegram_harness import OpenHarness

from bot.errors import StoreError


async def test_nothing_is_asked_of_telegram_while_the_database_is_away(
    opened: OpenHarness, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node may lead by then, and whoever asks takes the updates from it."""

    async def away() -> int:
        raise StoreError("The database cannot be reached.")

    async with opened() as harness:
        listener = harness.app.listener
        assert listener is not None
        monkeypatch.setattr(listener, "_last_update", away)
        with pytest.raises(StoreError):
            await listener.poll_once()

    assert "getUpdates" not in {call.method for call in api.calls}
