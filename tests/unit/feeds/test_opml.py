"""Lists of feeds in OPML: as people export them, broken, hostile, and as written for others."""

import re
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from support import NOON

from bot.config.schema import FeedShape, Tag
from bot.feeds.opml import (
    MAX_FEEDS,
    MAX_OUTLINES,
    MAX_SIZE,
    MAX_TAGS,
    FeedList,
    ListedFeed,
    _tag,
    read,
    write,
)
from bot.parse.repair import fault
from bot.text.clean import cut, to_text

A, B, C = "https://a.example/feed", "https://b.example/rss.xml", "https://c.example/atom"


def opml(body: str, before: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> str:
    return f'{before}<opml version="2.0"><head><title>Mine</title></head><body>{body}</body></opml>'


def feed(url: str, name: str = "Wire", more: str = "") -> str:
    return f'<outline type="rss" text="{name}" xmlUrl="{url}"{more}/>'


def folder(name: str, *inside: str) -> str:
    return f'<outline text="{name}">{"".join(inside)}</outline>'


def urls(document: str | bytes) -> list[str]:
    return [
        item.url
        for item in read(document.encode() if isinstance(document, str) else document).feeds
    ]


# As exported


def test_a_well_formed_list_gives_its_feeds_with_names_and_folders_in_order() -> None:
    document = opml(
        feed(A, "Harbour &amp; Sea")
        + folder("World News", folder("Asia", feed(B, "Strait")), feed(C, ""))
    )

    assert read(document.encode()) == FeedList(
        (
            ListedFeed(A, "Harbour & Sea", ()),
            ListedFeed(B, "Strait", ("world-news", "asia")),
            ListedFeed(C, "", ("world-news",)),
        ),
        repaired=False,
        skipped=(),
    )


def test_an_address_in_several_folders_comes_once_with_the_tags_of_all() -> None:
    result = read(
        opml(
            folder("World", feed(A, "Wire"))
            + folder("Asia", feed(A, "Later name", ' category="/Ports/Ships,world"'))
        ).encode()
    )

    assert result.feeds == (ListedFeed(A, "Wire", ("world", "asia", "ports", "ships")),)


def test_a_name_comes_from_text_then_title_and_an_address_is_no_name() -> None:
    document = opml(
        f'<outline text="Text" title="Title" xmlUrl="{A}"/><outline text=" " title="Title" '
        f'xmlUrl="{B}"/><outline text="{C}" xmlUrl="{C}"/>'
    )

    assert [item.name for item in read(document.encode()).feeds] == ["Text", "Title", ""]


def test_names_are_clean_and_no_longer_than_feeds_yaml_allows() -> None:
    (item,) = read(
        opml(
            feed(A, "&lt;b&gt;Harbour&lt;/b&gt;&#10; \u202eWire &amp;amp; Sea " + "x" * 200)
        ).encode()
    ).feeds

    assert item.name.startswith("Harbour Wire & Sea x")
    FeedShape(url=item.url, name=item.name)


@pytest.mark.parametrize(
    ("reply", "tag"),
    [
        ("World News", "world-news"),
        ("Business &amp; Economy", "business-economy"),
        ("Women's", "womens"),
        ("📰 Harbour / Sea!", "harbour-sea"),
        ("समाचार", "समाचार"),
        ("ÖPNV", "öpnv"),
        ("node.js_2", "node.js_2"),
        ("½ price", "price"),
        ("...", ""),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_a_folder_becomes_a_tag_that_feeds_yaml_takes(reply: str, tag: str) -> None:
    (item,) = read(opml(folder(reply, feed(A))).encode()).feeds

    assert item.tags == ((tag,) if tag else ())
    FeedShape(url=item.url, tags=list(item.tags))


@given(st.text(max_size=100))
@example("\u0130")
@example("a\u0345")
@example("&lt;!")
def test_every_tag_is_one_that_feeds_yaml_takes_and_is_its_own_tag(reply: str) -> None:
    tag = _tag(reply)

    if tag:
        TypeAdapter(Tag).validate_python(tag)
        assert _tag(tag) == tag


@pytest.mark.parametrize(
    ("written_as", "url"),
    [
        ("feed://a.example/feed", "http://a.example/feed"),
        ("feed:https://a.example/feed", A),
        ("feed://https://a.example/feed", A),
        ("FEED:http://a.example/feed", "http://a.example/feed"),
        (" https://a.example/feed\n", A),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/?a=1&amp;b=2", "https://a.example/?a=1&b=2"),
    ],
)
def test_an_address_is_read_as_lists_write_it(written_as: str, url: str) -> None:
    assert urls(opml(feed(written_as))) == [url]


@pytest.mark.parametrize(
    "other",
    [
        "ftp://a.example/feed",
        "javascript:alert(1)",
        "a.example/feed",
        "file:///etc/passwd",
        "https://ann:secret@a.example/",
        "feed:",
    ],
)
def test_an_address_that_cannot_be_polled_is_skipped_and_said(other: str) -> None:
    result = read(opml(feed(other) + feed(B)).encode())

    assert [item.url for item in result.feeds] == [B]
    assert result.skipped == (other,)


def test_outlines_that_name_no_feed_are_passed_over() -> None:
    document = opml(
        f'<outline text="A note"/><outline type="link" text="Page" url="{A}"/><outline '
        f'type="RSS" text="Old" url="{B}"/>'
    )

    assert read(document.encode()) == FeedList(
        (ListedFeed(B, "Old", ()),), repaired=False, skipped=()
    )


def test_a_list_without_feeds_is_an_empty_list() -> None:
    assert read(opml("").encode()) == FeedList((), repaired=False, skipped=())


# Broken

BROKEN = {
    "unescaped ampersand": (
        opml(feed("https://a.example/?a=1&b=2", "Sea & Land")),
        ["https://a.example/?a=1&b=2"],
    ),
    "ampersand that looks like an entity": (
        opml(feed("https://a.example/?a=1&copy=2&reg=3")),
        ["https://a.example/?a=1&copy=2&reg=3"],
    ),
    "entity of HTML": (opml(feed(A, "Sea&nbsp;and&eacute;")), [A]),
    "duplicate attribute": (
        opml(f'<outline text="One" text="Two" xmlUrl="{A}" xmlUrl="{B}"/>'),
        [A],
    ),
    "missing end tags of feeds": (
        opml(f'<outline text="N"><outline xmlUrl="{A}"><outline xmlUrl="{B}"></outline>' + feed(C)),
        [A, B, C],
    ),
    "missing end tags of folders": (
        opml(f'<outline text="N">{feed(A)}<outline text="M">{feed(B)}'),
        [A, B],
    ),
    "missing end of the document": (opml(feed(A) + feed(B)).partition("</body>")[0], [A, B]),
    "end tags too many": (
        opml(f"</outline></outline>{folder('N', feed(A))}</outline>{feed(B)}"),
        [A, B],
    ),
    "text before the declaration": (
        opml(feed(A), "Here is my list:\n\n<?xml version='1.0'?>"),
        [A],
    ),
    "warning of a script before the declaration": (
        opml(feed(A), "<br />\n<b>Warning</b>: x in <b>y</b>\n<?xml version='1.0'?>"),
        [A],
    ),
    "text after the end": (opml(feed(A)) + "\n-- \nsent from my phone", [A]),
    "no root": (feed(A) + feed(B), [A, B]),
    "no quotation marks": (opml(f"<outline type=rss text=One xmlUrl={A} />" + feed(B)), [A, B]),
    "typographic quotation marks": (opml(f"<outline text=“One” xmlUrl=“{A}” />" + feed(B)), [A, B]),
    "quotation mark missing after the address": (
        opml(f'<outline text="One" xmlUrl="{A} />' + feed(B)),
        [A, B],
    ),
    "quotation mark missing before another attribute": (
        opml(f'<outline text="One" xmlUrl="{A} type="rss"/>' + feed(B)),
        [A, B],
    ),
    "quotation mark missing after the name": (
        opml(f'<outline text="One xmlUrl="{A}" type="rss"/>' + feed(B)),
        [A, B],
    ),
    "single quotation mark missing": (
        opml(f"<outline text='One' xmlUrl='{A} />" + feed(B)),
        [A, B],
    ),
    "quotation marks in a name": (opml(feed(A, 'The "Long" Radar') + feed(B)), [A, B]),
    "markup in a description": (
        opml(
            (
                '<outline text="One" description="See <a href="https://x.example/">us</a>." '
                f'xmlUrl="{A}" type="rss"/>'
            )
            + feed(B)
        ),
        [A, B],
    ),
    "markup in a description behind the address": (
        opml(
            folder(
                "N",
                (
                    f'<outline text="One" xmlUrl="{A}" description="See <a '
                    'href="https://x.example/">us</a>."/>'
                )
                + feed(B),
            )
        ),
        [A, B],
    ),
    "angle bracket in a name": (opml(feed(A, "a < b > c") + feed(B)), [A, B]),
    "tag without its end": (opml(f'<outline text="One" xmlUrl="{A}"\n' + feed(B)), [A, B]),
    "comment without its end": (opml(f"<!-- old {feed(A)}"), [A]),
    "character that XML forbids": (opml(feed(A, "One\x0bTwo")), [A]),
    "section of SGML": (opml(f"<![IGNORE[{feed(A)}]]>" + feed(B)), [A, B]),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_broken_list_gives_its_feeds_and_says_that_it_was_repaired(defect: str) -> None:
    document, expected = BROKEN[defect]

    assert urls(document) == expected
    assert read(document.encode()).repaired


@pytest.mark.parametrize(
    ("defect", "names"),
    [
        ("unescaped ampersand", ["Sea & Land"]),
        ("entity of HTML", ["Sea andé"]),
        ("duplicate attribute", ["One"]),
        ("typographic quotation marks", ["“One”", "Wire"]),
        ("quotation mark missing before another attribute", ["One", "Wire"]),
        ("quotation mark missing after the name", ["One", "Wire"]),
        ("markup in a description", ["One", "Wire"]),
        ("angle bracket in a name", ["a < b > c", "Wire"]),
    ],
)
def test_a_broken_list_keeps_its_names(defect: str, names: list[str]) -> None:
    assert [item.name for item in read(BROKEN[defect][0].encode()).feeds] == names


def test_a_feed_without_its_end_tag_is_no_folder() -> None:
    document = opml(
        folder("N", f'<outline text="One" xmlUrl="{A}">', f'<outline text="Two" xmlUrl="{B}">')
        + feed(C)
    )

    assert [(item.url, item.tags) for item in read(document.encode()).feeds][:2] == [
        (A, ("n",)),
        (B, ("n",)),
    ]


def test_an_end_tag_behind_a_feed_ends_the_feed() -> None:
    document = opml(
        folder("N", f'<outline xmlUrl="{A}"></outline>', f'<outline xmlUrl="{B}">\n</outline>')
        + feed(C)
    )

    assert [item.tags for item in read(document.encode()).feeds] == [("n",), ("n",), ()]


@pytest.mark.parametrize("broken_off", range(1, len(feed(B)) - 1))
def test_of_a_list_that_breaks_off_no_half_address_is_taken(broken_off: int) -> None:
    document = opml(feed(A) + feed(B)).partition("</body>")[0][: -len(feed(B)) + broken_off]

    assert set(urls(document)) <= {A, B}
    assert urls(document)[0] == A


@pytest.mark.parametrize("spelling", ["xmlUrl", "xmlurl", "XMLURL", "XmlURL"])
def test_names_of_elements_and_attributes_are_read_in_any_case(spelling: str) -> None:
    assert urls(
        f'<OPML VERSION="1.0"><BODY><OUTLINE TEXT="One" {spelling}="{A}"/></BODY></OPML>'
    ) == [A]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("cp1252", "iso-8859-1"),
        ("cp1252", "utf-8"),
        ("utf-8", "us-ascii"),
        ("utf-8", "utf-16"),
    ],
)
def test_a_list_is_read_in_its_encoding_whatever_it_declares(encoding: str, declared: str) -> None:
    document = opml(
        feed(A, "Zürich – Übersee"), f'<?xml version="1.0" encoding="{declared}"?>'
    ).encode(encoding)

    assert read(document).feeds == (ListedFeed(A, "Zürich – Übersee", ()),)


def test_what_stands_in_comments_and_sections_is_no_feed() -> None:
    document = opml(f"<!-- {feed(A)} --><outline text='x'><![CDATA[{feed(B)}]]></outline>{feed(C)}")

    assert read(document.encode()) == FeedList(
        (ListedFeed(C, "Wire", ()),), repaired=False, skipped=()
    )


# No OPML


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "The file is empty."),
        (b" \n\t", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (
            b"<!DOCTYPE html><title>Log in</title><p>&lt;opml&gt; goes here",
            "This is a web page, not OPML.",
        ),
        (b"<html><body><svg><outline/></svg></body></html>", "This is a web page, not OPML."),
        (b'{"feeds": ["<opml>"]}', None),
        (b'{"feeds": ["https://a.example/"]}', "This is JSON, not OPML."),
        (b'[{"page": "<html >"}]', "This is JSON, not OPML."),
        (
            b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>',
            "This is a feed, not a list of feeds.",
        ),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "This is a feed, not a list of feeds."),
        (b"https://a.example/feed\n", "This is not OPML: it has no outline."),
        (b"\x00\xff\x89PNG\r\n", "This is not OPML: it has no outline."),
        (b" " * (MAX_SIZE + 1), "The file is larger than 10 MB."),
    ],
)
def test_what_is_no_opml_is_refused_with_a_sentence(document: bytes, reason: str | None) -> None:
    if reason is None:
        assert read(document).feeds == ()
        return
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        read(document)


