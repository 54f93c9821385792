"""Which entries are new: rules and properties of identity, and of keys, links and folds."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling import examples
from support import NOON

from bot.feeds.entry_identity import Document, Identified, identify, lookup_for
from bot.model.entries import RECENT, KnownEntry, ParsedDocument, ParsedEntry
from bot.model.feeds import FeedDue, FeedState, Policy
from bot.model.poll import KnownEntries
from bot.model.stories import StoryIds
from bot.parse.blocks import block_hash
from bot.parse.entry_keys import keys_of, with_keys
from bot.text import clean
from bot.text.fold import fold, words
from bot.text.url import canonical, display_link, safe_link

HOUR = timedelta(hours=1)
FEW = settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def entry(
    name: str,
    *,
    title: str | None = None,
    link: str | None = None,
    at: datetime | None = None,
    summary: str = "",
) -> ParsedEntry:
    """A parsed entry with the block hash that its words give it."""
    title = f"Story of {name}" if title is None else title
    link = f"https://zoo.example/{name}" if link is None else link
    block = block_hash(repr((name, title, link, at, summary)).encode())
    return with_keys(
        ParsedEntry(
            block=block,
            guid=name,
            link=link,
            title=title,
            summary=summary,
            published=at,
            updated=None,
        )
    )


@dataclass
class Feed:
    """A feed between polls: its state, and the entries it brought, as the store would have them."""

    state: FeedState = field(default_factory=lambda: FeedState(NOON))
    now: datetime = NOON
    entries: dict[int, KnownEntry] = field(default_factory=dict)
    url: str = "https://zoo.example/feed.xml"

    def shows(
        self, *parsed: ParsedEntry, after: timedelta = HOUR, whole: bool = False, **more: Any
    ) -> Identified:
        """Poll a document with these entries; with `whole` none is recognised by its block."""
        self.now += after
        due = FeedDue(1, self.url, "Zoo", "Zoo", (), None, self.state)
        known = frozenset() if whole else Document.unpack(self.state.document).blocks
        blocks = () if whole else tuple(item.block for item in parsed)
        changed = tuple(item for item in parsed if item.block not in known)
        document = ParsedDocument(changed, blocks, **more)
        lookup = lookup_for(due, document)
        searched = {
            value
            for keys in lookup.keys
            for value in (keys.guid, keys.link, keys.title, keys.article)
        } - {b""}
        own = tuple(
            item
            for number, item in sorted(self.entries.items())
            if number in lookup.entry_ids
            or searched & {item.keys.guid, item.keys.link, item.keys.title, item.keys.article}
        )
        result = identify(due, document, KnownEntries(own, len(self.entries) + 1), self.now)
        for new in result.new:
            self.entries[new.id] = KnownEntry(
                new.id,
                1,
                StoryIds(new.id, new.id, new.id),
                new.keys,
                new.title,
                new.summary,
                new.published,
                new.updated,
                new.first_seen_at,
            )
        for item in result.revisions:
            self.entries[item.known.id] = replace(
                item.known,
                keys=item.keys,
                title=item.title,
                summary=item.summary,
                updated=item.updated,
            )
        self.state = replace(result.state, last_ok_at=self.now)
        return result


def loud(result: Identified) -> list[str]:
    return [item.guid for item in result.new if not item.silent]


# Properties.

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
STORIES = st.lists(
    st.tuples(NAMES, st.sampled_from(["", "x", "y"])),
    min_size=1,
    max_size=12,
    unique_by=lambda item: item[0],
)


def stories(drawn: list[tuple[str, str]]) -> list[ParsedEntry]:
    return [
        entry(name, title=name, summary=summary, at=NOON - timedelta(days=3, minutes=n))
        for n, (name, summary) in enumerate(drawn)
    ]


@FEW
@given(STORIES, STORIES, st.randoms(), st.booleans())
def test_the_order_of_a_document_changes_nothing_about_what_is_new(
    first: list[tuple[str, str]], second: list[tuple[str, str]], chance: object, whole: bool
) -> None:
    before, then = stories(first), stories(second)
    mixed_before, mixed_then = list(before), list(then)
    chance.shuffle(mixed_before)  # type: ignore[attr-defined]
    chance.shuffle(mixed_then)  # type: ignore[attr-defined]
    item, other = Feed(), Feed()
    assert {new.guid for new in item.shows(*before, whole=whole).new} == {
        new.guid for new in other.shows(*mixed_before, whole=whole).new
    }
    assert {new.guid for new in item.shows(*then, whole=whole).new} == {
        new.guid for new in other.shows(*mixed_then, whole=whole).new
    }


@FEW
@given(st.lists(STORIES, min_size=1, max_size=4), st.booleans())
def test_the_same_document_again_brings_nothing(
    documents: list[list[tuple[str, str]]], whole: bool
) -> None:
    feed = Feed()
    for drawn in documents:
        feed.shows(*stories(drawn), whole=whole)
        again = feed.shows(*stories(drawn), whole=whole)
        assert (again.new, again.revisions, again.absent, again.returned) == ((), (), (), ())
        again = feed.shows(*stories(drawn), whole=not whole)
        assert (again.new, again.revisions) == ((), ())


@FEW
@given(STORIES, st.data(), st.booleans())
def test_an_entry_known_by_its_guid_is_never_new_whatever_else_changes(
    drawn: list[tuple[str, str]], data: st.DataObject, whole: bool
) -> None:
    feed = Feed()
    known = stories(drawn)
    feed.shows(*known, whole=whole)
    changed = [
        entry(
            item.guid,
            title=data.draw(
                st.sampled_from([item.title, f"{item.title}, again", f"Other {item.guid}"])
            ),
            link=data.draw(
                st.sampled_from([item.link, f"https://zoo.example/moved/{item.guid}", ""])
            ),
            summary=data.draw(st.sampled_from([item.summary, "changed"])),
            at=data.draw(st.sampled_from([item.published, None, NOON + HOUR])),
        )
        for item in known
    ]
    assert feed.shows(*changed, whole=whole).new == ()


@FEW
@given(STORIES, STORIES)
def test_every_entry_that_was_never_there_is_new_exactly_once(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    feed = Feed()
    feed.shows(*stories(first))
    result = feed.shows(*stories(second))
    known = {name for name, _ in first}
    assert sorted(new.guid for new in result.new) == sorted(
        name for name, _ in second if name not in known
    )


@given(
    st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 2**63 - 1)), max_size=30)
)
def test_a_document_survives_packing(records: list[tuple[bytes, int]]) -> None:
    assert Document.unpack(Document(tuple(records)).pack()) == Document(tuple(records))


def test_a_record_without_block_survives_packing_as_an_entry() -> None:
    document = Document.unpack(Document(((b"", 7), (b"b" * 16, 0))).pack())
    assert document.entries == {7}
    assert document.blocks == {b"b" * 16}


LINKS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "HTTP://", "//", "ftp://", ""]),
    st.sampled_from(
        [
            "zoo.example",
            "www.Zoo.example:443",
            "www.www.zoo.example..",
            "zoo .example",
            "zoo.example.:8080",
            "зоо.example",
            "[::1]",
            "user@zoo.example",
        ]
    ),
    st.text("/ab%2Fé ?#.;=-_~\\", max_size=12),
    st.sampled_from(
        ["", "?a=1&utm_source=x", "?b=%20+&a", "?id=7&ref=x&ref=y", "?=&&", "?q=%C3%A9&q=é"]
    ),
    st.sampled_from(["", "#", "#top", "#!/story/1", "#/x/", "#xtor=RSS"]),
)


@given(LINKS | st.text(max_size=40))
def test_the_canonical_form_of_a_link_is_its_own(link: str) -> None:
    once = canonical(link)
    assert canonical(once) == once


@given(LINKS)
def test_what_is_shown_of_a_link_is_the_same_page(link: str) -> None:
    safe = safe_link(link)
    assert canonical(display_link(safe)) == canonical(safe)
    assert display_link(display_link(safe)) == display_link(safe)


@given(st.text(max_size=40))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_words_stand_where_they_say(text: str) -> None:
    at = 0
    for word in words(text):
        assert at <= word.start < word.end <= len(text)
        at = word.end


PLAIN = st.text(st.characters(exclude_characters="<>&", exclude_categories=["Cs"]), max_size=400)


@given(PLAIN)
def test_cleaning_a_clean_title_changes_nothing(text: str) -> None:
    once = clean.title(text)
    assert clean.title(once) == once
    assert len(once) <= clean.TITLE_LENGTH


@given(st.text(max_size=300))
def test_a_cleaned_text_holds_no_control_or_direction_characters(text: str) -> None:
    cleaned = clean.plain(text)
    assert not set(cleaned) & set(
        map(
            chr,
            [
                *range(0x20),
                0x7F,
                *range(0x80, 0xA0),
                0x200B,
                *range(0x202A, 0x202F),
                *range(0x2066, 0x206A),
            ],
        )
    )
    assert cleaned == cleaned.strip()


# Keys.


@pytest.mark.parametrize(
    ("item", "other"),
    [
        ("https://zoo.example/a", "http://www.zoo.example/a/"),
        ("https://zoo.example/a?utm_source=x&b=1", "https://zoo.example/a?b=1"),
        ("https://zoo.example/a?x=1&y=2", "https://zoo.example/a?y=2&x=1#comments"),
        ("https://zoo.example//a//b", "https://zoo.example:443/a/b"),
        ("https://zoo.example/%7Ea", "https://ZOO.example/~a"),
        ("//zoo.example/a", "https://zoo.example/a"),
        ("https://zoo.example/café", "https://zoo.example/caf%C3%A9"),
    ],
)
def test_two_spellings_of_one_link_have_one_key(item: str, other: str) -> None:
    assert canonical(item) == canonical(other) != ""


@pytest.mark.parametrize(
    ("item", "other"),
    [
        ("https://zoo.example/a", "https://zoo.example/b"),
        ("https://zoo.example/a?id=1", "https://zoo.example/a?id=2"),
        ("https://zoo.example/#!/a", "https://zoo.example/#!/b"),
        ("https://zoo.example:8080/a", "https://zoo.example/a"),
        ("https://zoo.example/a%2Fb?x=%26", "https://zoo.example/a%2Fb?x="),
        ("https://zoo.example/A", "https://zoo.example/a"),
    ],
)
def test_two_links_have_two_keys(item: str, other: str) -> None:
    assert canonical(item) != canonical(other)


def test_a_date_is_part_of_no_key() -> None:
    item = keys_of(ParsedEntry(b"", "", "", "Harbour", "Words", published=NOON))
    assert item == keys_of(ParsedEntry(b"", "", "", "Harbour", "Words", published=None))


# The flood guard.


def day(count: int, *, first: datetime, step: timedelta, prefix: str) -> list[ParsedEntry]:
    return [entry(f"{prefix}{n}", at=first + n * step) for n in range(count)]


def test_what_a_laptop_missed_in_twelve_hours_is_alerted_entry_by_entry() -> None:
    """40 entries a day; 12 hours asleep after a week of hourly polls bring 40 new entries."""
    feed = Feed()
    step = timedelta(minutes=36)
    parsed = day(40, first=NOON - timedelta(days=1), step=step, prefix="a")
    feed.shows(*parsed, after=timedelta(0))
    missed = day(40, first=NOON + timedelta(minutes=1), step=timedelta(minutes=18), prefix="b")
    result = feed.shows(*missed, after=timedelta(hours=12))
    assert result.flood == 0
    assert len(loud(result)) == 40


def test_up_to_thirty_entries_newer_than_all_known_ones_are_alerted_in_a_quiet_feed() -> None:
    feed = Feed()
    feed.shows(*day(10, first=NOON - timedelta(days=100), step=timedelta(days=9), prefix="a"))
    result = feed.shows(*day(30, first=NOON, step=timedelta(seconds=1), prefix="b"))
    assert (len(loud(result)), result.flood) == (30, 0)


def test_a_renumbered_archive_of_200_sends_no_alert_and_ordinary_entries_do_after_it() -> None:
    feed = Feed()
    feed.shows(*day(200, first=NOON - timedelta(days=400), step=timedelta(days=1), prefix="a"))
    archive = [
        entry(f"b{n}", title=f"Renamed {n}", at=NOON - timedelta(days=400 - n)) for n in range(200)
    ]
    result = feed.shows(*archive)
    assert (loud(result), result.flood, len(result.new)) == ([], 200, 200)
    assert loud(feed.shows(entry("c", at=feed.now), *archive)) == ["c"]


def test_a_flood_dated_now_is_a_flood_all_the_same() -> None:
    feed = Feed()
    feed.shows(*day(20, first=NOON - timedelta(days=40), step=timedelta(days=1), prefix="a"))
    result = feed.shows(*(entry(f"b{n}", title=f"Renamed {n}", at=NOON + HOUR) for n in range(200)))
    assert (loud(result), result.flood) == ([], 200)
    assert all(new.published and new.published > feed.now - RECENT for new in result.new)


def test_ten_new_entries_of_any_date_are_never_a_flood() -> None:
    feed = Feed()
    feed.shows(entry("a", at=NOON))
    result = feed.shows(
        *(entry(f"b{n}", at=[None, datetime(2010, 1, 1, tzinfo=UTC)][n % 2]) for n in range(10))
    )
    assert len(loud(result)) == 10


def test_a_first_fetch_is_silent_whatever_it_holds() -> None:
    result = Feed().shows(*day(300, first=NOON, step=timedelta(seconds=1), prefix="a"))
    assert {new.silent for new in result.new} == {"baseline"}
    assert result.flood == 0


# Policies.


def test_google_news_is_known_by_headline_from_the_first_fetch() -> None:
    feed = Feed(url="https://news.google.com/rss/search?q=harbour")
    feed.shows(entry("x1", title="Harbour - Post", link="https://news.google.com/rss/articles/x1"))
    assert feed.state.policy is Policy.TITLE
    assert (
        feed.shows(
            entry("x2", title="Harbour - Post", link="https://news.google.com/rss/articles/x2")
        ).new
        == ()
    )


def test_guids_that_count_places_do_not_hide_what_moves_through_them() -> None:
    """Item 1 is always the newest: every guid stands on another article than at the poll before."""
    feed = Feed()

    def document(*names: str) -> list[ParsedEntry]:
        return [
            entry(str(place), title=f"Harbour {name}", link=f"https://zoo.example/{name}")
            for place, name in enumerate(names)
        ]

    feed.shows(*document("c", "b", "a"))
    assert [new.title for new in feed.shows(*document("d", "c", "b")).new] == ["Harbour d"]
    assert [new.title for new in feed.shows(*document("e", "d", "c")).new] == ["Harbour e"]
    assert feed.state.policy is Policy.GUID_LINK


def test_entries_that_leave_and_return_are_stored_as_such() -> None:
    feed = Feed()
    a, b, c = entry("a"), entry("b"), entry("c")
    feed.shows(a, b, c)
    left = feed.shows(a)
    assert {feed.entries[item].title for item in left.absent} == {"Story of b", "Story of c"}
    back = feed.shows(a, c)
    assert [feed.entries[item].title for item in back.returned] == ["Story of c"]
    assert back.new == ()


def test_an_edit_is_a_revision_and_the_known_words_go_along() -> None:
    feed = Feed()
    feed.shows(entry("a", summary="Before"))
    (revision,) = feed.shows(entry("a", title="Other headline", summary="After")).revisions
    assert (revision.known.title, revision.known.summary) == ("Story of a", "Before")
    assert (revision.title, revision.summary, revision.retitled) == (
        "Other headline",
        "After",
        True,
    )
    (revision,) = feed.shows(entry("a", title="OTHER headline!", summary="After")).revisions
    assert not revision.retitled
