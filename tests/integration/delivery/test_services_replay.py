"""A day of invented stories into Telegram and four other services: all of them show the same."""

import re
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from random import Random

from botapi import BotApi
from sampling import SEED, amount
from services import answer, services
from support import ManualClock
from telegram_harness import ANN, ArticleSpec, open_harness

KINDS = ("discord", "slack", "matrix", "mattermost")
FAULTS = (answer(503), answer(429))
STEPS = amount(40, 2000)


def shown(text: str) -> tuple[str, str]:
    """Headline and number of publishers of a message."""
    plain = re.sub(r"[\\*_\[\]]|\(<[^>]*>\)|\u2060|\u2068|\u2069", "", text)
    number = re.search(r"(\d+) publisher", plain)
    title = re.search(r"everyone: story \d+( goes on)?", plain)
    return title.group() if title else plain, number.group(1) if number else "1"


async def test_the_same_stories_stand_in_five_chats(
    tmp_path: Path, api: BotApi, clock: ManualClock
) -> None:
    chance = Random(SEED)
    async with AsyncExitStack() as stack:
        states = {kind: await stack.enter_async_context(services()) for kind in KINDS}
        chats = {kind: state.chat(kind) for kind, state in states.items()}
        async with open_harness(tmp_path, api, {"ann": ANN}, clock, elsewhere=chats) as harness:
            stories: list[int] = []
            for number in range(STEPS):
                choice = chance.random()
                if choice < 0.4 or not stories:
                    stories += await harness.add(ArticleSpec(f"everyone: story {number}"))
                elif choice < 0.9:
                    story = chance.choice(stories[-8:])
                    await harness.add(
                        ArticleSpec("the same", (0, story, story), origin=f"publisher {number}")
                    )
                else:
                    story = chance.choice(stories[-8:])
                    title = f"everyone: story {number} goes on"
                    await harness.add(ArticleSpec(title, (0, story, story), development=True))
                if chance.random() < 0.5:
                    chance.choice(list(states.values())).faults.append(chance.choice(FAULTS))
                await harness.deliver(timedelta(seconds=30), timedelta(seconds=5))
            for state in states.values():
                state.faults.clear()
            await harness.deliver(timedelta(minutes=30), timedelta(seconds=20))
            assert await harness.outbox("queued", "sending", "dead", "unknown") == []
        expected = sorted(shown(message.text) for message in api.messages(ANN))
        assert len(expected) > STEPS // 5
        for kind, state in states.items():
            assert sorted(map(shown, state.texts)) == expected, kind
