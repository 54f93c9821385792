"""A notice is read in the language that its chat has when it is sent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from botapi import BotApi
from support import ManualClock, Recorder
from telegram_harness import ANN, BOB, open_harness

from bot.model.clock import ClockStep
from bot.model.delivery import NoticeKind, notice
from bot.service.clock_watch import notice_text


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        app.add_private(ANN)
        app.add_private(BOB)
        yield app


async def test_two_operators_read_the_same_notice_each_in_their_language(
    tmp_path: Path, api: BotApi, clock: ManualClock, terminal: Recorder
) -> None:
    async with open_harness(
        tmp_path, api, {}, clock, terminal, admins=[ANN, BOB], language="de"
    ) as harness:
        await harness.execute(
            'update chats set settings = \'{"language": "ru"}\' where address = ?', BOB
        )
        told = notice(NoticeKind.CLOCK, notice_text(ClockStep(clock.now(), timedelta(hours=3))))
        for _ in range(2):
            await harness.app.store.admin.notify(told, clock.now())
        await harness.deliver(timedelta(seconds=5))

        [german], [russian] = api.messages(ANN), api.messages(BOB)
    assert german.text.startswith("Die Uhr dieses Rechners wurde um 3 Stunden vorgestellt:")
    assert russian.text.startswith("Часы этой машины переведены вперёд на 3 часа:")
