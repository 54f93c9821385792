"""Whatever a feed says, its alert is a text that Telegram accepts and that mentions no one."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from botapi import text as telegram
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.delivery.composer import ENTITIES
from bot.delivery.render import SNIPPET, render, snippet
from bot.i18n.catalog import ENGLISH, Translator
from bot.model.abilities import ABILITIES
from bot.model.alerts import AlertView, Confirmation
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import Delivery, DeliveryKind
from bot.model.entries import Span
from bot.model.message import Entity, Message
from bot.model.updates import ChangeKind, UpdateView
from bot.text.clean import HEADLINE_LENGTH, cut, plain

CHAT = Chat(1, "desk", ChatKind.TELEGRAM, 7, 0)
PINGS = {"Mention", "BotCommand", "Hashtag", "Cashtag"}

awkward = st.sampled_from(
    [
        *"@/#$@@ a_9Zé",
        "🔥",
        "👨‍👩‍👧",
        "الميناء",
        "שלום",
        "\u200c",
        "\u0301",
        "\u2068",
        "𝕏",
        "²",
        "·",
        "\n",
        "\x00",
        "bot",
        "USD",
    ]
)
anything = st.one_of(st.text(max_size=60), st.lists(awkward, max_size=60).map("".join))
texts = st.builds(lambda text, times: text * times, anything, st.sampled_from([1, 1, 1, 5, 60]))
places = st.integers(0, 2500)
spans = st.builds(
    lambda field, start, length: Span(field, start, start + length),
    st.sampled_from(["title", "summary"]),
    places,
    st.integers(1, 50),
)
links = st.sampled_from(
    [
        "",
        "https://news.example/1",
        "http://localhost/x",
        "http://[::1]/",
        "https://مثال.example/ü?a=b#c",
        "https://a.example:8443/",
    ]
)


def view(title: str = "Fire in the harbour", **more: object) -> AlertView:
    fields: dict[str, object] = {
        "story_id": 1,
        "title": title,
        "first_title": title,
        "link": "https://news.example/1",
        "summary": "",
        "feed": "Invented Wire",
        "publisher": "Invented Wire",
        "source": "",
        "published": NOON,
        "first_seen_at": NOON,
        "subscriptions": ("Ports",),
        "spans": (),
        "catch_up": False,
    }
    return AlertView(**{**fields, **more})  # type: ignore[arg-type]


views = st.builds(
    view,
    title=texts,
    first_title=texts,
    summary=texts,
    link=links,
    feed=anything,
    source=anything,
    subscriptions=st.lists(anything, max_size=4).map(tuple),
    spans=st.lists(spans, max_size=60).map(tuple),
    catch_up=st.booleans(),
    note=st.booleans(),
    withdrawn=st.booleans(),
    corrected=st.booleans(),
)
updates = st.builds(
    UpdateView,
    kind=st.sampled_from(ChangeKind),
    of_story=st.just(1),
    title=texts,
    before=texts,
    status=anything,
    text=texts,
    at=st.just(NOON),
    loud=st.booleans(),
)
#: replies about changes of their articles
replies = st.builds(lambda alert, update: replace(alert, note=True, update=update), views, updates)


def delivery(*alerts: AlertView, **more: object) -> Delivery:
    fields: dict[str, object] = {"attempt": 1, "doubts": 0, "plain": False, **more}
    return Delivery(1, DeliveryKind.ALERT, CHAT, alerts=alerts, **fields)  # type: ignore[arg-type]


def rendered(*alerts: AlertView, **more: object) -> Message:
    return render(delivery(*alerts, **more), NOON, ENGLISH)


def stretches(message: Message, kind: str) -> list[str]:
    wide = message.text.encode("utf-16-le")
    return [
        wide[2 * item.offset : 2 * (item.offset + item.length)].decode("utf-16-le")
        for item in message.entities
        if item.kind == kind
    ]


def check(message: Message) -> None:
    """Within Telegram's limits, and as Telegram reads it."""
    assert message.text.strip()
    assert len(message.text) <= ABILITIES[ChatKind.TELEGRAM].length
    assert len(message.entities) <= ENTITIES
    wide = message.text.encode("utf-16-le")
    for entity in message.entities:
        assert entity.length > 0
        assert 0 <= entity.offset <= entity.offset + entity.length <= len(wide) // 2
        wide[2 * entity.offset : 2 * (entity.offset + entity.length)].decode(
            "utf-16-le"
        )  # raises where a pair is split
    given_entities = [
        {"type": item.kind, "offset": item.offset, "length": item.length, "url": item.url}
        for item in message.entities
    ]
    entities_in_force = telegram.settle(
        telegram.parse(message.text, "", given_entities, refuse_bad_links=True), lambda _: None
    )
    telegram.check_length(entities_in_force, ABILITIES[ChatKind.TELEGRAM].length)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(views | replies, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_any_story_gives_a_text_that_telegram_takes(
    alerts: list[AlertView], repeat: bool, styleless: bool
) -> None:
    message = rendered(*alerts, doubts=int(repeat), plain=styleless)

    check(message)
    assert not (styleless and message.entities)
    assert message.text.startswith("(repeat) ") == repeat


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(views | replies, min_size=1, max_size=4), st.integers(20, 26))
def test_any_long_queue_gives_a_text_that_telegram_takes(some: list[AlertView], count: int) -> None:
    alerts = [some[number % len(some)] for number in range(count)]
    message = rendered(*alerts)

    check(message)
    assert sum(message.text.count(f"\n\n{sign} ") for sign in "•↳⚠↻") >= min(len(alerts), 25)
    assert ("and 1 more" in message.text) == (len(alerts) > 25)


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=6000), st.booleans())
def test_any_reply_or_notice_keeps_within_the_limit(text: str, styleless: bool) -> None:
    entities = (Entity("bold", 0, 1),) if text else ()
    message = render(
        Delivery(1, DeliveryKind.REPLY, CHAT, 1, 0, styleless, text=text, entities=entities),
        NOON,
        ENGLISH,
    )

    assert len(message.text) <= ABILITIES[ChatKind.TELEGRAM].length
    assert message.entities == (() if styleless else entities)