def test_more_feeds_than_the_limit_are_refused_rather_than_cut_off() -> None:
    def of(count: int) -> bytes:
        return opml(
            "".join(f'<outline xmlUrl="https://a.example/{number}"/>' for number in range(count))
        ).encode()

    assert len(read(of(MAX_FEEDS)).feeds) == MAX_FEEDS
    with pytest.raises(ValueError, match=r"more than 20,000 feeds\.$"):
        read(of(MAX_FEEDS + 1))


def test_more_outlines_than_the_limit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"more than 200,000 entries\.$"):
        read(opml("<outline/>" * (2 * MAX_OUTLINES + 1)).encode())


# Hostile


@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>\"'&=/!-[]? #;xoutlineopmlXMLURL", max_size=300).map(str.encode)
)
@example(b"<opml><outline text='&#99999999999999999999;'/>" + b"9" * 5000)
@example(b"<opml><outline xmlUrl=http://a/ text=" + b"&#" + b"9" * 5000 + b"; />")
@example(b"<opml><!-<!----&#" + b"9" * 5000 + b";<outline>")
@example(b"<opml><outline><![foo[<![")
def test_bytes_of_any_kind_are_read_or_refused(document: bytes) -> None:
    for result in (document, b"<opml>" + document):
        try:
            listed = read(result).feeds
        except ValueError as error:
            listed = ()
            if not str(error).startswith(("The ", "This is ")):  # a sentence of ours
                raise
        assert all(
            FeedShape(url=item.url, name=item.name or None, tags=list(item.tags)) for item in listed
        )


