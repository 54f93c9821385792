"""Hostile documents and headers, drawn by hypothesis: all formats, all extensions, odd text.

Not assertions. The extensions are those of feedparser, read from its handlers.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from feedparser.mixin import _FeedParserMixin
from hypothesis import strategies as st

WORD = "harbour"  #: what the subscription asks for

ODD = (
    "\ud800",
    "\udfff\ud83d",
    "\x00",
    "\x1b[31m",
    "\x85\u2028\u2029",
    "\u202eevil\u202c",
    "\u200d\u200c\u00ad\u061c\u2063",
    "a" + "\u0301" * 400,
    "👩\u200d🚀🏳️\u200d🌈",
    "1e999",
    "Blast kills 1e999 people",
    "Blast kills 5 people",
    "9" * 400,
    "9" * 5000,
    "-1",
    "NaN",
    "Infinity",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "Mon, 99 Foo 99999999999999999999 99:99:99 +99999999",
    "http://[a",
    "http://a\u2100b/",
    "http://a.example:99999999/",
    "http://\ud800.example/",
    "http://a.example/2#\ud800",
    "http://a.example/%\x00?utm_source=\ud800&a=%ff#!/\u202e",
    "javascript:alert(1)",
    "//a.example//b",
    "&#1114112;",
    "&#55296;",
    "&amp;#xD800;",
    "&#" + "7" * 5000 + ";",
    "&nosuch;&lt;b&gt;",
    "<b>bold<script>x</script>",
    "</title></item><item>",
    "]]>",
    "<![CDATA[ x ]]>",
    "<!--",
    "@everyone /start tg://user?id=1",
    "`*_[](){}#+-.!|~>\\",
    "ﷺ" * 50,
    "İıß" * 20,
    "ａｂｃ／",
    "漢字" * 100,
    "x" * 70_000,
)
texts = st.lists(
    st.one_of(
        st.integers(0, len(ODD) - 1).map(lambda n: ODD[n]),
        st.just(WORD),
        st.text(st.characters(codec=None), max_size=20),
    ),
    min_size=1,
    max_size=4,
).map(" ".join)

_PREFIXES = {prefix: uri for uri, prefix in _FeedParserMixin.namespaces.items() if prefix and uri}
_HANDLED = sorted(name[len("_start_") :] for name in dir(_FeedParserMixin) if "_start_" in name)


def _element_name(handled: str) -> str:
    prefix, _, rest = handled.partition("_")
    return f"{prefix}:{rest}" if rest and prefix in _PREFIXES else handled


_NAMES = tuple(_element_name(name) for name in _HANDLED)
_DECLARATIONS = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in _PREFIXES.items())

_ATTRIBUTES = "href url type rel length term label scheme src xml:lang xml:base value start".split()


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    """An element of any extension, with attributes, children and text."""
    name = draw(st.sampled_from(_NAMES))
    attributes = draw(st.dictionaries(st.sampled_from(_ATTRIBUTES), texts, max_size=2))
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    inside = draw(texts) if draw(st.booleans()) else ""
    inside = inside if draw(st.booleans()) else escape(inside)
    if depth and draw(st.booleans()):
        inside += "".join(draw(st.lists(elements(depth - 1), max_size=2)))
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def _tag(name: str, text: str, raw: bool) -> str:
    return f"<{name}>{text if raw else escape(text)}</{name}>"


@st.composite
def xml_items(draw: st.DrawFn, kind: str) -> str:
    """An item or entry; most have a headline with the word."""
    item = "entry" if kind == "atom" else "item"
    raw = draw(st.integers(0, 3)) == 0
    names = {"rss": "guid link pubDate description author ttl category"}
    fields = names.get(kind, "id updated published summary content link author").split()
    parts = [_tag("title", f"{WORD} {draw(texts)}", raw)] if draw(st.integers(0, 4)) else []
    parts += [_tag(name, draw(texts), raw) for name in fields if draw(st.booleans())]
    parts += draw(st.lists(elements(), max_size=3))
    return f"<{item}>{''.join(draw(st.permutations(parts)))}</{item}>"


@st.composite
def xml_documents(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["rss", "atom", "rdf"]))
    items = "".join(draw(st.lists(xml_items(kind), max_size=4)))
    head = "".join(draw(st.lists(elements(), max_size=2)))
    head += f"<ttl>{escape(draw(texts))}</ttl>" if draw(st.booleans()) else ""
    root = {
        "rss": f"<rss version='2.0'{_DECLARATIONS}><channel>{head}{items}</channel></rss>",
        "atom": f"<feed xmlns='http://www.w3.org/2005/Atom'{_DECLARATIONS}>{head}{items}</feed>",
        "rdf": f"<rdf:RDF xmlns='http://purl.org/rss/1.0/'{_DECLARATIONS}>"
        f"<channel>{head}</channel>{items}</rdf:RDF>",
    }[kind]
    charset = draw(st.sampled_from(["", "utf-8", "UTF-6", "punycode", "iso-8859-99", "utf-16"]))
    declaration = f"<?xml version='1.0' encoding='{charset}'?>" if charset else ""
    coding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "cp1252"]))
    errors = "surrogatepass" if coding.startswith("utf") else "replace"
    return (declaration + root).encode(coding, errors)


json_values = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(("name", "url")), inner)
    ),
    max_leaves=3,
)
_KEYS = (
    "id url external_url title summary content_text content_html date_published date_modified "
    "authors author language attachments tags"
).split()
json_items = st.dictionaries(st.sampled_from(_KEYS), json_values).map(
    lambda item: {"title": f"{WORD} {item.get('id')}", **item}
)


@st.composite
def json_documents(draw: st.DrawFn) -> bytes:
    shape = draw(
        st.dictionaries(st.sampled_from(("title", "home_page_url", "language")), json_values)
    )
    items = draw(st.lists(st.one_of(json_items, json_values), max_size=4))
    ascii_only = draw(st.booleans())
    text = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "items": items, **shape},
        ensure_ascii=ascii_only,
    )
    return text.encode("utf-8", "surrogatepass")


_HEADERS = tuple(
    "ETag Last-Modified Content-Type Content-Encoding Cache-Control Expires Date Age Retry-After "
    "Location cf-mitigated Link".split()
)
_VALUES = (
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"9" * 5000,
    b"-1",
    b"1e999",
    b"gzip",
    b"deflate, \xff",
    b"text/xml; charset=\xff",
    b"text/xml; charset=punycode",
    b"application/json",
    b"max-age=" + b"9" * 400,
    b"max-age=\xd9\xa3, no-\xff",
    b"Mon, 01 Jan 0001 00:00:00 +2359",
    b"Mon, 31 Dec 9999 23:59:59 -9999",
    b"http://\xff.example/\xed\xa0\x80",
    b"//[::1",
    b'W/"\x7f\x85"',
    b"",
)
headers = st.lists(st.tuples(st.sampled_from(_HEADERS), st.sampled_from(_VALUES)), max_size=3)
statuses = st.sampled_from(
    [b"200 OK"] * 12 + [b"301 \xff", b"304 \xed\xa0\x80", b"404 \x01", b"429 Slow", b"503 \xff"]
)


@dataclass(frozen=True, repr=False)
class Answer:
    """The bytes of an HTTP response.

    Shown in part: hypothesis warns of values that are long in print, in place of the failure.
    """

    whole: bytes

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.whole).hexdigest()[:12]
        return f"Answer({len(self.whole)} bytes, {digest}: {self.whole[:1500]!r})"


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """What a hostile server answers: mostly a document, sometimes cut or compressed."""
    body = draw(st.one_of(xml_documents(), xml_documents(), json_documents()))
    lines = [(name.encode(), value) for name, value in draw(headers)]
    if draw(st.integers(0, 9)) == 0:
        body, lines = gzip.compress(body), [*lines, (b"Content-Encoding", b"gzip")]
    length = len(body)
    if draw(st.integers(0, 9)) == 0:
        body = body[: draw(st.integers(0, length))]
    head = b"HTTP/1.1 " + draw(statuses) + b"\r\nConnection: close\r\n"
    head += b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    return Answer(head + b"Content-Length: %d\r\n\r\n" % length + body)