cleaned = texts.map(plain)


@pytest.mark.skipif(telegram.td_execute is None, reason="tdjson is not installed")
@settings(max_examples=examples(400), deadline=None)
@example(
    "@harbour_bot", "see /stop@harbour_bot", "@ann", (Span("title", 1, 12), Span("summary", 5, 9))
)
@example("²#harbour $USD #²a", "#·a ²$USD", "#é", (Span("title", 1, 2),))
@example("c/@harbour", "((@harbour) '/stop' “@harbour” @@harbour //stop", "x@harbour", ())
@given(cleaned, cleaned, cleaned, st.lists(spans, max_size=20).map(tuple))
def test_names_commands_and_tags_in_foreign_text_become_no_links(
    title: str, summary: str, name: str, marks: tuple[Span, ...]
) -> None:
    alert = view(
        title, first_title=summary, summary=summary, source=name, subscriptions=(name,), spans=marks
    )
    for message in (rendered(alert), rendered(alert, alert), rendered(alert, plain=True)):
        request = {"@type": "getTextEntities", "text": message.text}
        assert telegram.td_execute is not None
        answer = json.loads(telegram.td_execute(json.dumps(request).encode()) or b"{}")

        kinds = {
            item["type"]["@type"].removeprefix("textEntityType") for item in answer["entities"]
        }
        assert kinds & PINGS == set()


@pytest.mark.skipif(telegram.td_execute is None, reason="tdjson is not installed")
@settings(max_examples=examples(200), deadline=None)
@given(views)
def test_what_telegram_would_show_is_what_was_written(alert: AlertView) -> None:
    """Its own parser, given the text as HTML with our entities as tags, finds the same text."""
    message = rendered(alert)
    escaped = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parsed = telegram.parse(escaped, "HTML", [])

    assert parsed.text == message.text


@given(st.text(max_size=900), st.lists(spans, max_size=10))
def test_a_snippet_is_short_and_its_marks_lie_within_it(summary: str, marks: list[Span]) -> None:
    text, inside = snippet(summary, marks)

    assert len(text) <= SNIPPET
    for span in inside:
        assert 0 <= span.start < max(span.end, 1)
        assert span.start < len(text)


@given(st.integers(0, 1500))
def test_a_snippet_shows_the_first_match_wherever_it_stands(before: int) -> None:
    summary = f"{'ab ' * (before // 3)}harbour{' cd' * 500}"
    start = summary.index("harbour")
    text, [span] = snippet(summary, [Span("summary", start, start + 7)])

    assert text[span.start : span.end] == "harbour"


def test_a_time_that_rests_on_sight_says_so() -> None:
    for published in (None, NOON + timedelta(hours=3)):
        alert = replace(view("Fire"), published=published, first_seen_at=NOON)
        assert "· seen 12:00" in rendered(alert).text
    for minutes, shown in ((5, "12:00"), (0, "12:00"), (-20, "11:40")):
        alert = replace(view("Fire"), published=NOON + timedelta(minutes=minutes))
        assert f"· {shown}" in rendered(replace(alert, first_seen_at=NOON)).text


def test_a_post_without_headline_stands_once() -> None:
    words = "The fox " + "slept and slept " * 20
    headline = cut(words, 100)
    found = words.index("slept", 150)
    spans = (Span("title", 8, 13), Span("summary", 8, 13), Span("summary", found, found + 5))
    message = rendered(view(headline, summary=words, spans=spans))
    assert message.text.count("The fox slept") == 1
    assert message.text.startswith(headline)
    assert stretches(message, "bold")[-1] == "slept"
    short = rendered(view("The fox slept.", summary="The fox slept."))
    assert short.text.count("The fox slept") == 1
    said = rendered(view("The fox slept", summary="The fox slept. Then it woke."))
    assert "\n\nThen it woke." in said.text
    longer = rendered(view("The fox", summary="The fox slept all day."))
    assert "\n\nThe fox slept all day." in longer.text


