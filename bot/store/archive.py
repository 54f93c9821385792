"""Stored entries and what happened to them, for searches and explanations. Reads only.

Reading goes over connections of its own, so that a search delays neither polls nor deliveries.
"""

import json
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from bot.errors import StoreTimeout
from bot.feeds.last_document import Document
from bot.model.archive import (
    ArrivalFacts,
    AskedKeys,
    ChatAlert,
    ChatFact,
    EntryFacts,
    FeedFact,
    FeedPast,
    FoundEntry,
    KnownSubscription,
    StoredEntry,
    StoryEntry,
    StoryMember,
)
from bot.model.chats import ChatKind, Subscription
from bot.model.entries import counts_from_sight
from bot.model.evidence import Evidence
from bot.model.feeds import Failure
from bot.model.status import FeedList, FeedQuestion, Status
from bot.model.stories import Grouping, Pair, PairReason
from bot.query.prefilter import KEYS_VERSION
from bot.store import bodies, evidence, feed_lists, meta, past
from bot.store.engines.engine import Database, Reader
from bot.store.entry_facts import facts_of, known_subscriptions, stored_entry
from bot.store.mappers import (
    ALL_SUBSCRIPTIONS,
    get_settings,
    get_story_ids,
    get_subscription,
    get_time,
    put_time,
    sure_time,
)
from bot.store.meta import MetaName
from bot.store.overview import read_status
from bot.store.page_terms import TERMS
from bot.store.sql import DROPPED, STORY_COLUMNS, marks

