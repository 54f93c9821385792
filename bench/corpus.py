"""The documents the wire serves, and how one document becomes many feeds.

Reads real news documents where there are some, else invents documents of a similar size.
Never copies a real document into the repository, and serves nothing itself.
"""

from __future__ import annotations

import random
import re
import statistics
import tarfile
from dataclasses import dataclass
from pathlib import Path

#: the archive of real documents in the folder of data
REAL = Path("real_feeds_kagi200/news.tar.xz")
#: larger documents are left out, so that the mean stays that of ordinary news feeds
LARGEST = 300_000
#: how many documents are invented where the real ones are absent
INVENTED = 23

_ITEM = re.compile(rb"<item[\s>]")
_LINK = re.compile(rb"(<(?:link|guid)\b[^>]*>\s*(?:<!\[CDATA\[)?\s*https?://[^/<\s\]]+/)")
_GUID = re.compile(rb"(<guid\b[^>]*>\s*(?:<!\[CDATA\[)?\s*)(?!https?:)(?=[^<\s\]])")
_ABOUT = re.compile(rb"""(rdf:(?:about|resource)=["']https?://[^/"']+/)""")

_WHO = (
    "Harbour board",
    "City council",
    "Rail union",
    "Weather office",
    "Grain exchange",
    "Coast guard",
    "Appeal court",
    "Health trust",
)
_DOES = ("delays", "approves", "halts", "reopens", "questions", "widens", "publishes", "withdraws")
_WHAT = (
    "the ferry plan",
    "its flood report",
    "a tram line",
    "the water levy",
    "the night market",
    "a bridge survey",
)
_WHERE = (
    "in Kestrel Bay",
    "at Dunmore",
    "near Old Varra",
    "across Lindholm",
    "on the Tamsin coast",
    "at Port Ilse",
)


@dataclass(frozen=True)
class Corpus:
    """The documents, and what they are."""

    #: RSS documents, each of at least one item
    documents: list[bytes]
    #: a line for the top of the results
    origin: str

    def describe(self) -> str:
        """Return their number and sizes in a line."""
        sizes = [len(document) for document in self.documents]
        numbers = [count_items(document) for document in self.documents]
        return (
            f"{self.origin}: {len(sizes)} documents, mean {statistics.mean(sizes) / 1000:.0f} KB, "
            f"median {statistics.median(sizes) / 1000:.0f} KB, "
            f"mean {statistics.mean(numbers):.0f} items"
        )


def load(data: Path | None) -> Corpus:
    """Return the real corpus where it is in the folder of data, else an invented one."""
    archive = data / REAL if data else None
    if archive is None or not archive.exists():
        return Corpus(
            [invent(number) for number in range(INVENTED)],
            "invented corpus (the real one is absent)",
        )
    with tarfile.open(archive) as tar:
        files = sorted(
            (member for member in tar if member.isfile()), key=lambda member: member.name
        )
        bodies = [file.read() for member in files if (file := tar.extractfile(member))]
    usable = [body for body in bodies if len(body) <= LARGEST and _ITEM.search(body)]
    return Corpus(usable, "real news documents of at most 300 KB")


def vary(document: bytes, number: int) -> bytes:
    """Return the document as feed `number` has it: other links and guids, the rest the same."""
    mark = b"f%d" % number
    start = _first_item(document)
    head, items = document[:start], document[start:]
    items = _LINK.sub(rb"\g<1>" + mark + b"/", items)
    items = _GUID.sub(rb"\g<1>" + mark + b"-", items)
    return _ABOUT.sub(rb"\g<1>" + mark + b"/", head + items)


def with_new_item(document: bytes, marker: str, published: str) -> bytes:
    """Return the document with a new item first, `marker` in its title and guid."""
    start = _first_item(document)
    link = f"https://news.example/{marker}"
    about = f' rdf:about="{link}"' if b"<rdf:RDF" in document else ""
    chance = random.Random(marker)
    item = (
        f"<item{about}><title>{marker} {_headline(chance)}</title><link>{link}</link>"
        f'<guid isPermaLink="false">{marker}</guid><pubDate>{published}</pubDate>'
        f"<description>{_sentences(chance, 5)}</description></item>\n"
    )
    return document[:start] + item.encode() + document[start:]


def count_items(document: bytes) -> int:
    """Return how many items a document has."""
    return len(_ITEM.findall(document))


def invent(number: int) -> bytes:
    """Return an invented RSS document of about 66 KB and 31 items; each number has its own."""
    chance = random.Random(number)
    items = "".join(
        _invented_item(chance, number, place) for place in range(chance.randint(12, 50))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>Invented news {number}</title><link>https://news.example/</link>"
        f"<description>{_headline(chance)}</description>\n{items}</channel></rss>\n"
    ).encode()


def _invented_item(chance: random.Random, number: int, place: int) -> str:
    link = f"https://news.example/{number}/{place}"
    markup = "".join(
        f'&lt;p&gt;&lt;a href="/tag/{part}"&gt;{_headline(chance)}&lt;/a&gt; '
        f"{_sentences(chance, 8)}&lt;/p&gt;"
        for part in range(3)
    )
    return (
        f"<item><title>{_headline(chance)}</title><link>{link}</link>"
        f'<guid isPermaLink="true">{link}</guid>'
        f"<pubDate>Tue, 17 Feb 2026 {23 - place % 24:02}:{chance.randrange(60):02}:00 GMT</pubDate>"
        f"<category>{chance.choice(_WHERE)}</category><description>{markup}</description></item>\n"
    )


def _headline(chance: random.Random) -> str:
    return " ".join(chance.choice(words) for words in (_WHO, _DOES, _WHAT, _WHERE))


def _sentences(chance: random.Random, count: int) -> str:
    return " ".join(f"{_headline(chance)}, officials said." for _ in range(count))


def _first_item(document: bytes) -> int:
    match = _ITEM.search(document)
    return match.start() if match else len(document)
