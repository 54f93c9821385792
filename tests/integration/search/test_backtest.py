"""Looking back: a search finds what the matcher says and nothing else, in whatever state its index is; a backtest counts what would have rung."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from feed_harness import watching
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from structlog.typing import EventDict
from support import NOON, FeedServer, ManualClock, Recorder, item, newsbell, poll, rss, sqlite
from test_query_properties import (
    LANGUAGES,
    NAMES,
    PAIRS,
    QUERIES,
    QUICK,
    WORDS,
    _subscription,
    _tree,
    articles,
)

from bot.errors import StoreError
from bot.model.chats import ChatKind, DeclaredChat, DeclaredSubscription, Subscription
from bot.model.desired_config import DesiredConfig
from bot.model.entries import Article, EntryKeys, KnownEntry, NewEntry, PlacedEntry, Revision
from bot.model.feeds import DeclaredFeed, FeedState
from bot.model.poll import FeedCommit, Lookup
from bot.model.stories import Placement, StoryIds
from bot.parse.entry_keys import digest
from bot.query.index import Index
from bot.query.matcher import match
from bot.query.parser import parse
from bot.query.prefilter import fts_expression, search_text
from bot.query.words import ArticleWords
from bot.search.backtest import backtest, search
from bot.store import search_index
from bot.store.archive import Archive
from bot.store.schema import migrations
from bot.store.sqlite import SqliteStore

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WIRE = DeclaredFeed("https://wire.example/rss.xml", "Harbour Wire", "Harbour Wire", ("sport",))
POST = DeclaredFeed("https://post.example/feed", "Morning Post", "post.example", ("World", "sea"))
DECLARED = DesiredConfig(
    (WIRE, POST),
    (DeclaredChat("here", ChatKind.TERMINAL),),
    (DeclaredSubscription("All", "harbour", (), ("here",)),),
)


def _placed(entry: NewEntry, story: int) -> PlacedEntry:
    return PlacedEntry(entry, Placement(entry.id, StoryIds(story, story, story)), "house", "house")


class ArchiveHarness:
    """A store with two feeds, and entries put into it as a poll would. Runs the store's calls one by one."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "newsbell.db"
        self._runner = asyncio.Runner()
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(self.path)
        self.run(self.store.__aenter__())
        self.run(self.store.config.sync(DECLARED, NOON))
        self.archive = self.store.archive

    def close(self) -> None:
        self.run(self.store.__aexit__(None, None, None))

    def end(self) -> None:
        self.close()
        self._runner.close()

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.run(
            self.store._writer.run(
                "look",
                lambda db: [tuple(row) for row in db.execute(statement, list(values)).fetchall()],
            )
        )

    def put(
        self,
        *new: Article | str,
        at: datetime = NOON,
        feed: int = 1,
        story: int = 0,
        published: datetime | None = None,
    ) -> list[int]:
        """Keep these; their ids. A story of 0 makes one of each."""
        made = [Article(one, language="en") if isinstance(one, str) else one for one in new]
        keys = tuple(EntryKeys(b"", b"", digest("title", one.title or "-")) for one in made)
        first = self.run(self.store.polls.lookup([Lookup(feed, keys)]))[feed].next_id
        entries = tuple(
            NewEntry(
                id=first + number,
                feed_id=feed,
                keys=replace(keys[number], guid=(first + number).to_bytes(16, "big")),
                guid=f"g{first + number}",
                link=one.link,
                title=one.title,
                summary=one.summary,
                author=one.author,
                source=one.source,
                published=published,
                updated=None,
                first_seen_at=at,
                language=one.language,
            )
            for number, one in enumerate(made)
        )
        self._commit(feed, new=tuple(_placed(entry, story or entry.id) for entry in entries))
        return [entry.id for entry in entries]

    def revise(self, number: int, now: Article) -> None:
        """Let the feed change an entry's words."""
        row = self.rows(
            "select feed_id, story_id, title, summary from entries where id = ?", number
        )[0]
        keys = EntryKeys(number.to_bytes(16, "big"), b"", digest("title", now.title or "-"))
        known = KnownEntry(
            number, row[0], StoryIds(row[1], row[1], row[1]), keys, row[2], row[3], None, None, NOON
        )
        self._commit(
            row[0],
            revisions=(
                Revision(
                    known,
                    now.title,
                    now.summary,
                    now.link,
                    keys,
                    None,
                    retitled=True,
                    language=now.language,
                ),
            ),
        )

    def gone(self, *numbers: int) -> None:
        """Let entries leave their feed a hundred days ago, and forget them."""
        self.run(
            self.store.polls.commit(
                [FeedCommit(1, self._state(), absent=numbers)], NOON - 100 * DAY
            )
        )
        self.run(self.store.admin.prune(NOON))

    def fill(self, batches: int = 100) -> int:
        """Take entries into the search; how many."""
        total = 0
        for _ in range(batches):
            done = self.run(self.store.search.fill())
            total += done
            if not done:
                break
        return total

    def titles(self, query: str, **more: Any) -> list[str]:
        """Headlines that a search finds."""
        return [
            hit.entry.article.title for hit in search(parse(query, NAMES), self.archive, **more)
        ]

    def _commit(self, feed: int, **what: Any) -> None:
        self.run(self.store.polls.commit([FeedCommit(feed, self._state(), **what)], NOON))

    def _state(self) -> FeedState:
        return FeedState(next_poll_at=NOON + 365 * DAY, baseline_at=NOON)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ArchiveHarness]:
    made = ArchiveHarness(tmp_path)
    yield made
    made.end()


