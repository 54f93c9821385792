"""Chats of other services than Telegram: one message a story that grows, and nothing lost."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from services import (
    KINDS,
    SECRET,
    Fault,
    MailServer,
    Services,
    answer,
    mail_chat,
    mail_server,
    services,
)
from standardwebhooks.webhooks import Webhook
from support import ManualClock
from telegram_harness import ArticleSpec, TelegramHarness, open_harness

from bot.model.abilities import ABILITIES
from bot.model.chats import ChatKind

ROOT = Path(__file__).resolve().parents[3]
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
async def stand_in() -> AsyncIterator[Services]:
    async with services() as state:
        yield state


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as state:
        yield state


def desk(folder: Path, api: BotApi, clock: ManualClock, chat: dict[str, Any], **more: Any) -> Any:
    """A newsbell with the chat `desk`, which gets what says "desk"."""
    return open_harness(folder, api, {}, clock, elsewhere={"desk": chat}, **more)


async def grow(harness: TelegramHarness, story: int, name: str = "Second Post") -> None:
    """Let one publisher more report the story."""
    ids = (0, story, story)
    await harness.add(ArticleSpec("desk: fire at the mill, as seen", ids, origin=name))
    await harness.deliver(3 * MINUTE, 10 * SECOND)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_story_is_one_message_that_grows_where_messages_can_change(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    async with desk(tmp_path, api, clock, stand_in.chat(kind)) as harness:
        [story] = await harness.add(ArticleSpec("desk: fire at the <mill> & more"))
        await harness.deliver()
        before = list(stand_in.texts)
        await grow(harness, story)
        assert len(before) == 1
        assert "fire at the" in before[0]
        if kind == "webhook":  # the same alert, told again
            events = [message.content for message in stand_in.messages.values()]
            assert [event["type"] for event in events] == ["alert.created", "alert.changed"]
            assert len({event["data"]["alert"]["id"] for event in events}) == 1
            return
        assert len(stand_in.messages) == 1
        changes = [message.changes for message in stand_in.messages.values()]
        assert changes == [1 if ABILITIES[ChatKind(kind)].edits else 0]
        if changes == [1]:
            assert "2 publishers" in stand_in.texts[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_service_refuses_for_now_arrives_later_and_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    """A 429 with its pause, a server that takes nothing, a connection that ends before."""
    stand_in.faults = [answer(429, {}, **{"Retry-After": "7"}), answer(503), answer(503)]
    async with desk(tmp_path, api, clock, stand_in.chat(kind)) as harness:
        await harness.bring("desk: one", "desk: two")
        began = clock.now()
        await harness.deliver()
        assert len(stand_in.calls) == 1
        await harness.deliver(6 * SECOND)
        assert len(stand_in.calls) == 1
        await harness.deliver(MINUTE)
        assert [text.partition("\n")[0].replace("*", "") for text in stand_in.texts] == [
            "desk: one",
            "desk: two",
        ] or len(stand_in.texts) == 2
        assert clock.now() - began < 2 * MINUTE
        assert harness.notices == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_lost_answer_is_a_marked_repeat_or_none_where_sends_are_idempotent(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    stand_in.faults = ["lost"]
    async with desk(tmp_path, api, clock, stand_in.chat(kind)) as harness:
        await harness.bring("desk: one")
        await harness.deliver(MINUTE)
        copies = 1 if ABILITIES[ChatKind(kind)].idempotent else 2
        assert len(stand_in.texts) == copies
        assert [("(repeat)" in text.replace("\\", "")) for text in stand_in.texts] == [
            False,
            True,
        ][:copies]


@pytest.mark.parametrize("kind", KINDS)
async def test_ten_minutes_without_the_service_lose_nothing_and_are_told_once(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services, kind: str
) -> None:
    outage: Fault = answer(503)
    stand_in.outage = outage
    async with desk(tmp_path, api, clock, stand_in.chat(kind)) as harness:
        await harness.bring(*(f"desk: {number}" for number in range(3)))
        await harness.deliver(10 * MINUTE, 5 * SECOND)
        assert stand_in.texts == []
        assert len(stand_in.calls) < 40
        stand_in.outage = None
        await harness.deliver(MINUTE, SECOND)
        assert len(stand_in.texts) == 3
        assert len([text for text in harness.notices if "takes no messages" in text]) == 1


async def test_a_place_that_is_gone_pauses_its_chat_alone_and_the_operator_hears_it(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    chats = {"desk": stand_in.chat("discord"), "other": stand_in.chat("ntfy")}
    stand_in.faults = [answer(404, {"message": "Unknown Webhook", "code": 10015})]
    async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
        await harness.bring("desk: one")
        await harness.deliver()
        await harness.bring("other: two")
        await harness.deliver(2 * SECOND)
        assert [text.partition("\n")[0] for text in stand_in.texts] == ["other: two"]
        [notice] = harness.notices
        assert "desk takes no messages" in notice
        assert "knows no such place" in notice
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(stand_in.texts) == 2


async def test_a_change_of_a_message_that_was_deleted_is_dropped(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    async with desk(tmp_path, api, clock, stand_in.chat("discord")) as harness:
        [story] = await harness.add(ArticleSpec("desk: fire at the mill"))
        await harness.deliver()
        stand_in.messages.clear()
        await grow(harness, story)
        assert stand_in.texts == []
        assert await harness.states() == ["sent", "dropped"]


async def test_a_message_grows_after_a_restart(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    for kind in ("slack", "matrix"):
        stand_in.messages.clear()
        folder = tmp_path / kind
        folder.mkdir()
        async with desk(folder, api, clock, stand_in.chat(kind)) as harness:
            [story] = await harness.add(ArticleSpec("desk: fire at the mill"))
            await harness.deliver()
        async with desk(folder, api, clock, stand_in.chat(kind)) as harness:
            await grow(harness, story)
        assert [message.changes for message in stand_in.messages.values()] == [1]


async def test_a_development_answers_the_alert_in_its_thread(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    for kind in ("slack", "mattermost", "matrix"):
        stand_in.messages.clear()
        folder = tmp_path / kind
        folder.mkdir()
        async with desk(folder, api, clock, stand_in.chat(kind)) as harness:
            [story] = await harness.add(ArticleSpec("desk: fire at the mill"))
            await harness.deliver()
            ids = (0, story, story)
            await harness.add(ArticleSpec("desk: owner of the mill quits", ids, development=True))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
        first, second = stand_in.messages.items()
        assert second[1].reply_to == first[0]
        assert "quits" in second[1].text


async def test_an_event_is_signed_and_has_one_id_for_all_tries(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    stand_in.faults = ["lost", answer(500)]
    async with desk(tmp_path, api, clock, stand_in.chat("webhook")) as harness:
        await harness.bring("desk: one")
        await harness.deliver(MINUTE)
    event = json.loads(stand_in.calls[0][3])
    documented = json.loads((ROOT / "docs" / "webhook.schema.json").read_text(encoding="utf-8"))
    assert set(event["data"]["alert"]) == set(documented["$defs"]["alert"]["required"])
    assert event["type"] in documented["properties"]["type"]["enum"]
    assert len(stand_in.calls) == 3
    assert len({headers["webhook-id"] for _, _, headers, _ in stand_in.calls}) == 1
    for _, _, headers, body in stand_in.calls:
        expected = Webhook(SECRET).sign(headers["webhook-id"], sent_at(headers), body.decode())
        assert headers["webhook-signature"] == expected


async def test_no_secret_is_stored(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    chats = {f"c{kind}": stand_in.chat(kind) for kind in KINDS}
    async with open_harness(tmp_path, api, {}, clock, elsewhere=chats) as harness:
        await harness.bring(*(f"{name}: one" for name in chats))
        await harness.deliver(MINUTE)
        secrets = harness.app.config.secrets
    assert len(secrets) >= len(KINDS)
    content = b"".join(path.read_bytes() for path in tmp_path.glob("newsbell.db*"))
    assert [secret for secret in secrets if secret.encode() in content] == []


async def test_mail_keeps_to_one_thread(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer
) -> None:
    async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
        [story] = await harness.add(ArticleSpec("desk: fire at the <mill>"))
        await harness.deliver()
        ids = (0, story, story)
        await harness.add(ArticleSpec("desk: owner of the mill quits", ids, development=True))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
    first, second = mail.mails
    assert first["Subject"] == "desk: fire at the <mill>"
    assert str(first["To"]) == "ann@example.org, bob@example.org"
    assert second["References"] == first["Message-ID"]
    html = first.get_body(("html",))
    assert html is not None
    assert "&lt;mill&gt;" in html.get_content()


@pytest.mark.parametrize("reply", ["451 later", "550 never"])
async def test_mail_that_is_refused_is_tried_again_or_told(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer, reply: str
) -> None:
    mail.replies["MAIL"] = reply
    async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
        await harness.bring("desk: one")
        await harness.deliver(20 * SECOND)
        assert mail.mails == []
        mail.replies.clear()
        await harness.deliver(MINUTE)
        assert len(mail.mails) == (1 if reply.startswith("4") else 0)
        assert len(harness.notices) == (0 if reply.startswith("4") else 1)


async def test_mail_whose_end_was_not_answered_is_sent_again_and_marked(
    tmp_path: Path, api: BotApi, clock: ManualClock, mail: MailServer
) -> None:
    mail.cut_after_data = True
    async with desk(tmp_path, api, clock, mail_chat(mail)) as harness:
        await harness.bring("desk: one")
        await harness.deliver()
        mail.cut_after_data = False
        await harness.deliver(MINUTE)
    assert [item["Subject"] for item in mail.mails] == ["desk: one", "(repeat) desk: one"]


def sent_at(headers: dict[str, str]) -> datetime:
    return datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)


async def test_what_grows_between_two_tries_is_shown_where_only_the_first_counts(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    stand_in.faults = ["lost", answer(503), answer(503)]
    async with desk(tmp_path, api, clock, stand_in.chat("matrix")) as harness:
        [story] = await harness.add(ArticleSpec("desk: fire at the mill"))
        await harness.deliver()
        await grow(harness, story)
    assert len(stand_in.texts) == 1
    assert "2 publishers" in stand_in.texts[0]


async def test_a_digest_names_all_its_stories_in_short_messages(
    tmp_path: Path, api: BotApi, clock: ManualClock, stand_in: Services
) -> None:
    long = "https://news.example/" + "path/" * 60
    async with desk(tmp_path, api, clock, stand_in.chat("discord")) as harness:
        stand_in.outage = answer(503)
        await harness.bring(*(f"desk: story {number} *of* many" for number in range(40)), link=long)
        await harness.deliver()
        stand_in.outage = None
        await harness.deliver(3 * MINUTE, SECOND)
    text = "\n".join(stand_in.texts)
    assert [number for number in range(40) if f"story {number} " not in text] == []
    assert max(map(len, stand_in.texts)) <= 2000
    assert len(stand_in.texts) < 12
