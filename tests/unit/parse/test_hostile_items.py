"""One hostile item costs itself, not its feed; what comes out of a document is text."""

import json

import pytest
from support import NOON, item, rss

from bot.model.entries import ParsedDocument
from bot.parse.document import to_entry
from bot.parse.feedparser_reader import parse_xml_feed
from bot.parse.fields import EntryFields
from bot.parse.read import read_document
from bot.text.clean import TITLE_LENGTH, encodable, label, number, plain, title
from bot.text.url import canonical, safe_link

PSC = "http://podlove.org/simple-chapters"
MEDIA = "http://search.yahoo.com/mrss/"
SYNDICATION = "http://purl.org/rss/1.0/modules/syndication/"
UPDATES = (
    f"<updatePeriod xmlns='{SYNDICATION}'>hourly</updatePeriod>"
    f"<updateFrequency xmlns='{SYNDICATION}'>{'6' * 4301}</updateFrequency>"
)
GOOD = item("good", "Ferry leaves the harbour")


def parsed(body: str | bytes, content_type: str = "") -> ParsedDocument:
    data = body if isinstance(body, bytes) else body.encode()
    document = read_document(data, content_type, "https://a.example/feed", frozenset(), NOON)
    assert isinstance(document, ParsedDocument)
    return document


def titles(document: ParsedDocument) -> list[str]:
    return [entry.title for entry in document.entries]


@pytest.mark.parametrize(
    "extra",
    [
        "<title>Odd &#1114112; reference</title>",
        "<title>Odd &#55296; reference</title>",
        "<title>Odd &#xDFFF; reference</title>",
        f"<title>Odd &#{'9' * 5000}; reference</title>",
        f"<description>&amp;#{'7' * 5000};</description>",
        f"<psc:chapters xmlns:psc='{PSC}'><psc:chapter/></psc:chapters>",
        f"<media:content xmlns:media='{MEDIA}'><media:player/></media:content>",
        "<georss:point xmlns:georss='http://www.georss.org/georss'>1 x 1</georss:point>",
        "<georss:polygon xmlns:georss='http://www.georss.org/georss'>1</georss:polygon>",
        "<pubDate>Mon, 99 Foo 99999999999999999999 99:99:99 +9999999999</pubDate>",
        "<enclosure url='http://[a' length='1e999'/>",
        f"<itunes:duration>{'1' * 5000}</itunes:duration>",
        "<dc:date>0001-01-01T00:00:00+23:59</dc:date>",
        "<link>http://a\u2100b/</link>",
    ],
)
def test_a_hostile_element_leaves_the_other_items_readable(extra: str) -> None:
    hostile = f"<item><guid>hostile</guid>{extra}<title>Hostile</title></item>"
    document = parsed(rss(GOOD, hostile, item("after", "Harbour opens again")))
    assert {"Ferry leaves the harbour", "Harbour opens again"} <= set(titles(document))


@pytest.mark.parametrize(
    "head",
    [
        f"<ttl>{'6' * 4301}</ttl>",
        UPDATES,
        "<georss:where xmlns:georss='http://www.georss.org/georss'/>",
        "<media:player xmlns:media='http://search.yahoo.com/mrss/'/>",
        "<skipHours><hour>" + "9" * 4301 + "</hour></skipHours>",
        "<link>http://[a</link>",
        "<language>" + "x" * 100_000 + "</language>",
    ],
)
def test_a_hostile_head_leaves_the_items_readable(head: str) -> None:
    assert titles(parsed(rss(GOOD, head=head))) == ["Ferry leaves the harbour"]


