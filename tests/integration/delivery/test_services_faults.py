"""Many sends to other services that fail in every way, and kills: nothing lost, no silent copy."""

import re
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from botapi import BotApi
from sampling import SEED, amount
from services import Fault, answer, cut_before, services
from support import ManualClock
from telegram_harness import TelegramHarness, open_harness

from bot.model.abilities import ABILITIES
from bot.model.chats import ChatKind

SENDS = amount(25, 2000)
KINDS = ("webhook", "discord", "slack", "slack_webhook", "matrix", "mattermost", "ntfy")


async def broken(_: web.Request) -> web.StreamResponse:
    """An answer that nobody can read."""
    return web.Response(status=502, text="<html>" * 1000)


FAULTS: tuple[Fault | str, ...] = (
    answer(429, {"retry_after": 1.5, "retry_after_ms": 1500}),
    answer(429, **{"Retry-After": "3"}),
    answer(500),
    broken,
    answer(503, **{"Retry-After": "2"}),
    cut_before,
    "lost",
)


def headlines(text: str) -> list[str]:
    """The headlines of a message: several where many alerts waited."""
    return re.findall(r"desk: \d+", re.sub(r"[\\*_\[\]]", "", text))


def is_marked(text: str) -> bool:
    return "(repeat)" in text.replace("\\", "")


def judge(kind: str, texts: list[str], expected: list[str]) -> None:
    """Nothing is lost, copies are marked and only where they cannot be avoided, order is kept."""
    seen = [title for text in texts for title in headlines(text)]
    assert set(seen) == set(expected)
    firsts = [title for text in texts if not is_marked(text) for title in headlines(text)]
    assert len(firsts) == len(set(firsts)), "a copy is not marked"
    if ABILITIES[ChatKind(kind)].idempotent:
        assert seen == expected
    assert list(dict.fromkeys(seen)) == expected


@pytest.mark.parametrize("kind", KINDS)
async def test_no_fault_loses_an_alert_or_copies_it_unmarked(
    tmp_path: Path, api: BotApi, clock: ManualClock, kind: str
) -> None:
    chance = Random(f"{SEED} {kind}")
    async with services() as stand_in:
        chats = {"desk": stand_in.chat(kind)}
        async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
            expected = []
            for number in range(SENDS):
                expected.append(f"desk: {number}")
                await harness.bring(expected[-1])
                stand_in.faults += chance.choices(FAULTS, k=chance.choice((0, 0, 1, 2)))
                await harness.deliver(timedelta(seconds=chance.choice((0, 2, 40))), STEP)
            stand_in.faults.clear()
            await settle(harness)
            judge(kind, stand_in.texts, expected)


STEP = timedelta(seconds=2)


async def settle(harness: TelegramHarness) -> None:
    """Let time pass until nothing waits."""
    for _ in range(600):
        if not await harness.outbox("queued", "sending"):
            return
        await harness.deliver(timedelta(seconds=30), timedelta(seconds=10))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arrives", [False, True], ids=["before", "after"])
async def test_a_kill_around_a_send_loses_nothing(
    tmp_path: Path, api: BotApi, clock: ManualClock, kind: str, *, arrives: bool
) -> None:
    async with services() as stand_in:
        chats = {"desk": stand_in.chat(kind)}
        async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
            await harness.bring("desk: 1", "desk: 2")
            delivery = await harness.begin("desk")  # and nothing is stored of what follows
            if arrives:
                await harness.app.deliverer._attempt(delivery, clock.monotonic())
        async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
            await harness.app.deliverer.recover()
            await settle(harness)
        judge(kind, stand_in.texts, ["desk: 1", "desk: 2"])
