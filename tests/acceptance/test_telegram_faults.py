"""Thousands of alerts to hundreds of chats while everything fails that can fail: none is lost, none comes a third time, order holds.

`NEWSBELL_SENDS=10000` for the long run, which takes some two minutes; `python -m bench.chat_load` sends a hundred thousand.
"""

import os
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from botapi import BotApi
from fault_injection import DAY, FaultInjector, Leaping, World, chat_ids, heed, judge, ring
from support import Recorder, newsbell
from telegram_harness import telegram_config

SENDS = int(os.environ.get("NEWSBELL_SENDS", "1000"))
STORIES = 400  #: between two turns of the weather
MINUTE = timedelta(minutes=1)


def sends(api: BotApi) -> int:
    """How often a message was to be sent."""
    return sum(call.method == "sendMessage" for call in api.calls)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
async def test_through_all_faults_none_is_lost_none_comes_a_third_time_and_order_holds(
    tmp_path: Path, seed: int
) -> None:
    clock, chance = Leaping(), Random(seed)
    story_of: dict[int, str] = {}
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        world = World(api, chance)
        world.fill()
        api.enforce_limits = True
        faults = FaultInjector(chance=Random(seed))
        api._faults = faults
        config = telegram_config(api, world.places)
        async with newsbell(
            tmp_path,
            config,
            clock=clock,
            terminal=Recorder(),
            environment={"TELEGRAM_BOT_TOKEN": api.token},
        ) as made:
            clock.busy = lambda: made.deliverer.is_busy
            chats = await chat_ids(made, world.places)
            while sends(api) < SENDS:
                stories = [
                    (len(story_of) + number, chance.choice(list(chats)))
                    for number in range(1, STORIES + 1)
                ]
                story_of.update(stories)
                await ring(made, chats, stories)
                await made.deliverer.run_once(MINUTE)
                world.befall()
                await heed(made, api)
                await made.deliverer.run_once(10 * MINUTE)
            faults.fine = True
            world.clear_up()
            await heed(made, api)
            await made.deliverer.run_once(3 * DAY)
        violations = api.violations
    judge(tmp_path, world, faults, story_of)
    assert len(faults.met) >= 10, "all weathers were met"
    assert violations == []
