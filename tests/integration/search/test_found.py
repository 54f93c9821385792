"""What people paste when they ask for an article finds it, and no other."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from archive_harness import HOUR, ArchiveHarness
from support import NOON

from bot.model.entries import Article
from bot.search.asked import is_same_page, names_site, read, variants
from bot.search.found import HITS, MOST, find, first_with_link, more_found
from bot.text.url import canonical

LINK = "https://www.wire.example/news/harbour-closed-after-night-storm-4711"
TITLE = "Harbour closed after night storm, ferries stay in port"
PATH = LINK.partition("www.wire.example")[2]
ESCAPED = quote(LINK, safe="")
#: a number that stays while the slug changes; parameters that name the article
NUMBERED = "https://www.wire.example/world/ferry-strike-ends-68123456"
QUERIED = "https://www.wire.example/story.php?id=17&from=feed"
CODED = "https://www.wire.example/articles/c4ng4x7yq2po?channel=feed"
OTHERS = {
    # the same path at another host, and at a part of the site that is no other form of it
    f"https://www.post.example{PATH}": "Harbour closed after the night storm: the pictures",
    f"https://boats.wire.example{PATH}": "Boats lost in the night storm at the harbour",
    # the same slug with another number, more of it, less of it, another place
    "https://www.wire.example/news/harbour-closed-after-night-storm-4712": "Harbour shut again",
    "https://www.wire.example/news/harbour-closed-after-night-storm": "Harbour shut for a week",
    "https://www.wire.example/news/harbour-closed-after-night-storm-47110": "Harbour shut twice",
    "https://www.wire.example/sport/harbour-closed-after-night-storm-4711": "Regatta put off",
    "https://www.wire.example/world/ferry-strike-begins-68123457": "Ferry strike begins",
    "https://www.wire.example/video/drone-films-lighthouse-68123456": "A drone over the lighthouse",
    "https://www.wire.example/story.php?id=18&from=feed": "Mill opens",
    "https://www.wire.example/articles/c4ng4x7yq2pO?channel=feed": "Market grows",
    "https://www.wire.example/": "Harbour Wire",
    "https://www.wire.example/live/20260301-tram-line-opens": "Tram line opens",
    "https://www.wire.example/live/petition-signed-by-250000": "Petition grows",
    "https://www.wire.example/live/bees-of-town-number-1000000": "Bees in town",
    # the same words in another order, in a text, and as the beginning of another headline
    "https://www.wire.example/a/1": "Night storm closed harbour, port says ferries stay after all",
    "https://www.wire.example/a/2": "Ferries stay",
    "https://www.wire.example/a/3": "Harbour closed",
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    harness = ArchiveHarness(tmp_path_factory.mktemp("found"))
    for link, title in OTHERS.items():
        harness.put(Article(title, f"Of {TITLE}.", "en", link=link))
    for link, title in (
        (LINK, TITLE),
        (NUMBERED, "Ferry strike ends"),
        (QUERIED, "Bridge opens"),
        (CODED, "Tram runs again"),
    ):
        harness.put(Article(title, language="en", link=link))
    harness.fill()
    yield harness
    harness.end()


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    made = ArchiveHarness(tmp_path)
    yield made
    made.end()


def titles(harness: ArchiveHarness, text: str) -> list[str]:
    return [entry.title for entry in find(text, harness.archive).entries]


PASTED = {
    "as it is": LINK,
    "http": LINK.replace("https", "http"),
    "a slash behind it": f"{LINK}/",
    "a fragment": f"{LINK}#comments",
    "a text fragment": f"{LINK}#:~:text=ferries%20stay",
    "tracking": f"{LINK}?utm_source=app&utm_medium=share&fbclid=x1",
    "sharing": f"{LINK}?share=whatsapp&sharetype=link&s=08",
    "a parameter that nobody knows": f"{LINK}?xyz=1",
    "escaped ampersands": f"{LINK}?utm_source=app&amp;xyz=1",
    "capital host": LINK.replace("https://www.wire.example", "HTTPS://WWW.Wire.Example"),
    "capitals throughout": LINK.upper(),
    "without www": LINK.replace("www.", ""),
    "m.": LINK.replace("www.", "m."),
    "mobile.": LINK.replace("www.", "mobile."),
    "amp.": LINK.replace("www.", "amp."),
    "/amp/ before": LINK.replace("/news", "/amp/news"),
    "/amp/ within": LINK.replace("/news/", "/news/amp/"),
    "/amp behind": f"{LINK}/amp",
    "/amp/ behind": f"{LINK}/amp/?__twitter_impression=true",
    ".amp": f"{LINK}.amp",
    ".amp.html": f"{LINK}.amp.html",
    "?amp": f"{LINK}?amp",
    "?outputType=amp": f"{LINK}?outputType=amp",
    "Google's AMP viewer": f"https://www.google.com/amp/s/www.wire.example{PATH}",
    "an AMP cache": f"https://www-wire-example.cdn.ampproject.org/c/s/www.wire.example{PATH}"
    "?amp_js_v=0.1&usqp=mq331A",
    "Bing's AMP viewer": f"https://www-wire-example.bing-amp.com/c/s/www.wire.example{PATH}",
    "a turbo page": f"https://wire.turbopages.org/wire.example/s{PATH}",
    "Facebook's redirector": f"https://l.facebook.com/l.php?u={ESCAPED}&h=AT0",
    "Google's redirector": f"https://www.google.com/url?sa=t&url={ESCAPED}&usg=AOv",
    "Google's redirector, q": f"https://www.google.com/url?q={ESCAPED}&sa=D",
    "Outlook's safe link": "https://eur01.safelinks.protection.outlook.com/"
    f"?url={ESCAPED}&data=05%7C02&reserved=0",
    "a redirector in a redirector": "https://eur01.safelinks.protection.outlook.com/?url="
    + quote(f"https://l.facebook.com/l.php?u={ESCAPED}&h=A", safe=""),
    "Proofpoint 2": "https://urldefense.proofpoint.com/v2/url?u="
    + LINK.replace("-", "-2D").replace(":", "-3A").replace("/", "_")
    + "&d=DwMF",
    "Proofpoint 3": f"https://urldefense.com/v3/__{LINK}__;!!Ab$",
    "a mailing's redirector": f"https://click.mail.example/f/a/Zk81hGq27~~/go?redirect={ESCAPED}",
    "a redirector with the address for its query": f"https://href.example/?{LINK}",
    "Bing's redirector": "https://www.bing.com/ck/a?p=1&u=a1"
    + urlsafe_b64encode(LINK.encode()).decode().rstrip("=")
    + "&ntb=1",
    "a share link": f"https://wa.me/?text=Look%20{ESCAPED}",
    "a preview in a messenger": f"https://t.me/iv?url={ESCAPED}&rhash=5f",
    "an archive of pages": f"https://web.archive.org/web/20260301120000/{LINK}",
    "a translated page": f"https://www-wire-example.translate.goog{PATH}?_x_tr_sl=en&_x_tr_tl=de",
    "escaped": ESCAPED,
    "no scheme": LINK.removeprefix("https://"),
    "no scheme, no www": LINK.removeprefix("https://www."),
    "no scheme and no protocol": LINK.removeprefix("https:"),
    "in brackets": f"({LINK})",
    "in angle brackets": f"<{LINK}>",
    "in quotes": f"“{LINK}”",
    "in Markdown": f"[Harbour]({LINK})",
    "a full stop behind it": f"{LINK}.",
    "a question": f"why did I get {LINK}?",
    "no scheme in a text": f"and what of www.wire.example{PATH}, please",
    "shared by a telephone": f"{TITLE} {LINK}?utm_source=app",
    "two lines": f"Harbour closed\n{LINK}",
    "an unknown address and the headline": f"{TITLE} https://short.example/x7",
    "the headline": TITLE,
    "the headline in quotes": f"“{TITLE}”",
    "the headline with a question mark": f"{TITLE}?",
    "the headline in capitals": TITLE.upper(),
    "the headline without punctuation": TITLE.replace(",", ""),
    "a link preview": f"{TITLE} | Harbour Wire",
    "a link preview with a dash": f"{TITLE} - Harbour Wire",
    "a link preview with a section": f"{TITLE} | World | Harbour Wire",
    "a link preview with the host": f"{TITLE} – wire.example",
    "the site before the headline": f"Harbour Wire: x | {TITLE}".replace(": x", ""),
    "via": f"{TITLE} via @HarbourWire",
    "the headline among words": f"have you seen “{TITLE}”",
    "a beginning of the headline": "Harbour closed after night storm",
    "an end of the headline": "night storm, ferries stay in port",
    "cut off within a word": "Harbour closed after night storm, ferr…",
    "cut off with dots": "Harbour closed after night storm, ferries st...",
    "a part and the site": "Harbour closed after night storm | Harbour Wire",
}


@pytest.mark.parametrize("way", PASTED)
def test_an_article_is_found_however_it_is_pasted(stored: ArchiveHarness, way: str) -> None:
    assert titles(stored, PASTED[way]) == [TITLE]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("https://m.wire.example/world/strike-of-ferries-over-68123456", "Ferry strike ends"),
        ("https://www.wire.example/uk/ferry-strike-ends-68123456", "Ferry strike ends"),
        ("https://www.wire.example/story.php?id=17", "Bridge opens"),
        ("https://m.wire.example/story.php?from=feed&share=1&id=17", "Bridge opens"),
        ("https://www.wire.example/articles/c4ng4x7yq2po?at=share", "Tram runs again"),
        *((link, title) for link, title in OTHERS.items()),
        *((title, title) for title in OTHERS.values()),
    ],
)
def test_every_article_is_found_by_its_own_address(
    stored: ArchiveHarness, text: str, title: str
) -> None:
    assert titles(stored, text) == [title]


@pytest.mark.parametrize(
    "text",
    [
        f"https://www.other.example{PATH}",
        f"https://ships.wire.example{PATH}",
        f"https://www.google.com/amp/s/www.other.example{PATH}",
        "https://www.wire.example/news/harbour-closed-after-night-storm-4713",
        "https://m.wire.example/culture/harbour-closed-after-night-storm-4711",
        "https://www.wire.example/news/harbour-closed",
        "https://www.wire.example/video/harbour-from-above-68123457",
        "https://www.wire.example/story.php?id=19",
        "https://www.wire.example/story.php",
        "https://www.wire.example/articles/c4ng4x7yq2pp",
        # a date and a number that the article speaks of are no number of an article
        "https://www.wire.example/live/20260301-mayor-resigns",
        "https://www.wire.example/live/prize-of-250000",
        "https://www.wire.example/live/lottery-winner-takes-1000000",
        # an article of its own, whose parameter only tells where its reader came from
        f"https://other.example/sport/regatta-was-put-off-today?ref={ESCAPED}",
        f"https://other.example/sport/regatta-was-put-off-today?back={ESCAPED}",
        "https://t.co/AbCd",
        "Harbour closed after night storm kills four",
        "Night storm: harbour closed",
        "Harbour closed | Mayor resigns",
        "Harbour closed - Morning Post",
        "Harbour closed after night storm | Morning Post",
        "ferries stay in harbour",
        "Harbour closed after night storm, fish…",
        "Harbour closed after night storm, fer …",
        "night storm",
        "the",
        "“”",
        "https://",
        "",
    ],
)
def test_nothing_else_is_found(stored: ArchiveHarness, text: str) -> None:
    assert titles(stored, text) == []


def test_what_the_index_does_not_know_yet_is_found(harness: ArchiveHarness) -> None:
    harness.put(Article("Tram line reopens in the old town", link=f"{LINK}?feed=1&x=2"))

    assert titles(harness, "line reopens in the old") == ["Tram line reopens in the old town"]
    assert titles(harness, f"{LINK}/amp") == ["Tram line reopens in the old town"]
    harness.fill()
    assert titles(harness, "line reopens in the old") == ["Tram line reopens in the old town"]


def test_what_is_no_longer_among_the_newest_is_found(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.search.found.NEWEST", 1)
    harness.put(Article(TITLE, link=f"{LINK}?feed=1"), Article("Mill"))
    harness.fill()

    assert titles(harness, "closed after night storm") == [TITLE]
    assert titles(harness, LINK) == [TITLE]


def add_private(harness: ArchiveHarness, chat: int) -> None:
    """Let the second feed be one that a chat alone has added."""
    harness.rows("update feeds set private = 1 where id = 2")
    harness.rows(
        "insert into feed_chats (feed_id, chat_id, user_id, at) values (2, ?, 1, '')", chat
    )


def test_a_private_feed_is_found_by_the_chat_that_added_it_alone(harness: ArchiveHarness) -> None:
    add_private(harness, 1)
    numbered = "https://post.example/a/quiet-day-68123499"
    harness.put(Article("A very quiet day in town", link=numbered), feed=2)
    for known in (False, True):
        if known:
            harness.fill()
        for text in (
            numbered,
            f"{numbered}/amp",
            "https://post.example/a/calm-day-68123499",
            "https://post.example/a/quiet-day-68123499?x=1",
            "A very quiet day in town",
            "very quiet day in",
            "A very quiet day in town | Morning Post",
        ):
            assert find(text, harness.archive.of_chat(1, 60)).entries
            assert not find(text, harness.archive.of_chat(2, 60)).entries
    entry = find(numbered, harness.archive).entry_id
    assert first_with_link(entry, harness.archive.of_chat(1, 60))
    assert first_with_link(entry, harness.archive.of_chat(2, 60)) is None


def test_a_hidden_article_does_not_take_the_place_of_one_that_may_be_read(
    harness: ArchiveHarness,
) -> None:
    add_private(harness, 1)
    harness.put(Article(TITLE, link=LINK), feed=2)
    [public] = harness.put(Article(TITLE, link=LINK), at=NOON + HOUR)

    found = find(LINK, harness.archive.of_chat(2, 60))
    assert [entry.id for entry in found.entries] == [public]
    first = first_with_link(public, harness.archive.of_chat(2, 60))
    assert first is not None
    assert first.id == public


def test_of_several_the_first_is_meant_unless_another_alerted_the_chat(
    harness: ArchiveHarness,
) -> None:
    [first] = harness.put(Article(TITLE, link=LINK), story=1)
    [second] = harness.put(Article(TITLE, link=LINK), feed=2, story=1, at=NOON + HOUR)
    harness.rows(
        "insert into alerts (chat_id, story_id, entry_id, first_title, created_at) "
        "values (1, 1, ?, '', ?)",
        second,
        NOON.isoformat(),
    )
    for text in (LINK, TITLE, "closed after night storm"):
        assert find(text, harness.archive).entry_id == first
        assert find(text, harness.archive.of_chat(1, 60)).entry_id == second
        assert find(text, harness.archive.of_chat(2, 60)).entry_id == first
    earliest = first_with_link(second, harness.archive)
    assert earliest is not None
    assert earliest.id == first


def test_how_many_more_were_found_is_said(harness: ArchiveHarness) -> None:
    harness.put(*(Article(TITLE, link=LINK) for _ in range(3)))
    harness.put(*(f"Weather for the coast on day {number}" for number in range(HITS + 1)))
    harness.put(*("Weather for the hills today" for _ in range(MOST + 1)))
    harness.fill()

    def more(text: str) -> str:
        return more_found(find(text, harness.archive))

    assert more(LINK) == "2 more articles have this address."
    assert more(TITLE) == "2 more articles have this headline."
    assert more("closed after night storm") == (
        "2 more articles have these words in their headlines."
    )
    assert more("Weather for the coast on day 7") == ""
    many = "More articles were found. For another one, send its address or its whole headline."
    assert more("Weather for the coast") == many
    assert more("Weather for the hills today") == many


def test_the_longest_message_is_read_in_bounded_steps() -> None:
    """Each address leads to few others, however often addresses are wrapped in it."""
    for text in (
        "https://a.example/https://" * 200,
        "https://a.example/?u=" * 250,
        "https://a.example/?" + "u=http%3A//b.example/&" * 200,
        f"{LINK} " * 60,
        " | ".join(["a b"] * 900),
        "“a b c d” " * 400,
    ):
        asked = read(text)
        assert len(asked.links) <= 8
        assert len(asked.headlines) <= 12
        assert sum(len(variants(link)) for link in asked.links) < 500


@pytest.mark.parametrize("link", [LINK, NUMBERED, QUERIED, CODED, *OTHERS])
def test_an_address_is_its_own_first_form(link: str) -> None:
    assert variants(link)[0] == canonical(link)
    assert is_same_page(link, link) is (link != "https://www.wire.example/")


def test_an_address_in_another_alphabet_is_one_with_its_ascii_form() -> None:
    assert canonical("https://xn--e1afmkfd.xn--p1ai/a") in variants("https://пример.рф/a")
    assert canonical("https://пример.рф/a") in variants("https://xn--e1afmkfd.xn--p1ai/a")


def test_a_site_is_named_by_its_name_its_host_or_a_part_of_either() -> None:
    names = ("World - The Harbour Wire", "wire.example", "", "https://www.wire.example/a")
    for rest in ("Harbour Wire", "The Harbour Wire", "wire.example", "Wire News", "World | Wire"):
        assert names_site(rest, *names)
    for rest in ("Mayor resigns", "Morning Post", "News", "Tripwire found", "on"):
        assert not names_site(rest, *names)
