"""Why a delivery waits, and until when: what is said is what the deliverer does."""

from collections import Counter
from datetime import UTC, timedelta
from itertools import product
from pathlib import Path

import pytest
from botapi import BotApi, TooManyRequests
from support import NOON, ManualClock, config_text, newsbell, stored
from telegram_harness import ANN, ArticleSpec, OpenHarness, TelegramHarness, rule

from bot.cli.tables import outbox_table, status_table
from bot.model.alerts import BundleKind, Priority
from bot.model.delivery import (
    DeliveryKind,
    DeliveryState,
    DropReason,
    Outage,
    OutboxRow,
    ServiceFault,
    Wait,
    WaitCause,
)
from bot.store.engines.engine import Database
from bot.store.mappers import put_time
from bot.store.waiting import read_waits

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LATER, LATEST = NOON + HOUR, NOON + 2 * HOUR
GOES = {WaitCause.IN_LINE, WaitCause.COLLECTED}

KINDS = [
    (DeliveryKind.ALERT, Priority.BREAKING, BundleKind.ALERT),
    (DeliveryKind.ALERT, Priority.NORMAL, BundleKind.ALERT),
    (DeliveryKind.ALERT, Priority.NORMAL, BundleKind.CATCH_UP),
    (DeliveryKind.ALERT, Priority.DIGEST, BundleKind.ALERT),
    (DeliveryKind.ALERT, Priority.DIGEST, BundleKind.DIGEST),
    (DeliveryKind.AGAIN, Priority.DIGEST, BundleKind.ALERT),
    (DeliveryKind.EDIT, Priority.EDIT, BundleKind.ALERT),
    (DeliveryKind.NOTICE, Priority.NOTICE, BundleKind.ALERT),
    (DeliveryKind.REPLY, Priority.LATE_REPLY, BundleKind.ALERT),
]
PAUSES, ACCESS = ("", "blocked"), (1, 0)
PARKED, QUIET, DELAYED = (None, LATER), (None, LATER, LATEST), (None, LATEST)


async def test_what_has_no_cause_to_wait_is_what_the_deliverer_may_send_and_the_rest_is_not(
    tmp_path: Path, clock: ManualClock
) -> None:
    """Every kind of delivery in a chat of its own, in every state of chats."""
    cases = list(product(KINDS, PAUSES, ACCESS, PARKED, QUIET, DELAYED))

    def fill(db: Database) -> dict[int, Wait]:
        for number, (kinds, paused, allowed, parked, quiet, delayed) in enumerate(cases, 100):
            db.execute(
                "insert into chats (id, name, kind, address, paused, allowed, not_before, "
                "quiet_until, hours_at) values (?, 'a chat', 'telegram', ?, ?, ?, ?, ?, '9999')",
                [number, number, paused, allowed, put_time(parked), put_time(quiet)],
            )
            db.execute(
                "insert into outbox (id, chat_id, kind, priority, form, not_before, created_at) "
                "values (?, ?, ?, ?, ?, ?, ?)",
                [number, number, *kinds, put_time(delayed), put_time(NOON)],
            )
        return read_waits(db, range(100, 100 + len(cases)), NOON)

    async with newsbell(tmp_path, config_text([]), clock=clock) as app:
        waits = await stored(app)._writer.run("fill", fill)
        assert len(waits) == len(cases)
        for moment in (NOON, LATER - SECOND, LATER, LATEST - SECOND, LATEST):
            ripe = await app.store.deliveries.waiting(moment, len(cases), ())
            assert {chat.chat_id for chat in ripe} == {
                number
                for number, wait in waits.items()
                if wait.cause in GOES or (wait.until and wait.until <= moment)
            }


async def _wait(harness: TelegramHarness, title: str) -> Wait:
    [row] = [row for row in await harness.outbox("queued") if row.title == title]
    assert row.wait is not None
    return row.wait


async def test_a_digest_is_waited_for_until_its_time_or_the_end_of_the_quiet_hours_it_lies_in(
    opened: OpenHarness,
) -> None:
    subscriptions = [rule("Digest", "digest", urgency="digest"), rule("Normal", "normal")]
    async with opened(*subscriptions) as harness:
        for settings, until in {
            '{"digest_at": [840]}': NOON + 2 * HOUR,
            '{"digest_at": [840, 780]}': NOON + HOUR,
            '{"digest_at": [840], "quiet": [810, 900]}': NOON + 3 * HOUR,
            '{"digest_at": [], "digest_from": 9}': None,
        }.items():
            await harness.execute("update chats set settings = ?, hours_at = ''", settings)
            await harness.add(ArticleSpec(f"digest {settings}"))
            await harness.deliver()
            told = await _wait(harness, f"digest {settings}")
            assert told == Wait(WaitCause.DIGEST, until)

        await harness.execute(
            "update chats set hours_at = '', settings = "
            '\'{"digest_at": [840], "quiet": [660, 900]}\''
        )
        await harness.add(ArticleSpec("normal"))
        await harness.deliver(2 * HOUR + MINUTE, MINUTE)  # due, and quiet
        assert (await _wait(harness, "normal")) == Wait(WaitCause.QUIET_HOURS, NOON + 3 * HOUR)
        assert (await _wait(harness, f"digest {settings}")) == Wait(
            WaitCause.DIGEST, NOON + 3 * HOUR
        )
        await harness.deliver(HOUR, MINUTE)
        assert await harness.outbox("queued") == []


