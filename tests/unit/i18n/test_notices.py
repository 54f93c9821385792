"""Each notice to the operator is read in the language of the chat, all of it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from pathlib import Path

import pytest

from bot.delivery import policy
from bot.delivery.render import render
from bot.errors import ConfigError, Mistake
from bot.feeds import feed_notices
from bot.i18n.catalog import ENGLISH, LANGUAGES, Catalog, Catalogs, Translator
from bot.i18n.phrase import Phrase, load_phrase, verbatim
from bot.model.chats import Chat, ChatKind, DeclaredChat
from bot.model.clock import ClockStep
from bot.model.delivery import (
    ChatClosed,
    Delivery,
    DeliveryKind,
    NoticeIntent,
    NoticeKind,
    NotSent,
    Outage,
    Refused,
    SendOutcome,
    ServiceFault,
    Undecided,
    notice,
)
from bot.model.desired_config import DesiredConfig
from bot.model.feeds import DeclaredFeed, Failure, FeedDue, FeedState
from bot.service import clock_watch, token_watch
from bot.service.last_good import Rejected
from bot.service.losses import most_lost
from bot.service.reload import rejected_text

BOT = Path(__file__).resolve().parents[3] / "bot"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHAT = Chat(1, "Маяк", ChatKind.TELEGRAM, 5, 0)
FEED = FeedDue(1, "http://127.0.0.1/", "Лампа", "Лампа", (), None, FeedState(next_poll_at=NOON))
DELIVERY = Delivery(1, DeliveryKind.ALERT, CHAT, attempt=50, doubts=0, plain=True)


class Masked(NullTranslations):
    """A language in which every letter is `ж`; its values are others' words."""

    def gettext(self, message: str) -> str:
        return "".join(
            part if part[:1] in "{`" else re.sub(r"[A-Za-z]", "ж", part)
            for part in re.split(r"(\{\w+\}|`[^`]+`)", message)
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


MASKED = Translator(catalog=Catalog("xx", Masked()))


def settled(outcome: SendOutcome, **values: object) -> NoticeIntent:
    delivery = replace(DELIVERY, **values)  # type: ignore[arg-type]  # of any field
    told = policy.settle(delivery, outcome, NOON).notice
    assert told
    return told


def of_deliveries() -> Iterator[NoticeIntent]:
    yield settled(NotSent("…", 2 * HOUR, rate_limited=True))
    yield settled(Undecided("…"), doubts=30, doubted_at=NOON - 9 * HOUR)
    yield settled(Refused("…"))
    yield settled(ChatClosed("the person blocked the bot.", probe=False))
    for fault in ServiceFault:
        told = policy.outage_notice(Outage(fault, "Detail", NOON - 3 * HOUR), NOON)
        assert told
        yield told


def of_feeds() -> Iterator[NoticeIntent]:
    for failure in Failure:
        for since in (NOON, NOON - 30 * HOUR):
            state = replace(
                FEED.state,
                failure=failure,
                failure_text="Detail.",
                failures=4,
                failing_since=since,
            )
            text = feed_notices.failing_text(FEED, state, NOON)
            yield notice(NoticeKind.FEED_FAILING, text)
    for archived in (0, 7, 300):
        yield notice(NoticeKind.FLOOD, feed_notices.flood_text(FEED, 300, archived))
    yield notice(NoticeKind.EMPTY, feed_notices.empty_text(FEED, 3))
    noticed = replace(FEED.state, noticed=True, failing_since=NOON - 90 * HOUR)
    moved = replace(FEED.state, adopted_url="http://127.0.0.2/")
    yield from feed_notices.success_notices(replace(FEED, state=noticed), moved, NOON)


def of_newsbell() -> Iterator[NoticeIntent]:
    for span in (timedelta(minutes=5), -timedelta(days=900)):
        text = clock_watch.notice_text(ClockStep(NOON, span))
        yield notice(NoticeKind.CLOCK, text)
    yield notice(NoticeKind.CLOCK, clock_watch.waits_text(4))
    mistakes = tuple(Mistake(line, 1, "…", "…") for line in range(1, 6))
    rejected = Rejected(ConfigError("…", mistakes), NOON, ("Лампа",))
    yield notice(NoticeKind.INTERNAL, rejected_text(rejected))
    feeds = tuple(DeclaredFeed(f"http://{name}", name, "", (), None) for name in "абв")
    chats = (DeclaredChat("Маяк", ChatKind.TERMINAL),)
    for left in (0, 1):
        lost = most_lost(DesiredConfig(feeds, chats, ()), DesiredConfig(feeds[:left], (), ()))
        assert lost
        yield notice(NoticeKind.INTERNAL, lost)
    yield notice(NoticeKind.REFUSED, token_watch.TEXT)


NOTICES = [*of_deliveries(), *of_feeds(), *of_newsbell()]


@pytest.mark.parametrize("told", NOTICES, ids=lambda told: f"{told.kind}-{told.text[:30]}")
def test_a_notice_is_all_of_one_language(told: NoticeIntent) -> None:
    assert told.phrase
    words = set(re.findall("[A-Za-z]+", re.sub(r"`[^`]+`", "", told.phrase.read(MASKED))))
    assert words <= {"http"}, told.text
    assert "Detail" not in told.phrase.read(MASKED)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_each_notice_is_rendered_in_each_language(language: str) -> None:
    translator = Translator(catalog=Catalogs().of(language))
    for told in NOTICES:
        assert told.phrase
        stored = load_phrase(told.phrase.dumped())
        delivery = Delivery(
            1, DeliveryKind.NOTICE, CHAT, 1, 0, plain=False, text=told.text, phrase=stored
        )
        text = render(delivery, NOON, translator).text
        assert text == told.phrase.read(translator)
        assert text != told.text
        assert render(delivery, NOON, ENGLISH).text == told.text


def test_no_notice_is_made_of_a_text_alone() -> None:
    """`notice` makes it of a phrase, which has a translation in every language."""
    places = [
        f"{path.relative_to(BOT)}:{node.lineno}"
        for path in sorted(BOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "NoticeIntent"
    ]
    assert [place.partition(":")[0] for place in places] == ["model/delivery.py"]


def test_a_phrase_whose_stored_form_is_damaged_is_none() -> None:
    for text in ("", "[", "[]", "7", '{"values": 3}', '{"number": "x"}'):
        assert load_phrase(text) is None
    assert load_phrase(verbatim("{x} `").dumped()) == Phrase(english="{x} `")
