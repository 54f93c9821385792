"""Which entries are new: rules and properties of identity, and of keys, links and folds."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from identity_harness import HOUR, Feed, entry
from sampling import examples
from support import NOON

from bot.feeds.last_document import Document
from bot.model.entries import ParsedEntry
from bot.model.feeds import Policy
from bot.parse.entry_keys import keys_of
from bot.text import clean
from bot.text.fold import fold, words
from bot.text.url import canonical, display_link, safe_link

FEW = settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


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


@pytest.mark.parametrize("policy", [Policy.GUID, Policy.LINK_TITLE])
def test_what_stands_beside_a_known_bulletin_with_another_date_and_text_is_new(
    policy: Policy,
) -> None:
    feed = Feed()
    page = "https://zoo.example/warnings"

    def bulletin(name: str, hours: int) -> ParsedEntry:
        at = NOON + hours * HOUR
        return entry(name, title="Frost warning", link=page, at=at, summary=f"Area of {name}")

    feed.shows(bulletin("tarvos", 1))
    feed.state = replace(feed.state, policy=policy)
    result = feed.shows(bulletin("lorne", 2), bulletin("tarvos", 1))
    assert [new.guid for new in result.new] == ["lorne"]
    assert feed.shows(bulletin("lorne", 2), bulletin("tarvos", 1), whole=True).new == ()


def test_two_known_bulletins_of_one_page_are_edited_each_for_itself() -> None:
    feed = Feed()
    page = "https://zoo.example/warnings"

    def bulletin(name: str, text: str) -> ParsedEntry:
        return entry(name, title="Frost warning", link=page, at=NOON, summary=text)

    feed.shows(bulletin("a", "Tarvos"), bulletin("b", "Lorne"))
    result = feed.shows(bulletin("a", "Tarvos and Oster"), bulletin("b", "Lorne"))
    assert (result.new, [item.summary for item in result.revisions]) == ((), ["Tarvos and Oster"])
    assert [item.known.summary for item in result.revisions] == ["Tarvos"]


BULLETINS = st.lists(
    st.tuples(st.sampled_from(["frost", "gusts", "ice"]), st.integers(1, 3)), min_size=1, max_size=8
)


@FEW
@given(BULLETINS, BULLETINS, st.booleans())
def test_under_one_link_and_headline_there_are_as_many_items_as_texts_with_dates(
    first: list[tuple[str, int]], second: list[tuple[str, int]], whole: bool
) -> None:
    """Each item that a document shows has a guid of its own."""

    def document(number: int, drawn: list[tuple[str, int]]) -> list[ParsedEntry]:
        page = "https://zoo.example/warnings"
        return [
            entry(f"{number}-{n}", title="Warning", link=page, at=NOON - hours * HOUR, summary=text)
            for n, (text, hours) in enumerate(drawn)
        ]

    feed = Feed()
    feed.shows(*document(1, first), whole=whole)
    result = feed.shows(*document(2, second), whole=whole)
    assert len(result.new) == len(set(second) - set(first))
    assert result.revisions == ()
    again = feed.shows(*document(2, second), whole=not whole)
    assert (again.new, again.revisions) == ((), ())
