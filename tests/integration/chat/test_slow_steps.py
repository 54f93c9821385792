"""No step of the event loop takes long while a chat asks for the dearest that it may."""

import asyncio
from datetime import timedelta
from pathlib import Path
from time import thread_time
from typing import Any

from botapi import BotApi
from support import ManualClock
from telegram_harness import ANN, open_harness

from bot.service.loop_watch import watched_loop

NAMES = " OR ".join(f"~Zelen{first}{second}ko" for first in "abcdefghij" for second in "klmnopqr")
WIDE = " OR ".join(f"/.{{1,{number}}}qq.{{1,300}}/" for number in range(200, 260))
LONG = " OR ".join(f'"word{number} {number}"' for number in range(140))
HOSTILE = (
    f"/subscribe {NAMES}",
    f"/test storm OR {WIDE}",
    f"/search storm OR {WIDE}",
    f"/subscribe {LONG}",
    f"/trend {NAMES}",
    f"/subscribe {'(' * 25}storm{')' * 25}",
    "/why https://nowhere.example/",
    "/test *",
)


async def test_no_step_of_the_loop_is_long_while_a_chat_is_hostile(
    tmp_path: Path, clock: ManualClock
) -> None:
    steps: list[tuple[float, str]] = []
    options: dict[str, Any] = {"subscriptions": [], "admins": [ANN]}
    async with (
        BotApi() as api,
        open_harness(tmp_path, api, {"ann": ANN}, clock, **options) as harness,
    ):
        api.add_private(ANN, "Ann")
        await harness.bring(*(f"Storm {number} hits the harbour" for number in range(30)))
        with watched_loop(lambda seconds, step: steps.append((seconds, step))):
            for text in HOSTILE:
                harness.api.say(ANN, ANN, text)
                await harness.listen()
                await harness.deliver(timedelta(seconds=3))
            await harness.bring("Another storm, word1 1 and word2 2")
    assert steps == []


async def test_a_long_step_is_reported_and_a_wait_is_none() -> None:
    steps: list[float] = []

    def busy() -> None:
        begin = thread_time()
        while thread_time() - begin < 0.03:
            pass

    with watched_loop(lambda seconds, _: steps.append(seconds), 0.02):
        await asyncio.sleep(0.03)
        assert steps == []
        asyncio.get_running_loop().call_soon(busy)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(steps) == 1
