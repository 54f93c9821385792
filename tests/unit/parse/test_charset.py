"""Charsets, repairs and titles: what stands in the bytes, read as it was meant."""

import pytest
from support import NOON

from bot.model.entries import ParsedDocument, ParsedEntry
from bot.parse.read import read_document
from bot.parse.repair import fault, mend

URL = "https://zoo.example/deep/feed.xml"


def read(body: str | bytes, content_type: str = "") -> ParsedDocument:
    outcome = read_document(
        body.encode() if isinstance(body, str) else body, content_type, URL, frozenset(), NOON
    )
    assert isinstance(outcome, ParsedDocument), outcome
    return outcome


def parse_entry(inside: str) -> ParsedEntry:
    """The one entry of an RSS document that holds this inside its item."""
    (entry,) = read(
        f"<rss version='2.0'><channel><title>Zoo</title><item>{inside}</item></channel></rss>"
    ).entries
    return entry


def title(written: str) -> str:
    return parse_entry(f"<guid>1</guid><title>{written}</title>").title


# Charsets.


@pytest.mark.parametrize(
    ("text", "really", "declared", "header"),
    [
        ("Лиса спит", "utf-16", "utf-16", ""),
        ("Лиса спит", "utf-16-le", "utf-16", ""),
        ("Лиса спит", "utf-16-be", "", "text/xml; charset=utf-16"),
        ("Лиса спит", "utf-32", "", ""),
        ("Лиса спит", "utf-8-sig", "windows-1251", ""),
        ("Лиса спит", "utf-8", "utf-16", ""),
        ("Лиса  спит", "utf-8", "UCS-2", "text/xml; charset=utf-16"),
        ("Лиса спит", "utf-8", "no-such-charset", ""),
        ("Лиса спит", "utf-8", "iso-8859-1", ""),
        ("Лиса спит", "utf-8", "windows-1252", "text/xml; charset=iso-8859-1"),
        ("Лиса спит", "windows-1251", "windows-1251", "text/xml; charset=utf-8"),
        ("Лиса спит", "windows-1251", "", "text/xml; charset=windows-1251"),
        ("Лиса спит", "koi8-r", "koi8-r", ""),
        ("Лиса спит", "koi8-r", "", 'text/xml; charset="KOI8-R"'),
        ("Лиса спит", "iso-8859-5", "ISO-8859-5", ""),
        ("狐狸在睡觉，猫头鹰醒了", "gb18030", "GB2312", ""),
        ("狐狸在睡觉", "gbk", "", "text/xml; charset=gbk"),
        ("狐が眠る", "shift_jis", "Shift_JIS", ""),
        ("狐が眠る", "iso-2022-jp", "ISO-2022-JP", ""),
        ("狐が眠る", "euc-jp", "EUC-JP", "text/html; charset=utf-8"),
        ("여우가 잔다", "cp949", "ks_c_5601-1987", ""),
        ("ثعلب نائم", "windows-1256", "windows-1256", ""),
        ("“Fox” – café", "cp1252", "iso-8859-1", ""),
        ("“Fox” – café", "cp1252", "", ""),
        ("Fox café", "latin-1", "us-ascii", "text/xml"),
    ],
)
def test_the_charset_of_a_document_is_detected(
    text: str, really: str, declared: str, header: str
) -> None:
    declaration = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    body = (
        f"{declaration}<rss version='2.0'><channel><title>Zoo</title>"
        f"<item><guid>1</guid><title>{text}</title></item></channel></rss>"
    )
    for padding in ("", " "):  # an odd number of bytes hides what an even one shows
        document = read((body + padding).encode(really), header)
        assert [entry.title for entry in document.entries] == [" ".join(text.split())]


def test_a_stray_byte_does_not_change_other_characters() -> None:
    body = (
        (
            "<rss version='2.0'><channel><item><guid>1</guid><title>Лиса ? "
            "спит</title></item></channel></rss>"
        )
        .encode()
        .replace(b"?", b"\xff")
    )
    assert "Лиса" in read(body).entries[0].title


