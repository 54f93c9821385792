"""Ten minutes in which Telegram takes nothing: one probe at a time, then all at once.

Nothing is lost.
"""

from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from io import StringIO
from itertools import pairwise, product
from pathlib import Path

import pytest
from botapi import BotApi, DropAfter, DropBefore, Fault, Hang, NotJson, Refuse, ServerError
from postgres_server import address_of
from rich.console import Console
from sampling import share
from support import NOON, ManualClock, stored
from telegram_harness import ANN, BOB, TelegramHarness, open_harness

from bot.cli import tables
from bot.delivery.channels import telegram
from bot.model.delivery import DeliveryKind, Outage, ServiceFault
from bot.model.message import Message
from bot.model.status import Status
from bot.store import outbox
from bot.store.read_only import ReadOnlyDatabase

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
CHATS = {f"c{number}x": 1000 + number for number in range(20)}
KINDS: dict[str, tuple[Fault, ServiceFault]] = {
    "500": (ServerError(500), ServiceFault.ERROR),
    "520 in words": (Refuse(520, "Web server is returning an unknown error"), ServiceFault.BROKEN),
    "portal": (NotJson(), ServiceFault.PORTAL),
    "portal that redirects": (ServerError(302), ServiceFault.PORTAL),
    "portal that forbids": (ServerError(403), ServiceFault.PORTAL),
    "hang": (Hang(), ServiceFault.SILENT),
    "reset": (DropBefore(), ServiceFault.BROKEN),
    "token": (Refuse(401, "Unauthorized"), ServiceFault.REFUSED),
}


@pytest.fixture
async def timed(clock: ManualClock) -> AsyncIterator[BotApi]:
    async with BotApi(clock=lambda: clock.now().timestamp()) as app:
        for chat in (ANN, BOB, *CHATS.values()):
            app.add_private(chat)
        yield app


@pytest.mark.parametrize(("everything", "kind"), share(list(product((False, True), KINDS)), 2))
async def test_an_outage_loses_nothing_tries_once_in_half_a_minute_and_is_told_once(
    tmp_path: Path,
    timed: BotApi,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    everything: bool,
) -> None:
    minutes = 10
    if kind == "hang":  # each try takes that long in real seconds
        minutes = 2
        monkeypatch.setattr(telegram, "SEND_TIMEOUT", 0.3)
        monkeypatch.setattr(telegram, "CHECK_TIMEOUT", 0.3)
    fault, expected = KINDS[kind]
    async with open_harness(tmp_path, timed, {"bob": BOB, **CHATS}, clock, admins=[BOB]) as harness:
        timed.fault(fault, method=None if everything else "sendMessage", times=1_000_000)
        await harness.bring(*(f"{chat} {number}" for number in (1, 2) for chat in CHATS))
        await harness.deliver(minutes * MINUTE, 5 * SECOND)
        assert [harness.shown(chat) for chat in CHATS.values()] == [[]] * len(CHATS)
        tries = [call.time for call in timed.calls if call.method in {"sendMessage", "getMe"}]
        seen = ReadOnlyDatabase(address_of(tmp_path / "newsbell.db")).status().outage
        assert seen is not None
        assert seen.fault is expected
        timed._faults.rules.clear()
        await harness.deliver(MINUTE, SECOND)

        for chat, address in CHATS.items():
            shown = [text.removeprefix("(repeat) ") for text in harness.shown(address)]
            assert shown == [f"{chat} 1", f"{chat} 2"]
        first = min(tries)
        later = [at for at in tries if at > first]
        assert max(after - before for before, after in pairwise([first, *later])) <= 30
        assert len(later) <= 2 * (minutes * 60 / 30 + 6), "one probe at a time"
        notices = [message.text for message in timed.messages(BOB)]
        assert [
            text.startswith(f"Telegram took no messages for {minutes} min") for text in notices
        ] == [True]
        assert ReadOnlyDatabase(address_of(tmp_path / "newsbell.db")).status().outage is None