def invented(chance: Random) -> Article:
    """An article of the vocabulary that the random queries have."""

    def text(most: int) -> str:
        return " ".join(
            chance.choice(PAIRS) if chance.random() < 0.2 else chance.choice(WORDS)
            for _ in range(chance.randrange(most))
        )

    link = chance.choice(
        [
            "",
            "https://post.example/world/1",
            "http://news.wire.example/a",
            "https://outpost.example/",
        ]
    )
    return Article(
        text(7),
        text(9),
        chance.choice(LANGUAGES),
        link,
        chance.choice(["", "Jane Roe", "John Doe"]),
        chance.choice(["", "Evening Post"]),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    """Entries in every state: taken in, changed before and after, forgotten, taken in anew, not taken in yet."""
    chance, made = Random(7), ArchiveHarness(tmp_path_factory.mktemp("library"))
    first = made.put(*(invented(chance) for _ in range(70)), feed=1)
    made.revise(first[0], invented(chance))
    made.fill()
    for number in first[1:15]:
        made.revise(number, invented(chance))
    made.fill()
    for number in first[8:20]:
        made.revise(number, invented(chance))
    made.gone(*first[17:30])
    made.put(*(invented(chance) for _ in range(50)), feed=2)
    made.fill(1)
    made.put(*(invented(chance) for _ in range(25)), feed=2)
    yield made
    made.end()


def agree(made: ArchiveHarness, query: str) -> None:
    """A search finds just what the matcher says over all entries, newest first, with the same spans."""
    tree = _tree(query)
    expected = [
        (entry.id, spans)
        for entry in made.archive.entries("", None)
        if (spans := match(tree, ArticleWords(entry.article))) is not None
    ]
    assert [(hit.entry.id, hit.spans) for hit in search(tree, made.archive)] == expected
    assert expected == sorted(expected, key=lambda one: -one[0])


# The search agrees with the matcher


@given(st.lists(QUERIES, min_size=1, max_size=2))
@settings(QUICK, max_examples=40)
def test_a_search_finds_just_what_the_matcher_says_whatever_state_its_index_is_in(
    library: ArchiveHarness, queries: list[str]
) -> None:
    for query in queries:
        agree(library, query)


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveHarness]:
    made = ArchiveHarness(tmp_path_factory.mktemp("growing"))
    yield made
    made.end()


@given(
    st.lists(articles(), min_size=1, max_size=4),
    st.one_of(st.none(), articles()),
    st.lists(QUERIES, min_size=1, max_size=4),
    st.booleans(),
)
@settings(QUICK, max_examples=25)
def test_a_search_finds_any_new_or_changed_article_that_matches(
    growing: ArchiveHarness,
    new: list[Article],
    changed: Article | None,
    queries: list[str],
    filled: bool,
) -> None:
    numbers = growing.put(*new, feed=1 + filled)
    if filled:
        growing.fill()
    if changed:
        growing.revise(numbers[0], changed)
    for query in queries:
        agree(growing, query)


