"""A newsbell that sends alerts to Telegram chats on the loopback Bot API.

Stories are brought to it without a feed. Not assertions.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botapi import BotApi
from botapi import Message as BotMessage
from support import NOON, ManualClock, Recorder, execute, newsbell, query

from bot.alerts.decide import AlertRules
from bot.feeds.batch import decide_commits
from bot.feeds.poll_result import PollDecision
from bot.model.delivery import Delivery, DeliveryKind, DeliveryState, OutboxRow
from bot.model.entries import EntryKeys, KnownEntry, NewEntry, PlacedEntry, Revision, Silence
from bot.model.feeds import FeedDue, FeedState
from bot.model.poll import FeedCommit, Lookup
from bot.model.stories import Merge, Placement
from bot.model.stories import StoryIds as Stories
from bot.parse.entry_keys import link_key
from bot.service.app import App
from bot.stories.assign import Merges

ANN, BOB, GROUP, FORUM, TOPIC = 7, 8, -10, -1001, 55
FEED = (
    "http://127.0.0.1:9/feed.xml"  #: never polled: stories are brought by `TelegramHarness.bring`
)
EVERY_STATE = tuple(DeliveryState)

Address = int | tuple[int, int]  #: a Telegram chat, or one of its topics


def telegram_config(
    api: BotApi,
    chats: Mapping[str, Address],
    feeds: Sequence[str] = (FEED,),
    *,
    admins: Sequence[int] = (),
    token: Any = None,
    subscriptions: Sequence[Mapping[str, Any]] | None = None,
    levels: Mapping[str, str] | None = None,
    elsewhere: Mapping[str, Mapping[str, Any]] | None = None,
    tags: Sequence[str] = (),
    **settings: Any,
) -> str:
    """A feeds.yaml with these chats beside a terminal.

    Each chat gets alerts for stories with its name or the word `everyone`, unless `subscriptions`
    are given; `levels` are the settings `stories` of chats, `elsewhere` chats of other services,
    `tags` those of the feeds.
    """
    places = {
        name: place if isinstance(place, tuple) else (place, 0) for name, place in chats.items()
    }
    telegram = {"api": api.url, "admins": list(admins), **(token or {})}
    declared: dict[str, dict[str, Any]] = {
        name: {"telegram": address, **({"topic": topic} if topic else {})}
        for name, (address, topic) in places.items()
    }
    for name, level in (levels or {}).items():
        declared[name]["stories"] = level
    declared |= {name: dict(place) for name, place in (elsewhere or {}).items()}
    usual = [
        {"name": f"For {name}", "query": f"{name} OR everyone", "to": [name]} for name in declared
    ]
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, "telegram": telegram, **settings},
            "chats": {"here": {"terminal": True}, **declared},
            "feeds": [{"url": url, "name": "Invented Wire", "tags": list(tags)} for url in feeds],
            "subscriptions": usual if subscriptions is None else list(subscriptions),
        }
    )


@dataclass(frozen=True, slots=True)
class ArticleSpec:
    """An article as a test wants it grouped."""

    title: str
    #: strict story, story and storyline; 0 for a story that begins with the article
    story_ids: tuple[int, int, int] = (0, 0, 0)
    origin: str = ""  #: whom it counts for; the article alone where empty
    agency: str = ""
    summary: str = ""
    silent: str = ""
    published: datetime | None = None  #: None: at this moment
    development: bool = False  #: news that joins its story and opens a strict one
    confirms: bool = True
    #: chats that added its feed, which is number 2 then; None: feed 1, which all read
    readers: frozenset[int] | None = None


@dataclass(slots=True)
class TelegramHarness:
    """A newsbell with what a test needs around it."""

    app: App
    api: BotApi
    clock: ManualClock
    terminal: Recorder
    watched_since: datetime = NOON - timedelta(days=3)  #: the first fetch of the feed

    async def bring(
        self,
        *titles: str,
        summary: str = "",
        link: str | None = None,
        published: datetime | None = NOON,
    ) -> None:
        """Commit these stories, one poll each, as the poller would."""
        for title in titles:
            number = await self._number()
            address = f"https://news.example/{number}" if link is None else link
            keys = EntryKeys(number.to_bytes(16, "big"), b"", title.encode()[:16])
            new = NewEntry(
                number,
                1,
                keys,
                f"g{number}",
                address,
                title,
                summary,
                "",
                "",
                published,
                None,
                self.clock.now(),
            )
            placed = PlacedEntry(
                new,
                Placement(number, Stories(number, number, number)),
                "invented wire",
                "invented wire",
            )
            await self._commit([PollDecision(self._feed(), self._commit_of(), placed=(placed,))])

    async def add(
        self, *polls: ArticleSpec | Sequence[ArticleSpec], merges: Sequence[Merge] = ()
    ) -> list[int]:
        """Commit these polls in one batch, with these merges; the ids of the articles.

        The stories are those of the articles: nothing is grouped.
        """
        commits, numbers = await self.decide(*polls, merges=merges)
        await self.app.store.polls.commit(commits, self.clock.now(), merges)
        return numbers

    async def decide(
        self, *polls: ArticleSpec | Sequence[ArticleSpec], merges: Sequence[Merge] = ()
    ) -> tuple[list[FeedCommit], list[int]]:
        """As `add`, but nothing is committed."""
        batch = [[poll] if isinstance(poll, ArticleSpec) else list(poll) for poll in polls]
        number = await self._number(sum(map(len, batch)))
        decisions = []
        for articles in batch:
            placed = [self._placed(article, number + at) for at, article in enumerate(articles)]
            number += len(articles)
            feed = self._feed(articles[0].readers)
            decisions.append(
                PollDecision(feed, FeedCommit(feed.id, self._state()), placed=tuple(placed))
            )
        commits = await self._decide(decisions, merges)
        return commits, [entry.entry.id for poll in decisions for entry in poll.placed]

    async def _decide(
        self, decisions: Sequence[PollDecision], merges: Sequence[Merge] = ()
    ) -> list[FeedCommit]:
        """As the poller decides about alerts once the entries of a batch are placed."""
        subscriptions = self.app.subscriptions
        rules = AlertRules(
            subscriptions.index,
            self.app.grouping,
            self.clock.now(),
            subscriptions.developments,
            subscriptions.updates,
        )
        return await decide_commits(self.app.store.polls, decisions, Merges.of(merges), rules)

    def _placed(self, article: ArticleSpec, number: int) -> PlacedEntry:
        now = self.clock.now()
        link = f"https://news.example/{number}"
        keys = EntryKeys(number.to_bytes(16, "big"), link_key(link), article.title.encode()[:16])
        new = NewEntry(
            number,
            2 if article.readers else 1,
            keys,
            f"g{number}",
            link,
            article.title,
            article.summary,
            "",
            "",
            article.published or now,
            None,
            now,
            Silence(article.silent) if article.silent else None,
        )
        place = Stories(*(story or number for story in article.story_ids))
        origin = article.origin or f"publisher {number}"
        placement = Placement(
            number, place, development=article.development, confirms=article.confirms
        )
        return PlacedEntry(new, placement, origin, origin, article.agency)

    async def retitle(self, before: str, after: str) -> None:
        """Let the feed change a headline."""
        await self.revise(before, after)

    async def revise(
        self, before: str, after: str, summary: str | None = None, *, body: str = ""
    ) -> None:
        """Let the feed change a headline, and the text where one is given."""
        entry = await self._known(before)
        keys = EntryKeys(entry.keys.guid, b"", after.encode()[:16])
        revision = Revision(
            entry,
            after,
            entry.summary if summary is None else summary,
            f"https://news.example/{entry.id}",
            keys,
            self.clock.now(),
            retitled=True,
            body=body,
        )
        await self._commit([PollDecision(self._feed(), self._commit_of(revisions=(revision,)))])

    async def take_back(self, title: str) -> None:
        """Let the feed name an article among those that are withdrawn."""
        entry = await self._known(title)
        commit = replace(self._commit_of(), withdrawn=(entry.id,))
        await self._commit([PollDecision(self._feed(), commit, withdrawn=(entry,))])

    async def _known(self, title: str) -> KnownEntry:
        lookup = Lookup(1, (EntryKeys(b"", b"", title.encode()[:16]),))
        known = (await self.app.store.polls.lookup([lookup]))[1]
        return next(entry for entry in known.entries if entry.title == title)

    async def begin(self, name: str) -> Delivery:
        """Mark the next delivery to this chat as being sent, and no more."""
        now = self.clock.now()
        chat = (await self.rows("select id from chats where name = ?", name))[0][0]
        [delivery] = await self.app.store.deliveries.claim_deliveries(now, [chat], 1000)
        return delivery

    async def finish(self, delivery: Delivery) -> None:
        """Send what `begin` began."""
        await self.app.deliverer.deliver(delivery)

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        return query(self.app, statement, *values)

    async def execute(self, statement: str, *values: Any) -> None:
        """Change the database behind newsbell's back."""
        execute(self.app, statement, *values)

    def _feed(self, readers: frozenset[int] | None = None) -> FeedDue:
        number = 2 if readers else 1
        name = "Invented Wire"
        return FeedDue(number, FEED, name, name, (), None, self._state(), chats=readers)

    async def deliver(
        self, span: timedelta = timedelta(0), step: timedelta = timedelta(seconds=1)
    ) -> None:
        """Send all that may go out now and, step by step, within this span."""
        await self.app.deliverer.run_once(timedelta(0))
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(min(step, until - self.clock.now()))
            await self.app.deliverer.run_once(timedelta(0))

    async def listen(self) -> None:
        """Take the updates that wait, if there are any, and send what they led to."""
        await self.confirm_updates()
        assert self.app.telegram is not None
        await self.app.telegram.tasks.wait()
        await self.deliver()

    async def confirm_updates(self) -> None:
        """Poll once, also where no update waits, so that Telegram knows what was taken."""
        assert self.app.listener is not None
        with self.api.updates.at_once():
            await self.app.listener.poll_once()

    async def outbox(self, *states: str) -> list[OutboxRow]:
        """Deliveries in these states (all by default)."""
        chosen = [DeliveryState(state) for state in states] or EVERY_STATE
        return await self.app.store.admin.outbox(self.clock.now(), chosen)

    async def states(self) -> list[str]:
        """The states of all deliveries in order, notices left out."""
        return [row.state for row in await self.outbox() if row.kind != "notice"]

    def shown(self, chat: int, topic: int | None = None) -> list[str]:
        """First lines of the messages in a chat, without isolates."""
        return [first_line(message) for message in self.api.messages(chat, topic)]

    @property
    def notices(self) -> list[str]:
        """The notices on the terminal."""
        return self.terminal.texts(DeliveryKind.NOTICE)

    async def _number(self, count: int = 1) -> int:
        """The first of so many ids that no entry has, also after a restart."""
        lookup = Lookup(1, (EntryKeys(b"", b"", b"\0"),) * max(count, 1))
        return (await self.app.store.polls.lookup([lookup]))[1].next_id

    def _commit_of(self, revisions: tuple[Revision, ...] = ()) -> FeedCommit:
        return FeedCommit(1, self._state(), revisions=revisions)

    def _state(self) -> FeedState:
        return FeedState(next_poll_at=NOON + timedelta(days=365), baseline_at=self.watched_since)

    async def _commit(self, decisions: Sequence[PollDecision]) -> None:
        commits = await self._decide(decisions)
        await self.app.store.polls.commit(commits, self.clock.now())