async def test_where_the_service_can_be_asked_no_message_is_left_in_doubt_again_and_again(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, timed, {"ann": ANN}, clock) as harness:
        timed.fault(ServerError(504, processed=True), method=None, times=1000)
        await harness.bring("ann")
        await harness.deliver(HOUR, 10 * SECOND)
        timed._faults.rules.clear()
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["ann", "(repeat) ann"]


async def test_probes_take_turns_so_that_no_chat_is_repeated_most(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, timed, CHATS, clock) as harness:
        timed.fault(DropAfter(), times=30)
        await harness.bring(*CHATS)
        await harness.deliver(HOUR, 10 * SECOND)

        copies = [len(harness.shown(address)) for address in CHATS.values()]
        assert max(copies) <= 3
        assert sum(copies) == 20 + 30


async def test_an_outage_outlives_a_restart_and_its_notice_comes_once(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    timed.fault(ServerError(503), times=1000)
    async with open_harness(tmp_path, timed, {"bob": BOB}, clock, admins=[BOB]) as harness:
        await harness.bring("bob 1")
        await harness.deliver(5 * MINUTE, 10 * SECOND)
    async with open_harness(tmp_path, timed, {"bob": BOB}, clock, admins=[BOB]) as harness:
        await harness.deliver(5 * MINUTE, 10 * SECOND)
        timed._faults.rules.clear()
        await harness.deliver(MINUTE)

        first, notice = (message.text.partition("\n")[0] for message in timed.messages(BOB))
        assert first == "(repeat) bob 1"
        assert notice.startswith("Telegram took no messages for 10 min")


@pytest.mark.parametrize("kind", [DeliveryKind.NOTICE, DeliveryKind.REPLY])
async def test_a_notice_and_a_reply_in_doubt_arrive_and_say_that_they_are_repeats(
    tmp_path: Path, timed: BotApi, clock: ManualClock, kind: DeliveryKind
) -> None:
    timed.fault(ServerError(502), times=3)
    async with open_harness(tmp_path, timed, {"ann": ANN}, clock) as harness:
        await queue(harness, kind, "Here it is.")
        await harness.deliver(MINUTE)

        assert harness.shown(ANN) == ["(repeat) Here it is."]


async def test_one_message_that_the_server_cannot_take_costs_the_others_little(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    """A 5xx for one chat alone, for hours: the rest goes on, and so does the chat afterwards."""
    timed.fault(ServerError(500), chat_id=ANN, times=1_000_000)
    async with open_harness(tmp_path, timed, {"ann": ANN, "bob": BOB}, clock) as harness:
        await harness.bring("ann 1", "ann 2")
        for number in range(80):
            await harness.bring(f"bob {number}")
            await harness.deliver(5 * MINUTE, 20 * SECOND)
            assert harness.shown(BOB)[-1] == f"bob {number}"
        tries = sum(call.chat_id == ANN for call in timed.calls)
        timed._faults.rules.clear()
        await harness.deliver(HOUR, MINUTE)

        assert tries < 80
        assert harness.shown(ANN)[-1] == "ann 2" or "ann 2" in harness.shown(ANN)[-1]
        listed = await harness.outbox("unknown")
        assert [row.title for row in listed] in ([], ["ann 1"])


def test_status_says_what_is_wrong_with_telegram() -> None:
    reasons = {
        ServiceFault.CERTIFICATE: "the certificate of Telegram's address fails",
        ServiceFault.PORTAL: "something that is not Telegram answers",
    }
    for fault, reason in reasons.items():
        status = Status((), (), 0, outage=Outage(fault, reason, NOON - HOUR))
        console = Console(file=StringIO(), width=200)
        for part in tables.status_table(status, NOON, UTC):
            console.print(part)
        assert isinstance(console.file, StringIO)
        shown = console.file.getvalue()
        assert f"Telegram takes no messages since 11:00: {reason}." in shown


async def queue(harness: TelegramHarness, kind: DeliveryKind, text: str) -> None:
    """Let a text wait in Ann's chat."""
    now = harness.clock.now()
    chat = await harness.app.store.chats.chat_at(ANN, 0)
    assert chat is not None
    await stored(harness.app)._writer.run(
        "queue", lambda db: outbox.queue_text(db, chat.id, kind, Message(text), now)
    )
