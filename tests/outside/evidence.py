"""What chats received, as the stand-in for Telegram saw it, and which articles it showed them.

An article is known again by its link. Nothing of newsbell's database is read; nothing is judged.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from aiohttp import web
from botapi.server import Call
from outside.ledger import Ledger
from outside.weather import OutsideApi

_SENDS = frozenset({"sendMessage", "sendDocument", "sendPhoto"})
_EDITS = frozenset({"editMessageText", "editMessageCaption"})
_MARKS = re.compile(r"(?:\((?:repeat|catch-up|single publisher)\) )*")
_BUNDLE = re.compile(r"(?:Digest: |During quiet hours: )?\d+ stor(?:y|ies)\b")
_LISTED = re.compile(r"^([•↳]) (.+)$", re.MULTILINE)
_LINK_LINE = re.compile(r"^https?://\S+$", re.MULTILINE)
_JOINER = "\u2060"  #: keeps `@name` and the like from becoming links
_RETRY = re.compile(r"retry after (\d+)")
_BELL = re.compile(r"🔔 (.*)$", re.MULTILINE)


class Place(StrEnum):
    """Where a message shows an article."""

    LEAD = "lead"  #: the alert is this article's
    LISTED = "listed"  #: it is one of several in a message
    NOTE = "note"  #: a reply to an alert, or a note among several
    AGAIN = "again"  #: the second alert of a story
    ALSO = "also"  #: a further article of the story, by its publisher's name
    LATEST = "latest"  #: the newest headline of the story, below it


#: places that show a headline as news
HEADLINES = frozenset({Place.LEAD, Place.LISTED, Place.NOTE})


@dataclass(frozen=True, slots=True)
class Shown:
    """An article in a message."""

    place: Place
    link: str  #: empty where a message without styling shows the headline alone
    title: str


@dataclass(frozen=True, slots=True)
class Version:
    """A message as it read from a moment on."""

    at: float
    text: str
    shown: tuple[Shown, ...]
    is_repeat: bool

    @property
    def names(self) -> str:
        """The subscriptions that it names."""
        found = _BELL.findall(self.text.replace(_JOINER, ""))
        return found[-1] if found else ""


@dataclass
class Receipt:
    """A message in a chat, with all that it was changed to."""

    chat: int
    topic: int
    number: int
    reply_to: int | None
    versions: list[Version]
    #: whether the bot was told that it arrived
    is_confirmed: bool = False

    @property
    def at(self) -> float:
        """When it arrived."""
        return self.versions[0].at

    def links(self, places: frozenset[Place] = HEADLINES) -> set[str]:
        """The links of the articles that any version shows in these places."""
        return {item.link for v in self.versions for item in v.shown if item.place in places}


@dataclass(frozen=True, slots=True)
class Failed:
    """A send or change that the bot was told did not work; it may have arrived all the same."""

    at: float
    chat: int
    status: int  #: 0: no answer
    text: str
    shown: tuple[Shown, ...]
    arrived: bool
    pause: float = 0.0  #: seconds that a 429 asked for


@dataclass
class Evidence:
    """All that was received, by chat and number of the message."""

    receipts: dict[tuple[int, int], Receipt] = field(default_factory=dict)
    failures: list[Failed] = field(default_factory=list)

    def of_chat(self, chat: int, topic: int = 0) -> list[Receipt]:
        """The messages of a chat, or of its topic, in order."""
        return [r for r in self.receipts.values() if (r.chat, r.topic) == (chat, topic)]

    def showing(self, chat: int, topic: int, link: str) -> list[Receipt]:
        """The messages of a chat that show this article as news."""
        return [r for r in self.of_chat(chat, topic) if link in r.links()]

    def receive(self, call: Call, number: int, at: float) -> None:
        """Note a send or a change that was carried out."""
        chat, text = int(call.params["chat_id"]), _text(call)
        shown = tuple(read(text, call.params.get("entities") or ()))
        version = Version(at, text, shown, text.startswith("(repeat)"))
        if call.method in _EDITS:
            if (chat, number) in self.receipts:
                self.receipts[chat, number].versions.append(version)
            return
        reply = (call.params.get("reply_parameters") or {}).get("message_id")
        topic = int(call.params.get("message_thread_id") or 0)
        self.receipts[chat, number] = Receipt(chat, topic, number, reply, [version])

    def fail(self, call: Call, status: int, at: float, pause: float) -> None:
        """Note that the bot was told of a failure, and how long to wait."""
        text = _text(call)
        shown = tuple(read(text, call.params.get("entities") or ()))
        chat = int(call.params.get("chat_id") or 0)
        self.failures.append(Failed(at, chat, status, text, shown, call.processed, pause))


class WitnessApi(OutsideApi):
    """A Bot API with weather that keeps the evidence."""

    def __init__(self, chance: Random, clock: Any) -> None:
        super().__init__(Ledger({}), chance, clock=clock)
        self.evidence = Evidence()

    async def _answer(self, call: Call) -> web.Response | None:
        response = await super()._answer(call)
        status = response.status if response else 0
        if call.method in _SENDS | _EDITS and status != 200:
            text = (response.text if response else "") or ""
            asked = _RETRY.search(text) if status == 429 else None
            pause = float(asked[1]) if asked else 0.0
            self.evidence.fail(call, status, self._clock(), pause)
        return response

    async def _carry_out(self, call: Call) -> object:
        result = await super()._carry_out(call)
        if call.method in _SENDS | _EDITS and isinstance(result, dict):
            self.evidence.receive(call, int(result["message_id"]), self._clock())
        return result


def read(text: str, entities: Sequence[Mapping[str, Any]]) -> Iterator[Shown]:
    """Yield the articles that an alert shows; none for a reply or a notice."""
    links = list(_links(text, entities))
    begin = _MARKS.match(text)
    start = begin.end() if begin else 0
    rest = text[start:]
    if _BUNDLE.match(rest):
        yield from _listed(text, links)
    elif not links:
        yield from _plain(rest)
    elif rest.startswith("↳ ") and links[0][0] == start + 2:
        yield Shown(Place.NOTE, *links[0][1:])
    elif rest.startswith("🔔 Now "):
        yield Shown(Place.AGAIN, *links[0][1:])
        yield from (Shown(Place.ALSO, *link[1:]) for link in links[1:])
    elif links[0][0] == start:
        yield Shown(Place.LEAD, *links[0][1:])
        for at, link, title in links[1:]:
            place = Place.LATEST if text[:at].endswith("\n↳ ") else Place.ALSO
            yield Shown(place, link, title)


def _listed(text: str, links: Sequence[tuple[int, str, str]]) -> Iterator[Shown]:
    """The stories of a message that names several; by their headlines where it has no links."""
    for at, link, title in links:
        if text[:at].endswith(("\n\n• ", "\n\n↳ ")):
            yield Shown(Place.NOTE if text[at - 2] == "↳" else Place.LISTED, link, title)
    if not links:
        for mark, title in _LISTED.findall(text):
            yield Shown(Place.NOTE if mark == "↳" else Place.LISTED, "", title)


def _plain(rest: str) -> Iterator[Shown]:
    """An alert that was sent without styling: its link stands at the end."""
    links = _LINK_LINE.findall(rest)
    if len(links) == 1 and rest.endswith(links[0]):
        note = rest.startswith("↳ ")
        title = rest.partition("\n")[0].removeprefix("↳ ").partition(" · ")[0]
        yield Shown(Place.NOTE if note else Place.LEAD, links[0], title)


def _links(text: str, entities: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """Where linked words begin, where they lead, and the words; parts of one link are one."""
    raw = text.encode("utf-16-le")
    begin = end = 0
    url = ""
    for entity in sorted(entities, key=lambda entity: int(entity["offset"])):
        if entity["type"] != "text_link":
            continue
        first, last = int(entity["offset"]), int(entity["offset"]) + int(entity["length"])
        if url == entity["url"] and first <= end:
            end = max(end, last)
            continue
        if url:
            yield _link(raw, begin, end, url)
        begin, end, url = first, last, str(entity["url"])
    if url:
        yield _link(raw, begin, end, url)


def _link(raw: bytes, begin: int, end: int, url: str) -> tuple[int, str, str]:
    before = raw[: 2 * begin].decode("utf-16-le")
    return len(before), url, raw[2 * begin : 2 * end].decode("utf-16-le")


def _text(call: Call) -> str:
    return str(call.params.get("text") or call.params.get("caption") or "")