def first_line(message: BotMessage) -> str:
    """The headline of an alert."""
    return message.text.partition("\n")[0].replace("\u2068", "").replace("\u2069", "")


OpenHarness = Callable[
    ..., AbstractAsyncContextManager[TelegramHarness]
]  #: what the fixture `opened` gives


@asynccontextmanager
async def open_harness(
    folder: Path,
    api: BotApi,
    chats: Mapping[str, Address],
    clock: ManualClock,
    terminal: Recorder | None = None,
    **more: Any,
) -> AsyncIterator[TelegramHarness]:
    """A newsbell on a file in this folder with these chats."""
    terminal = terminal or Recorder()
    config = telegram_config(api, chats, **more)
    async with newsbell(
        folder,
        config,
        clock=clock,
        terminal=terminal,
        environment={"TELEGRAM_BOT_TOKEN": api.token},
    ) as app:
        yield TelegramHarness(app, api, clock, terminal)


def rule(name: str, query: str, *, to: tuple[str, ...] = ("ann",), **more: Any) -> dict[str, Any]:
    return {"name": name, "query": query, "to": list(to), **more}


TRAM = rule("Tram", "tram")
EVERYWHERE = rule("Tram", "tram", to=("ann", "group", "topic"))


async def ask(
    harness: TelegramHarness,
    text: str,
    reply_to: int | None = None,
    chat: int = ANN,
    by: int = ANN,
    topic: int | None = None,
    **more: Any,
) -> str:
    """Write there, in answer to a message; what is answered."""
    before = len(harness.api.messages(chat))
    harness.api.say(chat, by, text, topic, reply_to, **more)
    await harness.listen()
    await harness.deliver(timedelta(seconds=30), timedelta(seconds=2))
    answers = harness.api.messages(chat)[before:]
    assert len(answers) < 2
    return answers[0].text if answers else ""


def newest_message(harness: TelegramHarness, chat: int = ANN) -> int:
    """The number of the last message there."""
    return harness.api.messages(chat)[-1].message_id


async def start_story(harness: TelegramHarness, title: str = "tram") -> int:
    """Send an alert for a story; its number."""
    [number] = await harness.add(ArticleSpec(title))
    await harness.deliver(timedelta(seconds=30), timedelta(seconds=2))
    return number


async def stances(harness: TelegramHarness) -> list[tuple[Any, ...]]:
    return await harness.rows(
        "select name, storyline_id, stance from stances join chats on chats.id = chat_id "
        "order by 1, 2"
    )
