"""The alerts of a chat as Atom (RFC 4287) and as JSON Feed 1.1. Texts only: nothing is markup.

An alert keeps its id, whatever its words become. No I/O, no clock.
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import regex

from bot.model.archive import ChatAlert
from bot.web.blocks import outside

ATOM = "application/atom+xml; charset=utf-8"
JSON = "application/feed+json; charset=utf-8"
_OURS = UUID("5f2d4d6e-6f0c-4c0b-9d5a-1f6f6c1b7a10")  # the namespace of our ids
_NAMESPACE = "http://www.w3.org/2005/Atom"
#: what XML 1.0 cannot hold
_NOT_XML = regex.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def identifier(*parts: int) -> str:
    """Return the id of the alerts of a chat, or of an alert; the same for the same numbers."""
    return uuid5(_OURS, " ".join(map(str, parts))).urn


def atom(
    alerts: Sequence[ChatAlert], *, chat_id: int, title: str, address: str, now: datetime
) -> bytes:
    """Return a document of Atom; `address` is its own."""
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(f"{{{_NAMESPACE}}}feed")
    _add(root, "id", identifier(chat_id))
    _add(root, "title", title)
    _add(root, "updated", max((alert.created_at for alert in alerts), default=now).isoformat())
    _add(root, "link", rel="self", href=address)
    _add(_add(root, "author"), "name", "newsbell")
    for alert in alerts:
        entry = _add(root, "entry")
        _add(entry, "id", identifier(chat_id, alert.story_id))
        _add(entry, "title", alert.title, type="text")
        _add(entry, "updated", alert.created_at.isoformat())
        _add(entry, "published", alert.at.isoformat())
        if link := outside(alert.link):
            _add(entry, "link", rel="alternate", href=link)
        _add(_add(entry, "author"), "name", alert.name or "newsbell")
        for name in alert.subscriptions:
            _add(entry, "category", term=name)
        if alert.summary:
            _add(entry, "summary", alert.summary, type="text")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(alerts: Sequence[ChatAlert], *, chat_id: int, title: str, address: str) -> bytes:
    """Return a document of JSON Feed; `address` is its own."""
    items = []
    for alert in alerts:
        item: dict[str, object] = {
            "id": identifier(chat_id, alert.story_id),
            "title": alert.title,
            "content_text": alert.summary or alert.title,
            "date_published": alert.at.isoformat(),
            "date_modified": alert.created_at.isoformat(),
            "authors": [{"name": alert.name or "newsbell"}],
            "tags": list(alert.subscriptions),
        }
        if link := outside(alert.link):
            item["url"] = link
        items.append(item)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "feed_url": address,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    clean = {key: _NOT_XML.sub("", value) for key, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}", clean)
    element.text = _NOT_XML.sub("", text) or None
    return element
