"""Propose CSS selectors for a page that has no feed: what is repeated on it and holds a link.

Fetches nothing, and decides nothing: a person looks at what each proposal gives.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from bot.model.entries import ParsedDocument
from bot.model.sources import PageProposal, PageSource
from bot.parse.charset import decode
from bot.parse.document import absolute
from bot.parse.page import read_page
from bot.text.url import names_page

PROPOSALS = 3  #: at most
SHOWN = 5  #: articles of each that are named
_FEWEST = 3  # articles of a list
_MAX_LINKS = 1500  # of a page that are looked at
_LEVELS = 6  # elements above a link that may be its item
_SHORTEST = 16  # letters of a headline, without which a link is one of a menu
_SHORTEST_CJK = 7
_NO_ARTICLES = "nav, header, footer, form, script, style, noscript, template, svg"
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{1,40}")
_MADE_UP = re.compile(r"[0-9]{2}|^(?:css|sc|jsx|style|svelte)-|__[A-Za-z0-9]{5,}$")  # by a builder
_LETTER = re.compile(r"\w")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_TIMES = ("[class*=date]", "[class*=time]", "[class*=published]")
_MOST = 0.6  # share of the items that have what a selector within them selects


@dataclass(slots=True)
class _Group:
    """The elements of a page that a selector of items selects."""

    level: int  # how far above the link they are
    links: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by element
    nodes: dict[int, Any] = field(default_factory=dict)

    @property
    def reach(self) -> int:
        """How many articles it finds."""
        return len(set().union(*self.links.values())) if self.links else 0


def propose(body: bytes, content_type: str, url: str) -> tuple[PageSource, ...]:
    """Return selectors for the lists of articles on a page, the longest list first."""
    tree = LexborHTMLParser(decode(body, content_type))
    for part in tree.css(_NO_ARTICLES):
        part.decompose()
    groups: dict[str, _Group] = {}
    for anchor, link in _article_links(tree, url):
        for level, (node, selector) in enumerate(_above(anchor)):
            group = groups.setdefault(selector, _Group(level))
            group.links[node.mem_id].add(link)
            group.nodes[node.mem_id] = node
            group.level = max(group.level, level)
    lists = {
        selector: group for selector, group in groups.items() if _is_list(tree, selector, group)
    }
    ranked = sorted(lists, key=lambda name: (-lists[name].reach, -lists[name].level, len(name)))
    chosen: list[str] = []
    covered: list[set[str]] = []
    for selector in ranked:
        links = set().union(*lists[selector].links.values())
        if all(len(links & other) < len(links) / 2 for other in covered):
            chosen.append(selector)
            covered.append(links)
    return tuple(_source(name, list(lists[name].nodes.values())) for name in chosen[:PROPOSALS])


def proposals(body: bytes, content_type: str, url: str, now: datetime) -> tuple[PageProposal, ...]:
    """Return what is proposed for a page with what each gives, of those that give anything."""
    found: list[PageProposal] = []
    for source in propose(body, content_type, url):
        document = read_page(body, content_type, url, source, frozenset(), now)
        if isinstance(document, ParsedDocument):
            entries = document.entries
            dated = sum(entry.published is not None for entry in entries)
            newest = tuple((entry.title, entry.link) for entry in entries[:SHOWN])
            found.append(PageProposal(source, len(entries), dated, newest))
    return tuple(found)


def _article_links(tree: Any, url: str) -> Iterator[tuple[Any, str]]:
    """Links whose text is as long as a headline, each address once."""
    seen: set[str] = set()
    for anchor in tree.css("a[href]")[:_MAX_LINKS]:
        link = absolute(anchor.attributes.get("href") or "", url)
        text = anchor.text(deep=True)[:500]
        shortest = _SHORTEST_CJK if _CJK.search(text) else _SHORTEST
        if names_page(link) and link not in seen and len(_LETTER.findall(text)) >= shortest:
            seen.add(link)
            yield anchor, link


def _above(anchor: Any) -> Iterator[tuple[Any, str]]:
    """A link and the elements above it, each with its selector."""
    node = anchor
    for _ in range(_LEVELS):
        if node is None or node.tag in {"body", "html", "-undef"}:
            return
        yield node, _selector(node)
        node = node.parent


def _selector(node: Any) -> str:
    """The tag with its first classes; one without a class is named with its parent."""
    own = _with_classes(node)
    parent = node.parent
    if own != node.tag or parent is None or parent.tag in {"html", "-undef"}:
        return own
    return f"{_with_classes(parent)} > {own}"


def _with_classes(node: Any) -> str:
    names = (node.attributes.get("class") or "").split()
    usable = [name for name in names if _CLASS.fullmatch(name) and not _MADE_UP.search(name)]
    return ".".join((str(node.tag), *usable[:2]))


def _is_list(tree: Any, selector: str, group: _Group) -> bool:
    """Whether each of the elements holds a single article, and nearly all hold any."""
    singles = sum(len(links) == 1 for links in group.links.values())
    return (
        group.reach >= _FEWEST
        and singles >= 0.8 * len(group.links)
        and len(group.links) >= _MOST * len(tree.css(selector))
    )


def _source(item: str, nodes: list[Any]) -> PageSource:
    """The selectors within the items: what most of them have."""
    heading = next((tag for tag in _HEADINGS if _share(nodes, tag) >= _MOST), "")
    link = f"{heading} a" if heading and _share(nodes, f"{heading} a[href]") >= _MOST else ""
    time = "" if _share(nodes, "time") >= _MOST else _first(nodes, _TIMES)
    summary = "p" if _share_of_texts(nodes) >= _MOST else ""
    return PageSource(item, heading, link, time, summary)


def _first(nodes: list[Any], selectors: tuple[str, ...]) -> str:
    return next((name for name in selectors if _share(nodes, name) >= _MOST), "")


def _share(nodes: list[Any], selector: str) -> float:
    return sum(node.css_first(selector) is not None for node in nodes) / len(nodes)


def _share_of_texts(nodes: list[Any]) -> float:
    """The share of items with a paragraph that is as long as a sentence."""
    lengths = Counter(
        len((node.css_first("p").text(deep=True) if node.css_first("p") else "").strip()) >= 40
        for node in nodes
    )
    return lengths[True] / len(nodes)