def test_what_is_stored_is_what_a_query_looked_at_when_it_came(harness: ArchiveHarness) -> None:
    article = Article(
        "Title", "Summary", "uk", "https://post.example/1", "Jane Roe", "Evening Post"
    )
    [number] = harness.put(article, feed=2, at=NOON, published=NOON - HOUR)

    [entry] = harness.archive.entries("", None)

    assert (entry.id, entry.first_seen_at, entry.published, entry.at, entry.silent) == (
        number,
        NOON,
        NOON - HOUR,
        NOON - HOUR,
        None,
    )
    assert entry.article == replace(
        article,
        feed=POST.url,
        feed_name="Morning Post",
        publisher="post.example",
        tags=("World", "sea"),
    )


@pytest.mark.parametrize("taken_in", [False, True])
@pytest.mark.parametrize(
    ("query", "language", "title"),
    [
        ("missile", "en", "Missiles over the mill"),
        ("Haus", "de", "Die Häuser am Hafen"),
        ("ракета", "ru", "Удар ракетами"),
        ("Київ", "uk", "Вечір у Києві"),
        ("ממשלה", "he", "הודעת הממשלה"),
        ("الحكومة", "ar", "بيان حكومة جديدة"),
        ("地震", "ja", "東部で地震が発生"),
        ("S-300", "", "Комплексы С-300"),
        ("~Zelensky", "", "Зеленський у порту"),
        ("rate*", "", "Rated higher"),
        ("=WHO", "", "The WHO warns"),
        ("1,000", "de", "1.000 Wohnungen"),
        ("об'єкт", "uk", "Об’єкти енергетики"),
        ("/S-[34]00/", "", "An S-400"),
        ("feed:wire", "", "Anything"),
        ("tag:sport", "", "Anything"),
        ("* lang:fi", "fi", "Jotain"),
    ],
)
def test_an_article_is_found_in_any_language_before_and_after_it_is_taken_in(
    harness: ArchiveHarness, query: str, language: str, title: str, taken_in: bool
) -> None:
    harness.put(Article(title, language=language), Article("Nothing of it", language="en"))
    if taken_in:
        assert harness.fill() == 2

    assert title in harness.titles(query)


@pytest.mark.parametrize("filled_between", [False, True])
@pytest.mark.parametrize("filled_after", [False, True])
def test_changed_words_are_found_and_the_old_ones_are_not(
    harness: ArchiveHarness, filled_between: bool, filled_after: bool
) -> None:
    [number] = harness.put("Harbour opens")
    if filled_between:
        harness.fill()
    harness.revise(number, Article("Mill closes", language="en"))
    if filled_after:
        harness.fill()

    assert (harness.titles("mill"), harness.titles("harbour")) == (["Mill closes"], [])
    harness.revise(number, Article("Harbour again", language="en"))
    assert (harness.titles("mill"), harness.titles("harbour")) == ([], ["Harbour again"])
    harness.fill()
    assert (harness.titles("mill"), harness.titles("harbour")) == ([], ["Harbour again"])


@pytest.mark.parametrize(
    ("query", "language", "title"),
    [("Hafen", "de", "Die Häfen im Norden"), ("війна", "uk", "Кінець війни")],
)
def test_a_headline_that_a_revision_puts_into_a_new_language_is_found_in_its_inflections(
    harness: ArchiveHarness, query: str, language: str, title: str
) -> None:
    [number] = harness.put("Harbour opens")
    harness.revise(number, Article(title, language=language))
    assert harness.titles(query) == [title], "before it is taken in"

    harness.fill()

    assert harness.titles(query) == [title]


def test_a_search_looks_at_few_entries_and_a_broad_query_at_all(harness: ArchiveHarness) -> None:
    harness.put(*(f"Harbour chronicle {number}" for number in range(60)), "A mill burns")
    languages = harness.archive.languages()
    narrow = fts_expression(parse("mill burn*"), languages)
    assert harness.archive.count(narrow, None) == 61, "nothing is taken in yet"

    harness.fill()

    assert harness.archive.count(narrow, None) == 1
    assert fts_expression(parse("* NOT mill"), languages) == ""
    assert harness.archive.count("", None) == 61
    assert len(harness.titles("* NOT mill")) == 60


def test_a_search_can_be_held_to_feeds_and_to_a_time(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1, at=NOON - 2 * DAY)
    harness.put("Harbour two", feed=2, at=NOON)

    assert harness.titles("harbour") == ["Harbour two", "Harbour one"]
    assert (
        harness.titles("harbour", feeds=("Morning Post",))
        == harness.titles("harbour", feeds=("sea",))
        == ["Harbour two"]
    )
    assert harness.titles("harbour", feeds=("sport", "sea")) == ["Harbour two", "Harbour one"]
    assert harness.titles("harbour", since=NOON - DAY) == ["Harbour two"]
    assert harness.titles("harbour", feeds=("none",)) == []


