"""An alert per story that grows: further entries, waiting, second alerts, follow and mute."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import NOON, FeedServer, ManualClock, Recorder, item, newsbell, poll, rss

from bot.model.delivery import DeliveryKind
from bot.model.message import Message
from bot.service.app import App

MINUTE = timedelta(minutes=1)
BLAST = "Blast at the Tarvos grain harbour kills four dock workers"
REPORT = (
    "Four dock workers died when a silo exploded at the grain harbour of Tarvos on Monday "
    "morning, the harbour master said."
)
#: the same story by five newsrooms, each in its own words
REPORTS = (
    (BLAST, REPORT),
    (
        "Four dock workers killed as silo explodes in Tarvos harbour",
        "A grain silo blew up shortly before nine; the port of Tarvos is closed.",
    ),
    (
        "Tarvos: explosion in grain harbour kills four workers",
        "Fire crews pulled four bodies from the rubble of a silo on the northern quay of Tarvos.",
    ),
    (
        "Grain harbour blast in Tarvos leaves four dock workers dead",
        "Investigators look at dust in the silo as the cause of the harbour blast.",
    ),
    (
        "Harbour blast: four dock workers die in Tarvos silo explosion",
        "The mayor of Tarvos asked people to stay away from the grain harbour.",
    ),
)
PUBLISHER_GROUPS = (
    "Harbour Times",
    "Coastal Post",
    "Evening Signal",
    "Daily Meridian",
    "The Lantern",
)
OLD = item("old", "Bakers of the old town vote on a longer market day", at=NOON - timedelta(days=5))


class Town:
    """Feeds of several publishers, and a newsbell with one terminal."""

    def __init__(
        self, app: App, server: FeedServer, clock: ManualClock, terminal: Recorder
    ) -> None:
        self.app, self.server, self.clock, self.terminal = app, server, clock, terminal
        self._items: dict[int, list[str]] = {
            number: [OLD] for number in range(len(PUBLISHER_GROUPS))
        }

    async def reports(self, publisher: int, *, after: timedelta = MINUTE) -> None:
        """A publisher reports the blast in its own words."""
        title, text = REPORTS[publisher]
        await self.publishes(publisher, title, text=text, after=after)

    async def publishes(
        self,
        publisher: int,
        title: str,
        *,
        text: str = REPORT,
        after: timedelta = MINUTE,
        **more: Any,
    ) -> None:
        """A publisher publishes; time passes; newsbell polls."""
        self.clock.advance(after)
        guid = f"{publisher}-{len(self._items[publisher])}"
        self._items[publisher].insert(
            0,
            item(
                guid,
                title,
                text=text,
                at=self.clock.now(),
                link=f"https://h{publisher}.example/{guid}",
                **more,
            ),
        )
        self.server.put(
            f"/{publisher}.xml", rss(*self._items[publisher], title=PUBLISHER_GROUPS[publisher])
        )
        await poll(self.app)

    def texts(self, kind: DeliveryKind = DeliveryKind.ALERT) -> list[str]:
        return self.terminal.texts(kind)

    @property
    def newest(self) -> Message:
        return self.terminal.sent[-1][1]


def configured(
    server: FeedServer, subscription: Mapping[str, Any] | None = None, **settings: Any
) -> str:
    more = dict(subscription or {})
    return json.dumps(
        {
            "settings": {"network": {"allow": ["127.0.0.0/8"]}, **settings},
            "chats": {"here": {"terminal": True}},
            "feeds": [
                {"url": server.url(f"/{number}.xml"), "name": name, "publisher": name}
                for number, name in enumerate(PUBLISHER_GROUPS)
            ],
            "subscriptions": [{"name": "Tarvos", "query": "Tarvos", "to": ["here"], **more}],
        }
    )


@pytest.fixture
def terminal() -> Recorder:
    return Recorder()


class opened:  # noqa: N801 (used as a context manager)
    """A town whose feeds were looked at once."""

    def __init__(
        self, folder: Path, server: FeedServer, clock: ManualClock, terminal: Recorder, **more: Any
    ) -> None:
        self._server, self._clock, self._terminal = server, clock, terminal
        for number, name in enumerate(PUBLISHER_GROUPS):
            server.put(f"/{number}.xml", rss(OLD, title=name))
        self._context = newsbell(
            folder,
            configured(server, more.pop("subscription", None), **more),
            clock=clock,
            terminal=terminal,
        )

    async def __aenter__(self) -> Town:
        app = await self._context.__aenter__()
        await poll(app)
        return Town(app, self._server, self._clock, self._terminal)

    async def __aexit__(self, *error: object) -> None:
        await self._context.__aexit__(*error)  # type: ignore[arg-type]


async def test_a_story_of_three_publishers_is_one_alert_whose_message_names_them(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal) as town:
        for publisher in range(3):
            await town.reports(publisher)
    assert [text.partition("\n")[0] for text in town.texts()] == [BLAST]
    assert (
        "also: Coastal Post 12:02, Evening Signal 12:03 · 3 publishers"
        in town.texts(DeliveryKind.EDIT)[-1]
    )


async def test_a_confirmation_that_does_not_match_by_words_still_changes_the_message(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"query": "blast"}) as town:
        await town.publishes(0, BLAST)
        await town.publishes(
            1,
            "Four dock workers killed as silo explodes in Tarvos grain harbour",
            text="The silo stood at the northern quay.",
        )
    assert len(town.texts()) == 1
    assert "also: Coastal Post 12:02 · 2 publishers" in town.texts(DeliveryKind.EDIT)[-1]


async def test_a_message_changes_once_a_minute_at_most_and_then_shows_everything(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal) as town:
        await town.publishes(0, BLAST)
        for publisher in (1, 2, 3):
            await town.reports(publisher, after=timedelta(seconds=10))
        assert len(town.texts(DeliveryKind.EDIT)) == 1
        clock.advance(MINUTE)
        await poll(town.app)
        assert len(town.texts(DeliveryKind.EDIT)) == 2
        assert "· 4 publishers" in town.newest.text
        clock.advance(MINUTE)
        await poll(town.app)
        assert len(town.texts(DeliveryKind.EDIT)) == 2


async def test_more_than_eight_further_entries_are_counted(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal) as town:
        for publisher in range(5):
            await town.reports(publisher)
        for number in range(6):
            await town.publishes(
                number % 5,
                f"{BLAST}, {('police', 'medics', 'owners', 'crews', 'port', 'union')[number]} say",
            )
    assert "and 2 more (`newsbell story` shows all) · 5 publishers" in town.newest.text


async def test_an_alert_is_pending_until_enough_independent_publishers_carry_it(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"publishers": 3}) as town:
        await town.reports(0)
        await town.publishes(0, f"{BLAST}, police say")
        await town.reports(1)
        assert town.terminal.sent == []
        await town.reports(2)
    assert [delivery.kind for delivery, _ in town.terminal.sent] == [DeliveryKind.ALERT]
    assert "· 3 publishers" in town.newest.text


async def test_a_pending_alert_goes_out_after_its_time_as_single_publisher(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(
        tmp_path, server, clock, terminal, subscription={"publishers": 2, "or_after": "30m"}
    ) as town:
        await town.publishes(0, BLAST)
        clock.advance(29 * MINUTE)
        await town.app.jobs.release_pending()
        await poll(town.app)
        assert town.terminal.sent == []
        clock.advance(MINUTE)
        await town.app.jobs.release_pending()
        await poll(town.app)
        assert town.newest.text.startswith(f"(single publisher) {BLAST}")
        await town.reports(1)
    assert len(town.texts()) == 1
    assert not town.newest.text.startswith("(single publisher)")


async def test_a_pending_alert_survives_a_restart(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"publishers": 2}) as town:
        await town.publishes(0, BLAST)
    assert terminal.sent == []
    async with newsbell(
        tmp_path, configured(server, {"publishers": 2}), clock=clock, terminal=terminal
    ) as app:
        again = Town(app, server, clock, terminal)
        await again.reports(1)
    assert len(again.texts()) == 1


async def test_wire_copy_counts_for_the_agency_and_is_shown_so(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"publishers": 2}) as town:
        await town.publishes(0, BLAST, text=f"TARVOS (AP) — {REPORT}")
        await town.publishes(1, BLAST, text=f"TARVOS (AP) — {REPORT}")
        assert town.terminal.sent == []
        await town.publishes(
            2,
            "Tarvos grain harbour: four dock workers dead after silo blast",
            text="Our reporter saw smoke over the silo.",
        )
    assert "via AP: Harbour Times" in town.newest.text
    assert (
        "also: Evening Signal 12:03 · via AP: Coastal Post 12:02 · 2 publishers" in town.newest.text
    )


async def test_an_old_article_that_a_feed_still_shows_confirms_nothing(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    title, text = REPORTS[1]
    async with opened(tmp_path, server, clock, terminal, subscription={"publishers": 2}) as town:
        old = item(
            "last-month",
            title,
            text=text,
            at=NOON - timedelta(days=30),
            link="https://h1.example/last-month",
        )
        town._items[1].insert(0, old)
        town.server.put("/1.xml", rss(*town._items[1], title=PUBLISHER_GROUPS[1]))
        await poll(town.app)
        await town.reports(0)
        assert town.terminal.sent == []
        await town.reports(2)
    assert "also: Evening Signal 12:02 · 2 publishers" in town.newest.text


async def test_nearly_the_same_text_of_another_publisher_is_no_confirmation(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"publishers": 2}) as town:
        await town.publishes(0, BLAST)
        await town.publishes(1, BLAST)
    assert town.terminal.sent == []


async def test_an_alert_is_repeated_in_reply_when_enough_confirm(
    tmp_path: Path, server: FeedServer, clock: ManualClock, terminal: Recorder
) -> None:
    async with opened(tmp_path, server, clock, terminal, subscription={"ring_again_at": 3}) as town:
        for publisher in range(5):
            await town.reports(publisher)
    again = [
        (delivery, message)
        for delivery, message in terminal.sent
        if delivery.kind is DeliveryKind.AGAIN
    ]
    assert len(again) == 1
    assert again[0][1].text.startswith("🔔 Now 3 publishers: ")
    first = next(delivery for delivery, _ in terminal.sent if delivery.kind is DeliveryKind.ALERT)
    assert again[0][0].reply_to == first.id
