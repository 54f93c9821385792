"""Days by chance: hundreds of articles, and dozens of chats in which people change their minds.

What happens is drawn from a seed: news, faults of Telegram, kills, and whatever people can do with
a subscription, a storyline or their settings. No assertions.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from botapi import ServerError, TooManyRequests
from outside.history import Chat, Subscribed, Where
from outside.newswire import Event, Newswire
from outside.replay import DAY, LOOK, ROUND, Replay, chat_config, replay
from outside.scenes import OUTLETS, REFUSAL, Played, Scene, feed_config, subscription_config
from outside.weather import Weather

TOPICS = ("harbour", "strike", "flood", "verdict", "quake", "ballot", "пожар", "забастовка")
QUERIES = (
    "harbour", "harbour OR причал", '"dock workers"', "strike", "strike NOT analysis", "flood",
    "flood AND dam*", "earthquake", "earthquake NEAR/4 magnitude", "banker", "verdict OR appeals",
    "ballot", "mayor NOT flood", "пожар", "забастовка OR strike", "причал AND рабочих",
    "* NOT tannery", "title:harbour", "/silo|dam/i", "@ports", "trams OR трамваи", "lighthouse",
)  # fmt: skip
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"publishers": 2}, {"publishers": 3, "or_after": "2h"}, {"urgency": "digest"},
    {"urgency": "breaking"}, {"developments": "alert"}, {"developments": "edit"},
    {"publishers": 2, "alert_again_at": 3},
)  # fmt: skip
LEVELS = {"strict": "strict", "normal": "story", "loose": "storyline"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much."""

    rounds: int = 24
    chats: int = 60
    seed: int = 1
    ask_every: int = 4
    kills: bool = True