@pytest.mark.parametrize("ends", [0, 30_000])
def test_tens_of_thousands_of_outlines_within_each_other_are_read(ends: int) -> None:
    """What is kept of the folders around a feed is bounded, so that this is linear."""
    document = opml(
        "".join(f'<outline text="f{number}">' for number in range(30_000))
        + feed(A)
        + "</outline>" * ends
        + feed(B)
    )

    result = read(document.encode())

    assert [item.url for item in result.feeds] == [A, B]
    assert result.feeds[0].tags == tuple(f"f{number}" for number in range(MAX_TAGS))
    assert result.repaired is not bool(ends)


REPEATED = [
    "<!--",
    "<![CDATA[",
    "<![x[",
    "<!DOCTYPE a[",
    "<!DOCTYPE ",
    "<?xml ",
    "&#9",
    "&",
    "xmlurl=",
    "a=' ",
    'a="',
    "]",
    "--",
    "</",
    "<",
    "= ",
    " ",
]


@pytest.mark.parametrize(
    "start", ["<opml>", '<opml><outline text="', "<opml><outline xmlUrl='https://a.example/"]
)
@pytest.mark.parametrize("repeated", REPEATED)
def test_beginnings_without_ends_are_read(start: str, repeated: str) -> None:
    """Were any of these quadratic, the test would not come to its end."""
    document = start + repeated * (200_000 // len(repeated))

    assert read(document.encode()).repaired


def _laughs() -> str:
    entities = "".join(
        f"<!ENTITY l{number} '{f'&l{number - 1};' * 10}'>" for number in range(1, 10)
    )
    return f"<?xml version='1.0'?><!DOCTYPE opml [<!ENTITY l0 'ha'>{entities}]>"


@pytest.mark.parametrize(
    "doctype",
    [
        _laughs(),
        "<!DOCTYPE opml [<!ENTITY l9 SYSTEM 'file:///etc/passwd'>]>",
        "<!DOCTYPE opml [<!ENTITY % more SYSTEM 'http://127.0.0.1:9/x.dtd'> %more;]>",
        f"<!DOCTYPE opml [<!ENTITY l9 '{feed(A)}'>]>",
        f"<!DOCTYPE opml [<!ENTITY l9 '{feed(A)}'",
    ],
)
def test_entities_are_neither_expanded_nor_fetched(doctype: str) -> None:
    result = read(opml(feed(B, "&l9;"), doctype).encode())

    assert result.feeds[-1] == ListedFeed(B, "&l9;", ())
    assert result.repaired


# Written

WORDS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("<>&\"' ;#ab"), max_size=100
)
NAMES = WORDS.map(lambda text: cut(to_text(text), 100)).filter(
    lambda text: cut(to_text(text), 100) == text
)
PATHS = st.text(alphabet="abz09/?&=;._~-%#'", max_size=30)
URLS = st.builds(
    "{}://{}.example/{}".format,
    st.sampled_from(["http", "https"]),
    st.text(alphabet="abc", min_size=1, max_size=3),
    PATHS,
)
CLEAN_TAGS = st.lists(WORDS.map(_tag).filter(bool), unique=True, max_size=MAX_TAGS).map(tuple)
LISTS = st.lists(
    st.builds(ListedFeed, URLS, NAMES, CLEAN_TAGS), unique_by=lambda item: item.url, max_size=8
)