_ENTRY = f"""
    select e.id, e.feed_id, e.strict_id, e.story_id, e.storyline_id, e.title, e.summary,
        e.language, e.link, e.author, e.source, e.published, e.first_seen_at, e.silent,
        f.url as feed_url, f.name as feed_name, f.publisher, f.tags, e.categories, {bodies.PACKED},
        {TERMS}, e.withdrawn_at
    from entries e join feeds f on f.id = e.feed_id
"""
_WITH_FEED = "join feeds f on f.id = e.feed_id"
_LATEST = f"{_ENTRY} order by e.id desc limit ?"
_BY_ID = f"{_ENTRY} where e.id = ?"
_FOUND = """
    select e.id, e.title, e.link, e.guid, e.source, e.first_seen_at, f.name, f.publisher,
        f.url as feed_url, {alerted} as alerted
    from {source}
"""
_IN_FEEDS = "entries e join feeds f on f.id = e.feed_id"
# Keys of guids, headlines and numbers are known by the index of each feed.
_BY_KEYS = """
    select id from entries where link_key in ({links}) and link_key != x''
    union
    select id from entries where feed_id in (select id from feeds)
        and guid_key in ({guids}) and guid_key != x''
    union
    select id from entries where feed_id in (select id from feeds)
        and title_key in ({titles}) and title_key != x''
    union
    select id from entries where feed_id in (select id from feeds)
        and article_key in ({numbers}) and article_key != x''
"""
_WITH_KEYS = "{found} where e.id in ({keys}) and {readable} order by alerted desc, e.id limit ?"
_SAME_LINK = """
    {found} where e.link_key = (select link_key from entries where id = ?) and e.link_key != x''
        and {readable} order by e.id limit ?
"""
# The index of the search is read from its newest row on.
_IN_SEARCH = """
    search cross join entries e on e.id = coalesce(
        (select entry_id from searched_again where id = search.rowid), search.rowid)
    join feeds f on f.id = e.feed_id
"""
_WITH_WORDS = """
    {found} where {matches} and {readable} order by search.rowid desc limit :limit
"""
_NEWEST = """
    {found} where e.id > (select max(id) from entries) - :last and {readable}
    order by e.id desc limit :last
"""
# Hits of the index, and all entries that it does not know yet, or not with their present words.
_HITS = """
    e.id in (
        select coalesce(a.entry_id, search.rowid) from search
            left join searched_again a on a.id = search.rowid
            where {matches} and search.rowid >= :first
        union
        select id from entries where id >= :first and id > (
            select cast(coalesce(max(value), '0') as integer) from meta where name = :searched
        )
        union
        select entry_id from unsearched where entry_id >= :first
    )
"""
# Without the name of the index SQLite would read all entries from the first one on.
_FIRST_SINCE = "select min(id) from entries indexed by entries_seen where first_seen_at >= ?"
_STORYLINE = """
    select e.id, e.strict_id, e.story_id, e.storyline_id, e.title, e.link,
        coalesce(nullif(e.source, ''), f.name) as name, e.origin, e.agency,
        coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at,
        e.published, e.first_seen_at,
        (select json_group_array(json_array(other_id, score, reason)) from joins j
            where j.entry_id = e.id) as pairs
    from entries e join feeds f on f.id = e.feed_id
    where e.storyline_id = (select storyline_id from entries where id = ?) and {readable}
    order by e.id
"""
_FEEDS = """
    select name, url, last_poll_at, failure_text, failure, max(next_poll_at, coalesce(
        (select not_before from hosts where hosts.host = f.host), '')) as next_poll_at
    from feeds f
    where active = 1 and {readable}
"""
_ALERTED = """
    exists (select 1 from alerts where chat_id = {chat} and entry_id = e.id
        and alerts.story_id in (e.strict_id, e.story_id, e.storyline_id))
"""
# A private feed is read by the chats that added it alone.
_NOT_OF_OTHERS = """
    (f.private = 0 or exists (
        select 1 from feed_chats where feed_id = f.id and feed_chats.chat_id = {chat}))
"""
# What nobody wants any more before it was sent is no alert.
_ALERTS_OF = f"""
    select a.story_id, a.entry_id, a.created_at, e.title, e.summary, e.link,
        coalesce(nullif(e.source, ''), f.name) as name,
        coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at,
        (select json_group_array(s.name) from alert_matches m
            join subscriptions s on s.id = m.subscription_id
            where m.chat_id = a.chat_id and m.story_id = a.story_id) as names
    from alerts a join entries e on e.id = a.entry_id join feeds f on f.id = e.feed_id
    where a.chat_id = :chat and a.held = 0 and a.note_of is null and a.merged_into is null
    and (a.message_id is not null or not exists (
        select 1 from outbox_alerts l join outbox o on o.id = l.outbox_id
        where l.chat_id = a.chat_id and l.story_id = a.story_id and o.state = {DROPPED}
    ))
    order by a.story_id desc limit :limit
"""
_DOCUMENT = "select records from documents where feed_id = ?"
_CHAT_ADDRESSES = """
    select id, name, kind, address, topic, declared, settings, declared_settings,
        coalesce(declared_grouping, grouping) as level from chats
"""
_ADDED_FEEDS = """
    select url, coalesce(nullif(c.name, ''), f.name) as name, c.tags
    from feeds f join feed_chats c on feed_id = f.id
    where declared = 0 and active = 1 and chat_id in ({marks}) and not exists (
        select 1 from feed_chats o
        where o.feed_id = f.id and o.chat_id in ({marks}) and o.chat_id < c.chat_id
    ) order by 2, url
"""