@dataclass
class Days:
    """A run by chance."""

    scene: Scene
    size: Size
    chance: Random
    events: list[Event] = field(default_factory=list)  #: the newest last
    report: Callable[[str], None] = lambda _: None

    @property
    def run(self) -> Replay:
        """The program and what is around it."""
        return self.scene.run

    async def play(self) -> Played:
        """Start, go through the rounds, ask for the accounts."""
        self._config()
        await self.run.start()
        chats = list(self.run.history.chats)
        await self.run.together(*(self._subscribe(where) for where in chats))
        for number in range(1, self.size.rounds + 1):
            await self._round(number)
            if number % self.size.ask_every == 0 or number == self.size.rounds:
                await self.scene.ask()
                verdict = self.scene.played.verdict
                self.report(
                    f"round {number}: {len(self.run.history.articles)} articles, "
                    f"{len(self.run.api.evidence.receipts)} messages, {verdict.statements} "
                    f"statements, {len(verdict.falsehoods)} false"
                )
        return self.scene.finish()

    def _config(self) -> None:
        run, config = self.run, self.run.config
        pieces = self.scene.news.pieces("tannery")
        outlets = [(f"{name}-{copy}" if copy else name, publisher, tag)
                   for copy in range(3) for name, publisher, tag in OUTLETS]  # fmt: skip
        for number, (name, publisher, tag) in enumerate(outlets):
            outlet = run.add_outlet(
                name, f"{publisher} {number // len(OUTLETS) or ''}".strip(), tag
            )
            config["feeds"].append(feed_config(outlet))
            for _ in range(2):
                run.publish(name, next(pieces), age=3 * DAY, old=True)
        config["names"] = {"ports": ["harbour", "pier", "причал"]}
        run.history.lists = [(0.0, dict(config["names"]))]
        chats = list(run.history.chats.values())
        for number, chat in enumerate(chats):
            settings: dict[str, Any] = {}
            if number % 5 == 0:
                settings["quiet"], chat.quiet = "13:00-15:30", (780, 930)
            if number % 7 == 0:
                settings["digest"], chat.digest = ["12:00", "18:00"], (720, 1080)
            if number % 6 == 0:
                level = self.chance.choice(list(LEVELS))
                settings["stories"], chat.levels = level, [LEVELS[level]]
            config["chats"][chat.name] = chat_config(chat, **settings)
        for number, query in enumerate(QUERIES):
            to = [chat.name for chat in self.chance.sample(chats, 3)]
            feeds = {"feeds": ["coast"]} if number % 6 == 1 else {}
            options = self.chance.choice(OPTIONS)
            entry = subscription_config(f"Wire {number}", query, *to, **feeds, **options)
            config["subscriptions"].append(entry)

    async def _subscribe(self, where: Where) -> None:
        taken = {s.wish.query for s in self.run.history.of_chat(where)}
        for query in self.chance.sample([q for q in QUERIES if q not in taken], 2):
            await self.run.subscribe(where, query, **self.chance.choice(OPTIONS))

    async def _round(self, number: int) -> None:
        """News, what people do meanwhile, and a trouble now and then."""
        chance, run = self.chance, self.run
        for _ in range(chance.choice((1, 2, 2, 3))):
            event = self.scene.news.event(chance.choice(TOPICS))
            self.events.append(event)
            self.scene.wire(event, chance.choice((1, 1, 2, 3)), chance.choice(("AP", "")))
        for event in chance.sample(self.events[-12:], min(4, len(self.events))):
            self.scene.tell(event, chance.choice((*event.rewrites, *event.turns)))
        if chance.random() < 0.4:
            told = chance.choice(self.events[-8:])
            run.retitle(self.scene.told[told.wire.title][0], told.correction)
        if number % 6 == 0:
            self._flood(archive=number % 12 == 0)
        ended = await self._trouble(number)
        await run.pass_time(chance.choice((ROUND, ROUND, 3000)), step=1500, steady=LOOK)
        await self._people()
        if ended:
            if chance.random() < 0.5:
                await self.scene.ask()
            await ended()
            await run.settle()
        if self.size.kills and number % 8 == 5:
            await run.program.kill()
            await run.program.start()
            await run.settle()

    def _flood(self, *, archive: bool) -> None:
        outlet = self.run.outlet(self.chance.choice(self.scene.outlets("en")))
        pieces = self.scene.news.pieces(self.chance.choice(("harbour", "strike", "flood")))
        newest = max(article.dated for article in outlet.articles)
        for number in range(14):
            age = (4 + number) * DAY if archive else self.run.now - newest + 60 * (number + 1)
            self.run.publish(outlet.name, next(pieces), age=age, old=archive)

    async def _trouble(self, number: int) -> Callable[[], Awaitable[None]] | None:
        """Let something go wrong; what ends it, where it does not end by itself."""
        run, people = self.run, [where for where in self.run.history.chats if where[0] > 0]
        where = self.chance.choice(people)
        match number % 6:
            case 1:
                run.api.fault(TooManyRequests(1800), "sendMessage", where[0])
            case 2:
                run.api.fault(REFUSAL, "sendMessage", where[0], times=2)
            case 3:
                run.api.fault(ServerError(502, processed=True), "sendMessage", where[0])
            case 4:
                await run.block(where)
                return lambda: run.unblock(where)
            case 5:
                await run.api.change(Weather.INTERNAL)
                run.history.outages.append((run.now, None))
                return self._mend
        return None

    async def _mend(self) -> None:
        await self.run.api.change(Weather.FINE)
        outages = self.run.history.outages
        outages[-1] = (outages[-1][0], self.run.now)

    async def _people(self) -> None:
        """Let some people do something, each in a chat of their own."""
        if self.run.api.weather is not Weather.FINE:
            return  # nobody gets an answer
        parked = {  # who gets no answers for a while
            failed.chat
            for failed in self.run.api.evidence.failures
            if self.run.now - failed.at < 2000
        }
        chats = [
            chat
            for chat in self.run.history.chats.values()
            if not _is_away(chat) and chat.where[0] not in parked
        ]
        chosen = self.chance.sample(chats, max(1, len(chats) // 4))
        await self.run.together(*(self._act(chat.where) for chat in chosen))

    async def _act(self, where: Where) -> None:
        run, chance = self.run, self.chance
        own = [s for s in run.history.of_chat(where) if not s.is_declared]
        live = [s for s in own if not s.is_gone]
        shown = [link for receipt in run.api.evidence.of_chat(*where)
                 for link in receipt.links() if link in run.history.articles]  # fmt: skip
        doings: list[Awaitable[Any]] = []
        kind = chance.choice(("stance", "stance", "query", "pause", "gone", "more", "setting"))
        if kind == "stance" and shown:
            command = chance.choice(("/mute", "/mute", "/follow", "/unmute", "/unfollow"))
            doings.append(run.stance(where, chance.choice(shown[-6:]), command))
        elif kind == "query" and live:
            taken = {s.wish.query for s in live}
            query = chance.choice([q for q in QUERIES if q not in taken])
            doings.append(run.edit(where, chance.choice(live), query))
        elif kind == "pause" and live:
            of = chance.choice(live)
            doings.append(run.resume(where, of) if of.wish.paused else run.pause(where, of))
        elif kind == "gone" and live:
            doings.append(self._delete(where, chance.choice(live)))
        elif kind == "more":
            doings.append(self._subscribe_again(where))
        elif kind == "setting" and where[0] > 0 and not self._is_fixed(where, "quiet"):
            begin = chance.randrange(10, 20)
            doings.append(self._quiet(where, begin))
        for doing in doings:
            await doing

    async def _delete(self, where: Where, of: Subscribed) -> None:
        answer = await self.run.delete(where, of)
        if self.chance.random() < 0.4:
            await self.run.undo(where, of, answer)

    async def _subscribe_again(self, where: Where) -> None:
        taken = {s.wish.query for s in self.run.history.of_chat(where) if not s.is_gone}
        if free := [query for query in QUERIES if query not in taken]:
            query = self.chance.choice(free)
            await self.run.subscribe(where, query, **self.chance.choice(OPTIONS))

    async def _quiet(self, where: Where, begin: int) -> None:
        await self.run.setting(where, "Quiet hours", f"{begin}:00-{begin + 2}:30")
        self.run.history.chats[where].quiet = (60 * begin, 60 * begin + 150)

    def _is_fixed(self, where: Where, name: str) -> bool:
        return name in self.run.config["chats"][self.run.history.chats[where].name]


def _is_away(chat: Chat) -> bool:
    return bool(chat.blocked) and chat.blocked[-1][1] is None


def _chats(count: int) -> list[Chat]:
    """Three quarters are people, the others groups and topics of a forum."""
    chats = []
    for number in range(count):
        name = f"chat{number}"
        if number % 4:
            chats.append(Chat((1000 + number, 0), name, 0.0, user=1000 + number))
        elif number % 8:
            chats.append(Chat((-(2000 + number), 0), name, 0.0, user=1001))
        else:
            chats.append(Chat((-3001, 100 + number), name, 0.0, user=1001))
    return chats


async def large(folder: Path, size: Size, report: Callable[[str], None] = lambda _: None) -> Played:
    """Play it in this folder."""
    async with replay(folder, size.seed, _chats(size.chats)) as run:
        days = Days(Scene(run, Newswire(size.seed)), size, Random(size.seed), report=report)
        return await days.play()
