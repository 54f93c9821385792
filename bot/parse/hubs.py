"""Find the hub that a document or an answer names, which tells of news at once. No I/O.

WebSub (W3C Recommendation, 2018) §4: links with the relations `hub` and `self`, in the header Link
before those in the document.
"""

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from bot.model.hubs import HubLink
from bot.text.url import safe_link

_HEAD = 20_000  # bytes in which links of the feed itself stand
_LINK = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?link\b([^<>]{1,2000})>")
_ATTRIBUTE = re.compile(rb"""\b(rel|href)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_HEADER = re.compile(r"""<([^<>]{1,2000})>([^<]{0,500})""")
_RELATION = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))""", re.IGNORECASE)


def hub_of_document(head: bytes, url: str) -> HubLink | None:
    """Return the hub that the feed's own part of an XML document names."""
    if b"hub" not in head[:_HEAD]:
        return None
    return _hub(_links(head[:_HEAD]), url)


def hub_of_json_feed(document: Mapping[str, Any], url: str) -> HubLink | None:
    """Return the hub of a JSON Feed (version 1.1, `hubs`)."""
    hubs = document.get("hubs")
    if not isinstance(hubs, list):
        return None
    links = [
        ("hub", str(hub.get("url") or ""))
        for hub in hubs[:10]
        if isinstance(hub, Mapping) and str(hub.get("type")).lower() in {"websub", "pubsubhubbub"}
    ]
    own = document.get("feed_url")
    return _hub([*links, ("self", own if isinstance(own, str) else "")], url)


def hub_of_header(header: str, url: str) -> HubLink | None:
    """Return the hub that the header Link of an answer names (RFC 8288)."""
    if "hub" not in header:
        return None
    links: list[tuple[str, str]] = []
    for address, parameters in _HEADER.findall(header):
        relation = _RELATION.search(parameters)
        if relation:
            links.append(((relation[1] or relation[2] or "").lower(), address))
    return _hub(links, url)


def _links(head: bytes) -> Iterable[tuple[str, str]]:
    for match in _LINK.finditer(head):
        values = {
            name.decode(): html.unescape((double or single).decode("utf-8", "replace"))
            for name, double, single in _ATTRIBUTE.findall(match[1])
        }
        yield values.get("rel", "").lower(), values.get("href", "").strip()


def _hub(links: Iterable[tuple[str, str]], url: str) -> HubLink | None:
    """The first hub, and what it is asked about: the address that the feed calls its own."""
    hub, topic = "", ""
    for relations, address in links:
        names = relations.split()
        if "hub" in names and not hub:
            hub = _absolute(address, url)
        elif "self" in names and not topic:
            topic = _absolute(address, url)
    return HubLink(hub, topic or url) if hub else None


def _absolute(address: str, url: str) -> str:
    try:
        return safe_link(urljoin(url, address)) if address else ""
    except ValueError:
        return ""