def _deep(depth: int) -> str:
    return (
        "".join(f"(w{number} OR (x{number} AND " for number in range(depth))
        + "harbour"
        + "))" * depth
    )


@pytest.mark.parametrize(
    "query",
    [
        f"({_deep(14)}) OR harbour",
        f"harbour OR ({_deep(14)})",
        " OR ".join(f"word{number}" for number in range(299)) + " OR harbour",
        " ".join(f"(harbour OR w{number}-x{number})" for number in range(90)),
        " OR ".join(f'~"Name{chr(97 + number)} Sur{chr(97 + number)}kov"' for number in range(24))
        + " OR harbour",
        "harbour NEAR/0 " * 14 + "harbour OR harbour",
        " OR ".join(f"be{chr(97 + number)}g*" for number in range(26)) + " OR harbour",
        "-".join("abcdefgh"[number % 8] * 2 for number in range(200)) + " OR harbour",
        "harbour OR near OR and",
        "harbour -(☭a OR a☭)",
        "harbour OR " + "火" * 500,
        "(site:harbour.example OR harbour)",
        "title:(harbour OR mill) NOT summary:(harbour OR mill)",
    ],
    ids=lambda query: query[:30],
)
def test_a_query_of_any_size_and_with_any_signs_is_searched_for(
    harness: ArchiveHarness, query: str
) -> None:
    harness.put(*[f"Harbour {number}" for number in range(3)])
    harness.fill()
    assert harness.titles(query) == ["Harbour 2", "Harbour 1", "Harbour 0"]


# The upkeep of the search


def test_the_search_is_filled_in_batches_each_entry_once(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 4)
    harness.put(*(f"Harbour {number}" for number in range(10)))

    done = [harness.run(harness.store.search.fill()) for _ in range(5)]

    assert done == [4, 4, 2, 0, 0]
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(10,)]
    assert harness.rows("select value from meta where name = 'search_rows'") == [("10",)]
    harness.put("Harbour last")
    assert harness.fill() == 1
    assert len(harness.titles("harbour")) == 11


def test_a_change_of_an_entry_that_waits_for_the_search_costs_no_further_row(
    harness: ArchiveHarness,
) -> None:
    [one, other] = harness.put("Harbour", "Mill")
    harness.revise(one, Article("Pier", language="en"))
    assert harness.fill() == 2
    assert harness.rows("select * from unsearched") == []

    harness.revise(other, Article("Quay", language="en"))
    harness.revise(other, Article("Wharf", language="en"))
    assert harness.rows("select entry_id from unsearched") == [(other,)]
    assert (harness.fill(), harness.rows("select * from unsearched")) == (1, [])
    assert [harness.titles(word) for word in ("mill", "quay", "wharf", "pier")] == [
        [],
        [],
        ["Wharf"],
        ["Pier"],
    ]


def test_what_breaks_within_a_batch_keeps_nothing_of_it_and_the_next_start_goes_on(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 3)
    harness.put(*(f"Harbour {number}" for number in range(8)))
    assert harness.run(harness.store.search.fill()) == 3
    whole, made = search_text, []

    def breaking(words: ArticleWords) -> str:
        made.append(words)
        if len(made) == 2:
            raise sqlite3.OperationalError("disk I/O error")
        return whole(words)

    with monkeypatch.context() as broken:
        broken.setattr(search_index, "search_text", breaking)
        with pytest.raises(StoreError):
            harness.run(harness.store.search.fill())
    assert len(harness.titles("harbour")) == 8
    harness.close()
    harness.open()

    assert harness.rows("select value from meta where name = 'searched'") == [("3",)]
    assert (harness.fill(), len(harness.titles("harbour"))) == (5, 8)
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(8,)]


