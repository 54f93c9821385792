"""The real program with invented news and people who use it, on clocks that are moved on.

Everything that people do goes through the chat or feeds.yaml, as theirs does, and is noted
(`history`); what arrives is the stand-in's to say (`evidence`); in between `explain --json` is
asked. Needs a C compiler. No assertions.
"""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from botapi import Message
from outside.clocks import ClockShim
from outside.evidence import Place, WitnessApi, read
from outside.feeds import Mode, Wire, Wires, wires
from outside.history import Chat, History, Published, Subscribed, Turn, Where, Wish
from outside.newswire import Telling
from outside.program import ROOT, Program
from support import item, rss

OPERATOR = 900
SECOND = 1.05  #: a leap while something is sent: a chat gets a message a second
STEADY = 2.0  #: of the monotonic clock in a long leap; the rest is as if suspended
#: the same where alerts are due that nothing else wakes: at the end of quiet hours, for a digest,
#: after the longest wait. Readers end after a minute of it, and take a second to start.
LOOK = 31.0
ROUND = 700.0  #: after which every feed was polled; `EVERY` and a tenth more
EVERY = "10m"
DAY = 86400.0
_SHOWN_NUMBER = """
    select number from chat_numbers n join chats c on c.id = n.chat_id
    where n.subscription_id = ? and c.address = ? and c.topic = ?
"""
_NEW_SUBSCRIPTIONS = """
    select s.id, s.name from subscriptions s join routes r on r.subscription_id = s.id
    join chats c on c.id = r.chat_id where c.address = ? and c.topic = ? and removed_at is null
"""


@dataclass
class Outlet(Wire):
    """A feed of articles that are known by their links."""

    publisher: str = ""
    tags: tuple[str, ...] = ()
    articles: list[Published] = field(default_factory=list)
    clock: Callable[[], float] = time.time
    is_served: bool = False
    readers: frozenset[Where] | None = None

    def document(self, mode: Mode) -> tuple[str, str]:
        """The document as it is; what is in it counts as served."""
        del mode
        now = self.clock()
        for article in self.articles:
            if article.served_at is None:
                article.served_at = now
                article.is_first = not self.is_served
        self.is_served = True
        items = [
            item(
                f"{self.name}-{article.number}",
                article.title,
                text=article.text,
                link=article.link,
                at=datetime.fromtimestamp(article.dated, UTC),
            )
            for article in reversed(self.articles)
        ]
        return rss(*items, title=self.name), "application/rss+xml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What `explain --json` said, and when."""

    at: float
    articles: tuple[dict[str, Any], ...]
    errors: str = ""