async def test_what_telegram_refused_for_a_while_is_told_apart_from_what_waits_behind_it(
    opened: OpenHarness, api: BotApi
) -> None:
    async with opened(rule("All", "ann")) as harness:
        api.fault(TooManyRequests(90))
        await harness.add(ArticleSpec("ann one"), ArticleSpec("ann two"))
        await harness.deliver()
        until = NOON + 90 * SECOND
        reason = "Telegram asks for a pause"
        assert await _wait(harness, "ann one") == Wait(WaitCause.RETRY, until, reason)
        assert await _wait(harness, "ann two") == Wait(WaitCause.CHAT_PACE, until)
        await harness.deliver(100 * SECOND)
        assert harness.shown(ANN) == ["ann one", "ann two"]


async def test_a_change_of_a_message_waits_for_its_distance_from_the_one_before(
    opened: OpenHarness,
) -> None:
    async with opened(rule("All", "ann")) as harness:
        [story] = await harness.add(ArticleSpec("ann one"))
        await harness.deliver(2 * SECOND)
        for number in range(2):
            await harness.add(ArticleSpec(f"ann again {number}", (story, story, story)))
            await harness.deliver(2 * SECOND)
        [edit] = await harness.outbox("queued")
        assert edit.wait
        assert edit.wait.cause is WaitCause.EDIT_PACE
        assert edit.wait.until
        assert MINUTE - 10 * SECOND < edit.wait.until - harness.clock.now() < MINUTE


async def test_in_an_outage_what_waits_says_so_with_the_reason_but_not_on_terminals(
    opened: OpenHarness,
) -> None:
    async with opened(rule("All", "ann", to=("ann", "here"))) as harness:
        outage = Outage(ServiceFault.ERROR, "Bad Gateway", NOON)
        await harness.app.store.deliveries.keep_outage(outage, None, NOON)
        await harness.add(ArticleSpec("ann one"))
        here, ann = sorted(await harness.outbox("queued"), key=lambda row: row.chat, reverse=True)
        assert here.wait == Wait(WaitCause.IN_LINE)
        assert ann.wait == Wait(WaitCause.SERVICE_DOWN, reason="Bad Gateway")


def _row(state: DeliveryState, wait: Wait | None = None, error: str = "") -> OutboxRow:
    return OutboxRow(1, state, DeliveryKind.ALERT, "ann", "Harbour", 1, NOON, error, wait)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (_row(DeliveryState.SENDING), "being sent"),
        (_row(DeliveryState.DROPPED, error=DropReason.MUTED), "the chat muted its storyline"),
        (_row(DeliveryState.QUEUED, Wait(WaitCause.IN_LINE)), "in line"),
        (
            _row(DeliveryState.QUEUED, Wait(WaitCause.QUIET_HOURS, LATER)),
            "quiet hours; until 13:00",
        ),
        (
            _row(DeliveryState.QUEUED, Wait(WaitCause.RETRY, LATER, "no answer."), "no answer."),
            "tried in vain: no answer; until 13:00",
        ),
        (
            _row(DeliveryState.QUEUED, Wait(WaitCause.PAUSED, reason="It was removed.")),
            "the chat is paused: It was removed",
        ),
    ],
)
def test_the_outbox_says_why_a_delivery_waits_and_until_when(row: OutboxRow, words: str) -> None:
    table = outbox_table([row], NOON, UTC)
    [cell] = table.columns[-1].cells
    assert str(cell) == words


def test_the_outbox_has_words_for_every_cause() -> None:
    rows = [_row(DeliveryState.QUEUED, Wait(cause)) for cause in WaitCause]
    cells = [str(cell) for cell in outbox_table(rows, NOON, UTC).columns[-1].cells]
    assert len(set(cells)) == len(WaitCause)


async def test_the_figures_of_the_status_are_those_of_the_outbox(opened: OpenHarness) -> None:
    """In chats that are paused or not allowed, too, and per chat as well as in all."""
    async with opened(rule("All", "ann", to=("ann", "group", "here"))) as harness:
        await harness.add(*(ArticleSpec(f"ann {number}") for number in range(3)))
        await harness.execute("update chats set paused = 'blocked' where address = ?", ANN)
        await harness.execute("update chats set allowed = 0 where address < 0")
        [begun] = [await harness.begin("here")]

        waiting = await harness.outbox("queued", "sending")
        for brief in (False, True):
            status = await harness.app.store.admin.status(brief=brief)
            assert {chat.name: queued for chat, queued, _ in status.chats if queued} == Counter(
                row.chat for row in waiting
            )
        status = await harness.app.store.admin.status()
        assert sum(status.deliveries.values()) == len(waiting)
        await harness.finish(begun)
        lines = [str(part) for part in status_table(status, NOON, UTC)]
        assert "group: 3 messages queued, not allowed" in lines
        assert "ann: 3 messages queued, paused: blocked" in lines
