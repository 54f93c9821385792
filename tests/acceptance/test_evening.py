"""One evening of a reporter: a story of many publishers in three languages, and the next day.

Every message is checked, and there is nothing more.

All articles are invented. Feeds, Bot API and database are real; the clock is moved by hand.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from botapi import BotApi
from support import FeedServer, ManualClock, Recorder, item, newsbell, poll, rss
from telegram_harness import ANN

from bot.service.app import App

ZONE = ZoneInfo("Asia/Beirut")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVENING = datetime(2026, 3, 2, 21, 0, tzinfo=ZONE)
FIRST = (
    "Russian troops with S-300 batteries move into Deir ez-Zor as militias leave Mayadin",
    (
        "A column of S-300 launchers entered the city of Deir ez-Zor on Monday night while "
        "Iranian-backed militias left Mayadin and Abu Kamal."
    ),
)
OWN_WORDS = (
    "S-300 batteries and Russian troops seen in Deir Ezzor, militias leave Mayadin",
    (
        "Residents of Deir Ezzor saw Russian troops set up S-300 batteries near the airport; "
        "the militias that held Mayadin and Al-Bukamal are gone."
    ),
)
BLOG = (
    "Russian troops with S-300 batteries move into Deir ez-Zor as militias leave Mayadin",
    (
        "A column of S-300 launchers entered Deir ez-Zor, Ministryannounced. Leave a Reply "
        "You are commenting using your account. ( Log Out / Change )"
    ),
)
ARABIC = (
    "قوات روسية مع بطاريات إس-300 تدخل دير الزور",
    "دخلت قوات روسية مزودة ببطاريات إس-300 مدينة دير الزور مساء الاثنين.",
)
RUSSIAN = (
    "Российские военные с батареями С-300 вошли в Дейр-эз-Зор",
    (
        "Колонна с комплексами С-300 вошла в Дейр-эз-Зор в понедельник вечером, ополчения "
        "ушли из Маядина."
    ),
)
DELIVERED = (
    "Ministry says delivery of S-300 systems to Deir ez-Zor is complete",
    (
        "The ministry of defence announced on Tuesday that the delivery of three S-300 "
        "systems had been completed and crews had begun training."
    ),
)
DELIVERED_TOO = (
    "Last S-300 systems delivered to Deir ez-Zor, ministry tells reporters",
    (
        "A spokesman told reporters that nothing remains to be shipped; soldiers are "
        "learning to operate the systems, whose delivery took a month."
    ),
)
RESIGNED = (
    "Governor of Deir ez-Zor resigns as Russian troops move in with S-300 batteries",
    (
        "The governor gave up his office late on Monday night, when Russian troops with S-300 "
        "batteries stood in the city and the militias had left Mayadin."
    ),
)
NOISE = (
    "Al-Furat of Deir ez-Zor win derby on penalties",
    "The home side won on penalties in front of a full stadium.",
)
BRIDGES = ("Bridge over the Khabur reopens", "Lights return to the old bridge of Raqqa")
SOURCES = ("euphrates", "coast", "agency-a", "agency-b", "cites", "blog", "arab", "sever", "sport")


WHO = (
    "council governor school hospital bakery union mayor court clinic market farmers "
    "teachers drivers nurses traders"
).split()
DID = (
    "opens closes repairs paints delays celebrates counts plants repays audits renames "
    "visits expands moves insures"
).split()
WHAT = (
    "road well bridge library stadium harvest budget archive pipeline festival theatre "
    "railway orchard reservoir museum"
).split()
WHERE = ["Raqqa", "Hasaka", "Deir ez-Zor", "Mayadin", "Tartus", "Homs", "Qamishli", "Idlib"]


def past(name: str, now: datetime) -> list[str]:
    """What a feed holds before the evening: a few dozen small stories of the region."""
    chance = Random(name)
    titles = [
        f"{chance.choice(WHO).title()} {chance.choice(DID)} {chance.choice(WHAT)} in "
        f"{chance.choice(WHERE)}"
        for _ in range(30)
    ]
    return [
        item(f"{name}-old-{number}", title, at=now - timedelta(days=3, hours=number))
        for number, title in enumerate(titles)
    ]


class Evening:
    """The feeds and the chat."""

    def __init__(self, made: App, server: FeedServer, api: BotApi, clock: ManualClock) -> None:
        self.app, self.server, self.api, self.clock = made, server, api, clock
        self.items = {name: past(name, clock.now()) for name in SOURCES}
        self.seen: dict[int, str] = {}

    async def publish(self, name: str, told: tuple[str, str], *, extra: str = "") -> None:
        number = f"{name}-{len(self.items.setdefault(name, []))}"
        link = f"https://{name}.example/{number}"
        self.items[name].insert(
            0, item(number, told[0], text=told[1], link=link, at=self.clock.now(), extra=extra)
        )
        self.serve()
        await self.look()

    def serve(self) -> None:
        for name, items in self.items.items():
            self.server.put(f"/{name}", rss(*items, title=name))

    async def look(self) -> None:
        await poll(self.app)

    async def passes(self, span: timedelta) -> None:
        until = self.clock.now() + span
        while self.clock.now() < until:
            self.clock.advance(min(10 * MINUTE, until - self.clock.now()))
            await self.app.jobs.release_pending()
            await self.app.deliverer.run_once(timedelta(0))

    async def writes(self, text: str) -> list[str]:
        self.api.say(ANN, ANN, text)
        return await self.answered()

    async def presses(self, label: str, on: str = "") -> list[str]:
        for message in reversed(self.api.messages(ANN)):
            for row in message.keyboard:
                for button in row:
                    if button["text"] == label and on in message.text:
                        self.api.press(ANN, ANN, message.message_id, button["callback_data"])
                        return await self.answered()
        raise AssertionError(label)

    async def answered(self) -> list[str]:
        assert self.app.listener is not None
        await self.app.listener.poll_once()
        assert self.app.telegram is not None
        await self.app.telegram.tasks.wait()
        for _ in range(6):
            self.clock.advance(timedelta(seconds=1))
            await self.app.deliverer.run_once(timedelta(0))
        return self.news()

    def news(self) -> list[str]:
        """New messages since the last look, `*` before those that changed."""
        lines = []
        for message in self.api.messages(ANN):
            before = self.seen.get(message.message_id)
            if message.text != before:
                lines.append(
                    ("* " if before else "")
                    + message.text.replace("\u2068", "").replace("\u2069", "")
                )
                self.seen[message.message_id] = message.text
        return lines


def config(api: BotApi, server: FeedServer, *, more: bool = False) -> str:
    feeds: list[dict[str, Any]] = [
        {"url": server.url(f"/{name}"), "name": name.title(), "publisher": name.title()}
        for name in SOURCES
    ]
    subscriptions = []
    if more:
        feeds.append(
            {
                "url": server.url("/hasaka"),
                "name": "Hasaka Voice",
                "publisher": "Hasaka Voice",
                "tags": ["jazira"],
            }
        )
        subscriptions.append({"name": "Jazira", "query": "*", "feeds": ["jazira"], "to": ["ann"]})
    return json.dumps(
        {
            "settings": {
                "network": {"allow": ["127.0.0.0/8"]},
                "telegram": {"api": api.url},
                "timezone": "Asia/Beirut",
            },
            "chats": {"ann": {"telegram": ANN}},
            "feeds": feeds,
            "names": {"deir-ez-zor": ['~"Deir ez-Zor"', "Дейр-эз-Зор", "دير الزور"]},
            "subscriptions": subscriptions,
        }
    )


@asynccontextmanager
async def evening(folder: Path, server: FeedServer) -> AsyncIterator[Evening]:
    clock = ManualClock(EVENING.astimezone(ZoneInfo("UTC")))
    async with BotApi(clock=lambda: clock.now().timestamp()) as api:
        api.add_private(ANN)
        environment = {"TELEGRAM_BOT_TOKEN": api.token}
        async with newsbell(
            folder, config(api, server), clock=clock, terminal=Recorder(), environment=environment
        ) as made:
            yield Evening(made, server, api, clock)


async def test_the_evening_of_the_reporter(
    tmp_path: Path, server: FeedServer, monkeypatch: Any
) -> None:
    async with evening(tmp_path, server) as harness:
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", harness.api.token)
        harness.serve()
        await harness.look()
        assert harness.news() == [], "what a feed holds at the first poll sends no alert"

        # The evening: she says what she wants.
        query = 'urgency:breaking publishers:2 (S-300 OR С-300 OR "إس-300") AND @deir-ez-zor'
        assert (await harness.writes(f"/subscribe {query}"))[0].startswith("Done.")
        assert (await harness.writes("/subscribe urgency:digest bridge"))[0].startswith("Done.")
        await harness.writes("/settings")
        await harness.presses("Quiet hours")
        assert "Quiet hours: 22:00–07:00" in (await harness.presses("22:00–07:00"))[0]

        # The night: the first report waits, and so do a copy of it and other languages.
        await harness.passes(90 * MINUTE)
        await harness.publish("euphrates", FIRST)
        await harness.passes(5 * MINUTE)
        await harness.publish("coast", FIRST)
        await harness.publish("sport", NOISE)
        await harness.passes(10 * MINUTE)
        assert harness.news() == [], "one house, and who copied it, do not wake her"

        # A second house says it in its own words: one message, at once, in the night.
        await harness.publish("cites", OWN_WORDS)
        [alerts] = harness.news()
        assert alerts.startswith(FIRST[0])
        assert "2 publishers" in alerts
        assert "Coast" in alerts
        assert "Cites" in alerts
        assert "🔔" in alerts

        # Copies, a blog with its comment form, two more languages: the message grows, nothing
        # sends an alert.
        for name in ("agency-a", "agency-b"):
            await harness.publish(
                name,
                (OWN_WORDS[0], f"{OWN_WORDS[1]} (Meridian Agency)"),
                extra="<author>Meridian Agency</author>",
            )
        await harness.publish("blog", BLOG)
        await harness.publish("sever", RUSSIAN)
        await harness.publish("arab", ARABIC)
        for title in BRIDGES:
            await harness.publish("coast", (title, "It was closed for a year."))
        await harness.passes(10 * MINUTE)
        grown = harness.news()
        assert [text[:2] for text in grown] == ["* "], "the one message changes"
        assert "Blog" in grown[0]
        assert "Log Out" not in grown[0].partition("also:")[2]

        # A development in the night: the message shows it, and it wakes nobody.
        await harness.publish("coast", RESIGNED)
        await harness.passes(10 * MINUTE)
        [changed] = harness.news()
        assert changed.startswith("* ")
        assert f"↳ {RESIGNED[0]} · Coast" in changed

        # Morning: what the night brought is a silent reply, and the digest has its hour.
        until = datetime(2026, 3, 3, 8, 30, tzinfo=ZONE)
        await harness.passes(until - harness.clock.now())
        note, digest = harness.news()
        assert note.startswith(f"↳ {RESIGNED[0]} · Coast")
        [silent] = [message for message in harness.api.messages(ANN) if message.silent]
        assert silent.text.replace("\u2068", "").replace("\u2069", "") == note
        assert harness.seen[silent.reply_to or 0].startswith(FIRST[0])
        assert digest.startswith("Digest: 2 stories 🔔 bridge")
        assert all(title in digest for title in BRIDGES)

        # The next day: the same words, another story.
        await harness.passes(2 * HOUR)
        await harness.publish("euphrates", DELIVERED)
        assert harness.news() == []
        await harness.publish("cites", DELIVERED_TOO)
        [second] = harness.news()
        assert second.startswith(DELIVERED[0])
        assert "2 publishers" in second

        # Why, and enough of it.
        [why] = await harness.presses("Why", DELIVERED[0])
        assert DELIVERED[0] in why
        assert "S-300" in why
        assert "Euphrates had it first" in why or "at the same time" in why
        assert await harness.presses("Mute", DELIVERED[0]) == []
        await harness.publish(
            "agency-a",
            (
                "Training on S-300 systems begins in Deir ez-Zor after delivery, ministry says",
                DELIVERED_TOO[1],
            ),
        )
        await harness.publish(
            "agency-b",
            (
                "Crews train on S-300 systems in Deir ez-Zor, defence ministry says",
                DELIVERED_TOO[1],
            ),
        )
        await harness.passes(20 * MINUTE)
        assert [text for text in harness.news() if not text.startswith("* ")] == [], "muted"

        # The file gets feeds of a new region: their past sends no alert, their next article does.
        harness.items["hasaka"] = [
            item("old", "Harvest begins in the Jazira", at=harness.clock.now())
        ]
        harness.serve()
        (tmp_path / "feeds.yaml").write_text(
            config(harness.api, server, more=True), encoding="utf-8"
        )
        await harness.app.reload()
        await harness.look()
        await harness.passes(10 * MINUTE)
        assert harness.news() == []
        await harness.publish(
            "hasaka", ("Border crossing reopens at Semalka", "Lorries queue since dawn.")
        )
        [region] = harness.news()
        assert region.startswith("Border crossing reopens at Semalka")
        assert "🔔 Jazira" in region

        # Nothing more, however long one waits.
        await harness.passes(3 * HOUR)
        assert harness.news() == []
        assert harness.api.violations == []