@dataclass
class Replay:
    """One run."""

    folder: Path
    api: WitnessApi
    served: Wires
    program: Program
    clock: ClockShim
    chance: Random
    history: History = field(default_factory=History)
    config: dict[str, Any] = field(default_factory=dict)
    waits: list[str] = field(default_factory=list)  #: answers that did not come
    _turn: dict[Where, asyncio.Lock] = field(default_factory=dict)

    @property
    def now(self) -> float:
        """Seconds since 1970 on the program's wall clock."""
        return time.time() + self.clock.wall

    # Surroundings

    def add_outlet(
        self, name: str, publisher: str, *tags: str, readers: frozenset[Where] | None = None
    ) -> Outlet:
        """Add a feed; feeds.yaml names it once it is saved."""
        url = f"http://127.0.4.{len(self.served.feeds) + 1}:{self.served.port}/{name}"
        outlet = Outlet(
            name, url, Mode.PLAIN, publisher=publisher, tags=tags, readers=readers,
            clock=lambda: self.now,
        )  # fmt: skip
        self.served.feeds[name] = outlet
        return outlet

    def outlet(self, name: str) -> Outlet:
        """The feed of this name."""
        outlet = self.served.feeds[name]
        assert isinstance(outlet, Outlet)
        return outlet

    def publish(
        self, feed: str, telling: Telling, *, age: float = 60.0, agency: str = "", old: bool = False
    ) -> Published:
        """Publish an article that is dated so many seconds ago."""
        outlet = self.outlet(feed)
        number = len(self.history.articles) + 1
        text = f"{telling.text} ({agency})" if agency else telling.text
        article = Published(
            number,
            f"https://news.example/{feed}/{number}",
            feed,
            outlet.publisher,
            frozenset(outlet.tags),
            [(self.now, telling.title)],
            text,
            float(int(self.now - age)),
            agency,
            is_old=old,
            readers=outlet.readers,
        )
        self.history.articles[article.link] = article
        outlet.articles.append(article)
        outlet.version += 1
        return article

    def retitle(self, article: Published, title: str) -> None:
        """Change the headline of an article."""
        article.titles.append((self.now, title))
        self.outlet(article.feed).version += 1

    def save(self) -> None:
        """Write feeds.yaml in one go."""
        new = self.folder / "feeds.yaml.new"
        new.write_text(json.dumps(self.config, indent=1), encoding="utf-8")
        new.replace(self.folder / "feeds.yaml")

    # Time

    async def idle(self) -> None:
        """Wait until the program does nothing and asks nothing."""
        quiet, cpu, began = 0, -1.0, time.monotonic()
        while quiet < 2 and self.program.pid and time.monotonic() - began < 30:
            await asyncio.sleep(0.01)
            before, cpu = cpu, self.program.cpu()
            open_calls = self.api.open_calls + self.served.open_requests
            is_busy = open_calls or cpu != before or self.program.is_running()
            quiet = 0 if is_busy else quiet + 1

    async def leap(self, seconds: float, steady: float = STEADY) -> bool:
        """Move on once the program is idle; whether it called anything in what came of it."""
        await self.idle()
        before = self._calls()
        self.api.updates._release(None)  # a poll that waits would time out
        self.clock.leap(seconds, min(seconds, steady))
        await self.idle()
        return self._calls() > before

    async def settle(self) -> None:
        """Move on by seconds until nothing is sent any more."""
        quiet = 0
        while quiet < 3:
            quiet = 0 if await self.leap(SECOND) else quiet + 1

    async def pass_time(self, seconds: float, step: float = ROUND, steady: float = STEADY) -> None:
        """Let time pass, and all be sent that is due; see `LOOK` for `steady`."""
        until = self.now + seconds
        while self.now < until and self.program.pid:
            if await self.leap(min(step, until - self.now + 1), steady):
                await self.settle()
        await self.settle()

    def _calls(self) -> int:
        return sum(n for name, n in self.api.methods.items() if name != "getUpdates") + sum(
            self.api.met.values()
        )

    async def together(self, *doings: Awaitable[Any]) -> None:
        """Let people do things at the same time, while seconds pass."""
        ticking = asyncio.create_task(self._tick())
        try:
            await asyncio.gather(*doings)
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        await self.settle()

    async def _tick(self) -> None:
        while True:
            await self.leap(SECOND)

    # People

    async def say(self, where: Where, text: str, reply_to: int | None = None) -> Message | None:
        """Write to the bot; its answer, where one comes."""
        chat = self.history.chats[where]
        known = {message.message_id for message in self._replies(where)}
        self.api.say(where[0], chat.user, text, where[1] or None, reply_to)
        return await self._awaited(
            lambda: next((m for m in self._replies(where) if m.message_id not in known), None),
            f"{where} {text}",
        )

    async def press(self, where: Where, message: Message | None, label: str) -> Message | None:
        """Press a button of an answer; the newest message then, or the changed one."""
        if message is None:
            return None
        message = self.api.chats[where[0]].messages[message.message_id]
        buttons = [button for row in message.keyboard for button in row]
        data = next((b["callback_data"] for b in buttons if label in b["text"]), "")
        if not data:
            self.waits.append(f"{where}: no button {label} in {[b['text'] for b in buttons]}")
            return None
        edits = len(message.edits)
        known = {m.message_id for m in self._replies(where)}
        user = self.history.chats[where].user
        answers = len(self.api.answers)
        self.api.press(where[0], user, message.message_id, data)

        def changed() -> Message | None:
            fresh = [m for m in self._replies(where) if m.message_id not in known]
            current = self.api.chats[where[0]].messages[message.message_id]
            if fresh or len(current.edits) > edits:
                return fresh[-1] if fresh else current
            is_alert = any(True for _ in read(current.text, current.entities))
            return current if is_alert and len(self.api.answers) > answers else None

        return await self._awaited(changed, f"{where} [{label}]")

    def _replies(self, where: Where) -> list[Message]:
        """The bot's messages there that are no alerts."""
        return [
            message
            for message in self.api.messages(where[0], where[1] or None)
            if not any(True for _ in read(message.text, message.entities))
        ]

    async def _awaited(self, sight: Callable[[], Message | None], what: str) -> Message | None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if found := sight():
                return found
            await asyncio.sleep(0.005)
        self.waits.append(what)
        return None

    async def subscribe(self, where: Where, query: str, **options: Any) -> Subscribed | None:
        """Subscribe in a chat."""
        words = [f"{name}:{value}" for name, value in options.items()]
        async with self._turn.setdefault(where, asyncio.Lock()):
            asked_at = self.now
            answer = await self.say(where, " ".join(["/subscribe", *words, query]))
            if answer and "Subscribe anyway" in str(answer.reply_markup):
                await self.press(where, answer, "Subscribe anyway")
            rows = self.rows(_NEW_SUBSCRIPTIONS, *where)
            known = self.history.subscriptions
            new = [row for row in rows if row[0] not in known]
            if not new:
                self.waits.append(f"{where} did not get {query}: {answer and answer.text}")
                return None
            number, name = new[-1]
            wish = Wish(asked_at, query, options=options)
            known[number] = Subscribed(number, name, frozenset({where}), [wish])
            return known[number]

    async def control(self, where: Where, of: Subscribed, *labels: str) -> Message | None:
        """Press buttons of a subscription's screen, one after another."""
        async with self._turn.setdefault(where, asyncio.Lock()):
            screen = await self.say(where, "/subscriptions")
            for label in (self.shown_number(where, of), *labels):
                screen = await self.press(where, screen, label)
            return screen

    def shown_number(self, where: Where, of: Subscribed) -> str:
        """Return the number by which a chat knows a subscription."""
        [(number,)] = self.rows(_SHOWN_NUMBER, of.number, *where) or [("",)]
        return str(number)

    async def pause(self, where: Where, of: Subscribed) -> None:
        """Pause a subscription."""
        at = self.now
        if await self.control(where, of, "Pause"):
            of.change(at, paused=True)

    async def resume(self, where: Where, of: Subscribed) -> None:
        """Resume it."""
        at = self.now
        if await self.control(where, of, "Resume"):
            of.change(at, paused=False)

    async def option(
        self, where: Where, of: Subscribed, screen: str, name: str, value: Any
    ) -> None:
        """Choose an option of a subscription: its button, what feeds.yaml calls it, and what."""
        at = self.now
        if await self.control(where, of, screen, str(value)):
            of.change(at, options={**of.wish.options, name: value})

    async def edit(self, where: Where, of: Subscribed, query: str) -> None:
        """Give a subscription another query."""
        asked = await self.control(where, of, "Edit query")
        at = self.now
        # In a group only what answers the bot is for it.
        answer = await self.say(where, query, asked.message_id if asked else None)
        await self.press(where, answer, "Save")
        rows = self.rows("select query, name from subscriptions where id = ?", of.number)
        if rows and rows[0][0] == query:  # a chat may have it already
            of.change(at, query=query)
            of.name = rows[0][1]

    async def delete(self, where: Where, of: Subscribed) -> Message | None:
        """Delete a subscription; the answer has a button that restores it."""
        at = self.now
        answer = await self.say(where, f"/unsubscribe {self.shown_number(where, of)}")
        of.gone.append((at, None))
        return answer

    async def undo(self, where: Where, of: Subscribed, answer: Message | None) -> None:
        """Restore it."""
        if await self.press(where, answer, "Undo"):
            of.gone[-1] = (of.gone[-1][0], self.now)

    async def stance(self, where: Where, link: str, command: str) -> None:
        """Reply to the alert of an article: /mute, /unmute, /follow or /unfollow."""
        seen = [  # of a message with several stories nobody knows which is meant
            receipt
            for receipt in self.api.evidence.showing(*where, link)
            if link in receipt.links(frozenset({Place.LEAD}))
        ]
        at = self.now
        if seen:
            stance = {"/mute": "mute", "/follow": "follow"}.get(command, "")
            self.history.turns.append(Turn(at, where, link, stance))
            await self.say(where, command, seen[-1].number)

    async def setting(self, where: Where, label: str, text: str) -> None:
        """Answer a question of the settings with a text."""
        async with self._turn.setdefault(where, asyncio.Lock()):
            screen = await self.say(where, "/settings")
            await self.press(where, screen, label)
            await self.say(where, text)

    async def add_feed(self, where: Where, outlet: Outlet) -> None:
        """Add a feed for a chat alone."""
        message = await self.say(where, f"/addfeed {outlet.url}")

        def offered() -> Message | None:
            found = [m for m in self._replies(where) if "'Add'" in str(m.reply_markup)]
            return found[-1] if found else None

        if message and (offer := await self._awaited(offered, f"{where} offer of a feed")):
            await self.press(where, offer, "Add")

    async def block(self, where: Where) -> None:
        """Let a person block the bot."""
        self.history.chats[where].blocked.append((self.now, None))
        self.api.block(where[0])

    async def unblock(self, where: Where) -> None:
        """Let them unblock it."""
        blocked = self.history.chats[where].blocked
        blocked[-1] = (blocked[-1][0], self.now)
        self.api.unblock(where[0])

    # What newsbell says

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Numbers that newsbell gave, from its database."""
        uri = f"{(self.folder / 'newsbell.db').resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def learn_numbers(self) -> None:
        """Learn the numbers of chats, and of the subscriptions of feeds.yaml."""
        rows = self.rows("select id, address, topic from chats where kind = 'telegram'")
        for number, *where in rows:
            if chat := self.history.chats.get((where[0], where[1])):
                chat.number = number

    def learn_declared(self, at: float) -> None:
        """Bring what feeds.yaml subscribes to into the log."""
        rows = self.rows("select id, name from subscriptions where declared = 1")
        numbers = {name: number for number, name in rows}
        places = {r.name: r.where for r in self.history.chats.values()}
        declared = {entry["name"]: entry for entry in self.config["subscriptions"]}
        for name, entry in declared.items():
            options = {
                key: value
                for key, value in entry.items()
                if key not in {"name", "query", "to", "feeds"}
            }
            wish = Wish(at, entry["query"], frozenset(entry.get("feeds", ())), options)
            chats = frozenset(places[to] for to in entry["to"])
            known = self.history.subscriptions.get(numbers.get(name, -1))
            if known is None:
                number = numbers[name]
                self.history.subscriptions[number] = Subscribed(
                    number, name, chats, [wish], is_declared=True
                )
                continue
            if known.is_gone:
                known.gone[-1] = (known.gone[-1][0], at)
            known.chats = chats
            last = known.wish
            if (last.query, last.feeds, last.options) != (wish.query, wish.feeds, wish.options):
                known.wishes.append(wish)
        for known in self.history.subscriptions.values():
            if known.is_declared and known.name not in declared and not known.is_gone:
                known.gone.append((at, None))

    async def reload(self) -> None:
        """Save feeds.yaml and wait until it is in force."""
        at = self.now
        self.save()
        for _ in range(60):  # a file that lost most of what it had waits for 30 seconds
            await self.leap(SECOND)
            if self._is_in_force():
                break
        else:
            self.waits.append("feeds.yaml did not take effect")
        await self.settle()
        if self.config.get("names", {}) != self.history.names:
            self.history.lists.append((at, dict(self.config.get("names", {}))))
        self.learn_numbers()
        self.learn_declared(at)

    def _is_in_force(self) -> bool:
        """Whether the database has the subscriptions of feeds.yaml as they are there."""
        stored = self.rows(
            "select name, query from subscriptions where declared = 1 and removed_at is null"
        )
        wanted = [(entry["name"], entry["query"]) for entry in self.config["subscriptions"]]
        return sorted(stored) == sorted(wanted)

    async def explain(self, *arguments: str) -> Answer:
        """Ask `explain --json` while the program stands still."""
        await self.idle()
        pid = self.program.pid
        if pid:
            os.kill(pid, signal.SIGSTOP)
        try:
            at = self.now
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "explain", *(arguments or ("--last", "2000")),
                "--json", "-c", str(self.folder / "feeds.yaml"),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
                     **self.program.environment},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, errors = await process.communicate()
        finally:
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        lines = output.decode().splitlines()
        problem = errors.decode()[-2000:] if process.returncode else ""
        return Answer(at, tuple(json.loads(line) for line in lines if line[:1] == "{"), problem)

    async def start(self) -> None:
        """Start, and wait until every feed's first document is stored."""
        self.save()
        await self.program.start()
        until = time.monotonic() + 60
        feeds = [o for o in self.served.feeds.values() if isinstance(o, Outlet) and not o.readers]
        while time.monotonic() < until and not all(o.is_served for o in feeds):
            await asyncio.sleep(0.02)
        await self.settle()
        at = self.now
        self.learn_numbers()
        for chat in self.history.chats.values():
            chat.made_at = at - 60
        self.learn_declared(at - 60)


