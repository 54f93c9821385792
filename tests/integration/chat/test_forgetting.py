"""Whoever wants it is forgotten: nothing names them any more; what others share stays nameless."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from botapi import BotApi
from click.testing import CliRunner
from support import ManualClock, query, sqlite
from telegram_harness import ANN, TelegramHarness, open_harness

from bot.cli.main import main
from bot.service.app import App

BEN, NEWSROOM = 80_081_357, -4_711
NAME = "Bartholomew"
SECOND = timedelta(seconds=1)
ALL_SAY = "This deletes everything stored about you: the subscriptions, alerts and settings of this"


async def says(harness: TelegramHarness, user: int, text: str, chat: int = 0) -> str:
    """Write there; the last message of the bot in that chat then."""
    harness.api.say(chat or user, user, text)
    return await hears(harness, chat or user)


async def hears(harness: TelegramHarness, chat: int) -> str:
    await harness.listen()
    await harness.deliver(10 * SECOND, SECOND)
    return harness.api.messages(chat)[-1].text


async def presses(harness: TelegramHarness, user: int, label: str, chat: int = 0) -> str:
    for message in reversed(harness.api.messages(chat or user)):
        for button in [button for row in message.keyboard for button in row]:
            if button["text"] == label:
                number = message.message_id
                harness.api.press(chat or user, user, number, button["callback_data"])
                await hears(harness, chat or user)
                shown = harness.api.messages(chat or user)
                return next(each.text for each in shown if each.message_id == number)
    raise AssertionError(label)


def cells(path: Path, *words: str) -> Iterator[str]:
    """Where any of these words stands in the database, as table and column."""
    expression = re.compile("|".join(rf"(?<!\d){re.escape(word)}(?!\d)" for word in words))
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute(
            "select name from sqlite_schema where type = 'table' and name not like 'search%'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f"select * from {table}").fetchall():  # noqa: S608
                yield from (
                    f"{table}.{column}: {row[column]}"
                    for column in row.keys()  # noqa: SIM118 (a row)
                    if expression.search(str(row[column]))
                )


async def live_a_little(harness: TelegramHarness) -> None:
    """Leave traces of Ben wherever people leave some."""
    await says(harness, BEN, "/start")
    await presses(harness, ANN, "Let in")
    await says(harness, BEN, "/start")
    await says(harness, BEN, "/subscribe updates:note harbour")
    await says(harness, BEN, "/subscribe pier")
    await says(harness, BEN, "/unsubscribe 2")
    await says(harness, BEN, "/language uk")
    await says(harness, BEN, "/language en")
    await says(harness, BEN, "/subscriptions")
    await presses(harness, BEN, "1")
    await presses(harness, BEN, "Share")
    await says(harness, BEN, "/subscribe ferry", NEWSROOM)
    await says(harness, BEN, "/search", NEWSROOM)  # it waits for words
    await presses(harness, ANN, "Invite someone") if await says(harness, ANN, "/admin") else None
    await harness.bring("Harbour ferry late")
    await harness.deliver(10 * SECOND, SECOND)
    harness.api.react(BEN, BEN, harness.api.messages(BEN)[-1].message_id, "👎")
    await presses(harness, BEN, "Follow")
    await presses(harness, BEN, "I'm on it", NEWSROOM)
    await harness.take_back("Harbour ferry late")
    await harness.deliver(70 * SECOND, 5 * SECOND)
    assert harness.api.messages(BEN)[-1].text.startswith("⚠ withdrawn by the publisher")
    harness.api.react(NEWSROOM, BEN, harness.api.messages(NEWSROOM)[-1].message_id, "👍")
    await hears(harness, NEWSROOM)


async def test_who_wants_to_be_forgotten_leaves_nothing_behind(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_private(BEN, NAME)
        api.add_group(NEWSROOM, "Newsroom", members={BEN: "creator", ANN: "member"})
        chats = {"ann": ANN, "news": NEWSROOM}
        async with open_harness(
            tmp_path, api, chats, clock, admins=[ANN], subscriptions=[]
        ) as harness:
            await live_a_little(harness)
            path = sqlite(harness.app).path
            named = {cell.partition(":")[0] for cell in cells(path, str(BEN), NAME)}
            assert named >= {
                "people.user_id",
                "chats.address",
                "screens.user_id",
                "verdicts.user_id",
                "alerts.taken_user",
                "alerts.taken_by",
                "outbox.text",
            }
            answer = await says(harness, BEN, "/forgetme", NEWSROOM)
            assert answer == "Send /forgetme in our private chat."
            assert (await says(harness, ANN, "/forgetme")).startswith("You are named in feeds.yaml")
            assert (await says(harness, BEN, "/forgetme")).startswith(ALL_SAY)
            assert await presses(harness, BEN, "Keep") == "Nothing was deleted."
            await says(harness, BEN, "/forgetme")
            told = await presses(harness, BEN, "Delete everything")
            assert told.startswith("Deleted. Copies in backups go with the backups.")
            await forgotten(harness, path)


async def forgotten(harness: TelegramHarness, path: Path) -> None:
    """What is left at once, after the next clean-up, and when they come back."""
    app = harness.app
    assert [each.query for each in await app.store.polls.subscriptions()] == ["ferry"]
    await harness.bring("Harbour ferry sinks")
    await harness.deliver(10 * SECOND, SECOND)
    assert harness.api.messages(NEWSROOM)[-1].text.startswith("Harbour ferry sinks")

    await app.jobs.prune_if_due()
    assert list(cells(path, str(BEN), NAME, "harbour", "pier")) == []
    assert traces(app) == []
    answer = await says(harness, BEN, "/start")
    assert answer.startswith("This bot is private. Its operator knows now")


def traces(app: App) -> list[str]:
    """Rows that belong to a chat which is not there any more."""
    tables = (
        *("alerts", "alert_matches", "outbox", "outbox_alerts", "screens", "verdicts", "stances"),
        *("routes", "chat_numbers", "claims", "links", "pending", "match_records", "feed_chats"),
        "update_records",
    )
    return [
        table
        for table in tables
        if query(
            app,
            f"select 1 from {table} where chat_id not in (select id from chats)",  # noqa: S608
        )
    ]


async def test_an_operator_has_a_person_or_a_group_forgotten(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        api.add_private(BEN, NAME)
        api.add_group(NEWSROOM, "Newsroom", members={BEN: "creator", ANN: "member"})
        async with open_harness(
            tmp_path, api, {"ann": ANN}, clock, admins=[ANN], subscriptions=[], access="open"
        ) as harness:
            for chat, words in ((BEN, "harbour"), (NEWSROOM, "ferry")):
                await says(harness, BEN, "/start", chat)
                await says(harness, BEN, f"/subscribe {words}", chat)
            await harness.bring("Harbour ferry late")
            await harness.deliver(10 * SECOND, SECOND)
            path = sqlite(harness.app).path
    assert await asked(tmp_path, "Nobody") == (
        2,
        "Nothing is stored about 'Nobody'. `newsbell status` lists chats.",
    )
    assert (await asked(tmp_path, str(ANN)))[1].startswith(f"{ANN} is named in feeds.yaml")
    code, text = await asked(tmp_path, NAME.lower(), "--yes")
    assert (code, text) == (
        0,
        f"{NAME} (person {BEN}): 1 subscription, 1 alert, 0 feeds, records of 3 messages.",
    )
    assert list(cells(path, str(BEN), NAME)) == []
    assert (await asked(tmp_path, str(NEWSROOM), "--yes"))[0] == 0
    assert list(cells(path, str(NEWSROOM), "Newsroom")) == []
    with closing(sqlite3.connect(path)) as connection:
        for table in ("alerts", "match_records", "subscriptions", "outbox", "routes"):
            rows = connection.execute(f"select * from {table}").fetchall()  # noqa: S608
            assert rows == [], table


async def asked(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and first line of `newsbell forget`."""
    line = ["forget", *arguments, "-c", str(folder / "feeds.yaml")]
    result = await asyncio.to_thread(CliRunner().invoke, main, line)
    return result.exit_code, (result.output.splitlines() or [""])[0]
