"""Charsets, repairs and titles: what stands in the bytes, read as it was meant."""

import pytest
from support import NOON

from bot.model.entries import ParsedDocument, ParsedEntry
from bot.parse.read import NewBlocks, cut_known_blocks, read_document
from bot.parse.repair import fault, mend
from bot.text.clean import TITLE_LENGTH

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


def served(text: str, really: str, declared: str, *, errors: str = "strict") -> bytes:
    declaration = f"<?xml version='1.0' encoding='{declared}'?>" if declared else ""
    return (
        f"{declaration}<rss version='2.0'><channel><title>Zoo</title>"
        f"<item><guid>1</guid><title>{text}</title></item></channel></rss>"
    ).encode(really, errors)


@pytest.mark.parametrize(
    ("text", "really", "label"),
    [
        ("狐が①眠る㈱髙﨑Ⅲ", "cp932", "Shift_JIS"),
        ("狐が①眠る", "cp932", "x-sjis"),
        ("狐が①眠る", "cp932", "windows-31j"),
        ("狐が①眠る", "cp932", "sjis-win"),
        ("狐が①眠る", "cp932", "ms932"),
        ("狐が眠る", "euc_jp", "x-euc-jp"),
        ("狐が眠る", "euc_jp", "eucJP-ms"),
        ("狐が眠る", "iso2022_jp", "csISO2022JP"),
        ("여우가 뜀뷁 잔다", "cp949", "EUC-KR"),
        ("여우가 뜀뷁 잔다", "cp949", "windows-949"),
        ("여우가 뜀뷁 잔다", "cp949", "ksc5601"),
        ("여우가 잔다", "iso2022_kr", "ISO-2022-KR"),
        ("狐狸睡覺恒裏", "cp950", "Big5"),
        ("狐狸睡覺", "big5", "x-big5"),
        ("狐狸喺度瞓", "big5hkscs", "big5-hkscs"),
        ("狐狸睡觉镕", "gb18030", "gb-2312"),
        ("狐狸睡觉镕", "gb18030", "x-gbk"),
        ("狐狸睡觉镕", "gb18030", "cp936"),
        ("狐狸睡觉", "hz", "hz-gb-2312"),
        ("Лиса «спит»", "cp1251", "cp-1251"),
        ("Лиса «спит»", "cp1251", "win-1251"),
        ("Лиса «спит»", "cp1251", "windows1251"),
        ("Лиса «спит»", "cp1251", "windows_1251"),
        ("Лиса «спит»", "cp1251", "x-cp1251"),
        ("Лиса «спит»", "cp1251", " Windows-1251 "),
        ("Лиса спит", "koi8_u", "koi8-ru"),
        ("Лиса спит", "mac_cyrillic", "x-mac-cyrillic"),
        ("Лиса спит", "cp866", "dos-866"),
        ("Αλεπού κοιμάται", "iso8859_7", "greek"),
        ("Αλεπού κοιμάται", "cp1253", "win1253"),
        ("השועל ישן", "iso8859_8", "iso-8859-8-i"),
        ("השועל ישן", "cp1255", "windows-1255"),
        ("สุนัขจิ้งจอกหลับ", "cp874", "dos-874"),
        ("สุนัขจิ้งจอกหลับ", "cp874", "tis-620"),
        ("Lis śpi", "iso8859_2", "ISO 8859-2"),
        ("Tilki uyuyor ığş", "cp1254", "8859-9"),
        ("Fox “café” €", "cp1252", "latin-1"),
        ("Fox “café” €", "cp1252", "ansi-1252"),
        ("Fox café", "mac_roman", "macintosh"),
        ("Fox café", "cp850", "cp850"),
    ],
)
def test_labels_mean_what_browsers_and_common_software_mean_by_them(
    text: str, really: str, label: str
) -> None:
    assert read(served(text, really, label)).entries[0].title == text
    by_header = read(
        served(text, really, ""), f"text/xml; charset={label.strip()}".replace(" ", "")
    )
    assert by_header.entries[0].title == text