@pytest.mark.parametrize(
    "hostile",
    [
        {"id": "h", "title": "T", "url": "http://[a"},
        {"id": "h", "title": "T", "url": "http://a\u2100b/"},
        {"id": "h", "title": "T", "external_url": "http://a\ud800b.example/"},
        {"id": "h", "title": "T\udfff", "url": "http://a.example/2#\ud800"},
        {"id": "h", "title": "T", "date_published": "0001-01-01T00:00:00+01:00"},
        {"id": "h", "title": "T", "date_modified": "9999-12-31T23:59:59-12:00"},
        {"id": 10**5000, "title": "T"},
        {"id": "h", "title": [[[["T"]]]], "authors": [{"name": {"a": "\ud800"}}]},
        {"id": "h", "title": "T", "attachments": [{"url": ["\ud800"]}]},
    ],
)
def test_a_hostile_item_of_a_json_feed_leaves_the_others_readable(hostile: object) -> None:
    good = {"id": "good", "title": "Ferry leaves the harbour", "url": "https://a.example/1"}
    shape = {"version": "https://jsonfeed.org/version/1.1", "items": [hostile, good]}
    shape |= {"home_page_url": "http://a.example/\ud800", "title": "\udfffA", "language": "\ud800"}
    digits = "1" + "0" * 5000
    has_long_id = hostile["id"] == 10**5000  # type: ignore[index]
    body = json.dumps(shape | {"items": [good]} if has_long_id else shape)
    if has_long_id:
        body = body.replace('[{"id"', f'[{{"id": {digits}, "title": "T"}}, {{"id"')
    document = parsed(body)
    assert "Ferry leaves the harbour" in titles(document)
    for entry in document.entries:
        for value in (entry.guid, entry.link, entry.title, entry.summary, entry.author):
            value.encode()
    (document.title + document.link + document.language).encode()


def test_half_a_pair_behind_an_escaped_backslash_is_no_surrogate() -> None:
    items = '[{"id": "1", "title": "a \\\\ud800 b \\ud83d\\ude80 \\ud800"}]'
    document = parsed('{"version": "https://jsonfeed.org/version/1.1", "items": ' + items + "}")
    assert titles(document) == ["a \\ud800 b 🚀 \ufffd"]


def test_an_item_that_breaks_the_parser_is_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = parse_xml_feed

    def fragile(text: bytes) -> object:
        if b"BREAK" in text:
            raise ZeroDivisionError
        return real(text)

    monkeypatch.setattr("bot.parse.extract.parse_xml_feed", fragile)
    monkeypatch.setattr("bot.parse.extract.read_plain", lambda _: None)
    items = [item(f"{n}", f"Item {n}" if n not in {3, 11} else "BREAK") for n in range(20)]
    document = parsed(rss(*items))
    assert len(document.entries) == 18
    assert document.faulty == 2
    assert len(document.blocks) == 20
    assert document.title == "Invented Wire"


def test_an_entry_whose_conversion_fails_is_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = to_entry

    def fragile(fields: EntryFields, *arguments: object) -> object:
        if fields.title == "BREAK":
            raise RecursionError
        return real(fields, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("bot.parse.read.to_entry", fragile)
    document = parsed(rss(GOOD, item("bad", "BREAK")))
    assert titles(document) == ["Ferry leaves the harbour"]
    assert document.faulty == 1


def test_runs_of_marks_take_linear_time() -> None:
    # Quadratic work on a million marks would take an hour.
    assert len(title("a" + "\u0301" * 1_000_000)) <= TITLE_LENGTH
    plain("a" + "\u0316\u0301" * 500_000)


@pytest.mark.parametrize("sign", ["\u061c", "\u2063", "\u00ad", "\u200d", "\u202e", "\u3164"])
def test_invisible_signs_leave_titles_and_are_escaped_in_links(sign: str) -> None:
    assert plain(f"Har{sign}bour") == "Harbour"
    assert sign not in safe_link(f"https://a.example/{sign}x") or sign == "\u3164"


def test_halves_of_surrogate_pairs_leave_links_and_keys() -> None:
    assert safe_link("https://a\ud800.example/") == ""
    safe_link("https://a.example/\udc80#\ud800").encode()
    canonical("https://a.example/\ud800?a=\ud800#!/\ud800").encode()
    assert encodable("a\ud800b") == "a\ufffdb"


def test_numbers_have_bounds() -> None:
    assert number("17", 100) == 17
    assert number(17, 100) == 17
    for value in ("101", "-1", "1e5", "9" * 5000, None, True, 1.5, ""):
        assert number(value, 100) is None


def test_labels_are_one_clean_line() -> None:
    assert label("a\x1b[31m\n\ud800\u202eb" + "c" * 99, 10) == "a [31m bc…"


@pytest.mark.parametrize(
    "written", ["Har<wbr>bour", "Har&shy;bour", "Har\u00adbour", "Har<wbr/>bour"]
)
def test_a_place_where_a_word_may_be_broken_parts_no_word(written: str) -> None:
    assert title(written) == "Harbour"
