"""A newsbell that rings Telegram chats on the loopback Bot API, and stories brought to it without a feed. Not assertions."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botapi import BotApi
from botapi import Message as Shown
from support import NOON, ManualClock, Recorder, newsbell

from bot.alerts import Ringer
from bot.app import App
from bot.model.chats import DeliveryKind
from bot.model.entries import EntryKeys, KnownEntry, NewEntry, Revision
from bot.model.feeds import FeedDue, FeedState
from bot.ports import FeedCommit, Lookup, OutboxRow

ANN, BOB, GROUP, FORUM, TOPIC = 7, 8, -10, -1001, 55
FEED = "http://127.0.0.1:9/feed.xml"  #: never polled: the stories are brought by `Desk.bring`
EVERY_STATE = ("queued", "sending", "sent", "unknown", "merged", "dropped", "dead")

Place = int | tuple[int, int]  #: a Telegram chat, or one of its topics


def telegram_config(
    api: BotApi, chats: Mapping[str, Place], feeds: Sequence[str] = (FEED,), *, admins: Sequence[int] = (), token: Any = None, **settings: Any
) -> str:
    """A feeds.yaml with these chats beside a terminal; each chat is rung by stories with its name or the word `everyone`."""
    places = {name: place if isinstance(place, tuple) else (place, 0) for name, place in chats.items()}
    telegram = {"api": api.url, "admins": list(admins), **(token or {})}
    declared = {name: {"telegram": address, **({"topic": topic} if topic else {})} for name, (address, topic) in places.items()}
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": telegram, **settings},
            "chats": {"here": {"terminal": True}, **declared},
            "feeds": [{"url": url, "name": "Invented Wire"} for url in feeds],
            "subscriptions": [{"name": f"For {name}", "query": f"{name} OR everyone", "to": [name]} for name in chats],
        }
    )


@dataclass(slots=True)
class Desk:
    """A newsbell with what a test needs around it."""

    made: App
    api: BotApi
    clock: ManualClock
    terminal: Recorder

    async def bring(self, *titles: str, summary: str = "", link: str | None = None, published: datetime | None = NOON) -> None:
        """Commit these stories, one poll each, as the ingest corridor would."""
        for title in titles:
            number = await self._number()
            address = f"https://news.example/{number}" if link is None else link
            keys = EntryKeys(number.to_bytes(16, "big"), b"", title.encode()[:16])
            new = NewEntry(number, 1, number, keys, f"g{number}", address, title, summary, "", "", published, None, self.clock.now())
            rung = self._ringer(()).ring([new], (), self._feed())
            await self._commit(FeedCommit(1, self._state(), new=(new,), alerts=rung.alerts))

    async def retitle(self, before: str, after: str) -> None:
        """Let the feed change a headline."""
        lookup = Lookup(1, (EntryKeys(b"", b"", before.encode()[:16]),))
        known = (await self.made.store.ingest.lookup([lookup], NOON))[1]
        entry: KnownEntry = next(one for one in known.entries if one.title == before)
        keys = EntryKeys(entry.keys.guid, b"", after.encode()[:16])
        revision = Revision(entry, after, entry.summary, f"https://news.example/{entry.id}", keys, self.clock.now(), retitled=True)
        rung = self._ringer(known.alerts).ring((), [revision], self._feed())
        await self._commit(FeedCommit(1, self._state(), revisions=(revision,), alerts=rung.alerts, alert_revisions=rung.revisions))

    def _feed(self) -> FeedDue:
        return FeedDue(1, FEED, "Invented Wire", "Invented Wire", (), None, self._state())

    async def deliver(self, span: timedelta = timedelta(0), step: timedelta = timedelta(seconds=1)) -> None:
        """Send all that may go out now and, step by step, within this span."""
        await self.made.deliver.run_once(timedelta(0))
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(min(step, until - self.clock.now()))
            await self.made.deliver.run_once(timedelta(0))

    async def listen(self) -> None:
        """Take the updates that wait, and send what they led to."""
        assert self.made._listener is not None
        await self.made._listener._take()
        await self.deliver()

    async def tell(self) -> None:
        """Ask for updates once more although none waits, so that Telegram knows what was taken; the long poll is ended."""
        assert self.made._listener is not None
        asking = asyncio.ensure_future(self.made._listener._take())
        while not asking.done():
            self.api.updates._release(None)
            await asyncio.sleep(0)

    async def outbox(self, *states: str) -> list[OutboxRow]:
        """Deliveries in these states (all by default)."""
        return await self.made.store.operator.outbox(states or EVERY_STATE)

    async def states(self) -> list[str]:
        """The states of all deliveries in order, notices left out."""
        return [row.state for row in await self.outbox() if row.kind != "notice"]

    def shown(self, chat: int, topic: int | None = None) -> list[str]:
        """First lines of the messages in a chat, without isolates."""
        return [first_line(message) for message in self.api.messages(chat, topic)]

    @property
    def notices(self) -> list[str]:
        """What the terminal's operator was told."""
        return self.terminal.texts(DeliveryKind.NOTICE)

    async def _number(self) -> int:
        """An id that no entry has, also after a restart."""
        return (await self.made.store.ingest.lookup([Lookup(1, (EntryKeys(b"", b"", b"\0"),))], NOON))[1].next_id

    def _ringer(self, alerted: Any) -> Ringer:
        return Ringer(self.made.ingest._index, alerted, self.clock.now())

    def _state(self) -> FeedState:
        return FeedState(next_poll_at=NOON + timedelta(days=365), baseline_at=NOON)

    async def _commit(self, commit: FeedCommit) -> None:
        await self.made.store.ingest.commit([commit], self.clock.now())


def first_line(message: Shown) -> str:
    """The headline of an alert."""
    return message.text.partition("\n")[0].replace("\u2068", "").replace("\u2069", "")


@asynccontextmanager
async def desk(
    folder: Path, api: BotApi, chats: Mapping[str, Place], clock: ManualClock, terminal: Recorder | None = None, **more: Any
) -> AsyncIterator[Desk]:
    """A newsbell on a file in this folder with these chats."""
    terminal = terminal or Recorder()
    config = telegram_config(api, chats, **more)
    async with newsbell(folder, config, clock=clock, terminal=terminal, environment={"TELEGRAM_BOT_TOKEN": api.token}) as made:
        yield Desk(made, api, clock, terminal)
