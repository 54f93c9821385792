"""Plain documents are read without feedparser, and just as feedparser reads them."""

import tarfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sampling import SEED, amount, share
from support import NOON

from bot.model.entries import ParsedDocument, ParseOutcome
from bot.parse.plain import read_plain
from bot.parse.read import read_document

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"',
    'xmlns:media="http://search.yahoo.com/mrss/"',
    'xmlns:atom="http://www.w3.org/2005/Atom"',
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"',
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"',
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"',
    'xmlns:x="urn:x"',
    'xmlns:thr="http://purl.org/syndication/thread/1.0"',
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"',
    'xmlns:georss="http://www.georss.org/georss"',
)
#: Instead of one of these: other names for it, and the same prefix for something else.
CONFUSING = (
    'xmlns:dc="https://purl.org/dc/elements/1.1/"',
    'xmlns:media="urn:x"',
    'xmlns:x="http://purl.org/dc/elements/1.1/"',
    'xmlns:x="http://search.yahoo.com/mrss/"',
    'xmlns:atom="http://purl.org/dc/elements/1.1/"',
    'xmlns:X="urn:other"',
    'xmlns:y="urn:x"',
    'xmlns:itunes="http://search.yahoo.com/mrss"',
    'xmlns:content="HTTP://purl.org/rss/1.0/modules/CONTENT/"',
    'xmlns:thr="http://backend.userland.com/rss2"',
)
VALUES = (
    "Harbour closed",
    "Fähre im Hafen",
    "Паром стоит",
    " \n ",
    "",
    "CafÃ© on fire",
    "\x93Ferry\x94 at \x85 quay",
    "\xa0Ferry\xa0",
    "A &amp; B &lt;b&gt;C&lt;/b&gt; &amp;amp; &#8217;",
    "<![CDATA[<p>Rain &amp; <b>wind</b>]]> and sun",
    "Rain<!-- not -->fall",
    "en-GB",
    "https://wire.example/a",
    "17",
    "a < b &#xD7; c".replace("<", "&lt;"),
)
LINKS = (
    "https://wire.example/a?b=1&amp;c=2",
    "https://wire.example/a?b=1&amp;amp;copy;=2",
    "<![CDATA[https://wire.example/x&amp;y;z]]>",
    "/relative/a",
    "https:///wire.example/b",
    "https://wire.example/c?",
    "https://wire.example/../d/./e#",
    "HTTPS://Wire.example/f",
    "wire.example/g",
    "mailto:ann@wire.example",
    " https://wire.example/h ",
    "",
    "https://[wire/i",
)
DATES = ("Sun, 01 Mar 2026 08:30:00 GMT", "2026-03-01T09:30:00+01:00", "05/11/2026", "", "soon")
TYPES = ("", ' type="html"', ' type="text"', ' type="TEXT/HTML"', ' type="xhtml"', ' type="x/y"')
BASES = (
    "",
    "",
    "",
    "",
    ' xml:base="https://base.example/z/"',
    ' xml:base="z/"',
    ' xml:lang="de_AT"',
    ' xml:lang=""',
    ' lang="fr"',
    ' base="https://base.example/"',
)
TEXTS = (
    "title description summary content content:encoded dc:title dc:description media:title "
    "media:description itunes:summary itunes:title itunes:subtitle dc:language language rights "
    "abstract body fullitem info tagline"
).split()
ASIDE = (
    "category dc:subject comments slash:comments thr:total x:thing media:credit media:rating "
    "media:keywords itunes:explicit itunes:keywords itunes:duration dc:identifier dc:rights "
    "dc:publisher date modified issued image links tags georss:point niceDate ttl sy:updatePeriod "
    "sy:updateFrequency generator docs copyright webMaster managingEditor x:title links "
    "textinput authors media:text svg div"
).split()