def chat_config(chat: Chat, **settings: Any) -> dict[str, Any]:
    """A chat as feeds.yaml has it."""
    address, topic = chat.where
    return {"telegram": address, **({"topic": topic} if topic else {}), **settings}


@asynccontextmanager
async def replay(folder: Path, seed: int, chats: Sequence[Chat]) -> AsyncIterator[Replay]:
    """Set the stage at ten in the morning; nothing is started yet."""
    chance = Random(seed)
    clock = ClockShim(folder, leaps=True)
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(wires(chance))
        api = WitnessApi(chance, clock=lambda: time.time() + clock.wall)
        await stack.enter_async_context(api)
        api.enforce_limits = True
        api.add_private(OPERATOR, "Operator")
        for chat in chats:
            add_chat(api, chat)
        environment = {"TELEGRAM_BOT_TOKEN": api.token, **clock.environment}
        command = (str(Path(__file__).with_name("open_chats.py")),)
        program = Program(folder, environment, command)
        stack.push_async_callback(program.kill)
        run = Replay(folder, api, served, program, clock, chance)
        run.history.chats = {chat.where: chat for chat in chats}
        run.config = {
            "settings": {
                "network": {"allow": ["127.0.0.0/8"]},
                "telegram": {"api": api.url, "admins": [OPERATOR]},
            },
            "chats": {chat.name: chat_config(chat) for chat in chats},
            "names": {},
            "feeds": [],
            "subscriptions": [],
        }
        clock.leap((10 * 3600 - run.now) % DAY, 0)
        yield run


def add_chat(api: WitnessApi, chat: Chat) -> None:
    """Let a chat exist."""
    address, topic = chat.where
    if address > 0:
        api.add_private(address, chat.name.capitalize())
    elif address not in api.chats:
        api.add_supergroup(
            address, chat.name, members={chat.user: "administrator"}, forum=bool(topic)
        )
    if topic:
        api.add_topic(address, topic)
