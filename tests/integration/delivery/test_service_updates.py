"""Withdrawals, corrections and updates in chats of other services, which may change nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from services import KINDS, MailServer, Services, mail_chat, mail_server, services
from support import ManualClock
from telegram_harness import ArticleSpec, TelegramHarness, open_harness, rule

from bot.model.abilities import ABILITIES
from bot.model.chats import ChatKind

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
FIRE = "desk: fire at the mill kills 12"
LESS = "CORRECTED: desk: fire at the mill kills 2"
OUTAGE, AGAIN = "12:01 UTC Investigating - It fails.", "12:09 UTC Resolved - It works again."


@pytest.fixture
async def stand_in() -> AsyncIterator[Services]:
    async with services() as state:
        yield state


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as state:
        yield state


def desk(
    folder: Path, api: BotApi, clock: ManualClock, chat: dict[str, Any], choice: str = ""
) -> Any:
    """A newsbell with the chat `desk`, for which `updates` may be chosen."""
    chosen = {"updates": choice} if choice else {}
    rules = [rule("Desk", "desk", to=("desk",))]
    elsewhere = {"desk": {**chat, **chosen}}
    return open_harness(folder, api, {}, clock, elsewhere=elsewhere, subscriptions=rules)


async def soon(harness: TelegramHarness) -> None:
    await harness.deliver(3 * MINUTE, 5 * SECOND)


async def fates(harness: TelegramHarness) -> list[str]:
    return [fate for (fate,) in await harness.rows("select fate from update_records order by id")]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_withdrawal_is_never_silent(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    """By default the message shows it; where it cannot, a further message says so."""
    async with desk(tmp_path, api, clock, stand_in.chat(kind)) as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        await harness.take_back(FIRE)
        await soon(harness)
        changes = ABILITIES[ChatKind(kind)].edits
        assert await fates(harness) == ["shown" if changes else "told"]
        assert "withdrawn by the publisher" in stand_in.texts[-1]
        if kind != "webhook":
            assert len(stand_in.messages) == (1 if changes else 2)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_is_sent_where_somebody_wants_one(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    async with desk(tmp_path, api, clock, stand_in.chat(kind), "note") as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        await harness.revise(FIRE, LESS)
        await soon(harness)
        assert await fates(harness) == ["told"]
        replies = [text for text in stand_in.texts if "corrected by the publisher: " in
                   text.replace("*", "").replace("\\", "").replace("_", "")]  # fmt: skip
        assert len(replies) == 1
        left = await harness.states()
        assert set(left) <= {"sent", "dropped"}


async def test_mail_tells_what_was_wrong_in_its_thread_and_no_progress(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer
) -> None:
    async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.add(ArticleSpec("desk: API errors", summary=OUTAGE))
        await soon(harness)
        await harness.revise(FIRE, LESS)
        await harness.revise("desk: API errors", "desk: API errors", f"{AGAIN} {OUTAGE}")
        await soon(harness)
        assert await fates(harness) == ["told", "untold"]
    first, _other, third = mail.mails
    assert third["Subject"] == "⚠ corrected by the publisher: desk: fire at the mill kills 2"
    assert third["References"] == first["Message-ID"]


@pytest.mark.parametrize(
    ("choice", "told"), [("edit", []), ("note", ["Resolved"]), ("alert", ["Resolved"])]
)
async def test_mail_keeps_to_what_somebody_chose(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer, choice: str, told: list[str]
) -> None:
    async with desk(tmp_path, api, clock, mail_chat(mail), choice) as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.add(ArticleSpec("desk: API errors", summary=OUTAGE))
        await soon(harness)
        await harness.take_back(FIRE)
        await harness.revise("desk: API errors", "desk: API errors", f"{AGAIN} {OUTAGE}")
        await soon(harness)
    subjects = [str(item["Subject"]) for item in mail.mails[2:]]
    assert len(subjects) == (2 if told else 0)
    assert [status for status in told if not any(status in text for text in subjects)] == []


async def test_a_restart_between_the_poll_and_the_mail_sends_it_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer
) -> None:
    async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        await harness.take_back(FIRE)
    for _ in range(2):
        async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
            await harness.take_back(FIRE)
            await soon(harness)
    assert len(mail.mails) == 2


async def test_an_event_says_which_alert_it_is_about(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    async with desk(tmp_path, api, clock, stand_in.chat("webhook"), "alert") as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        await harness.revise(FIRE, LESS)
        await soon(harness)
    events = [message.content for message in stand_in.messages.values()]
    created, update = (
        next(event["data"]["alert"] for event in events if event["type"] == kind)
        for kind in ("alert.created", "alert.update")
    )
    assert update["update"]["of"] == created["id"] != update["id"]
    assert (update["update"]["kind"], update["update"]["before"]) == ("corrected", FIRE)
    assert created["update"] is None


async def test_a_message_that_was_deleted_is_followed_by_a_note(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    async with desk(tmp_path, api, clock, stand_in.chat("discord")) as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        stand_in.messages.clear()
        await harness.take_back(FIRE)
        await soon(harness)
        assert await fates(harness) == ["told"]
        assert len(stand_in.texts) == 1


async def test_a_reply_whose_first_try_counts_is_changed_to_say_the_newest(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    """A repeated send arrives as it was first tried; what came since is an edit of it."""
    async with desk(tmp_path, api, clock, stand_in.chat("matrix"), "note") as harness:
        await harness.add(ArticleSpec(FIRE))
        await harness.deliver()
        stand_in.faults = ["lost"]
        await harness.revise(FIRE, LESS)
        await harness.deliver()
        await harness.revise(LESS, LESS[:-1] + "3")
        await soon(harness)
        assert await fates(harness) == ["told", "told"]
        replies = [text for text in stand_in.texts if "corrected by the publisher:" in text]
        assert [text.partition("\n")[0][-1] for text in replies] == ["3"]
