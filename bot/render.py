"""Turn what a chat is to be told into text with entities. Never markup, no I/O, no clock; the time zone is an argument.

Offsets count UTF-16 code units, lengths code points, as Telegram counts them. Every text fits Telegram's 4,096.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from bot.model.chats import AlertView, Delivery, DeliveryKind, Entity, Message
from bot.model.entries import Span
from bot.text.clean import cut
from bot.text.url import host

LENGTH = 4096  #: code points of one message
ENTITIES = 100  #: entities of one message; Telegram ignores more
SNIPPET = 300  #: code points of a snippet
_LISTED = 25  # stories shown in full by a collapsed message; the rest is counted
_AUTOLINK = re.compile(r"(?<![\w])([@/#$])(?=\w)")
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


class Composer:
    """Puts a message together piece by piece, keeping count of offsets."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._entities: list[Entity] = []
        self._offset = 0

    def add(self, text: str, *kinds: str, url: str = "") -> "Composer":
        """Append text in these styles."""
        if not text:
            return self
        length = units(text)
        for kind in kinds:
            self._entities.append(Entity(kind, self._offset, length, url if kind == "text_link" else ""))
        self._parts.append(text)
        self._offset += length
        return self

    def add_marked(self, text: str, spans: Iterable[Span], mark: str, *kinds: str, url: str = "") -> "Composer":
        """Append foreign text with its matched stretches in a further style; what would link by itself is kept from it."""
        isolated = bool(_RTL.search(text))
        if isolated:
            self.add("\u2068")
        start = self._offset
        position = 0
        for span in _merged(spans, len(text)):
            self.add(_tame(text[position : span[0]])).add(_tame(text[span[0] : span[1]]), mark)
            position = span[1]
        self.add(_tame(text[position:]))
        styled = [Entity(kind, start, self._offset - start, url if kind == "text_link" else "") for kind in kinds]
        self._entities += [entity for entity in styled if entity.length]
        return self.add("\u2069") if isolated else self

    @property
    def length(self) -> int:
        """Code points so far."""
        return sum(map(len, self._parts))

    @property
    def entities(self) -> int:
        """Entities so far."""
        return len(self._entities)

    def message(self, preview: str = "") -> Message:
        """The message."""
        ordered = sorted(self._entities, key=lambda entity: (entity.offset, -entity.length))
        return Message("".join(self._parts), tuple(ordered[:ENTITIES]), preview)


def _tame(text: str) -> str:
    """Keep `@name`, `/command`, `#tag` and `$TAG` of a headline from becoming links or pinging people (zero-width non-joiner)."""
    return _AUTOLINK.sub("\\1\u200c", text)


def linkable(link: str) -> bool:
    """Whether Telegram takes the link in an entity: a host with a dot, or an IPv6 address."""
    name = host(link)
    return "." in name or ":" in name


def _merged(spans: Iterable[Span], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((span.start, min(span.end, length)) for span in spans if span.start < length):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def snippet(summary: str, spans: Sequence[Span], length: int = SNIPPET) -> tuple[str, tuple[Span, ...]]:
    """At most `length` code points of the summary around the first match, and the spans within."""
    inside = [span for span in spans if span.field == "summary"]
    if len(summary) <= length:
        return summary, tuple(inside)
    first = inside[0].start if inside else 0
    start = 0
    if first > length * 2 // 3:
        space = summary.find(" ", max(0, first - length // 3))
        start = space + 1 if 0 <= space < first else first
    lead = "…" if start else ""
    text = lead + cut(summary[start:], length - len(lead))
    shift = start - len(lead)
    end = len(text) - text.endswith("…")
    return text, tuple(Span("summary", span.start - shift, min(span.end - shift, end)) for span in inside if start <= span.start < shift + end)


def local_time(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """`14:05` for today in that zone, else `21 Nov 14:05`, else with the year."""
    here, today = moment.astimezone(zone), now.astimezone(zone)
    if here.date() == today.date():
        return f"{here:%H:%M}"
    return f"{here.day} {here:%b %H:%M}" if here.year == today.year else f"{here.day} {here:%b %Y %H:%M}"


def source_line(alert: AlertView, now: datetime, zone: tzinfo) -> str:
    """Publisher, the link's host where it says more, and the local time."""
    publisher = alert.source or alert.feed
    site = host(alert.link)
    parts = [publisher]
    if site and site.casefold() not in publisher.casefold():
        parts.append(site)
    parts.append(local_time(alert.published or alert.first_seen_at, now, zone))
    return " · ".join(part for part in parts if part)


def render(delivery: Delivery, now: datetime, zone: tzinfo) -> Message:
    """The message of a delivery, as it should read at this moment."""
    if delivery.kind in {DeliveryKind.NOTICE, DeliveryKind.REPLY} or not delivery.alerts:
        return Message(cut(delivery.text, LENGTH), () if delivery.plain else delivery.entities)
    if len(delivery.alerts) == 1:
        message = _one(delivery.alerts[0], now, zone, repeat=delivery.repeat)
    else:
        message = _many(delivery.alerts, now, zone, repeat=delivery.repeat)
    if not delivery.plain:
        return message
    links = [alert.link for alert in delivery.alerts[:10] if alert.link]
    return Message(cut("\n".join([message.text, *links]), LENGTH))


def _headline(composer: Composer, alert: AlertView, spans: Sequence[Span]) -> None:
    title = [span for span in spans if span.field == "title"]
    kinds = ("bold", "text_link") if linkable(alert.link) else ("bold",)
    composer.add_marked(alert.title, title, "underline", *kinds, url=alert.link)


def _one(alert: AlertView, now: datetime, zone: tzinfo, *, repeat: bool) -> Message:
    composer = Composer()
    if repeat:
        composer.add("(repeat) ", "italic")
    if alert.catch_up:
        composer.add("(catch-up) ", "italic")
    _headline(composer, alert, alert.spans)
    composer.add("\n").add_marked(source_line(alert, now, zone), (), "italic", "italic")
    if alert.first_title and alert.first_title != alert.title:
        composer.add("\n✎ before: ").add_marked(alert.first_title, (), "strikethrough", "strikethrough")
    text, spans = snippet(alert.summary, alert.spans)
    if text and text != alert.title:
        composer.add("\n\n").add_marked(text, spans[:40], "bold")
    if alert.subscriptions:
        composer.add("\n\n🔔 ").add_marked(cut(", ".join(alert.subscriptions), 300), (), "bold")
    return composer.message(alert.link if linkable(alert.link) else "")


def _many(alerts: Sequence[AlertView], now: datetime, zone: tzinfo, *, repeat: bool) -> Message:
    composer = Composer()
    if repeat:
        composer.add("(repeat) ", "italic")
    composer.add(f"{len(alerts)} stories", "bold")
    names = list(dict.fromkeys(name for alert in alerts for name in alert.subscriptions))
    composer.add(" 🔔 ").add_marked(cut(", ".join(names), 200), (), "bold")
    for shown, alert in enumerate(alerts):
        if shown == _LISTED or composer.length > LENGTH - 600 or composer.entities > ENTITIES - 4:
            composer.add(f"\n\nand {len(alerts) - shown} more; newsbell keeps them all.")
            break
        composer.add("\n\n• ")
        _headline(composer, alert, ())
        composer.add("\n  ").add_marked(source_line(alert, now, zone), (), "italic", "italic")
    return composer.message()