@pytest.mark.parametrize(
    ("text", "really", "label", "odd"),
    [
        ("Лиса спит", "cp1251", "windows-1251", b"\x98"),
        ("Αλεπού", "iso8859_7", "iso-8859-7", b"\xd2"),
        ("השועל ישן", "cp1255", "windows-1255", b"\xd9"),
        ("สุนัข", "cp874", "windows-874", b"\xfc"),
        ("Fox café", "cp1252", "windows-1252", b"\x81"),
        ("狐が眠る", "cp932", "Shift_JIS", b"\x85"),
        ("狐が眠る", "euc_jp", "euc-jp", b"\xff"),
        ("여우가 잔다", "cp949", "euc-kr", b"\xc9"),
        ("狐狸睡覺", "big5", "big5", b"\x80"),
        ("狐狸睡觉", "gb18030", "gb18030", b"\xff"),
        ("狐狸睡觉", "gb18030", "gbk", b"\x81"),
        ("Лиса спит", "utf-8", "utf-8", b"\xe2\x80"),
        ("Лиса спит", "utf-8", "iso-8859-1", b"\xff"),
        ("Лиса спит", "utf-8", "", b"\xd0"),
    ],
)
def test_an_odd_byte_costs_itself_only(text: str, really: str, label: str, odd: bytes) -> None:
    body = served(f"{text} @ {text}", really, label).replace(b"@", odd)
    title = read(body).entries[0].title
    assert title.startswith(text)
    assert title.endswith(text)
    assert len(title) <= 2 * len(text) + 4


def test_signs_of_nec_are_read_in_all_japanese_charsets() -> None:
    euc = served("@狐", "euc_jp", "euc-jp").replace(b"@", b"\xad\xa1\xad\xea")
    assert read(euc).entries[0].title == "①㈱狐"
    iso = served("@狐", "iso2022_jp", "iso-2022-jp").replace(b"@", b"\x1b$B-!-j\x1b(I1\x1b(B")
    assert read(iso).entries[0].title == "①㈱ｱ狐"


def test_a_cut_character_at_the_end_changes_no_other() -> None:
    for text, really, label in (("狐狸睡觉", "gbk", "gbk"), ("Лиса", "utf-8", "windows-1251")):
        body = served(text, really, label) + "狐".encode(really)[:-1]
        assert read(body).entries[0].title == text


def test_few_chinese_characters_in_utf8_are_not_read_as_the_charset_that_is_declared() -> None:
    assert read(served("中文", "utf-8", "gb2312")).entries[0].title == "中文"
    assert read(served("Αλ", "gb18030", "gb2312")).entries[0].title == "Αλ"


@pytest.mark.parametrize(
    "label", ["rot13", "base64", "punycode", "utf-7", "unicode_escape", "charmap", "replacement"]
)
def test_codecs_that_are_no_charsets_are_not_used(label: str) -> None:
    assert read(served("Fox café", "utf-8", label)).entries[0].title == "Fox café"
    assert read(served("Fox café", "cp1252", label)).entries[0].title == "Fox café"


def test_a_json_feed_is_read_in_the_charset_of_its_header() -> None:
    body = (
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "Лиса"}]}'
    )
    header = "application/feed+json; charset=windows-1251"
    assert read(body.encode("cp1251"), header).entries[0].title == "Лиса"
    for charset in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"):
        assert read(body.encode(charset)).entries[0].title == "Лиса"


def test_a_block_is_known_in_the_charset_that_it_was_read_in() -> None:
    body = served("Лиса спит", "cp1251", "")
    guessed = read(body)
    known = frozenset(guessed.blocks)
    assert cut_known_blocks(body, "", known) == NewBlocks(b"", "cp1252", guessed.blocks)
    header = "text/xml; charset=windows-1251"
    cut = cut_known_blocks(body, header, known)
    assert cut is not None
    assert b"<item>" in cut.body
    again = read_document(cut.body, header, URL, frozenset(), NOON, charset=cut.charset)
    assert isinstance(again, ParsedDocument)
    assert [entry.title for entry in again.entries] == ["Лиса спит"]
    assert again.entries[0].keys.guid == guessed.entries[0].keys.guid


def test_blocks_of_ascii_stay_known_when_other_letters_arrive() -> None:
    quiet = served("Fox", "cp1251", "windows-1251")
    more = quiet.replace(
        b"</channel>", "<item><guid>2</guid>Лиса</item></channel>".encode("cp1251")
    )
    assert read(more).blocks[0] == read(quiet).blocks[0]


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
        ("A &lt;B&gt; C &lt; D", "A <B> C < D"),
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
    cut = title("fox " * 1000)
    assert len(cut) <= TITLE_LENGTH
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
