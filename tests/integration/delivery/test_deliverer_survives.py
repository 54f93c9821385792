"""Whatever a stage of the delivery raises, it stays with its chat: the others get their alerts.

The stages are thrown at one by one, with what nobody expects there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from support import ManualClock
from telegram_harness import ANN, BOB, GROUP, TelegramHarness, open_harness

from bot.alerts import quiet_hours
from bot.delivery import deliverer, policy
from bot.delivery.chat_faults import ChatFaults
from bot.delivery.rate_limits import RateLimiter
from bot.delivery.service_gate import ServiceGate
from bot.i18n.catalog import Translator
from bot.model.chats import Chat
from bot.model.delivery import Settlement
from bot.store.deliveries import DeliveryTables

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
CHATS = {"ann": ANN, "bob": BOB, "group": GROUP}


class UnforeseenError(Exception):
    """What nobody thought of."""


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as app:
        app.add_private(ANN)
        app.add_private(BOB)
        app.add_group(GROUP, members={ANN: "creator"})
        yield app


def concerns(arguments: Sequence[Any]) -> bool:
    """Whether these arguments of a call are about Ann's chat (or name no chat at all)."""
    for value in arguments:
        match value:
            case Chat(address=address) | Settlement(delivery=object(chat=Chat(address=address))):
                return address == ANN
            case list() | tuple() if value:
                return any(concerns([element]) for element in value)
        chat = getattr(value, "chat", None)
        if isinstance(chat, Chat):
            return chat.address == ANN
    return False


class Thrower:
    """Throws into a function for Ann's chat, the first `times` times."""

    def __init__(self, target: Any, name: str, times: int, when: Callable[..., bool]) -> None:
        self.original, self.left, self.when, self.thrown = getattr(target, name), times, when, 0
        thrower = self

        def call(*arguments: Any, **more: Any) -> Any:
            if thrower.left and thrower.when(arguments):
                thrower.left -= 1
                thrower.thrown += 1
                raise UnforeseenError("into this stage")
            return thrower.original(*arguments, **more)

        self.call = call


def anything(_: Sequence[Any]) -> bool:
    return True


def of_ann(number: int) -> Callable[[Sequence[Any]], bool]:
    """A call that names the id of Ann's chat, alone or among others."""

    def names(arguments: Sequence[Any]) -> bool:
        return any(
            value == number or (isinstance(value, list) and number in value)
            for value in arguments
            if isinstance(value, int | list)
        )

    return names


#: where it is thrown, and at which calls
STAGES: dict[str, tuple[Any, str, Callable[[Sequence[Any]], bool]]] = {
    "schedules: reading": (DeliveryTables, "schedules_due", anything),
    "schedules: deciding": (quiet_hours, "plan", concerns),
    "schedules: keeping": (DeliveryTables, "apply_schedules", anything),
    "choosing": (DeliveryTables, "waiting", anything),
    "choosing: limits": (RateLimiter, "allowed_at", anything),
    "choosing: gate": (ServiceGate, "allowed_at", anything),
    "choosing: faults": (ChatFaults, "waiting", anything),
    "when to look again": (DeliveryTables, "next_wait", anything),
    "claiming": (DeliveryTables, "claim_deliveries", of_ann(2)),
    "beginning: limits": (RateLimiter, "begin", anything),
    "beginning: gate": (ServiceGate, "begin", anything),
    "rendering": (deliverer, "render", concerns),
    "language": (Translator, "time", anything),
    "sending": (deliverer.Deliverer, "_call", concerns),
    "settling: gate": (ServiceGate, "end", anything),
    "settling: limits": (RateLimiter, "end", anything),
    "settling: deciding": (policy, "settle", concerns),
    "settling: keeping": (DeliveryTables, "settle", concerns),
    "settling: saying": (deliverer.Deliverer, "_keep_outage", anything),
}


#: stages whose failure makes a message a dead letter, which a person sends again
DEAD_LETTERS = {"rendering", "language"}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("stage", STAGES)
async def test_what_a_stage_raises_stays_with_its_chat_and_is_said_and_tried_again(
    tmp_path: Path,
    api: BotApi,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    times: int,
) -> None:
    target, name, when = STAGES[stage]
    async with open_harness(tmp_path, api, CHATS, clock) as harness:
        thrower = Thrower(target, name, times, when)
        monkeypatch.setattr(target, name, thrower.call)
        await harness.bring("ann 1", "bob 1", "group 1", "ann 2", "ann 3")
        await harness.execute("update chats set hours_at = ''")
        running = asyncio.ensure_future(harness.app.deliverer.run())
        try:
            await pass_time(clock, running, lambda: thrower.thrown == times)
            await harness.bring("bob 2", "group 2")
            own = () if stage in DEAD_LETTERS else ("ann 1", "ann 2", "ann 3")
            await pass_time(clock, running, lambda: arrived(harness, "bob 2", "group 2", *own))
        finally:
            harness.app.deliverer.stop()
            await running

        assert thrower.thrown == times
        for chat in CHATS.values():
            shown = [text.removeprefix("(repeat) ") for text in harness.shown(chat)]
            assert shown == sorted(shown), "in order"
            assert len(shown) == len(set(shown)), "nothing that had arrived is repeated"
        states = await harness.rows("select state, error from outbox where kind = 'alert'")
        dead = [error for state, error in states if state == "dead"]
        if stage in DEAD_LETTERS:
            await harness.app.change_outbox("retry", ())
            await harness.deliver(MINUTE)
        else:
            assert dead == []
        assert arrived(harness, "ann 1", "ann 2", "ann 3", "bob 1", "bob 2", "group 1", "group 2")
        told = [notice for notice in harness.notices if notice.startswith("An error of newsbell")]
        assert len(told) == len(set(told)) > 0


async def pass_time(
    clock: ManualClock, running: "asyncio.Future[None]", true: Callable[[], bool]
) -> None:
    """Let hours pass, until it is so."""
    for _ in range(600):
        for _ in range(20):
            await asyncio.sleep(0.0005)
            if true():
                return
        assert not running.done()
        clock.advance(10 * SECOND)
    pytest.fail("hours have passed")


def arrived(harness: TelegramHarness, *titles: str) -> bool:
    """Whether these alerts are there, each marked or not."""
    texts = [
        text.removeprefix("(repeat) ") for chat in CHATS.values() for text in harness.shown(chat)
    ]
    return set(titles) <= set(texts) and not harness.app.deliverer.is_busy
