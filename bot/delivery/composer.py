"""Put a message together piece by piece: text with entities. Never markup, no I/O.

Offsets count UTF-16 code units, lengths code points, as Telegram counts them.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from bot.model.entries import Span
from bot.model.message import Entity, Message
from bot.text.clean import cut
from bot.text.url import host

ENTITIES = 100  #: entities of one message; Telegram ignores more
_AUTOLINK = re.compile(r"(?<!\w)[@/](?=\w)|#(?=[^\s#])|\$(?=[A-Z])")
#: not the zero-width non-joiner: Telegram counts that among the letters of a #tag
JOINER = "\u2060"
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
            self._entities.append(
                Entity(kind, self._offset, length, url if kind == "text_link" else "")
            )
        self._parts.append(text)
        self._offset += length
        return self

    def add_marked(
        self, text: str, spans: Iterable[Span], mark: str, *kinds: str, url: str = ""
    ) -> "Composer":
        """Append foreign text with its matched spans in a further style.

        What Telegram would turn into a link by itself is kept from it.
        """
        isolated = bool(_RTL.search(text))
        if isolated:
            self.add("\u2068")
        start = self._offset
        joints = [match.end() for match in _AUTOLINK.finditer(text)]
        plain = without_links(text)
        position = 0
        for first, past in _merged(spans, len(text)):
            begin, end = first + bisect_right(joints, first), past + bisect_left(joints, past)
            self.add(plain[position:begin]).add(plain[begin:end], mark)
            position = end
        self.add(plain[position:])
        styled = [
            Entity(kind, start, self._offset - start, url if kind == "text_link" else "")
            for kind in kinds
        ]
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


def without_links(text: str) -> str:
    """Keep `@name`, `/command`, `#tag` and `$TAG` from becoming links or notifying people."""
    return _AUTOLINK.sub(lambda match: match.group() + JOINER, text)


def fitting(text: str, limit: int) -> str:
    """The text, cut so that no more than `limit` code points are shown."""
    short = cut(text, limit)
    length = limit
    while (over := len(without_links(short)) + 2 * bool(_RTL.search(short)) - limit) > 0:
        length -= over
        short = cut(text, max(length, 1))
    return short


def linkable(link: str) -> bool:
    """Whether Telegram takes the link in an entity: a host with a dot, or an IPv6 address."""
    name = host(link)
    return "." in name or ":" in name


def _merged(spans: Iterable[Span], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(
        (span.start, min(span.end, length)) for span in spans if span.start < length
    ):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
