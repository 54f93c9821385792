"""What a story does to stored alerts: levels, merges, waiting, second alerts, changes, faults.

Articles are brought with their stories, so that nothing depends on how articles are grouped.
"""

import asyncio
import itertools
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botapi import BotApi, DropAfter, DropBefore, Refuse, TooManyRequests
from sampling import share
from sqlite_utils import Database
from support import (
    NOON,
    FeedServer,
    ManualClock,
    Recorder,
    break_at,
    broken_references,
    config_text,
    execute,
    item,
    mend,
    newsbell,
    poll,
    query,
    rss,
    sqlite,
)
from telegram_harness import (
    ANN,
    BOB,
    FEED,
    GROUP,
    ArticleSpec,
    OpenHarness,
    TelegramHarness,
    open_harness,
)

from bot.errors import StoreError
from bot.model.delivery import Delivery
from bot.model.poll import FeedCommit
from bot.model.stories import Grouping, Merge, Report, StoredFeatures, StoryIds
from bot.service.app import App
from bot.store.schema import migrations
from bot.store.stores import SqliteStore
from bot.stories.publishers import PublisherGroups

MINUTE, SECOND, HOUR = timedelta(minutes=1), timedelta(seconds=1), timedelta(hours=1)
TRAM = {"name": "Tram", "query": "tram", "to": ["ann"]}
PENDING = {"name": "Held", "query": "held", "to": ["ann"], "publishers": 9}


@pytest.fixture
def opened(opened: OpenHarness) -> OpenHarness:
    """In Ann's chat alone where a test names no others."""
    return lambda *subscriptions, **more: opened(*subscriptions, **{"chats": {"ann": ANN}, **more})


def rule(name: str, query: str, *, to: tuple[str, ...] = ("ann",), **more: Any) -> dict[str, Any]:
    return {"name": name, "query": query, "to": list(to), **more}


def alerts(harness: TelegramHarness, chat: int = ANN) -> list[str]:
    """The texts of the messages there as they are now, second alerts left out."""
    return [
        message.text
        for message in harness.api.messages(chat)
        if not message.text.removeprefix("(repeat) ").startswith("🔔 Now")
    ]


def again(harness: TelegramHarness, chat: int = ANN) -> list[str]:
    """The second alerts in a chat."""
    return [
        message.text
        for message in harness.api.messages(chat)
        if message.text.removeprefix("(repeat) ").startswith("🔔 Now")
    ]


def merged(gone: int, kept: int, *levels: Grouping) -> list[Merge]:
    """That these two became one, at all levels by default."""
    return [
        Merge(level, gone, kept)
        for level in levels or (Grouping.LOOSE, Grouping.NORMAL, Grouping.STRICT)
    ]


async def sound(harness: TelegramHarness) -> None:
    """The database is sound, and nothing waits but what is held."""
    assert broken_references(harness.app) == []
    assert (
        await harness.rows(
            "select kind, state, error from outbox where state in ('queued', 'sending')"
        )
        == []
    )
    empty = (
        "select id from outbox where kind in ('alert', 'edit', 'again') and state in ('queued', "
        "'sending', 'sent') and id not in (select outbox_id from outbox_alerts)"
    )
    assert await harness.rows(empty) == []


# Merges

LINKED = -1_000_000_000_500


STATES = (
    "none",
    "held",
    "queued",
    "refused once",
    "sending",
    "sent",
    "collapsed",
    "unknown",
    "dead",
)
FIRST = (
    "unknown",
    "dead",
    "sent",
    "collapsed",
    "sending",
    "refused once",
    "queued",
    "held",
    "none",
)  #: in which order they can be made


async def bring_to(
    harness: TelegramHarness, state: str, word: str, origin: str
) -> tuple[int, Delivery | None]:
    """An article whose alert in Ann's chat is in this state."""
    title = f"{word}: {'held' if state == 'held' else 'quiet' if state == 'none' else 'tram'}"
    article = ArticleSpec(title, origin=origin, silent="flood" if state == "collapsed" else "")
    begun: Delivery | None = None
    if state == "collapsed":
        others = [
            ArticleSpec(f"{word}: tram with it {number}", silent="flood") for number in range(3)
        ]
        number = (await harness.add([article, *others]))[0]
    else:
        [number] = await harness.add(article)
    match state:
        case "unknown":
            # As after many tries over hours.
            harness.api.fault(DropBefore())
            await harness.deliver()
            await harness.execute(
                "update outbox set state = 'unknown', doubts = 20 where id = ("
                "select outbox_id from outbox_alerts where story_id = ?)",
                number,
            )
            await harness.execute("update chats set not_before = null")
        case "dead":
            harness.api.fault(Refuse(400, "Bad Request: can't parse entities: something"), times=2)
            await harness.deliver(10 * SECOND)
        case "sent" | "collapsed":
            await harness.deliver(2 * SECOND)
        case "refused once":
            harness.api.fault(TooManyRequests(100))
            await harness.deliver()
        case "sending":
            begun = await harness.begin("ann")
    return number, begun


TO_SEND, SEEN = {"queued", "refused once"}, {"sent", "collapsed", "sending"}


PAIRS = [
    pair for pair in itertools.product(STATES, STATES) if pair != ("sending", "sending")
]  #: a chat has one message on its way


@pytest.mark.parametrize(("gone", "kept"), PAIRS)
async def test_two_stories_that_become_one_lose_no_alert_and_repeat_none(
    opened: OpenHarness, gone: str, kept: str
) -> None:
    """Afterwards one message shows both, and what comes later."""
    async with opened(TRAM, PENDING) as harness:
        articles: dict[str, tuple[int, Delivery | None]] = {}
        for word, state in sorted(
            {"gone": gone, "kept": kept}.items(), key=lambda each: FIRST.index(each[1])
        ):
            articles[word] = await bring_to(harness, state, word, word)
        before, states = len(alerts(harness)), {gone, kept}
        a, b = articles["gone"][0], articles["kept"][0]
        await harness.add(ArticleSpec("A quiet bridge", (b, b, b), "bridge"), merges=merged(a, b))
        assert broken_references(harness.app) == []
        for _, begun in articles.values():
            if begun:
                await harness.finish(begun)
        await harness.deliver(5 * MINUTE, 5 * SECOND)

        arrived, due = bool(states & SEEN), not states & SEEN and bool(states & TO_SEND)
        count = before + ("sending" in states) + due
        assert len(alerts(harness)) == count
        assert sum("3 publishers" in text for text in alerts(harness)) >= (arrived or due)
        held = await harness.rows(
            "select 1 from alerts where held = 1 and story_id = ? and merged_into is null", b
        )
        assert len(held) == ("held" in states and not arrived and not due)
        await harness.add(ArticleSpec("A quiet sequel", (b, b, b), "sequel"))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        assert len(alerts(harness)) == count
        assert sum("4 publishers" in text for text in alerts(harness)) == (arrived or due)
        await sound(harness)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("states", list(itertools.permutations(["sent", "held", "queued"])))
async def test_a_chain_of_merges_ends_with_one_alert_that_shows_all(
    opened: OpenHarness, states: tuple[str, ...], at_once: bool
) -> None:
    async with opened(TRAM, PENDING) as harness:
        articles = {}
        for word, state in sorted(
            zip("abc", states, strict=True), key=lambda each: FIRST.index(each[1])
        ):
            articles[word] = (await bring_to(harness, state, f"story {word}", word))[0]
        a, b, c = (articles[word] for word in "abc")
        if at_once:
            await harness.add(
                ArticleSpec("A quiet bridge", (c, c, c), "bridge"),
                merges=[*merged(a, b), *merged(b, c)],
            )
        else:
            await harness.add(
                ArticleSpec("A quiet bridge", (b, b, b), "bridge"), merges=merged(a, b)
            )
            await harness.add(
                ArticleSpec("A further quiet bridge", (c, c, c), "bridge"), merges=merged(b, c)
            )
        await harness.deliver(3 * MINUTE, 5 * SECOND)
        [text] = alerts(harness)
        assert "4 publishers" in text
        assert await harness.rows("select story_id, held from alerts") == [(c, 0)]
        await sound(harness)


