"""Articles that change by chance, with faults, kills and quiet hours: nothing twice or lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from botapi import BotApi, Refuse
from sampling import SEED, amount
from support import ManualClock
from telegram_harness import ANN, ArticleSpec, TelegramHarness, open_harness, rule

from bot.model.chat_events import Reply, Screen, SetSettings
from bot.model.chats import ChatSettings, Updates
from bot.model.delivery import DeliveryState

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOURS = ((11 * 60, 18 * 60), (0, 0))  #: quiet, and not: it is noon
FAULTS = (
    (Refuse(429, "Too Many Requests: retry after 2", {"retry_after": 2}), "sendMessage"),
    (Refuse(400, "Bad Request: message can't be edited"), "editMessageText"),
    (Refuse(500, "Internal Server Error"), "sendMessage"),
)
UNDONE = (
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.DEAD,
    DeliveryState.UNKNOWN,
)


class Play:
    """A feed and a chat that do what chance says."""

    def __init__(self, folder: Path, api: BotApi, clock: ManualClock, chance: Random) -> None:
        self.chance, self.api = chance, api
        self.choice = chance.choice(list(Updates))
        self.titles: list[str] = []
        self._place = folder, clock
        self._rule = rule(
            "Tram",
            "tram",
            updates=self.choice.value,
            urgency=chance.choice(["normal", "breaking", "digest"]),
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[TelegramHarness]:
        folder, clock = self._place
        chats = {"ann": ANN}
        async with open_harness(
            folder, self.api, chats, clock, subscriptions=[self._rule]
        ) as harness:
            await harness.app.deliverer.recover()
            yield harness

    async def step(self, harness: TelegramHarness) -> bool:
        """Do something; return whether newsbell was killed while it was sending."""
        chance = self.chance
        match chance.choice(["article", "article", "deliver", "hours", "fault", "send"]):
            case "article":
                await self._article(harness)
            case "deliver":
                await harness.deliver(chance.choice([5 * SECOND, 3 * MINUTE]), 5 * SECOND)
            case "hours":
                await self.set_hours(harness, chance.choice(HOURS))
            case "fault":
                fault, method = chance.choice(FAULTS)
                harness.api.fault(fault, method)
            case _ if await harness.app.store.deliveries.waiting(harness.clock.now(), 1, ()):
                delivery = await harness.begin("ann")
                if chance.random() < 0.5:
                    return True
                await harness.finish(delivery)
        return False

    async def _article(self, harness: TelegramHarness) -> None:
        """A new one, or a change of one."""
        chance, titles = self.chance, self.titles
        if not titles or (len(titles) < 3 and chance.random() < 0.5):
            titles.append(f"Tram story {len(titles)}")
            await harness.add(ArticleSpec(titles[-1]))
            return
        place = chance.randrange(len(titles))
        lead = chance.choice(["CORRECTED: ", "", "WITHDRAWN: "])
        title = f"{lead}Tram story {place}, version {chance.randrange(3)}"
        if chance.random() < 0.3:
            await harness.take_back(titles[place])
        elif title != titles[place]:
            await harness.revise(titles[place], title)
            titles[place] = title

    async def set_hours(self, harness: TelegramHarness, quiet: tuple[int, int]) -> None:
        [(number,)] = await harness.rows("select id from chats where address = ?", ANN)
        reply = Reply(changes=(SetSettings(ChatSettings(quiet=quiet)),))
        now = harness.clock.now()
        await harness.app.store.chats.finish(number, ANN, Screen("test"), reply, now)
        harness.app.deliverer.wake()


@pytest.mark.parametrize("number", range(amount(4, 200)))
async def test_each_change_comes_to_its_end_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, number: int
) -> None:
    play = Play(tmp_path, api, clock, Random(1000 * SEED + number))
    for _ in range(5):
        async with play.opened() as harness:
            for _ in range(play.chance.randrange(3, 9)):
                if await play.step(harness):
                    break
    async with play.opened() as harness:
        await play.set_hours(harness, (0, 0))
        await harness.deliver(26 * HOUR, 10 * MINUTE)
        await check(harness, play.choice)


async def check(harness: TelegramHarness, choice: Updates) -> None:
    assert await harness.outbox(*UNDONE) == []
    records = await harness.rows("select entry_id, kind, fate, reply from update_records")
    withdrawn = [entry for entry, kind, _, _ in records if kind == "withdrawn"]
    assert len(withdrawn) == len(set(withdrawn))
    assert {fate for _, _, fate, _ in records} <= {"told", "shown", "unsent"}
    assert choice is Updates.EDIT or not any(fate == "shown" for _, _, fate, _ in records)
    replies = {reply for _, _, fate, reply in records if fate == "told"}
    arrived = await harness.rows(
        "select story_id from alerts where update_form != '' and message_id is not null"
    )
    assert {story for (story,) in arrived} == replies
    texts = [message.text for message in harness.api.messages(ANN)]
    alone = [text for text in texts if text.startswith("⚠")]
    assert len(alone) <= len(replies)
    withdrawn_titles = await harness.rows(
        "select e.title from entries e join update_records r on r.entry_id = e.id "
        "join alerts a on a.entry_id = e.id and a.update_form = '' and a.message_id is not null "
        "where r.kind = 'withdrawn'"
    )
    for (title,) in withdrawn_titles:
        story = title[title.index("Tram story") :][: len("Tram story 0")]
        assert any("withdrawn by the publisher" in text and story in text for text in texts)