@pytest.mark.parametrize("before", ["", "\ufeff", "\n", "\ufeff\n", "  \r\n\t", "\n\ufeff"])
def test_bytes_before_the_declaration_are_ignored(before: str) -> None:
    body = (
        "<?xml version='1.0' encoding='utf-8'?><rss "
        "version='2.0'><channel><item><guid>1</guid><title>AT&T "
        "Лиса</title></item></channel></rss>"
    )
    assert read(before + body).entries == read(body).entries != ()


# Repairs.


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("AT&T", "AT&T"),
        ("R&D; more", "R&D; more"),
        ("caf&eacute; &nbsp; &hellip;", "café …"),
        ("a &amp; b &#38; c &#x26; d", "a & b & c & d"),
        ("fox\x0bhen\x08", "foxhen"),
        ("fox&#11;hen&#x1F;", "foxhen"),
        ("&amp;#8217;tis", "’tis"),
        ("&amp;amp;quot;fox&amp;amp;quot;", '"fox"'),
        ("A &lt; B", "A < B"),
        ("A &lt;B&gt; C &lt; D", "A C < D"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;b&gt;Fox&lt;/b&gt; &lt;br/&gt;hen", "Fox hen"),
        ("List&amp;lt;String&amp;gt; explained", "List<String> explained"),
        ("<![CDATA[Fox <em>sleeps</em> &amp; snores]]>", "Fox sleeps & snores"),
        ("Fox\u202egnp.\u202c \u2066hen\u2069", "Foxgnp. hen"),
        ("F\u200bo\ufeffx \U000e0041hen", "Fox hen"),
        ("Z\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "Ź\u0301\u0301\u0301\u0301"),
        ("  Fox\n\t hen  ", "Fox hen"),
        ("👩\u200d🚀 lands", "👩\u200d🚀 lands"),
        ("می\u200cخوابد", "می\u200cخوابد"),
    ],
)
def test_titles_become_the_text_that_was_meant(written: str, read_as: str) -> None:
    assert title(written) == read_as


def test_a_title_that_is_too_long_is_cut_at_a_word() -> None:
    cut = title("fox " * 200)
    assert len(cut) <= 300
    assert cut.endswith("fox…")


def test_an_entry_without_title_is_titled_by_its_summary_or_link() -> None:
    assert (
        parse_entry("<guid>1</guid><description>The fox slept all day.</description>").title
        == "The fox slept all day."
    )
    assert parse_entry("<link>https://zoo.example/fox</link>").title == "https://zoo.example/fox"


def test_blocks_of_html_are_separated_by_spaces_and_forms_are_removed() -> None:
    markup = (
        "<p>The Ministry</p><p>announced</p><ul><li>one</li><li>two</li></ul><form>Log Out / "
        "Change<button>Send</button></form><script>x()</script>"
    )
    assert (
        parse_entry(f"<guid>1</guid><description><![CDATA[{markup}]]></description>").summary
        == "The Ministry announced one two"
    )


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "file:///etc/passwd",
        "tg://x",
        "https://a@b.example/",
    ],
)
def test_unsafe_links_are_dropped(link: str) -> None:
    assert (
        parse_entry(f"<guid isPermaLink='false'>1</guid><title>Fox</title><link>{link}</link>").link
        == ""
    )


def test_links_with_blanks_are_escaped() -> None:
    assert parse_entry("<guid>1</guid><link>https://zoo.example/a b?q=“c”</link>").link.startswith(
        "https://zoo.example/a%20b?q="
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<rss><channel>&nbsp;</channel></rss>",
        b"<rss><!-- & --><![CDATA[ & &nbsp; ]]>&</rss>",
        b"<rss>&amp;&#1234;&copy;&nosuch;&&&;</rss>",
    ],
)
def test_mending_makes_references_well_formed_and_does_not_change_sections(body: bytes) -> None:
    assert fault(body) is not None
    mended = mend(body)
    assert fault(mended) is None
    assert mend(mended) == mended
    assert (b"<!-- & --><![CDATA[ & &nbsp; ]]>" in mended) == (b"<!--" in body)