@given(LISTS)
@example([ListedFeed(A, "a &lt b", ()), ListedFeed("http://b.example/?a=1&amp;b", '"', ("x",))])
def test_what_is_written_is_read_back(feeds: list[ListedFeed]) -> None:
    result = read(write(feeds, "Mine", NOON))

    assert set(result.feeds) == set(feeds)
    assert len(result.feeds) == len(feeds)
    assert (result.repaired, result.skipped) == (False, ())
    assert read(write(result.feeds, "Mine", NOON)).feeds == result.feeds


@given(WORDS, WORDS, st.text(max_size=20), st.lists(st.text(max_size=10), max_size=3))
def test_whatever_is_written_is_well_formed(
    title: str, name: str, path: str, tags: list[str]
) -> None:
    document = write([ListedFeed(A + path, name, tuple(tags))], title, NOON)

    assert fault(document) is None


def _elements(document: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    for element in ET.fromstring(document).iter():  # noqa: S314 (our own words)
        yield element.tag, dict(element.attrib)


def test_it_is_opml_2_with_one_level_of_folders_and_further_tags_as_categories() -> None:
    document = write(
        [
            ListedFeed(A, "Wire", ("world", "asia", "sea")),
            ListedFeed(B, "", ()),
            ListedFeed(C, 'Sea & "Land"', ("world",)),
        ],
        "Mine",
        datetime(2026, 3, 1, 13, 0, tzinfo=timezone(timedelta(hours=1))),
    )

    assert document.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">')
    assert b"<title>Mine</title>" in document
    assert b"<dateCreated>Sun, 01 Mar 2026 12:00:00 GMT</dateCreated>" in document
    assert [item for item in _elements(document) if item[0] == "outline"] == [
        ("outline", {"type": "rss", "text": B, "title": B, "xmlUrl": B}),
        ("outline", {"text": "world", "title": "world"}),
        (
            "outline",
            {"type": "rss", "text": "Wire", "title": "Wire", "xmlUrl": A, "category": "asia,sea"},
        ),
        ("outline", {"type": "rss", "text": 'Sea & "Land"', "title": 'Sea & "Land"', "xmlUrl": C}),
    ]


def test_characters_that_xml_forbids_are_dropped() -> None:
    document = write(
        [ListedFeed(A, "One\x00\x0b\ud800\uffffTwo", ())],
        "\x1bMine",
        datetime(2026, 3, 1, tzinfo=UTC),
    )

    assert [item.name for item in read(document).feeds] == ["One Two"]


# Real lists


def test_every_list_of_the_collection_gives_all_feeds_it_names(shared: Path) -> None:
    """Always, also where descriptions have bare quotation marks and tags before the address."""
    files = broken = 0
    with tarfile.open(shared / "feed_lists" / "awesome_opml.tar.xz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".opml") else None
            if not file:
                continue
            document = file.read()
            named = {
                unescape(item).strip()
                for item in re.findall(r'(?i)\bxmlurl\s*=\s*"([^"]*)"', document.decode())
            }
            result = read(document)
            assert {item.url for item in result.feeds} == {
                item for item in named if re.match("https?://", item)
            }, member.name
            assert all(
                FeedShape(url=item.url, name=item.name or None, tags=list(item.tags))
                for item in result.feeds
            )
            assert result.skipped == ()
            files += 1
            broken += result.repaired
    assert (files, broken) == (118, 80)
