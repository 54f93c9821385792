"""Posts of a channel's public page: what becomes of each kind, and of a page that has none."""

from datetime import datetime, timedelta

import pytest
from channel_pages import (
    album,
    channel_page,
    forwarded,
    landing_page,
    photo,
    poll_of,
    post,
    preview,
    reply,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.model.entries import ParsedDocument, ParsedEntry, ParseFailed
from bot.model.feeds import Failure
from bot.parse.channel import oldest_post, read_channel
from bot.parse.entry_keys import link_key
from bot.text.clean import plain

NAME = "euphrates_post"
HERALD = "https://herald.example/a"
URL_ITSELF = '<a href="https://herald.example/a/1">https://herald.example/a/1</a>'
LAST_LINE = (
    '<br/><a href="https://t.me/euphrates_post">Subscribe</a> | '
    '<a href="https://t.me/+AbCdEf">Send news</a> ⚡️'
)


def read(page: str, known: frozenset[bytes] = frozenset()) -> ParsedDocument:
    document = read_channel(page.encode(), "text/html; charset=utf-8", NAME, known, NOON)
    assert isinstance(document, ParsedDocument)
    return document


def entry(markup: str) -> ParsedEntry:
    (found,) = read(channel_page(markup)).entries
    return found


def failure(page: str) -> ParseFailed:
    outcome = read_channel(page.encode(), "text/html", NAME, frozenset(), NOON)
    assert isinstance(outcome, ParseFailed)
    return outcome


def test_a_post_is_an_entry_with_headline_text_time_and_link() -> None:
    document = read(
        channel_page(
            post(41, "<b>The harbour of Mayadin is closed.</b><br/>Ferries wait outside."),
            post(42, "Second post of the day is about the market.", meta="edited&nbsp;"),
        )
    )
    first, second = document.entries

    assert (document.title, document.link) == ("Euphrates Post", f"https://t.me/{NAME}")
    assert (first.guid, first.link) == (f"{NAME}/41", f"https://t.me/{NAME}/41")
    assert first.title == "The harbour of Mayadin is closed."
    assert first.summary == "Ferries wait outside."
    assert (first.published, first.language, first.source) == (NOON, "en", "")
    assert second.title == "Second post of the day is about the market."
    assert len(document.blocks) == 2


@pytest.mark.parametrize(
    ("text", "headline", "rest"),
    [
        ("⚡️⚡️<br/>BREAKING!<br/>Bridge of Raqqa reopened today.<br/>More soon.",
         "BREAKING! Bridge of Raqqa reopened today.", "More soon."),
        ("Lt. Gen. Haddad left the city at noon. He gave no reason.",
         "Lt. Gen. Haddad left the city at noon.", "He gave no reason."),
        ("أُغلق ميناء الميادين صباح اليوم. تنتظر العبّارات في الخارج.",
         "أُغلق ميناء الميادين صباح اليوم.", "تنتظر العبّارات في الخارج."),
        ("Порт закрыт, паромы ждут снаружи", "Порт закрыт, паромы ждут снаружи", ""),
        ("Price is &lt;script&gt;alert(1)&lt;/script&gt; no more &amp; no less",
         "Price is <script>alert(1)</script> no more & no less", ""),
        ("First harbour line of the post<br/><br/>Second line " + URL_ITSELF,
         "First harbour line of the post", "Second line"),
        ("Ferries are back in Mayadin today." + LAST_LINE,
         "Ferries are back in Mayadin today.", ""),
        ('<i class="emoji"><b>🔥</b></i> <a href="?q=%23mayadin">#mayadin</a> is on fire tonight',
         "🔥 #mayadin is on fire tonight", ""),
        ("<blockquote>The minister: nothing happened here at all.</blockquote>We saw it.",
         "The minister: nothing happened here at all.", "We saw it."),
    ],
)  # fmt: skip
def test_the_first_sentence_is_the_headline(text: str, headline: str, rest: str) -> None:
    found = entry(post(1, text))

    assert (found.title, found.summary) == (headline, rest)


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        (photo(), "Photo"),
        (album([1, 2, 3]), "Photos and videos"),
        ('<div class="tgme_widget_message_video_player"></div>', "Video"),
        ('<div class="tgme_widget_message_voice_player"></div>', "Voice message"),
        (poll_of("Is the bridge open?", "Yes", "No"), "Poll: Is the bridge open?"),
        (
            '<div class="tgme_widget_message_document_title">list of bakeries.pdf</div>',
            "list of bakeries.pdf",
        ),
        (preview("https://herald.example/a/1", "Herald: bakeries of Raqqa reopen"),
         "Herald: bakeries of Raqqa reopen"),
        ('<div class="message_media_not_supported_wrap"></div>', "Post that only Telegram shows"),
    ],
)  # fmt: skip
def test_a_post_without_text_is_called_by_what_it_has(markup: str, title: str) -> None:
    assert entry(post(1, before=markup)).title == title


def test_posts_without_text_are_not_taken_for_each_other() -> None:
    first, second = read(channel_page(post(1, before=photo(1)), post(2, before=photo(2)))).entries

    assert first.keys.title != second.keys.title


def test_a_caption_is_the_text_of_its_pictures_and_an_album_is_read_as_a_single_post() -> None:
    nested = '<div class="tgme_widget_message_text js-message_text">Ferries in the harbour</div>'
    document = read(channel_page(post(7, nested, before=album([7, 8, 9]))))

    assert [found.title for found in document.entries] == ["Ferries in the harbour"]
    assert document.entries[0].guid == f"{NAME}/7"