@pytest.mark.parametrize(
    ("setting", "level"), [("strict", Grouping.STRICT), ("loose", Grouping.LOOSE)]
)
async def test_only_a_merge_at_the_level_of_an_alert_concerns_it(
    opened: OpenHarness, setting: str, level: Grouping
) -> None:
    async with opened(TRAM, levels={"ann": setting}) as harness:
        a, b = await harness.add(ArticleSpec("tram"), ArticleSpec("tram as well"))
        for other in {Grouping.STRICT, Grouping.NORMAL, Grouping.LOOSE} - {level}:
            await harness.add(ArticleSpec("A quiet bridge"), merges=merged(b, a, other))
        assert await harness.rows("select count(*) from alerts") == [(2,)]
        await harness.add(ArticleSpec("A quiet bridge", (a, a, a)), merges=merged(b, a, level))
        await harness.deliver(3 * MINUTE, 5 * SECOND)
        [text] = alerts(harness)
        assert "3 publishers" in text
        await sound(harness)


async def test_a_merge_in_one_chat_leaves_those_alone_that_have_but_one_of_the_two(
    opened: OpenHarness,
) -> None:
    both = rule("Tram", "tram", to=("ann", "bob"))
    async with opened(
        both, rule("For Bob", "other", to=("bob",)), chats={"ann": ANN, "bob": BOB}
    ) as harness:
        a, b = await harness.add(ArticleSpec("other"), ArticleSpec("tram"))
        await harness.deliver(2 * SECOND)
        await harness.add(ArticleSpec("A quiet bridge", (b, b, b)), merges=merged(a, b))
        await harness.deliver(3 * MINUTE, 5 * SECOND)
        assert ["3 publishers" in text for text in alerts(harness)] == [True]
        assert sorted("3 publishers" in text for text in alerts(harness, BOB)) == [False, True]
        await sound(harness)


async def test_a_message_whose_story_became_another_s_goes_on_showing_its_own_words(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        a, b = await harness.add(ArticleSpec("tram at first"), ArticleSpec("tram elsewhere"))
        await harness.deliver(2 * SECOND)
        await harness.add(ArticleSpec("A quiet bridge", (b, b, b)), merges=merged(a, b))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        await harness.retitle("tram at first", "tram with better words")
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert alerts(harness)[0].startswith("tram with better words")


async def test_the_more_urgent_of_two_waiting_alerts_gives_the_one_that_is_left_its_place(
    opened: OpenHarness,
) -> None:
    late = rule("Late", "late", urgency="digest")
    async with opened(late, TRAM, rule("Soon", "soon", urgency="breaking")) as harness:
        [kept] = await harness.add(ArticleSpec("late"))
        await harness.add(ArticleSpec("tram"))
        [gone] = await harness.add(ArticleSpec("soon"))
        await harness.add(
            ArticleSpec("A quiet bridge", (kept, kept, kept)), merges=merged(gone, kept)
        )
        await harness.deliver(5 * SECOND)
        assert [text.partition("\n")[0] for text in alerts(harness)] == ["late", "tram"]


async def test_a_merge_that_brings_enough_publishers_together_sends_a_second_alert(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=4)) as harness:
        [a] = await harness.add(ArticleSpec("tram", origin="a"))
        await harness.add(ArticleSpec("more of it", (a, a, a), "b"))
        await harness.deliver(2 * SECOND)
        [b] = await harness.add(ArticleSpec("quiet", origin="c"))
        await harness.add(ArticleSpec("quiet too", (b, b, b), "d"))
        await harness.add(ArticleSpec("A bridge", (a, a, a), "a"), merges=merged(b, a))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert [text.partition(":")[0] for text in again(harness)] == ["🔔 Now 4 publishers"]