class Archive:
    """Implements `ports.FullArchive` on a database that another connection may be writing."""

    def __init__(
        self, reader: Reader, chat_id: int | None = None, until: float | None = None
    ) -> None:
        """With `chat_id`, what that chat may see: no feeds that only others added.

        `until`: on the monotonic clock, when reading ends with StoreTimeout.
        """
        self._reader, self._chat_id, self._until = reader, chat_id, until
        self._readable = _NOT_OF_OTHERS.format(chat=int(chat_id)) if chat_id is not None else "true"

    def of_chat(self, chat_id: int | None, seconds: float) -> "Archive":
        """Return the archive as a chat may see it (None: all), and for so long from now."""
        return Archive(self._reader, chat_id, time.monotonic() + seconds)

    def _open(self) -> AbstractContextManager[Database]:
        return self._reader.open(until=self._until)

    def _is_late(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def languages(self) -> frozenset[str]:
        """Return the languages of stored entries."""
        with self._open() as db:
            return frozenset(json.loads(meta.read(db, MetaName.LANGUAGES) or "[]"))

    def begins(self) -> datetime | None:
        """Return when the oldest stored entry was first seen."""
        with self._open() as db:
            return get_time(db.execute("select min(first_seen_at) from entries").fetchone()[0])

    def count(self, expression: str, since: datetime | None) -> int:
        """Return how many entries a search has to look at."""
        with self._open() as db:
            where, values = _where(db, expression, since)
            source = "entries e" if self._chat_id is None else f"entries e {_WITH_FEED}"
            statement = f"select count(*) from {source} where {where} and {self._readable}"
            return int(db.execute(statement, values).fetchone()[0])

    def entries(
        self,
        expression: str,
        since: datetime | None,
        step: int = 1,
        grouping: Grouping = Grouping.NORMAL,
    ) -> Iterator[StoredEntry]:
        """Yield the entries that a search has to look at, newest first.

        With `step`, only those of every `step`-th story, at the level `grouping`. An empty
        expression selects all entries.
        """
        with self._open() as db:
            where, values = _where(db, expression, since)
            if step > 1:
                where += f" and e.{STORY_COLUMNS[grouping]} % :step = 0"
            statement = f"{_ENTRY} where {where} and {self._readable} order by e.id desc"
            for row in db.stream(statement, {**values, "step": step}):
                if self._is_late():
                    raise StoreTimeout("The search took longer than it may.")
                yield stored_entry(row)

    def members(self, grouping: Grouping, stories: Collection[int]) -> list[StoryMember]:
        """Return all entries of these stories, in the order in which they came."""
        with self._open() as db:
            return past.members(db, self._readable, grouping, stories)

    def feed_pasts(self, since: datetime) -> list[FeedPast]:
        """Return what is known of the past of each feed that is polled, since then."""
        with self._open() as db:
            return past.feed_pasts(db, self._readable, since)

    def arrivals(self, since: datetime) -> ArrivalFacts:
        """Return when entries came since then, those of first fetches aside."""
        with self._open() as db:
            return past.arrivals(db, self._readable, since)

    def subscriptions(self) -> list[Subscription]:
        """Return all subscriptions in force."""
        with self._open() as db:
            return [get_subscription(row) for row in db.execute(ALL_SUBSCRIPTIONS).fetchall()]

    def known_subscriptions(self) -> list[KnownSubscription]:
        """Return the subscriptions that are not removed, those of the chat alone if it is one's."""
        with self._open() as db:
            return known_subscriptions(db, self._chat_id)

    def latest(self, limit: int, now: datetime) -> list[EntryFacts]:
        """Return the newest entries and what happened to them."""
        with self._open() as db:
            return [facts_of(db, row, now) for row in db.execute(_LATEST, [limit]).fetchall()]

    def with_keys(self, keys: AskedKeys, limit: int) -> list[FoundEntry]:
        """Return entries with any of these keys: what alerted the chat first, then the oldest."""
        chosen = _BY_KEYS.format(
            links=marks(keys.links),
            guids=marks(keys.guids),
            titles=marks(keys.titles),
            numbers=marks(keys.numbers),
        )
        statement = _WITH_KEYS.format(
            found=self._found(_IN_FEEDS), keys=chosen, readable=self._visible()
        )
        values = [*keys.links, *keys.guids, *keys.titles, *keys.numbers, limit]
        with self._open() as db:
            return [_found(row) for row in db.execute(statement, values).fetchall()]

    def with_words(self, expression: str, limit: int) -> list[FoundEntry]:
        """Return the newest entries that the search index has under an expression.

        What is newer than the index is not among them.
        """
        with self._open() as db:
            usable = _usable(db, expression)
            if not usable:
                return []
            statement = _WITH_WORDS.format(
                found=self._found(_IN_SEARCH),
                matches=db.search.matches,
                readable=self._visible(),
            )
            rows = db.execute(statement, {"expression": usable, "limit": limit}).fetchall()
        return [_found(row) for row in rows]

    def newest(self, count: int) -> list[FoundEntry]:
        """Return those of the last entries that may be read, newest first."""
        statement = _NEWEST.format(found=self._found(_IN_FEEDS), readable=self._visible())
        with self._open() as db:
            return [_found(row) for row in db.execute(statement, {"last": count}).fetchall()]

    def with_link_of(self, entry_id: int, limit: int) -> list[FoundEntry]:
        """Return the entries with the link of an entry, in the order they were seen."""
        statement = _SAME_LINK.format(found=self._found(_IN_FEEDS), readable=self._visible())
        with self._open() as db:
            return [_found(row) for row in db.execute(statement, [entry_id, limit]).fetchall()]

    def _found(self, source: str) -> str:
        """The beginning of a statement whose rows are entries that were asked for."""
        alerted = "0"
        if self._chat_id is not None:
            chat = int(self._chat_id)
            alerted = f"exists (select 1 from alerts where chat_id = {chat} and entry_id = e.id)"
        return _FOUND.format(alerted=alerted, source=source)

    def _visible(self) -> str:
        """The condition that the chat may read an entry: also what alerted it, whoever has it."""
        if self._chat_id is None:
            return self._readable
        return f"({self._readable} or {_ALERTED.format(chat=int(self._chat_id))})"

    def facts(self, entry_id: int, now: datetime) -> EntryFacts | None:
        """Return an entry and what happened to it; None where it is not stored any more."""
        with self._open() as db:
            row = db.execute(f"{_BY_ID} and {self._visible()}", [entry_id]).fetchone()
            return facts_of(db, row, now) if row else None

    def storyline(self, entry_id: int) -> list[StoryEntry]:
        """Return the entries of the storyline of an entry; empty where the entry is not known."""
        statement = _STORYLINE.format(readable=self._readable)
        with self._open() as db:
            rows = db.execute(statement, [entry_id]).fetchall()
        return [
            StoryEntry(
                row["id"],
                get_story_ids(row),
                row["title"],
                row["link"],
                row["name"],
                row["origin"],
                row["agency"],
                sure_time(row["at"]),
                _pairs(row["pairs"]),
                counts_from_sight(get_time(row["published"]), sure_time(row["first_seen_at"])),
            )
            for row in rows
        ]

    def evidence(self, entry_id: int) -> Evidence | None:
        """Return all that is stored of the storyline of an entry; None where it is not stored."""
        with self._open() as db:
            return evidence.read(db, entry_id, self._readable, self._chat_id)

    def feeds(self) -> list[FeedFact]:
        """Return the feeds that are polled."""
        with self._open() as db:
            rows = db.execute(_FEEDS.format(readable=self._readable)).fetchall()
        return [
            FeedFact(
                row["name"],
                row["url"],
                get_time(row["last_poll_at"]),
                sure_time(row["next_poll_at"]),
                row["failure_text"],
                Failure(row["failure"]) if row["failure"] else None,
            )
            for row in rows
        ]

    def alerts_of(self, chat_id: int, limit: int) -> list[ChatAlert]:
        """Return the alerts of the newest stories of a chat, those that were withdrawn aside."""
        with self._open() as db:
            rows = db.execute(_ALERTS_OF, {"chat": chat_id, "limit": limit}).fetchall()
        alerts = [
            ChatAlert(
                row["story_id"],
                row["entry_id"],
                row["title"],
                row["link"],
                row["summary"],
                row["name"],
                sure_time(row["at"]),
                sure_time(row["created_at"]),
                tuple(json.loads(row["names"])),
            )
            for row in rows
        ]
        return sorted(alerts, key=lambda alert: (alert.created_at, alert.story_id), reverse=True)

    def document(self, feed_id: int, limit: int) -> list[StoredEntry]:
        """Return the first entries of what a feed last answered with, in its order."""
        with self._open() as db:
            row = db.execute(_DOCUMENT, [feed_id]).fetchone()
            records = Document.unpack(row["records"]).records if row else ()
            numbers = list(dict.fromkeys(entry for _, entry in records if entry))[:limit]
            statement = f"{_ENTRY} where e.id in ({marks(numbers)}) and {self._readable}"
            entries = {
                entry.id: entry for entry in map(stored_entry, db.execute(statement, numbers))
            }
        return [entries[number] for number in numbers if number in entries]

    def feed_list(self, question: FeedQuestion) -> FeedList:
        """Return the feeds that a page asks for, failing ones first."""
        with self._open() as db:
            return feed_lists.feed_list(db, self._chat_id, question)

    def queued(self, chat_id: int) -> int:
        """Return how many deliveries of a chat are queued or being sent."""
        with self._open() as db:
            return feed_lists.queued(db, chat_id)

    def whole_status(self) -> Status:
        """Return the state with all chats, without feeds."""
        with self._open() as db:
            return read_status(db, without_feeds=True)

    def selectors(self) -> set[str]:
        """Return what names feeds, polled or not: addresses, names and tags."""
        with self._open() as db:
            rows = db.execute("select url, name, tags from feeds").fetchall()
        return {
            text for row in rows for text in (row["url"], row["name"], *json.loads(row["tags"]))
        }

    def chat_addresses(self) -> dict[int, ChatFact]:
        """Return name, address and settings of chats by id."""
        with self._open() as db:
            rows = db.execute(_CHAT_ADDRESSES).fetchall()
        return {
            row["id"]: ChatFact(
                row["name"],
                ChatKind(row["kind"]),
                row["address"],
                row["topic"],
                bool(row["declared"]),
                get_settings(row["settings"]),
                get_settings(row["declared_settings"]).over(get_settings(row["settings"])),
                Grouping(row["level"]) if row["level"] else None,
            )
            for row in rows
        }

    def chats(self) -> dict[int, tuple[str, str]]:
        """Return the names of chats by id, each with why it is paused, or nothing."""
        with self._open() as db:
            rows = db.execute("select id, name, paused from chats").fetchall()
        return {row["id"]: (row["name"], row["paused"]) for row in rows}

    def added_feeds(self, chats: Collection[int]) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return address, name and tags of feeds these chats added and the file does not have."""
        with self._open() as db:
            rows = db.execute(_ADDED_FEEDS.format(marks=marks(chats)), [*chats, *chats]).fetchall()
        return [(row["url"], row["name"], tuple(json.loads(row["tags"]))) for row in rows]


def _usable(db: Database, expression: str) -> str:
    """The expression; empty, for all entries, where the index is broken or has other keys."""
    if (
        meta.read_number(db, MetaName.SEARCHED)
        and meta.read_number(db, MetaName.SEARCH_KEYS) != KEYS_VERSION
    ):
        return ""
    return db.search.expression(expression) if db.search.is_usable(db, expression) else ""


def _where(db: Database, expression: str, since: datetime | None) -> tuple[str, dict[str, Any]]:
    """The SQL condition of a search, and its values."""
    expression = _usable(db, expression)
    # Ids rise with time, but for a few: the first one of the period ends what is read of the rest.
    moment = put_time(since)
    first = db.execute(_FIRST_SINCE, [moment]).fetchone()[0] or 0 if since else 0
    conditions = ["e.id >= :first and e.first_seen_at >= :since"] if since else []
    if expression:
        conditions.append(_HITS.format(matches=db.search.matches))
    values = {
        "since": moment,
        "first": first,
        "expression": expression,
        "searched": MetaName.SEARCHED,
    }
    return " and ".join(conditions) or "true", values


def _pairs(text: str) -> tuple[Pair, ...]:
    pairs = [Pair(other, score, PairReason(reason)) for other, score, reason in json.loads(text)]
    return tuple(sorted(pairs, key=lambda pair: -pair.score))


def _found(row: Any) -> FoundEntry:
    return FoundEntry(
        id=row["id"],
        title=row["title"],
        link=row["link"],
        guid=row["guid"],
        names=(row["name"], row["publisher"], row["source"], row["feed_url"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        alerted=bool(row["alerted"]),
    )