def test_a_forwarded_post_counts_for_its_channel() -> None:
    public = entry(
        post(1, "The harbour is closed", before=forwarded("Coast", "https://t.me/Coast_Radio/77"))
    )
    hidden = entry(post(2, "The harbour is closed", before=forwarded("Somebody")))

    assert (public.source, hidden.source) == ("@coast_radio", "Somebody")
    assert public.keys.quoted == link_key("https://t.me/coast_radio/77")
    assert hidden.keys.quoted == b""


def test_a_reply_is_read_without_what_it_replies_to() -> None:
    found = entry(post(2, "It is open again since noon", before=reply(1, "The bakery is closed")))

    assert found.title == "It is open again since noon"
    assert "bakery" not in found.summary


@pytest.mark.parametrize(
    ("text", "after", "cited"),
    [
        ('Read <a href="https://herald.example/a?utm_source=tg">this</a>', "", HERALD),
        ("Read this", preview(HERALD), HERALD),
        (f'<a href="{HERALD}?x=1&amp;amp;y=2" onclick="return 1">a</a>', "", f"{HERALD}?x=1&y=2"),
        ('See <a href="https://t.me/Coast_Radio/5">them</a>', "", "https://t.me/coast_radio/5"),
        ('<a href="https://a.example/1">a</a> and <a href="https://b.example/1">b</a>', "", ""),
        ('Give to <a href="https://fund.example/">us</a>', "", ""),
        ('<a href="https://t.me/coast_radio">Coast</a> was first', "", ""),
        ('As <a href="https://t.me/euphrates_post/3">reported</a> before', "", ""),
        ('<a href="javascript:alert(1)">this</a>', "", ""),
    ],
)  # fmt: skip
def test_the_only_article_that_a_post_links_to_is_what_it_is_about(
    text: str, after: str, cited: str
) -> None:
    assert entry(post(9, text, after=after)).keys.quoted == link_key(cited)


def test_views_and_pictures_make_no_other_block_and_an_edit_does() -> None:
    before = read(channel_page(post(1, "The harbour is closed", before=photo(1))))
    later = channel_page(post(1, "The harbour is closed", before=photo(1), views="2.4K"))
    edited = channel_page(post(1, "The harbour is open", before=photo(1)))
    known = frozenset(before.blocks)

    assert read(later, known).entries == ()
    assert [found.title for found in read(edited, known).entries] == ["The harbour is open"]


def test_what_happened_in_the_channel_is_no_post() -> None:
    document = read(channel_page(post(1, "Channel created", service=True), post(2, "Good morning")))
    alone = read(channel_page(post(1, "Channel created", service=True)))

    assert [found.guid for found in document.entries] == [f"{NAME}/2"]
    assert alone.blocks == ()


def test_a_post_without_a_time_or_with_one_that_cannot_be_is_undated() -> None:
    missing, ahead = read(
        channel_page(post(1, "a", at=None), post(2, "b", at=NOON + timedelta(days=30)))
    ).entries

    assert (missing.published, ahead.published) == (None, None)


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (landing_page("12 345 subscribers"), Failure.NO_PREVIEW),
        (landing_page("120 members, 3 online"), Failure.NOT_A_CHANNEL),
        (landing_page("@euphrates_post"), Failure.NOT_A_CHANNEL),
        (landing_page("24 561 monthly users"), Failure.NOT_A_CHANNEL),
        (landing_page("", ""), Failure.NO_CHANNEL),
        (channel_page(), Failure.CHANGED_PAGE),
        (
            channel_page('<div class="tme_no_messages_found">No posts found</div>'),
            Failure.SLOW_DOWN,
        ),
        (channel_page(post(1, "a")).replace("tgme_widget_message", "x"), Failure.CHANGED_PAGE),
        (channel_page(post(1, "a")).replace("message_text", "words"), Failure.CHANGED_PAGE),
        ("<html><body>Something else</body></html>", Failure.CHANGED_PAGE),
        ("", Failure.CHANGED_PAGE),
        ('{"ok": false}', Failure.CHANGED_PAGE),
    ],
)
def test_a_page_without_posts_is_a_failure_of_its_kind(page: str, kind: Failure) -> None:
    assert failure(page).failure is kind


def test_twenty_posts_of_a_page_are_read_in_its_order() -> None:
    page = channel_page(*(post(number, f"Post number {number}") for number in range(80, 100)))

    assert [found.guid for found in read(page).entries] == [
        f"{NAME}/{number}" for number in range(80, 100)
    ]
    assert oldest_post(page.encode()) == 80


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=200), st.integers(0, 10**13), st.datetimes())
def test_whatever_a_post_holds_is_read_or_left_out(text: str, number: int, at: datetime) -> None:
    page = channel_page(
        post(5, "Ferries wait in the harbour"),
        post(number, text, at=at, before=forwarded(text, text)),
    )
    outcome = read_channel(page.encode("utf-8", "replace"), "", NAME, frozenset(), NOON)

    assert isinstance(outcome, ParsedDocument)
    assert outcome.entries[0].title == "Ferries wait in the harbour"
    assert all(found.title == plain(found.title) != "" for found in outcome.entries)


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(body: bytes) -> None:
    outcome = read_channel(body, "text/html", NAME, frozenset(), NOON)

    assert isinstance(outcome, ParseFailed)