async def test_a_merge_of_two_messages_of_which_one_was_alerted_again_brings_no_further_alert(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        a, b = await harness.add(ArticleSpec("tram"), ArticleSpec("tram too"))
        await harness.deliver(5 * SECOND)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (b, b, b)), merges=merged(a, b))
        await harness.add(ArticleSpec("quiet", (b, b, b)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(again(harness)) == 1


async def test_of_two_messages_whose_stories_became_one_the_first_left_says_once_where_it_goes_on(
    opened: OpenHarness, api: BotApi
) -> None:
    """With a link in a supergroup, where messages have one; in words elsewhere."""
    api.add_supergroup(LINKED, members={ANN: "creator"})
    everywhere = rule("Tram", "tram", to=("ann", "big"))
    async with opened(everywhere, chats={"ann": ANN, "big": LINKED}) as harness:
        a, b = [(await harness.add(ArticleSpec(f"tram {word}")))[0] for word in ("one", "two")]
        await harness.deliver(5 * SECOND, SECOND)
        await harness.add(ArticleSpec("A quiet bridge", (b, b, b)), merges=merged(a, b))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        for chat in (ANN, LINKED):
            left, kept = alerts(harness, chat)
            assert "\n\n↪ goes on in another message: tram two" in left
            assert "also:" not in left
            assert "↪" not in kept
            assert "3 publishers" in kept
        left_in_group, kept_in_group = api.messages(LINKED)
        [link] = [
            entity["url"]
            for entity in left_in_group.entities
            if entity["type"] == "text_link" and "t.me" in entity["url"]
        ]
        assert link == f"https://t.me/c/500/{kept_in_group.message_id}"

        calls = len(api.calls)
        await harness.add(ArticleSpec("A quiet sequel", (b, b, b)))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        assert len(api.calls) == calls + 2  # the other message, in each chat
        await sound(harness)


async def test_where_the_story_goes_on_is_said_anew_when_that_message_goes_on_elsewhere(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        a, b, c = [
            (await harness.add(ArticleSpec(f"tram {word}")))[0] for word in ("one", "two", "three")
        ]
        await harness.deliver(10 * SECOND, SECOND)
        for gone, kept in ((a, b), (b, c)):
            bridge = ArticleSpec("A quiet bridge", (kept, kept, kept))
            await harness.add(bridge, merges=merged(gone, kept))
            await harness.deliver(5 * MINUTE, 5 * SECOND)
        told = [text.partition("another message: ")[2] for text in alerts(harness)]
        assert [text.partition("\n")[0] for text in told] == ["tram three", "tram three", ""]


async def test_a_message_left_behind_says_where_it_goes_on_once_the_other_has_arrived(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram one"))
        await harness.deliver(5 * SECOND, SECOND)
        [b] = await harness.add(ArticleSpec("tram two"))
        begun = await harness.begin("ann")
        await harness.add(ArticleSpec("A quiet bridge", (b, b, b)), merges=merged(a, b))
        await harness.finish(begun)
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        left, kept = alerts(harness)
        assert "goes on in another message: tram two" in left
        assert "3 publishers" in kept


async def test_a_story_of_a_digest_that_goes_on_in_a_later_one_says_so_in_its_line(
    opened: OpenHarness,
) -> None:
    """Of two stories of one digest, both go on there."""
    async with opened(rule("Tram", "tram", urgency="digest")) as harness:
        await harness.execute("update chats set settings = '{\"digest_from\": 3}', hours_at = ''")
        articles = []
        for number in range(6):
            articles += await harness.add(ArticleSpec(f"tram {number}"))
            await harness.deliver(5 * SECOND, SECOND)
        a, _, _, c, d, e = articles
        bridges = ArticleSpec("A quiet bridge", (c, c, c)), ArticleSpec("Another", (d, d, d))
        await harness.add(*bridges, merges=[*merged(a, c), *merged(e, d)])
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        first, second = (message.splitlines() for message in alerts(harness))
        assert first[first.index("• tram 0") + 1].endswith(" · ↪ goes on in another message")
        assert sum("↪" in line for line in [*first, *second]) == 1
        assert second[second.index("• tram 3") + 1].endswith(" · 3 publishers")


async def test_a_delivery_that_a_merge_made_needless_is_not_sent_empty_by_hand(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        a, b = await harness.add(ArticleSpec("tram"), ArticleSpec("tram too"))
        await harness.add(ArticleSpec("quiet", (a, a, a)), merges=merged(b, a))
        [(number,)] = await harness.rows("select id from outbox where state = 'dropped'")
        await harness.app.store.admin.retry((number,))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert await harness.rows("select id from outbox where state = 'dead'") == []


@dataclass
class ArchiveHarness:
    """The places of articles as they are to be, merged by chance."""

    chance: Random
    places: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def place(self) -> tuple[int, int, int]:
        """Where a new article belongs; 0 for one of its own."""
        if not self.places or self.chance.random() < 0.3:
            return (0, 0, 0)
        strict, story, line = self.places[self.chance.choice(list(self.places))]
        return self.chance.choice(
            [(0, 0, line), (0, story, line), (strict, story, line), (strict, story, line)]
        )

    def merge(self) -> tuple[list[Merge], tuple[int, int, int]]:
        """Merge the storylines of two articles, perhaps their stories and strict stories.

        Also the stories of the article that led to it.
        """
        first, second = (self.chance.choice(list(self.places)) for _ in range(2))
        merges, depth = [], self.chance.choice([1, 2, 2, 3, 3])
        for level, index in list(
            zip((Grouping.LOOSE, Grouping.NORMAL, Grouping.STRICT), (2, 1, 0), strict=True)
        )[:depth]:
            gone, kept = self.places[first][index], self.places[second][index]
            if gone != kept:
                merges.append(Merge(level, gone, kept))
                self.places = {
                    number: tuple(
                        kept if at == index and was == gone else was for at, was in enumerate(place)
                    )  # type: ignore[misc]
                    for number, place in self.places.items()
                }
        return merges, self.places[second]


#: One of three histories a day, at each setting.
HISTORIES = [(setting, seed) for setting in ("strict", "normal", "loose") for seed in range(3)]


@pytest.mark.parametrize(("setting", "seed"), share(HISTORIES, 3))
async def test_through_any_merges_each_alerted_story_has_one_message_that_shows_all_of_it(
    opened: OpenHarness, seed: int, setting: str
) -> None:
    archive, index = (
        ArchiveHarness(Random(f"{seed} {setting}")),
        {"strict": 0, "normal": 1, "loose": 2}[setting],
    )
    chance, needed = archive.chance, {"tram": 1, "two": 2, "soon": 3, "quiet": 10_000}
    words: dict[int, str] = {}
    rules = (
        TRAM,
        rule("Two", "two", publishers=2),
        rule("Soon", "soon", publishers=3, or_after="10m", urgency="breaking", alert_again_at=4),
    )
    for _ in range(3):
        async with opened(*rules, levels={"ann": setting}) as harness:
            for _ in range(20):
                merges, bridge = (
                    archive.merge() if archive.places and chance.random() < 0.3 else ([], None)
                )
                articles = []
                for _ in range(chance.randrange(1, 4)):
                    word = chance.choice(["tram", "two", "soon", "quiet"])
                    place = bridge or archive.place()
                    bridge = None
                    articles.append(
                        ArticleSpec(
                            f"{word} {chance.random()}",
                            place,
                            silent="flood" if chance.random() < 0.2 else "",
                            development=bool(place[2]) and not place[0] and chance.random() < 0.5,
                        )
                    )
                for number, each in zip(
                    await harness.add(articles, merges=merges), articles, strict=True
                ):
                    strict, story, storyline = (was or number for was in each.story_ids)
                    archive.places[number] = (strict, story, storyline)
                    words[number] = each.title.partition(" ")[0]
                await harness.app.jobs.release_pending()
                if chance.random() < 0.5:
                    await harness.deliver(chance.randrange(100) * SECOND, 5 * SECOND)
            assert broken_references(harness.app) == []
            kept = {
                row[0]: row[1:]
                for row in await harness.rows(
                    "select id, strict_id, story_id, storyline_id from entries"
                )
            }
            assert kept == archive.places
    async with opened(*rules, levels={"ann": setting}) as harness:
        await harness.deliver(10 * MINUTE, 5 * SECOND)
        await sound(harness)
        live = await harness.rows(
            "select story_id, message_id from alerts where held = 0 and merged_into is null "
            "and note_of is null"
        )
        sizes = Counter(place[index] for place in archive.places.values())
        story_of = {number: place[index] for number, place in archive.places.items()}
        due = {
            story_of[number]
            for number, word in words.items()
            if sizes[story_of[number]] >= needed[word]
        }
        assert due <= {story for story, _ in live}
        assert all(message for _, message in live)
        messages = {message.message_id: message.text for message in harness.api.messages(ANN)}
        together = {
            number
            for (number,) in await harness.rows(
                "select message_id from alerts group by 1 having count(*) > 1"
            )
        }
        for story, message in live:
            if message not in together:
                assert ("publishers" in messages[message]) == (sizes[story] > 1)
                assert sizes[story] == 1 or f"· {sizes[story]} publishers" in messages[message]
        seen = await harness.rows(
            "select count(distinct message_id) from alerts where message_id is not null"
        )
        assert seen == [(len(alerts(harness)),)], "each message is some alert's"


# Levels


@pytest.mark.parametrize(
    ("setting", "count"),
    [("strict", "2 publishers"), ("normal", "3 publishers"), ("loose", "4 publishers")],
)
async def test_an_alert_is_for_the_story_of_its_chat_s_level(
    opened: OpenHarness, setting: str, count: str
) -> None:
    async with opened(TRAM, levels={"ann": setting}) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.add(
            ArticleSpec("the same", (a, a, a)),
            ArticleSpec("nearly", (0, a, a)),
            ArticleSpec("further", (0, 0, a)),
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert [count in text for text in alerts(harness)] == [True]


@pytest.mark.parametrize(("setting", "count"), [("strict", 4), ("normal", 2), ("loose", 1)])
async def test_a_chat_gets_one_alert_for_each_story_of_its_level(
    opened: OpenHarness, setting: str, count: int
) -> None:
    async with opened(TRAM, levels={"ann": setting}) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        [b] = await harness.add(ArticleSpec("tram nearly", (0, a, a)))
        [c] = await harness.add(ArticleSpec("tram further", (0, 0, a)))
        await harness.add(
            ArticleSpec("tram further too", (c, c, a)),
            ArticleSpec("tram nearly too", (b, a, a)),
            ArticleSpec("tram almost", (0, c, a)),
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(alerts(harness)) == count


SETTINGS = ("strict", "normal", "loose")
CHANGES = list(itertools.permutations(SETTINGS, 2))


@pytest.mark.parametrize("in_file", [True, False])
@pytest.mark.parametrize(("before", "after"), CHANGES)
async def test_a_change_of_the_level_repeats_no_alert(
    opened: OpenHarness, before: str, after: str, in_file: bool
) -> None:
    async with opened(TRAM, levels={"ann": before} if in_file else {}, stories=before) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        [b] = await harness.add(ArticleSpec("tram", (0, 0, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        count = len(alerts(harness))
        if not in_file:
            harness.api.say(ANN, ANN, f"/stories {after}")
            await harness.listen()
            await harness.deliver(10 * SECOND)
            assert harness.api.messages(ANN)[-1].text.startswith(
                f"Story grouping here is now: {after}."
            )
    async with opened(TRAM, levels={"ann": after} if in_file else {}, stories=before) as harness:
        chat = (await harness.app.store.chats.chat_at(ANN, 0)).id  # type: ignore[union-attr]
        assert harness.app.grouping(chat) == after
        await harness.add(ArticleSpec("tram", (a, a, a)), ArticleSpec("tram", (b, b, a)))
        await harness.deliver(3 * MINUTE, 5 * SECOND)
        assert len([text for text in alerts(harness) if text.startswith("tram")]) == count
        await sound(harness)


@pytest.mark.parametrize(("before", "after"), CHANGES)
async def test_after_a_change_of_the_level_new_stories_are_alerted_at_the_new_one(
    opened: OpenHarness, before: str, after: str
) -> None:
    async with opened(TRAM, levels={"ann": before}) as harness:
        await harness.add(ArticleSpec("tram"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
    async with opened(TRAM, levels={"ann": after}) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.add(ArticleSpec("tram", (0, a, a)), ArticleSpec("tram", (0, 0, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(alerts(harness)) == 1 + {"strict": 3, "normal": 2, "loose": 1}[after]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [("strict", "normal", 1), ("normal", "loose", 2), ("strict", "loose", 1)],
)
async def test_after_a_change_to_a_wider_level_what_is_added_is_shown_or_alerted(
    opened: OpenHarness, before: str, after: str, place: int
) -> None:
    """The first article names the alert and the wider story.

    The further article is in one of them.
    """
    async with opened(TRAM, levels={"ann": before}) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
    async with opened(TRAM, levels={"ann": after}) as harness:
        await harness.add(ArticleSpec("tram otherwise", (0, a, a) if place == 1 else (0, 0, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert any(
            "2 publishers" in text or text.startswith("tram otherwise") for text in alerts(harness)
        )


async def test_a_pending_alert_counts_publishers_of_its_own_story_after_a_change_of_level(
    opened: OpenHarness,
) -> None:
    waits = rule("Tram", "tram", publishers=2)
    async with opened(waits, levels={"ann": "strict"}) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
    async with opened(waits, levels={"ann": "normal"}) as harness:
        [b] = await harness.add(ArticleSpec("quiet", (0, a, a)))
        await harness.add(ArticleSpec("quiet too", (b, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["publishers" in text for text in alerts(harness)] in ([], [True]), (
            "an alert needs two publishers"
        )


async def test_after_a_change_of_the_level_every_message_that_an_article_belongs_to_shows_it(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        [line] = await harness.add(ArticleSpec("quiet", origin="a"))
        [story] = await harness.add(ArticleSpec("tram", (0, 0, line), "b"))
    async with opened(TRAM, levels={"ann": "loose"}) as harness:
        await harness.add(ArticleSpec("tram anew", (0, 0, line), "c"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (story, story, line), "d"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["2 publishers" in text or "4 publishers" in text for text in alerts(harness)] == [
            True,
            True,
        ]


# Waiting for publishers


async def test_entries_of_one_publisher_do_not_release_an_alert_and_those_of_another_do(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Two", "tram", publishers=2)) as harness:
        [a] = await harness.add(ArticleSpec("tram", origin="a"))
        await harness.add(ArticleSpec("tram", (a, a, a), "a"))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert alerts(harness) == []
        await harness.add(ArticleSpec("quiet", (a, a, a), "b"))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]
        assert [call.method for call in harness.api.calls] == ["sendMessage"]


async def add_private_feed(harness: TelegramHarness, reader: str) -> frozenset[int]:
    """Feed 2, which this chat alone added; its readers."""
    [(chat,)] = await harness.rows("select id from chats where name = ?", reader)
    await harness.execute(
        "insert into feeds "
        "(id, url, name, publisher, tags, created_at, next_poll_at, host, private)"
        " values (2, 'https://own.example/', 'Own', 'Own', '[]', '2026', '9', 'own.example', 1)"
    )
    await harness.execute(
        "insert into feed_chats (feed_id, chat_id, user_id, at) values (2, ?, 1, '2026')", chat
    )
    return frozenset({chat})


@pytest.mark.parametrize("private_first", [True, False])
async def test_publishers_of_a_feed_that_others_added_are_not_counted(
    opened: OpenHarness, *, private_first: bool
) -> None:
    """Ann added a feed of her own; Bob counts what he can read."""
    both = rule("Two", "tram", to=("ann", "bob"), publishers=2)
    async with opened(both, chats={"ann": ANN, "bob": BOB}) as harness:
        readers = await add_private_feed(harness, "ann")
        [a] = await harness.add(
            ArticleSpec("tram", origin="a", readers=readers if private_first else None)
        )
        other = ArticleSpec("tram", (a, a, a), "b", readers=None if private_first else readers)
        await harness.add(other)
        await harness.deliver(MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]
        assert alerts(harness, BOB) == []
        await harness.add(ArticleSpec("quiet", (a, a, a), "c"))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness, BOB)] == [True]


async def test_a_change_of_a_subscription_counts_no_publishers_of_others_feeds(
    opened: OpenHarness,
) -> None:
    """The store decides then, for what waits."""
    waits = rule("Three", "tram", to=("bob",), publishers=3)
    async with opened(waits, chats={"ann": ANN, "bob": BOB}) as harness:
        readers = await add_private_feed(harness, "ann")
        [a] = await harness.add(ArticleSpec("tram", origin="a"))
        await harness.add(ArticleSpec("tram", (a, a, a), "b", readers=readers))
    async with opened({**waits, "publishers": 2}, chats={"ann": ANN, "bob": BOB}) as harness:
        await harness.deliver(MINUTE, 5 * SECOND)
        assert alerts(harness, BOB) == []
    async with opened({**waits, "publishers": 1}, chats={"ann": ANN, "bob": BOB}) as harness:
        await harness.deliver(MINUTE, 5 * SECOND)
        assert len(alerts(harness, BOB)) == 1


async def test_a_story_that_enough_carry_already_is_alerted_at_the_first_match(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Three", "tram", publishers=3)) as harness:
        [a] = await harness.add(ArticleSpec("quiet"))
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.add(ArticleSpec("tram", (a, a, a)))
        await harness.deliver()
        assert len(alerts(harness)) == 1


async def test_an_alert_is_pending_for_as_long_as_its_subscription_says_and_is_marked_then(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Two", "tram", publishers=2, or_after="30m")) as harness:
        await harness.add(ArticleSpec("tram"))
        harness.clock.advance(30 * MINUTE - SECOND)
        await harness.app.jobs.release_pending()
        await harness.deliver()
        assert alerts(harness) == []
        harness.clock.advance(SECOND)
        for _ in range(2):
            await harness.app.jobs.release_pending()
            await harness.deliver(2 * SECOND)
        assert [text.startswith("(single publisher) tram") for text in alerts(harness)] == [True]


async def test_of_two_subscriptions_that_wait_the_one_that_needs_less_decides(
    opened: OpenHarness,
) -> None:
    async with opened(
        rule("Three", "tram", publishers=3), rule("Two", "tram OR second", publishers=2)
    ) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver()
        assert len(alerts(harness)) == 1


@pytest.mark.parametrize(
    "kind", ["entry", "retitle of another entry", "retitle of the entry that is held"]
)
async def test_a_subscription_that_joins_and_needs_no_more_releases_the_alert(
    opened: OpenHarness, kind: str
) -> None:
    async with opened(rule("Many", "held", publishers=5), TRAM) as harness:
        [a] = await harness.add(ArticleSpec("held"))
        await harness.deliver()
        if kind == "entry":
            await harness.add(ArticleSpec("tram", (a, a, a)))
        elif kind == "retitle of another entry":
            await harness.add(ArticleSpec("quiet words", (a, a, a)))
            await harness.deliver()
            assert alerts(harness) == []
            await harness.retitle("quiet words", "tram")
        else:
            await harness.retitle("held", "held and tram")
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        [text] = alerts(harness)
        assert text.endswith("🔔 Many, Tram")
        assert [call.method for call in harness.api.calls] == ["sendMessage"]


async def test_a_subscription_that_joins_a_pending_alert_brings_its_own_time(
    opened: OpenHarness,
) -> None:
    async with opened(
        rule("Many", "held", publishers=5), rule("Some", "tram", publishers=5, or_after="30m")
    ) as harness:
        [a] = await harness.add(ArticleSpec("held"))
        await harness.add(ArticleSpec("tram", (a, a, a)))
        harness.clock.advance(31 * MINUTE)
        await harness.app.jobs.release_pending()
        await harness.deliver()
        assert len(alerts(harness)) == 1


async def test_what_no_subscription_wants_any_more_sends_no_alert(opened: OpenHarness) -> None:
    async with opened(rule("Two", "tram", publishers=2, or_after="30m")) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
    async with opened(rule("Other", "other")) as harness:
        harness.clock.advance(31 * MINUTE)
        await harness.app.jobs.release_pending()
        await harness.add(ArticleSpec("quiet", (a, a, a)), ArticleSpec("tram", (a, a, a)))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert alerts(harness) == []
        await sound(harness)


async def test_a_subscription_that_was_removed_does_not_end_the_wait_of_another(
    opened: OpenHarness,
) -> None:
    patient = rule("Many", "tram", publishers=5)
    async with opened(patient, rule("Two", "tram", publishers=2, or_after="30m")) as harness:
        await harness.add(ArticleSpec("tram"))
    async with opened(patient) as harness:
        harness.clock.advance(31 * MINUTE)
        await harness.app.jobs.release_pending()
        await harness.deliver(MINUTE, 5 * SECOND)
        assert alerts(harness) == []


@pytest.mark.parametrize("by_time", [True, False])
async def test_a_subscription_moved_to_another_chat_sends_no_alert_to_the_one_it_waited_for(
    opened: OpenHarness, by_time: bool
) -> None:
    chats = {"ann": ANN, "bob": BOB}
    waits = partial(rule, "Two", "tram", publishers=2, or_after="30m")
    async with opened(waits(to=("ann", "bob")), chats=chats) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
    async with opened(waits(to=("bob",)), chats=chats) as harness:
        if by_time:
            harness.clock.advance(31 * MINUTE)
            await harness.app.jobs.release_pending()
        else:
            await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert len(alerts(harness, BOB)) == 1
        assert alerts(harness) == []


@pytest.mark.parametrize("by_time", [True, False])
async def test_a_pending_alert_survives_a_restart_and_is_released_once(
    opened: OpenHarness, by_time: bool
) -> None:
    waits = rule("Two", "tram", publishers=2, or_after="30m")
    async with opened(waits) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
    for _ in range(2):
        async with opened(waits) as harness:
            if by_time:
                harness.clock.advance(31 * MINUTE)
                await harness.app.jobs.release_pending()
            else:
                await harness.add(ArticleSpec("quiet", (a, a, a)))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
            assert len(alerts(harness)) == 1
            await sound(harness)


async def test_two_pending_alerts_that_become_one_are_released_by_the_publishers_of_both(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Three", "tram", publishers=3)) as harness:
        a, b = await harness.add(
            ArticleSpec("tram", origin="a"), ArticleSpec("tram too", origin="b")
        )
        await harness.add(ArticleSpec("quiet", (a, a, a), "c"), merges=merged(b, a))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["3 publishers" in text for text in alerts(harness)] == [True]


@pytest.mark.parametrize("first", [True, False])
async def test_two_pending_alerts_that_become_one_wait_no_longer_than_the_first_would_have(
    opened: OpenHarness, first: bool
) -> None:
    async with opened(
        rule("Nine", "tram", publishers=9, or_after="30m"), rule("Eight", "slow", publishers=9)
    ) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        harness.clock.advance(10 * MINUTE)
        b, c = await harness.add(ArticleSpec("tram too"), ArticleSpec("slow"))
        gone, kept = (a, b) if first else (b, a)
        await harness.add(
            ArticleSpec("quiet", (c, c, c)), merges=[*merged(gone, kept), *merged(kept, c)]
        )
        harness.clock.advance(20 * MINUTE)
        await harness.app.jobs.release_pending()
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert len(alerts(harness)) == 1


async def test_a_release_and_further_entries_in_one_batch_are_one_message_that_shows_all(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Three", "tram", publishers=3)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.add(
            [
                ArticleSpec("tram", (a, a, a)),
                ArticleSpec("tram", (a, a, a)),
                ArticleSpec("tram", (a, a, a)),
            ],
            ArticleSpec("tram", (a, a, a)),
        )
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["5 publishers" in text for text in alerts(harness)] == [True]
        assert [call.method for call in harness.api.calls] == ["sendMessage"]
        await sound(harness)


async def test_a_batch_that_brings_alert_and_release_sends_one_alert(opened: OpenHarness) -> None:
    async with opened(rule("Two", "tram", publishers=2)) as harness:
        lookup = (await harness._number(),)
        await harness.add(ArticleSpec("tram"), ArticleSpec("tram", (lookup[0] + 1,) * 3))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]


async def test_of_a_flood_what_is_alerted_is_one_message_and_what_waits_waits(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM, rule("Two", "held", publishers=2)) as harness:
        numbers = await harness.add(
            [
                ArticleSpec("tram", silent="flood"),
                ArticleSpec("tram too", silent="flood"),
                ArticleSpec("held", silent="flood"),
                ArticleSpec("held too", silent="flood"),
            ]
        )
        await harness.deliver(MINUTE, 5 * SECOND)
        assert [text.partition(" 🔔")[0] for text in alerts(harness)] == ["2 stories"]
        await harness.add(ArticleSpec("quiet", (numbers[2],) * 3))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert [text.partition("\n")[0].partition(" 🔔")[0] for text in alerts(harness)] == [
            "2 stories",
            "held",
        ]


async def test_an_alert_whose_time_runs_out_while_a_batch_is_decided_is_alerted_once(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Two", "tram", publishers=2, or_after="30m")) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        harness.clock.advance(31 * MINUTE)
        commits, _ = await harness.decide(ArticleSpec("quiet", (a, a, a)))
        await harness.app.jobs.release_pending()
        await harness.deliver()
        await harness.app.store.polls.commit(commits, harness.clock.now())
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]
        await sound(harness)


async def test_a_released_alert_has_its_subscription_s_urgency(opened: OpenHarness) -> None:
    async with opened(TRAM, rule("Soon", "soon", publishers=2, urgency="breaking")) as harness:
        [a] = await harness.add(ArticleSpec("soon"))
        await harness.add(
            ArticleSpec("tram"), ArticleSpec("tram too"), ArticleSpec("quiet", (a, a, a))
        )
        await harness.deliver(5 * SECOND)
        assert [text.partition("\n")[0] for text in alerts(harness)] == ["soon", "tram", "tram too"]


# The second alert


async def test_the_second_alert_comes_once_in_reply_to_the_message(opened: OpenHarness) -> None:
    async with opened(
        rule("Tram", "tram", alert_again_at=3), rule("Later", "tram", alert_again_at=5)
    ) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
        for _ in range(6):
            await harness.add(ArticleSpec("quiet", (a, a, a)))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert [text.partition(":")[0] for text in again(harness)] == ["🔔 Now 3 publishers"]
        first, second = harness.api.messages(ANN)
        assert second.reply_to == first.message_id


async def test_there_is_no_second_alert_where_the_first_still_waited_and_named_as_many_publishers(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=3)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        for _ in range(3):
            await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert (len(alerts(harness)), again(harness)) == (1, [])


@pytest.mark.parametrize("urgency", ["normal", "breaking"])
async def test_there_is_no_second_alert_where_the_first_was_sent_back_and_named_as_many_publishers(
    opened: OpenHarness, urgency: str
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=3, urgency=urgency)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        begun = await harness.begin("ann")
        await harness.add(ArticleSpec("quiet", (a, a, a)), ArticleSpec("quiet", (a, a, a)))
        harness.api.fault(TooManyRequests(5))
        await harness.finish(begun)
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert harness.api.messages(ANN)[0].text.startswith("tram")
        assert again(harness) == []


async def test_the_second_alert_comes_after_a_restart_and_only_then(opened: OpenHarness) -> None:
    tram = rule("Tram", "tram", alert_again_at=3)
    async with opened(tram) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
    for _ in range(2):
        async with opened(tram) as harness:
            await harness.add(ArticleSpec("quiet", (a, a, a)))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
            assert len(again(harness)) == 1


@pytest.mark.parametrize("fault", [DropBefore(), DropAfter()])
async def test_a_second_alert_that_may_have_arrived_is_repeated_and_marked(
    opened: OpenHarness, fault: Any
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
        harness.api.fault(fault)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        texts = again(harness)
        assert len(texts) == 1 + isinstance(fault, DropAfter)
        assert [text.startswith("(repeat)") for text in texts] == [False, True][-len(texts) :]
        assert ["3 publishers" in text for text in alerts(harness)] == [True]


async def test_a_second_alert_that_surely_did_not_arrive_is_tried_again(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
        harness.api.fault(TooManyRequests(5))
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        assert len(again(harness)) == 1


async def test_a_released_alert_is_alerted_once_more_when_more_carry_it(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Two", "tram", publishers=2, alert_again_at=4)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        for number in range(4):
            await harness.add(ArticleSpec("quiet", (a, a, a)))
            await harness.deliver(2 * MINUTE, 5 * SECOND)
            assert (len(alerts(harness)), len(again(harness))) == (1, number >= 2)


async def test_a_second_alert_for_a_story_sent_together_with_others_replies_to_that_message(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        a, _ = await harness.add(
            [ArticleSpec("tram", silent="flood"), ArticleSpec("tram too", silent="flood")]
        )
        await harness.deliver()
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        first, second = harness.api.messages(ANN)
        assert (first.text.partition(" 🔔")[0], second.reply_to) == ("2 stories", first.message_id)


async def test_there_is_no_second_alert_for_a_subscription_that_was_removed(
    opened: OpenHarness,
) -> None:
    async with opened(rule("Tram", "tram", alert_again_at=2)) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
    async with opened(rule("Other", "other")) as harness:
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert again(harness) == []


# Changes of messages


def edits(harness: TelegramHarness, chat: int = ANN) -> list[float]:
    """When messages there were changed, on the server's clock."""
    return [
        call.time
        for call in harness.api.calls
        if call.method == "editMessageText" and call.chat_id == chat
    ]


@pytest.fixture
async def timed(clock: ManualClock) -> AsyncIterator[BotApi]:
    """A Bot API on the clock that is moved by hand, which keeps to Telegram's limits."""
    async with BotApi(clock=lambda: clock.now().timestamp()) as app:
        app.add_private(ANN)
        app.add_group(GROUP, members={ANN: "creator"})
        app.enforce_limits = True
        yield app


async def test_a_message_changes_once_a_minute_at_most_and_ends_with_the_newest_state(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, timed, {"ann": ANN}, clock, subscriptions=[TRAM]) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
        for _ in range(20):
            await harness.add(ArticleSpec("quiet", (a, a, a)))
            await harness.deliver(11 * SECOND)
        await harness.deliver(2 * MINUTE)
        times = edits(harness)
        assert min(after - before for before, after in itertools.pairwise(times)) >= 60
        assert len(times) <= 6
        assert "21 publishers" in alerts(harness)[0]
        await sound(harness)


async def test_a_message_of_several_stories_changes_once_a_minute_at_most(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, timed, {"ann": ANN}, clock, subscriptions=[TRAM]) as harness:
        numbers = await harness.add(
            [ArticleSpec(f"tram {number}", silent="flood") for number in range(5)]
        )
        await harness.deliver()
        for number in [*numbers, *numbers, *numbers]:
            await harness.add(ArticleSpec("quiet", (number, number, number)))
            await harness.deliver(11 * SECOND)
        await harness.deliver(2 * MINUTE)
        assert min(after - before for before, after in itertools.pairwise(edits(harness))) >= 60
        assert alerts(harness)[0].count("4 publishers") == 5
        await sound(harness)


async def test_stories_that_grow_while_their_common_message_is_sent_change_it_once(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(tmp_path, timed, {"ann": ANN}, clock, subscriptions=[TRAM]) as harness:
        a, b = await harness.add(
            [ArticleSpec("tram", silent="flood"), ArticleSpec("tram too", silent="flood")]
        )
        begun = await harness.begin("ann")
        await harness.add(ArticleSpec("quiet", (a, a, a)), ArticleSpec("quiet", (b, b, b)))
        await harness.finish(begun)
        await harness.deliver(59 * SECOND)
        assert len(edits(harness)) == 1
        assert alerts(harness)[0].count("2 publishers") == 2


@pytest.mark.parametrize(
    "fault", [DropBefore(), Refuse(400, "Bad Request: can't parse entities: something")]
)
async def test_a_message_that_never_arrived_is_not_changed(opened: OpenHarness, fault: Any) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        harness.api.fault(fault, times=2 if isinstance(fault, Refuse) else 1000)
        await harness.deliver(MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(MINUTE, 5 * SECOND)
        assert edits(harness) == []
        if isinstance(fault, Refuse):  # what is in doubt waits for its next try
            await sound(harness)


@pytest.mark.parametrize(
    "fault", [DropBefore(), Refuse(400, "Bad Request: can't parse entities: something")]
)
async def test_what_never_arrived_takes_nothing_from_the_budget_when_it_grows(
    opened: OpenHarness, fault: Any
) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        harness.api.fault(fault, times=2 if isinstance(fault, Refuse) else 1000)
        await harness.deliver(MINUTE, 5 * SECOND)
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        assert await harness.rows("select 1 from outbox where kind = 'edit'") == []


async def test_an_alert_that_was_sent_back_shows_all_at_its_second_try_and_needs_no_change(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        begun = await harness.begin("ann")
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        harness.api.fault(TooManyRequests(5))
        await harness.finish(begun)
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]
        assert edits(harness) == []


async def test_an_alert_that_grows_while_it_is_sent_is_changed_afterwards(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        begun = await harness.begin("ann")
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.finish(begun)
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert ["2 publishers" in text for text in alerts(harness)] == [True]
        assert len(edits(harness)) == 1


async def test_a_message_that_was_deleted_is_let_be(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("tram"))
        await harness.deliver()
        harness.api.fault(Refuse(400, "Bad Request: message to edit not found"), "editMessageText")
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.deliver(5 * MINUTE, 5 * SECOND)
        assert len(edits(harness)) == 1
        await sound(harness)


async def test_alerts_go_before_changes_and_both_in_order(opened: OpenHarness) -> None:
    async with opened(TRAM) as harness:
        a, b = await harness.add(ArticleSpec("tram 1"), ArticleSpec("tram 2"))
        await harness.deliver(2 * SECOND)
        await harness.add(
            ArticleSpec("quiet", (a, a, a)),
            ArticleSpec("quiet", (b, b, b)),
            ArticleSpec("tram 3"),
            ArticleSpec("tram 4"),
        )
        await harness.deliver(30 * SECOND)
        assert [call.method for call in harness.api.calls] == ["sendMessage"] * 4 + [
            "editMessageText"
        ] * 2
        assert [call.params["text"].partition("\n")[0] for call in harness.api.calls] == [
            "tram 1",
            "tram 2",
            "tram 3",
            "tram 4",
            "tram 1",
            "tram 2",
        ]


async def test_many_growing_stories_keep_within_the_budget_of_a_group(
    tmp_path: Path, timed: BotApi, clock: ManualClock
) -> None:
    async with open_harness(
        tmp_path,
        timed,
        {"group": GROUP},
        clock,
        subscriptions=[rule("Tram", "tram", to=("group",))],
    ) as harness:
        numbers = []
        for number in range(15):
            numbers += await harness.add(ArticleSpec(f"tram {number}"))
            await harness.deliver(5 * SECOND)
        for _ in range(4):
            await harness.add(
                *(ArticleSpec("quiet", (number, number, number)) for number in numbers)
            )
            await harness.deliver(20 * SECOND)
        await harness.deliver(5 * MINUTE)
        assert timed.violations == []
        sent = sorted(call.time for call in timed.calls)
        assert max(sum(at <= other < at + 60 for other in sent) for at in sent) <= 20
        assert ["5 publishers" in text for text in alerts(harness, GROUP)] == [True] * 15
        await sound(harness)


async def test_a_pending_alert_grows_without_a_message(opened: OpenHarness) -> None:
    async with opened(PENDING) as harness:
        [a] = await harness.add(ArticleSpec("held"))
        await harness.add(ArticleSpec("quiet", (a, a, a)))
        await harness.retitle("held", "held on")
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert harness.api.calls == []
        assert await harness.rows("select 1 from outbox") == []


# Statements that fail


class Failing:
    """A database whose statement number `at` of a piece of work fails."""

    def __init__(self, database: Any) -> None:
        self._database, self.at, self.count = database, 0, 0
        self.conn = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def _step(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise sqlite3.OperationalError("broken")

    def execute(self, *arguments: Any) -> Any:
        self._step()
        return self._database.execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        self._step()
        return self._database.executemany(*arguments)


TABLES = (
    "entries revisions joins merges alerts alert_matches outbox outbox_alerts stances feeds "
    "chats meta unsearched"
).split()


def copy_of(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


async def contents(harness: TelegramHarness) -> dict[str, list[tuple[Any, ...]]]:
    statements = {table: f"select * from {table}" for table in TABLES}  # noqa: S608 (our names)
    return {
        table: sorted(await harness.rows(statement), key=repr)
        for table, statement in statements.items()
    }


async def eventful(harness: TelegramHarness) -> tuple[list[FeedCommit], list[Merge]]:
    """A batch with merges, releases, second alerts, growths and new alerts; not committed."""
    articles: list[ArticleSpec | list[ArticleSpec]] = [
        ArticleSpec("tram again"),
        ArticleSpec("held a"),
        ArticleSpec("held b"),
        ArticleSpec("tram"),
        ArticleSpec("tram too"),
        ArticleSpec("two"),
    ]
    first, a, b, c, d, e = await harness.add(*articles)
    await harness.add(ArticleSpec("quiet", (first, first, first)))
    await harness.deliver(10 * SECOND)
    f, g = await harness.add(ArticleSpec("tram later"), ArticleSpec("held c"))
    harness.api.say(ANN, ANN, "/follow", reply_to=harness.api.messages(ANN)[0].message_id)
    await harness.listen()
    harness.clock.advance(MINUTE)
    merges = [*merged(b, a), *merged(d, c), *merged(f, c), *merged(g, first)]
    polls: list[ArticleSpec | list[ArticleSpec]] = [
        ArticleSpec("quiet", (a, a, a)),
        ArticleSpec("quiet", (c, c, c)),
        [ArticleSpec("quiet", (e, e, e)), ArticleSpec("tram anew")],
        ArticleSpec("quiet", (first, first, first)),
        ArticleSpec("plain", (0, 0, first)),
    ]
    commits, _ = await harness.decide(*polls, merges=merges)
    return commits, merges


async def test_whatever_statement_fails_nothing_is_kept_and_the_second_try_keeps_all(
    opened: OpenHarness,
) -> None:
    async with opened(
        TRAM, PENDING, rule("Two", "two", publishers=2), rule("Again", "again", alert_again_at=3)
    ) as harness:
        commits, merges = await eventful(harness)
        now, writer = harness.clock.now(), sqlite(harness.app)._writer
        before = await contents(harness)
        database = writer._database
        assert database is not None
        folder = sqlite(harness.app).path.parent
        await asyncio.to_thread(copy_of, sqlite(harness.app).path, folder / "undisturbed.db")
        failing = Failing(database)
        writer._database = failing  # type: ignore[assignment]
        for at in itertools.count(1):
            failing.count, failing.at = 0, at
            try:
                await harness.app.store.polls.commit(commits, now, merges)
            except StoreError:
                failing.at = 0
                assert await contents(harness) == before
                continue
            break
        failing.at = 0
        assert at > 50
        after = await contents(harness)
        writer._database = database
        async with SqliteStore(folder / "undisturbed.db") as store:
            await store.polls.commit(commits, now, merges)
            harness.app.store, original = store, harness.app.store
            undisturbed, harness.app.store = await contents(harness), original
        assert after == undisturbed
        assert {
            kind for (kind,) in await harness.rows("select kind from outbox where state = 'queued'")
        } >= {"alert", "edit", "again"}
        assert after != before
        assert broken_references(harness.app) == []
        await harness.deliver(3 * MINUTE, 5 * SECOND)
        await sound(harness)


#: a headline of three publishers, each with a text of its own
TEXTS = {
    "a": "Bakers and fishermen came to watch tugs pull a white ferry past the lighthouse at noon.",
    "b": (
        "Ministers spoke about jobs, dredging costs and a second terminal planned for grain "
        "exports."
    ),
    "c": (
        "Critics doubt whether shipping lines will return while fees remain higher than elsewhere."
    ),
}
PRINTED = {
    "a": "Harbour opens after years",
    "b": "New quay takes its largest ship",
    "c": "Cranes lift first cargo ashore",
}


async def run_statement(app: App, statement: str) -> list[tuple[Any, ...]]:
    if statement.startswith("select"):
        return query(app, statement)
    execute(app, statement)
    return []


@pytest.mark.parametrize(
    "event",
    [
        "insert on joins",
        "insert on entries",
        "insert on alerts",
        "insert on outbox",
        "update of revision on alerts",
        "update of held on alerts",
        "update of etag on feeds",
    ],
)
async def test_after_a_failed_batch_the_stories_are_read_anew_with_the_same_result(
    tmp_path: Path,
    clock: ManualClock,
    server: FeedServer,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
) -> None:
    """Two runs over the same feeds, one of them with a transaction that fails.

    Equal headlines make the stories, so that the texts do not matter.
    """
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=20))
    kept = []
    for trouble in (True, False):
        folder, terminal, clock = tmp_path / str(trouble), Recorder(), ManualClock()
        folder.mkdir()
        old = {
            name: item(f"old-{name}", f"{words} of {name}", at=NOON - timedelta(days=5))
            for name, words in PRINTED.items()
        }
        for name, words in old.items():
            server.put(f"/{name}", rss(words, title=name))
        feeds = [
            {"url": server.url(f"/{name}"), "name": name, "publisher": name} for name in PRINTED
        ]
        config = config_text(feeds).replace(
            '"query": "harbour"', '"query": "harbour", "publishers": 2, "alert_again_at": 3'
        )
        async with newsbell(folder, config, clock=clock, terminal=terminal) as app:
            await poll(app)
            for number, name in enumerate(PRINTED):
                clock.advance(MINUTE)
                entry = item(
                    f"{name}-1",
                    "Harbour opens after nine years",
                    text=TEXTS[name],
                    at=clock.now(),
                    link=f"https://{name}.example/opening",
                )
                server.put(f"/{name}", rss(entry, old[name], title=name))
                await app.store.polls.make_due(clock.now())
                if trouble and number:
                    await break_at(app, event)
                    await app.poller.run_once()
                    await mend(app, event)
                    await app.store.polls.release_feeds()
                    await app.store.polls.make_due(clock.now())
                await app.poller.run_once()
                await app.deliverer.run_once(timedelta(0))
            rows = await run_statement(
                app,
                "select title, story_id - (select min(id) from entries), origin from entries "
                "order by title",
            )
            kept.append(([message.text for _, message in terminal.sent], rows))
    assert [text.partition(" ")[0] for text in kept[0][0]] == ["Harbour", "🔔", "Harbour"]
    assert kept[0][0] == kept[1][0]
    assert len({story for title, story, _ in kept[0][1] if " of " not in title}) == 1


async def test_after_a_failed_batch_no_story_is_taken_from_what_was_not_kept(
    tmp_path: Path, clock: ManualClock, server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.feeds.poller.STORE_PAUSE", timedelta(milliseconds=20))
    server.put("/a", rss(item("old", "An older matter", at=NOON - timedelta(days=5))))
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        await poll(app)
        assert len(app.monitoring.watched.committer._window or ()) == 1
        server.put("/a", rss(item("new", "The harbour opens")))
        await break_at(app, "insert on entries")
        await app.store.polls.make_due(clock.now())
        await app.poller.run_once()
        assert app.monitoring.watched.committer._window is None
        assert len(await app.poller._committer.restore()) == 1


async def test_an_empty_window_is_not_read_again(
    tmp_path: Path, clock: ManualClock, server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("/a", rss())
    async with newsbell(tmp_path, config_text([server.url("/a")]), clock=clock) as app:
        reads: list[int] = []
        read = app.store.polls.window

        async def counted(
            since: datetime, until: datetime, after: int, limit: int
        ) -> list[tuple[Report | StoredFeatures, StoryIds]]:
            reads.append(after)
            return await read(since, until, after, limit)

        monkeypatch.setattr(app.store.polls, "window", counted)
        for _ in range(3):
            await poll(app)
        assert len(app.monitoring.watched.committer._window or ()) == 0
        assert reads == [0]


# A database of an earlier newsbell


def earlier(path: Path) -> None:
    """A database of version 0.1 with two migrations: alerts sent, waiting, on their way, dead."""
    database = Database(path)
    migrations.apply(database, stop_before="m003_stories")
    moment = "2026-03-02T11:00:00.000000+00:00"
    run = database.conn.execute
    run(
        "insert into feeds (id, url, name, publisher, created_at, host, next_poll_at, "
        "baseline_at) values (1, ?, 'Invented Wire', 'Invented Wire', ?, '127.0.0.1:9', ?, ?)",
        [FEED, moment, moment, moment],
    )
    run(
        "insert into chats (id, name, kind, address, declared) values (1, 'here', "
        "'terminal', 0, 1), (2, 'ann', 'telegram', ?, 1)",
        [ANN],
    )
    run(
        "insert into subscriptions (id, name, query, declared, created_at) values (1, "
        "'Tram', 'tram', 1, ?)",
        [moment],
    )
    run("insert into routes values (1, 2)")
    for number, state in enumerate(("sent", "queued", "sending", "dead"), 1):
        key = number.to_bytes(16, "big")
        run(
            "insert into entries (id, feed_id, story_id, guid_key, link_key, title_key, "
            "article_key, guid, link, title, summary, author, source, published, first_seen_at) "
            "values (?, 1, ?, ?, ?, ?, x'', ?, ?, ?, '', '', '', ?, ?)",
            [
                number,
                number,
                key,
                key,
                key,
                str(number),
                f"https://news.example/{number}",
                f"tram {state}",
                moment,
                moment,
            ],
        )
        run(
            "insert into alerts (chat_id, story_id, entry_id, first_title, created_at, "
            "message_id) values (2, ?, ?, ?, ?, ?)",
            [number, number, f"tram {state}", moment, 99 if state == "sent" else None],
        )
        run(
            "insert into alert_matches (chat_id, story_id, subscription_id, entry_id, spans) "
            "values (2, ?, 1, ?, '[]')",
            [number, number],
        )
        run(
            "insert into outbox (id, chat_id, kind, priority, state, attempts, created_at) "
            "values (?, 2, 'alert', 20, ?, ?, ?)",
            [number, state, state != "queued", moment],
        )
        run("insert into outbox_alerts values (?, 2, ?)", [number, number])
    database.conn.commit()
    database.conn.close()


@pytest.mark.own_engine("databases of before are files")
async def test_an_earlier_database_is_taken_over_repeats_nothing_and_its_stories_grow(
    tmp_path: Path, opened: OpenHarness
) -> None:
    earlier(tmp_path / "newsbell.db")
    async with opened(TRAM) as harness:
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert sorted(text.partition("\n")[0] for text in alerts(harness)) == [
            "(repeat) tram sending",
            "tram queued",
        ]
        await harness.add(ArticleSpec("tram more", (2, 2, 2)), ArticleSpec("tram new"))
        await harness.deliver(2 * MINUTE, 5 * SECOND)
        assert sorted(text.partition("\n")[0] for text in alerts(harness)) == [
            "(repeat) tram sending",
            "tram new",
            "tram queued",
        ]
        assert [
            "2 publishers" in text for text in alerts(harness) if text.startswith("tram queued")
        ] == [True]
        assert broken_references(harness.app) == []


async def test_a_publisher_counts_once_for_what_it_said_before_and_after_the_change_of_the_database(
    tmp_path: Path, clock: ManualClock
) -> None:
    earlier(tmp_path / "newsbell.db")
    async with SqliteStore(tmp_path / "newsbell.db") as store:
        rows = await store._writer.run(
            "look", lambda db: db.execute("select distinct origin from entries").fetchall()
        )
    attribution = PublisherGroups({}).attribution("Invented Wire", "", "", "tram", "")
    assert [row[0] for row in rows] == [attribution.origin]


async def test_what_belongs_to_forgotten_entries_and_ended_storylines_is_forgotten_too(
    opened: OpenHarness,
) -> None:
    async with opened(TRAM) as harness:
        [a] = await harness.add(ArticleSpec("quiet"))
        await harness.execute("insert into joins values (?, 0, 0.5, 'words')", a)
        await harness.execute(
            "insert into stances values (2, ?, 'mute', ?, ?)",
            a,
            *[NOON.isoformat(timespec="microseconds")] * 2,
        )
        await harness.execute(
            "update entries set absent_since = ?", NOON.isoformat(timespec="microseconds")
        )
        harness.clock.advance(100 * 24 * HOUR)
        await harness.app.store.admin.prune(harness.clock.now())
        assert await harness.rows("select id from entries") == []
        assert (
            await harness.rows("select 1 from joins") + await harness.rows("select 1 from stances")
            == []
        )