def test_an_alert_reads_headline_source_what_changed_snippet_and_subscriptions() -> None:
    alert = view(
        "Fire in the harbour is out",
        first_title="Fire in the harbour",
        summary="Boats were burning.",
        spans=(Span("title", 12, 19), Span("summary", 0, 5)),
        subscriptions=("Ports", "Fires"),
        source="Harbour Post",
    )
    message = rendered(alert)

    assert message.text == (
        "Fire in the harbour is out\nHarbour Post · news.example · 12:00\n✎ before: Fire in "
        "the harbour\n\nBoats were burning.\n\n🔔 Ports, Fires"
    )
    assert stretches(message, "text_link") == ["Fire in the harbour is out"]
    assert stretches(message, "underline") == ["harbour"]
    assert stretches(message, "bold") == ["Fire in the harbour is out", "Boats"]
    assert stretches(message, "strikethrough") == ["Fire in the harbour"]
    assert message.preview == "https://news.example/1"


def test_what_is_shown_of_a_first_look_says_so() -> None:
    assert rendered(view(catch_up=True)).text.startswith("(catch-up) Fire")


def test_the_host_of_the_link_stands_beside_a_publisher_who_is_not_it() -> None:
    assert (
        "Harbour Post · evil.example · 12:00"
        in rendered(view(source="Harbour Post", link="https://evil.example/1")).text
    )
    assert "news.example · 12:00" in rendered(view(source="news.example")).text.split("\n")[1]
    assert (
        rendered(view(source="", feed="x" * 500, link="")).text.split("\n")[1].endswith("… · 12:00")
    )


def test_headlines_that_run_the_other_way_are_kept_to_themselves() -> None:
    message = rendered(view("حريق في الميناء"))

    assert message.text.startswith("\u2068حريق في الميناء\u2069\n")
    assert stretches(message, "text_link") == ["حريق في الميناء"]


def test_as_plain_text_the_links_are_written_out() -> None:
    message = rendered(view(), view("Flood", link=""), plain=True)

    assert message.text.endswith("\nhttps://news.example/1")
    assert (message.entities, message.preview) == ((), "")


@pytest.mark.parametrize(
    ("at", "reply"),
    [
        (datetime(2026, 3, 2, 13, 5, tzinfo=UTC), "14:05"),
        (datetime(2026, 3, 1, 22, 30, tzinfo=UTC), "1 Mar 23:30"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "00:30"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "1 Jan 00:30"),
        (datetime(2025, 12, 31, 22, 30, tzinfo=UTC), "31 Dec 2025 23:30"),
    ],
)
def test_times_are_local_and_as_short_as_they_can_be(at: datetime, reply: str) -> None:
    assert Translator(ZoneInfo("Europe/Berlin")).time(at, NOON + timedelta(hours=2)) == reply


@pytest.mark.parametrize(
    "published", [None, NOON + timedelta(minutes=40), NOON + timedelta(days=1)]
)
@pytest.mark.parametrize("seen", [NOON, NOON + timedelta(hours=5)])
def test_no_time_in_a_message_lies_ahead(published: datetime | None, seen: datetime) -> None:
    """Dates of feeds do, and those that were stored while the clock was ahead."""
    other = Confirmation("The Lantern", "https://lantern.example/1", seen, title="Ferry sinks")
    alert = view(published=published, first_seen_at=seen, also=(other,), latest=other, entries=2)
    again = replace(delivery(alert), kind=DeliveryKind.AGAIN)
    shown = [rendered(alert), rendered(alert, alert), render(again, NOON, ENGLISH)]
    shown.append(rendered(replace(alert, note=True)))
    times = [time for message in shown for time in re.findall(r"\d\d:\d\d", message.text)]
    assert len(times) == 8
    assert set(times) == {"12:00"}


def test_a_long_headline_is_cut_and_what_matched_behind_that_is_shown_below_it() -> None:
    title = "Harbour " + "and then " * 60 + "the ferry sinks " + "at last " * 60
    at = title.index("ferry")
    alert = view(title, summary=title, spans=(Span("title", at, at + 5),))
    message = rendered(alert)
    first, *_, last = message.text.partition("🔔")[0].strip().split("\n\n")
    assert len(first.partition("\n")[0]) <= HEADLINE_LENGTH
    assert "the ferry sinks" in last
    assert len(last) <= SNIPPET
    assert "ferry" in stretches(message, "bold")
    changed = replace(alert, first_title=title + "and more")
    assert "before:" not in rendered(changed).text


def test_the_way_to_a_story_is_written_out_where_words_are_no_links() -> None:
    page = "https://news.example/s/1"
    for kind in ChatKind:
        chat = replace(CHAT, kind=kind)
        message = render(replace(delivery(view()), chat=chat), NOON, ENGLISH, page)
        assert (page in message.text) is not ABILITIES[kind].links
