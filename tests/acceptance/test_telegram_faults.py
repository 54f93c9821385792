"""Alerts to hundreds of chats while everything fails: none is lost or comes again unmarked.

Order holds as well. `SOAK=1` sends ten thousand, `python -m bench.chat_load` a hundred thousand.
"""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from botapi import BotApi
from fault_injection import (
    DAY,
    FaultInjector,
    Leaping,
    World,
    chat_ids,
    commit_alerts,
    judge,
    poll_updates,
)
from sampling import SEED, amount
from support import Recorder, newsbell
from telegram_harness import telegram_config

pytestmark = pytest.mark.slow

SENDS = amount(usual=1000, soak=10_000)
STORIES = 400  #: between two changes of the chats
MINUTE = timedelta(minutes=1)


def sends(api: BotApi) -> int:
    """How often a message was to be sent."""
    return sum(call.method == "sendMessage" for call in api.calls)


async def test_through_all_faults_none_is_lost_none_comes_again_unmarked_and_order_holds(
    tmp_path: Path,
) -> None:
    clock, chance = Leaping(), Random(SEED)
    story_of: dict[int, str] = {}
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        world = World(api, chance)
        world.fill()
        api.enforce_limits = True
        faults = FaultInjector(chance=Random(SEED))
        api._faults = faults
        config = telegram_config(api, world.places)
        async with newsbell(
            tmp_path,
            config,
            clock=clock,
            terminal=Recorder(),
            environment={"TELEGRAM_BOT_TOKEN": api.token},
        ) as app:
            clock.watch(app)
            chats = await chat_ids(app, world.places)
            while sends(api) < SENDS:
                stories = [
                    (len(story_of) + number, chance.choice(list(chats)))
                    for number in range(1, STORIES + 1)
                ]
                story_of.update(stories)
                await commit_alerts(app, chats, stories)
                await app.deliverer.run_once(MINUTE)
                world.change_chats()
                await poll_updates(app, api)
                await app.deliverer.run_once(10 * MINUTE)
            faults.fine = True
            world.clear_up()
            await poll_updates(app, api)
            await app.deliverer.run_once(3 * DAY)
        violations = api.violations
    judge(tmp_path, world, faults, story_of)
    assert len(faults.met) >= 10, "all kinds of faults came"
    assert violations == []