class Writer:
    """Writes documents by chance: of what feeds have, and at times of what they should not."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.oddity = random.choice((0.0, 0.0, 0.02, 0.1))

    def odd(self) -> bool:
        return self.random.random() < self.oddity

    def any_of(self, values: tuple[str, ...] | list[str]) -> str:
        """One of them; the first two are as frequent as all others."""
        usual = not self.odd() and self.random.random() < 0.5
        return self.random.choice(values[:2] if usual else values)

    def element(self, name: str, inside: str, attributes: str = "") -> str:
        reaching = self.random.choice(BASES) if self.odd() else ""
        if not inside and self.random.random() < 0.5:
            return f"<{name}{attributes}{reaching}/>"
        nested = self.random.choice(("<b>x</b>", "<div>y</div>", "<x:z/>")) if self.odd() else ""
        return f"<{name}{attributes}{reaching}>{inside}{nested}</{name}>"

    def person(self, name: str) -> str:
        parts = {
            "name": self.any_of(["Ann Ay", "Bob Bee", ""]),
            "email": "b@wire.example",
            "uri": "/u",
        }
        chosen = self.random.sample(sorted(parts), self.random.randint(1, 3))
        return self.element(name, "".join(self.element(part, parts[part]) for part in chosen))

    def link(self, name: str) -> str:
        if self.random.random() < 0.4:
            return self.element(name, self.any_of(LINKS))
        href = self.any_of([link for link in LINKS if "CDATA" not in link])
        relation = self.random.choice(
            ("", ' rel="alternate"', ' rel="Self"', ' rel="enclosure"', ' rel="x"')
        )
        kind = self.random.choice(("", ' type="text/html"', ' type="audio/mpeg"', ' type="text"'))
        key = "url" if self.odd() else "href"
        return self.element(name, "", f' {key}="{href}"{relation}{kind}')

    def category(self) -> str:
        names = (
            "category",
            "category",
            "dc:subject",
            "media:category",
            "media:keywords",
            "keywords",
            "itunes:category",
            "itunes:keywords",
        )
        keys = self.random.sample(("term", "label", "scheme", "domain", "text"), 2)
        chosen = keys[: self.random.choice((0, 0, 1, 2))]
        attributes = "".join(f' {key}="{self.any_of(("Ports", "Rain", ""))}"' for key in chosen)
        value = self.any_of(("Harbours", "Ports, Rain", "", "Ports", *VALUES))
        return self.element(self.random.choice(names), value, attributes)

    def media(self) -> str:
        inside = [
            self.element("media:title", self.any_of(VALUES), self.any_of(TYPES)),
            self.element("media:thumbnail", "", ' url="/t.png"'),
            self.element("media:description", self.any_of(VALUES)),
            self.element("media:credit", "Ann", ' role="author"'),
            self.element("media:category", "Ports"),
            self.element("media:keywords", "ports, rain"),
        ]
        some = "".join(self.random.sample(inside, self.random.randint(0, 4)))
        name = self.random.choice(("media:content", "media:group"))
        return self.element(name, some, self.random.choice(("", ' url="/m.png" medium="image"')))

    def part(self) -> str:
        """An element of an entry or of a head."""
        chance = self.random.random()
        if chance < 0.35:
            return self.element(self.any_of(TEXTS), self.any_of(VALUES), self.any_of(TYPES))
        if chance < 0.5:
            return self.link(self.random.choice(("link", "link", "atom:link")))
        if chance < 0.6:
            name = self.random.choice(("guid", "id", "feedburner:origLink"))
            permalink = self.random.choice(("", ' isPermaLink="false"', ' isPermaLink="true"'))
            return self.element(
                name, self.any_of(LINKS + VALUES), permalink if name == "guid" else ""
            )
        if chance < 0.7:
            names = ("pubDate", "updated", "published", "dc:date", "lastBuildDate", "issued")
            return self.element(self.random.choice(names), self.any_of(DATES))
        if chance < 0.8:
            name = self.random.choice(("author", "dc:creator", "itunes:author"))
            value = self.any_of((*VALUES, "Ann (a@wire.example)", "a@wire.example (Ann)"))
            return self.person("author") if self.odd() else self.element(name, value)
        if chance < 0.85:
            return self.random.choice((self.media, lambda: self.person("author")))()
        if chance < 0.88:
            return self.category()
        if chance < 0.92:
            kind = self.element("enclosure", "", ' url="/a.mp3" type="audio/mpeg" length="1"')
            return self.random.choice(
                (kind, self.element("source", "The Den", ' url="https://den.example"'))
            )
        attributes = ' a="1"' if self.random.random() < 0.3 else ""
        return self.element(self.random.choice(ASIDE), self.any_of(VALUES), attributes)

    def parts(self, most: int) -> str:
        return "\n".join(self.part() for _ in range(self.random.randint(0, most)))

    def head(self) -> str:
        image = "<image><url>/i.png</url><title>I</title><link>https://wire.example/</link></image>"
        usual = [
            self.element("title", self.any_of(VALUES)),
            self.link("link"),
            self.element("language", self.any_of(["en-gb", "de", ""])),
            self.element("description", self.any_of(VALUES)),
            self.element("lastBuildDate", self.any_of(DATES)),
            image,
            "<skipHours><hour>3</hour></skipHours>",
            self.element("ttl", "60"),
            self.element("sy:updatePeriod", "hourly"),
        ]
        some = self.random.sample(usual, self.random.randint(0, len(usual)))
        return "".join(some) + (self.parts(4) if self.odd() or self.random.random() < 0.3 else "")

    def document(self) -> str:
        spaces = list(NAMESPACES)
        if self.odd() or self.random.random() < 0.1:
            confusing = self.random.choice(CONFUSING)
            prefix = confusing.partition("=")[0] + "="
            spaces = [space for space in spaces if not space.startswith(prefix)] + [confusing]
        self.random.shuffle(spaces)
        declared = " ".join(spaces) + (self.random.choice(BASES) if self.odd() else "")
        items = [self.parts(9) for _ in range(self.random.randint(1, 4))]
        kind = self.random.choice(("rss", "rss", "atom", "rdf"))
        if kind == "atom":
            entries = "".join(f"<entry>{item}</entry>" for item in items)
            default = "http://www.w3.org/2005/Atom"
            return f'<feed xmlns="{default}" {declared}>{self.head()}{entries}</feed>'
        about = self.random.choice(("", "", ' rdf:about="https://wire.example/r"'))
        if kind == "rdf":
            entries = "".join(f"<item{about}>{item}</item>" for item in items)
            spaces_of_rdf = (
                'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
                'xmlns="http://purl.org/rss/1.0/"'
            )
            channel = f"<channel{about}>{self.head()}</channel>"
            return f"<rdf:RDF {spaces_of_rdf} {declared}>{channel}{entries}</rdf:RDF>"
        entries = "".join(f"<item>{item}</item>" for item in items)
        return f'<rss version="2.0" {declared}><channel>{self.head()}{entries}</channel></rss>'


def outcome(body: bytes) -> ParseOutcome:
    read = read_document(body, "", "https://wire.example/feed", frozenset(), NOON)
    return replace(read, seconds=0.0) if isinstance(read, ParsedDocument) else read


def by_feedparser(body: bytes, patch: pytest.MonkeyPatch) -> ParseOutcome:
    with patch.context() as without:
        without.setattr("bot.parse.extract.read_plain", lambda _: None)
        return outcome(body)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_plain_is_read_as_feedparser_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = plain = 0
    for number in range(amount(300, 30_000)):
        document = Writer(Random(f"{SEED}/{number}")).document()
        body = document.encode()
        assert outcome(body) == by_feedparser(body, monkeypatch), document
        found = read_plain(body)
        entries += 1 if found is None else len(found.entries)
        plain += 0 if found is None else sum(entry is not None for entry in found.entries)
    assert plain > entries / 10, "too few are plain for the comparison to say much"


def test_usual_documents_are_plain_as_are_their_blocks_beside_others() -> None:
    head = f"<rss {' '.join(NAMESPACES)}><channel><title>Invented Wire</title>"
    usual = "<item><title>Ferry</title><link>https://wire.example/a</link></item>"
    nested = "<item><title>Ferry <b>late</b></title></item>"
    found = read_plain(f"{head}{usual}{nested}{usual}</channel></rss>".encode())
    assert found is not None
    assert [entry is not None for entry in found.entries] == [True, False, True]


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE rss><rss><channel><item/></channel></rss>",
        b'<!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><item>&a;</item></channel></rss>',
        b"<rss><channel><item>&nbsp;</item></channel></rss>",
        b"<rss><channel><item><title>A</title></channel></rss>",
        b"<rss><channel><x:a/><item/></channel></rss>",
        b"<rss><item/></rss>",
        b"",
    ],
)
def test_what_is_declared_broken_or_odd_is_not_plain(body: bytes) -> None:
    assert read_plain(body) is None


def test_documents_made_to_take_long_take_linear_time() -> None:
    # Quadratic work on as many would take minutes.
    count = 60_000
    spaces = " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(count))
    assert read_plain(f"<rss {spaces}><channel><item/></channel></rss>".encode())
    for part in (
        "<category>{}</category>",
        "<a>",
        "<link>https://wire.example/{}</link>",
        "<b{}/>",
    ):
        inside = "".join(part.format(n) for n in range(count)) + "</a>" * count * (part == "<a>")
        assert read_plain(f"<rss><channel><item>{inside}</item></channel></rss>".encode())


SUITES = [
    f"conformance/{suite}" for suite in "feedparser gofeed rss-parser feed-rs feedjira".split()
]
REAL = ["real_feeds_kagi200/news", "real_feeds_kagi200/blogs_dev", "nonlatin_feeds/docs"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("archive", [*SUITES, *REAL])
def test_real_documents_and_those_of_suites_are_too(
    shared: Path, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    with tarfile.open(shared / f"{archive}.tar.xz") as tar:
        members = share([member for member in tar if member.isfile()], 20)
        for member in members:
            file = tar.extractfile(member)
            body = file.read() if file else b""
            assert outcome(body) == by_feedparser(body, monkeypatch), member.name