def test_a_newsbell_killed_between_two_batches_goes_on_where_it_was(
    harness: ArchiveHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files as they stand on the disk, with a log that nobody has checkpointed: what a kill leaves."""
    monkeypatch.setattr(search_index, "BATCH", 3)
    harness.put(*(f"Harbour {number}" for number in range(8)))
    harness.fill(1)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("newsbell.db", "newsbell.db-wal"):
        shutil.copy(tmp_path / name, left / name)
    after = ArchiveHarness(left)
    try:
        assert len(after.titles("harbour")) == 8
        assert (after.fill(), after.fill()) == (5, 0)
        assert len(after.titles("harbour")) == 8
    finally:
        after.end()


def test_entries_that_are_forgotten_are_not_found_and_the_search_begins_anew(
    harness: ArchiveHarness,
) -> None:
    numbers = harness.put(*(f"Harbour {number}" for number in range(220)))
    harness.fill()
    assert not harness.run(harness.store.search.renew())

    harness.gone(*numbers[:200])
    assert len(harness.titles("harbour")) == 20
    assert harness.run(harness.store.search.renew())
    assert len(harness.titles("harbour")) == 20, "before it is filled again"
    harness.put("Harbour last")
    harness.revise(numbers[-1], Article("Mill", language="en"))
    assert harness.fill() == 21
    assert (len(harness.titles("harbour")), harness.titles("mill")) == (20, ["Mill"])
    assert not harness.run(harness.store.search.renew())
    assert harness.rows("select count(*) from search where search match '\"=harbour\"'") == [(20,)]


def test_entries_that_are_forgotten_while_their_change_waits_leave_nothing_behind(
    harness: ArchiveHarness,
) -> None:
    [number] = harness.put("Harbour")
    harness.fill()
    harness.revise(number, Article("Mill", language="en"))
    harness.gone(number)

    assert harness.fill() == 0
    assert harness.titles("mill OR harbour") == []
    assert harness.rows("select * from unsearched") == []


def test_an_entry_that_comes_after_all_were_forgotten_is_found_though_newsbell_was_restarted(
    harness: ArchiveHarness,
) -> None:
    """Numbers of entries begin anew below those that the search has taken in."""
    numbers = harness.put(*(f"Harbour {number}" for number in range(5)))
    harness.fill()
    harness.gone(*numbers)
    harness.run(harness.store.search.renew())
    harness.close()
    harness.open()

    harness.put("Mill burns")
    harness.fill()

    assert harness.titles("mill") == ["Mill burns"]
    assert harness.titles("harbour") == []


def drop(db: sqlite3.Connection) -> None:
    db.execute("drop table search")


def spoil(db: sqlite3.Connection) -> None:
    db.execute("update search_data set block = x'ffffffffffffffff'")


@pytest.mark.parametrize("harm", [drop, spoil])
async def test_a_broken_search_stops_neither_polls_nor_alerts(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder, harm: Callable[[sqlite3.Connection], None],
) -> None:  # fmt: skip
    async with watching(tmp_path, server, clock, terminal) as harness:
        await harness.publish(rss(item("1", "Old", at=NOON - 3 * DAY)))
        await harness.app.jobs.fill_search()
        await sqlite(harness.app)._writer.run("break", lambda db: harm(db.conn))

        assert await harness.publish(rss(item("2", "The harbour opens"))) == ["The harbour opens"]
        await harness.app.jobs.fill_search()
        assert await harness.publish(rss(item("2", "The harbour closes"))) == []
        await harness.app.jobs.fill_search()
        assert harness.edits == ["The harbour closes"]
        await harness.app.jobs.prune()
        await harness.app.run_once()
        assert await harness.publish(rss(item("3", "A further harbour"))) == ["A further harbour"]


async def test_a_broken_search_is_logged(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    events: list[EventDict],
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        await sqlite(harness.app)._writer.run("break", lambda db: drop(db.conn))
        await harness.publish(rss(item("1", "Old", at=NOON - 3 * DAY)))
        await harness.app.jobs.fill_search()

    assert any(entry["event"] == "search_index_failed" for entry in events)


async def test_a_single_run_takes_all_it_brought_into_the_search(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with watching(tmp_path, server, clock, terminal) as harness:
        server.put(
            "/feed.xml",
            rss(
                *(
                    item(str(number), f"Harbour {number}", at=NOON - 3 * DAY)
                    for number in range(130)
                )
            ),
        )
        await harness.app.run_once()

        assert await harness.app.store.search.fill() == 0
        assert len(list(search(parse("harbour"), harness.app.store.archive))) == 130


async def test_a_database_of_the_version_before_is_migrated_and_searched(
    tmp_path: Path, server: FeedServer, clock: ManualClock
) -> None:
    path = tmp_path / "newsbell.db"
    connection = sqlite3.connect(path, isolation_level=None)
    old = Database(connection, execute_plugins=False)
    migrations.apply(old, stop_before="m002_languages_and_search")
    feed = server.url("/a")
    at = (NOON - HOUR).isoformat(timespec="microseconds")
    connection.execute(
        "insert into feeds (id, url, name, publisher, created_at, host, next_poll_at, baseline_at) values (1, ?, 'Wire', 'Wire', ?, 'x', ?, ?)",
        [feed, at, at, at],
    )
    for number, title in enumerate(
        ["Missiles over the mill", "Удар ракетами", "東部で地震が発生"], 1
    ):
        connection.execute(
            "insert into entries (id, feed_id, story_id, guid_key, link_key, title_key, article_key, guid, link, title, summary, author, "
            "source, first_seen_at) values (?, 1, ?, ?, x'', ?, x'', 'g', '', ?, '', '', '', ?)",
            [number, number, bytes([number]) * 16, bytes([number]) * 16, title, at],
        )
    connection.close()
    config = f'{{"settings": {{"network": {{"allow": ["127.0.0.0/8"]}}}}, "chats": {{"here": {{"terminal": true}}}}, "feeds": ["{feed}"]}}'
    for taken_in in (False, True):
        async with newsbell(tmp_path, config, clock=clock) as made:
            if taken_in:
                await made.jobs.fill_search()
            archive = made.store.archive
            found = [
                [hit.entry.id for hit in search(parse(query), archive)]
                for query in ("mill", "ракета", "地震", "* NOT missile")
            ]
            assert found == [[1], [2], [3], [3, 2]]
            server.put("/a", rss(item("new", "Missiles again")))
            await poll(made)
            assert len(list(search(parse("missile"), archive))) == 2


def test_a_reader_that_is_left_in_the_middle_holds_nothing_open(harness: ArchiveHarness) -> None:
    harness.put(*(f"Harbour {number}" for number in range(20)))
    found = search(parse("harbour"), harness.archive)
    assert next(found).entry.article.title == "Harbour 19"
    found.close()  # type: ignore[attr-defined]
    harness.put("Harbour 20")

    assert harness.rows("pragma wal_checkpoint(truncate)")[0][0] == 0


# Backtests


def test_a_backtest_counts_one_alert_a_story_by_the_article_that_came_first(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour opens", at=NOON - 3 * DAY)
    harness.put("The harbour has opened", at=NOON - DAY, feed=2, story=story)
    harness.put("Mill burns", at=NOON - HOUR)
    harness.put("Harbour crane", at=NOON - 2 * HOUR)

    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.stories, made.entries, made.share) == (2, 3, 1)
    assert [hit.entry.article.title for hit in made.hits] == ["Harbour crane", "Harbour opens"]
    assert {f"{day:%d}": count for day, count in made.by_day if count} == {"27": 1, "02": 1}


def test_days_without_a_story_are_in_the_chart_and_older_ones_are_not(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour old", at=NOON - 30 * DAY)
    harness.put("Harbour late", at=NOON - 2 * DAY, published=NOON - 20 * DAY)
    harness.put("Harbour new", at=NOON - 2 * DAY, published=NOON - 4 * DAY)

    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.days, made.since, made.stories) == (7, NOON - 7 * DAY, 1)
    assert [f"{day:%d}" for day, _ in made.by_day] == [
        "23",
        "24",
        "25",
        "26",
        "27",
        "28",
        "01",
        "02",
    ]
    assert [count for _, count in made.by_day] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert (made.alerts_per_day, made.alerts_per_week) == (pytest.approx(1 / 7), pytest.approx(1))
    assert backtest(parse("harbour"), harness.archive, NOON, 60).stories == 3


def test_a_young_database_is_not_counted_as_if_it_were_a_week_old(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", at=NOON - 2 * HOUR)
    harness.put("Harbour two", at=NOON - HOUR)
    young = backtest(parse("harbour"), harness.archive, NOON)
    assert (young.days, young.alerts_per_day, young.alerts_per_week) == (1, 2, 14)

    older = backtest(parse("harbour"), harness.archive, NOON + 2 * DAY)
    assert (older.days, older.stories) == (pytest.approx(2 + 2 / 24), 2)
    assert backtest(parse("harbour"), harness.archive, NOON, 0.1).days == pytest.approx(0.1)


def test_an_empty_database_foretells_nothing_without_a_fault(harness: ArchiveHarness) -> None:
    made = backtest(parse("harbour"), harness.archive, NOON)

    assert (made.stories, made.entries, made.alerts_per_week, made.hits, made.overlap) == (
        0,
        0,
        0,
        (),
        (),
    )
    assert sum(count for _, count in made.by_day) == 0


def test_no_database_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no database at .*: run `newsbell run` first"):
        backtest(parse("harbour"), Archive(tmp_path / "none.db"), NOON)


def test_a_backtest_can_be_held_to_feeds(harness: ArchiveHarness) -> None:
    harness.put("Harbour one", feed=1)
    harness.put("Harbour two", "Harbour three", feed=2)

    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("World",)).stories == 2
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=("Harbour Wire",)).stories == 1
    assert backtest(parse("harbour"), harness.archive, NOON, feeds=(POST.url, "sport")).stories == 3


def indexed(*subscriptions: Subscription) -> Index:
    index = Index(NAMES, ("en",))
    for one in subscriptions:
        index.set(one)
    return index


def test_stories_that_ring_for_a_subscription_already_are_counted_for_it(
    harness: ArchiveHarness,
) -> None:
    harness.put("Harbour crane", "Harbour radar", "Mill radar")
    harness.put("Harbour radar of the navy", feed=2)
    index = indexed(
        Subscription(1, "Radar", "radar", (), (1,)),
        Subscription(2, "Post", "harbour", ("World",), (1,)),
        Subscription(3, "Mill", "mill", (), (1,)),
    )

    assert backtest(parse("harbour"), harness.archive, NOON, index=index).overlap == (
        (1, 2),
        (2, 1),
    )


def test_a_story_whose_first_article_rings_for_another_subscription_is_counted_too(
    harness: ArchiveHarness,
) -> None:
    [story] = harness.put("Harbour radar", at=NOON - HOUR)
    harness.put("Harbour of Port Selva", feed=2, story=story)

    made = backtest(
        parse("harbour"), harness.archive, NOON, index=indexed(_subscription(1, "radar"))
    )

    assert (made.stories, made.overlap) == (1, ((1, 1),))


def test_a_broad_query_is_judged_by_an_even_share(
    harness: ArchiveHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.put(*(f"Harbour {number}" for number in range(100)))
    harness.put("Mill")
    for filled in (False, True):
        if filled:
            harness.fill()
        monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 3_000)
        whole = backtest(parse("harbour"), harness.archive, NOON)
        assert (whole.share, whole.stories) == (1, 100)
        monkeypatch.setattr("bot.search.backtest.MAX_EXAMINED", 25)
        part = backtest(parse("harbour"), harness.archive, NOON)
        assert part.share == pytest.approx(1 / 4 if filled else 1 / 5)
        assert part.stories == pytest.approx(100, abs=5)
        assert part.stories == sum(count for _, count in part.by_day)
        assert len(part.hits) == 20
    assert backtest(parse("mill"), harness.archive, NOON).share == 1, (
        "a query that the search narrows needs no share"
    )


# The index that a running newsbell changes step by step


def sub(number: int, query: str, *chats: int, feeds: Sequence[str] = ()) -> Subscription:
    return Subscription(number, f"S{number}", query, tuple(feeds), chats or (1,))


def options(index: Index, text: str, language: str = "en") -> list[int]:
    return [one.subscription_id for one in index.match(Article(text, language=language))]


def test_matching_goes_on_between_the_steps_of_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexed(
        *(sub(number, f"harbour w{number}" if number % 2 else "harbour") for number in range(40))
    )
    after = [sub(number, "mill" if number < 10 else "harbour") for number in range(5, 50)]
    changed: list[int] = []

    for number in index.synchronize(after):
        changed.append(number)
        found = options(index, "harbour mill " + " ".join(f"w{one}" for one in range(50)))
        assert found == sorted(index._compiled), (
            "each stands with its old words or with its new ones"
        )
    assert options(index, "harbour") == list(range(10, 50))
    assert options(index, "mill") == list(range(5, 10))
    assert sorted(set(changed)) == sorted(changed)
    assert set(range(5)) <= set(changed), "removed"
    assert not set(range(10, 40, 2)) & set(changed), "those that stay the same are left alone"


def test_a_change_of_one_chat_touches_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    index = indexed(
        sub(1, "harbour", 1), sub(2, "mill", 2), sub(3, "radar", 1, 2), sub(4, "@weapons", 2)
    )
    untouched = {number: index.tree(number) for number in (2, 3, 4)}

    assert sorted(index.synchronize([sub(3, "radar", 1, 2), sub(5, "pier", 1)], NAMES, chat=1)) == [
        1,
        5,
    ]

    assert {number: index.tree(number) for number in untouched} == untouched
    assert options(index, "harbour mill radar missile pier") == [2, 3, 4, 5]
    assert list(index.synchronize([], NAMES, chat=7)) == []
    assert sorted(index.synchronize([], NAMES, chat=2)) == [2, 3, 4]
    assert options(index, "harbour mill radar missile pier") == [5]


def test_a_changed_list_is_read_anew_by_the_queries_that_use_it_alone() -> None:
    index = indexed(
        sub(1, "@weapons"), sub(2, "harbour"), sub(3, "radar OR ＠weapons"), sub(4, "@gone")
    )
    assert set(index.broken) == {4}
    kept = index.tree(2)
    fresh = {**NAMES, "weapons": ("cannon",), "gone": ("mast",)}

    changed = list(
        index.synchronize(
            [sub(1, "@weapons"), sub(2, "harbour"), sub(3, "radar OR ＠weapons"), sub(4, "@gone")],
            fresh,
        )
    )

    assert sorted(changed) == [1, 3, 4]
    assert index.tree(2) is kept
    assert options(index, "a missile") == []
    assert options(index, "a cannon") == [1, 3]
    assert (index.broken, options(index, "a mast")) == ({}, [4])


def test_a_list_that_is_gone_sets_its_queries_aside_until_it_is_back() -> None:
    index = indexed(sub(1, "@weapons"), sub(2, "harbour"))
    both = [sub(1, "@weapons"), sub(2, "harbour")]

    list(index.synchronize(both, {}))
    assert (set(index.broken), options(index, "missile harbour"), len(index.subscriptions())) == (
        {1},
        [2],
        2,
    )
    list(index.synchronize(both, NAMES))
    assert (index.broken, options(index, "missile harbour")) == ({}, [1, 2])
    list(index.synchronize([both[1]], {}))
    assert index.broken == {}


def test_a_chat_that_changes_while_the_file_is_taken_in_keeps_no_old_list_alive() -> None:
    """The file has other lists already when the chat's change is applied; the file's own change comes after it."""
    everything = [sub(1, "@weapons", 1), sub(2, "@weapons", 2)]
    index = indexed(*everything)
    fresh = {**NAMES, "weapons": ("cannon",)}

    list(index.synchronize([everything[0], sub(3, "pier", 1)], fresh, chat=1))
    list(index.synchronize([*everything, sub(3, "pier", 1)], fresh))

    assert options(index, "a cannon") == [1, 2]
    assert options(index, "a missile") == []


def test_a_language_that_was_not_met_is_learnt_by_all_queries() -> None:
    index = Index(NAMES, ())
    list(
        index.synchronize([sub(1, "Haus"), sub(2, "Київ"), sub(3, "harbour"), sub(4, "Haus radar")])
    )

    assert options(index, "Die Häuser", "de") == [1]
    assert options(index, "Вечір у Києві", "uk") == [2]
    assert options(index, "Häuser mit Radar", "de") == [1, 4]
    index.set(sub(5, "Häuser"))
    assert options(index, "Ein Haus", "de") == [1, 5]
    for number in range(1, 6):
        index.remove(number)
    assert (len(index), dict(index._anchored), index._free, set(index._signs.values())) == (
        0,
        {},
        set(),
        {0},
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 5), QUERIES, st.sampled_from([(1,), (2,), (1, 2)])), max_size=8
    ),
    st.booleans(),
    articles(),
)
@settings(QUICK, max_examples=30)
def test_an_index_brought_in_line_answers_as_one_built_anew(
    changes: list[tuple[int, str, tuple[int, ...]]], other: bool, article: Article
) -> None:
    before = {
        number: Subscription(number, query[:20], query, (), chats)
        for number, query, chats in changes[: len(changes) // 2]
    }
    after = {
        number: Subscription(number, query[:20], query, (), chats)
        for number, query, chats in changes[len(changes) // 2 :]
    }
    names = {**NAMES, "weapons": ("fire", "~Kharkiv")} if other else NAMES
    index = indexed(*before.values())
    index.match(article)

    for _ in index.synchronize(after.values(), names):
        index.match(article)

    anew = Index(names, ("en",))
    for one in after.values():
        anew.set(one)
    assert index.match(article) == anew.match(article)
    assert set(index.broken) == set(anew.broken)
