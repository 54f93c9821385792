"""Seconds from the change of a feed to the call of the Bot API, by one newsbell and by three.

Real `newsbell run`s poll feeds on loopback every two seconds, and send to a Bot API on loopback
that has a process of its own. An article counts from its publication, and from the answer that had
it: before that answer lies the wait for the next poll, behind it all that newsbell does. Whose
process asked is seen from the other end of its connection. Asserts nothing.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from aiohttp import web
from outside.program import Program
from outside.words import headline
from support import item, rss

from bench.endpoint import endpoint
from bot.store.engines import postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from postgres_server import PostgresServer

    from bench.endpoint import Endpoint

OPERATOR = 900
FEEDS = 20
EVERY = 2  #: seconds between two polls of a feed
CHATS = 30  #: each has a word of its own, so that no chat gets more than Telegram allows
_SHOWN = 40  # items of a document
_PATIENCE = 60.0
_BEGINNING = 5.0  # seconds whose articles do not count: processes that read feeds start then
_AFTER_THE_END = 8.0  # seconds in which the articles after the end of who led are published
# The connection that has the lock names its node.
_LEADS = f"""
    select application_name from pg_stat_activity join pg_locks using (pid)
    where locktype = 'advisory' and granted and objsubid = 1 and datname = current_database()
    and (classid::text::bigint << 32) + objid::text::bigint = {postgres.LOCK}
"""

Phase = Literal["beginning", "usual", "end"]


@dataclass
class Article:
    """What was published, and when it came where."""

    number: int
    title: str
    published: float
    answered: float = 0.0  #: when the answer that had it first was written
    pid: int = 0
    sent: float = 0.0
    phase: Phase = "usual"


@dataclass
class Site:
    """Feeds on loopback, each at an address of its own."""

    articles: dict[int, list[Article]] = field(default_factory=dict)  #: by feed, newest first
    known: set[int] = field(default_factory=set)  #: feeds that were asked for conditionally
    pids: list[int] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a poll."""
        if not request.path[1:].isdigit():
            return web.Response(status=404)
        number = int(request.path[1:])
        shown = self.articles.setdefault(number, [])[:_SHOWN]
        tag = f'"{len(self.articles[number])}"'
        stored = request.headers.get("If-None-Match")
        if stored:
            self.known.add(number)
        if stored == tag:
            return web.Response(status=304, headers={"ETag": tag})
        peer = request.transport.get_extra_info("peername") if request.transport else None
        new = [article for article in shown if not article.answered]
        pid = owner_of(peer[1], self.pids) if new and peer else 0
        for article in new:
            article.answered, article.pid = time.monotonic(), pid
        items = [item(f"{number}-{article.number}", article.title) for article in shown]
        text = rss(*items, item(f"{number}-old", "An old item"), title=f"Feed {number}")
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": tag})


def owner_of(port: int, pids: list[int]) -> int:
    """Return which of these processes has the socket with this port of ours; 0 for none."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    for pid in pids:
        for number in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                if str(number.readlink()) in sockets:
                    return pid
            except OSError:
                continue  # it was closed meanwhile
    return 0


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[int]:
    """Serve the feeds; yield the port."""
    application = web.Application()
    application.router.add_get("/{name}", site.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def configuration(api: str, port: int, database: str) -> str:
    """Return the feeds.yaml of every node, as JSON."""
    settings: dict[str, Any] = {
        "network": {"allow": ["127.0.0.0/8"]},
        "telegram": {"api": api, "admins": [OPERATOR]},
    }
    if database:
        settings["database"] = database
    return json.dumps(
        {
            "settings": settings,
            "chats": {f"c{chat}": {"telegram": chat} for chat in range(1, CHATS + 1)},
            "feeds": [
                {
                    "url": f"http://127.0.2.{number + 1}:{port}/{number}",
                    "name": f"Feed {number}",
                    "every": f"{EVERY}s",
                }
                for number in range(FEEDS)
            ],
            "subscriptions": [
                {"name": word_of(chat), "query": word_of(chat), "to": [f"c{chat}"]}
                for chat in range(1, CHATS + 1)
            ],
        }
    )


def word_of(chat: int) -> str:
    """Return the word that a chat waits for."""
    return "q" + "".join("bdfgklmnpr"[int(digit)] for digit in f"{chat:04}") + "a"


@dataclass
class Run:
    """One measurement: the newsbells of a database."""

    folder: Path
    served: Endpoint
    site: Site
    chance: Random
    url: str  #: of the database on a server; empty for a file
    programs: list[Program]
    articles: dict[str, Article] = field(default_factory=dict)  #: by the beginning of its title
    led: int = 0  #: process that led

    async def start(self, port: int) -> None:
        """Start all, and wait until each feed was stored."""
        for program in self.programs:
            text = configuration(self.served.url, port, self.url)
            (program.folder / "feeds.yaml").write_text(text, encoding="utf-8")
            await program.start()
            self.site.pids.append(program.pid)
            await asyncio.sleep(1.0)  # the first of them leads
        until = time.monotonic() + _PATIENCE
        while len(self.site.known) < FEEDS:
            await asyncio.sleep(0.1)
            if time.monotonic() > until:
                words = self.programs[0].log.read_text(encoding="utf-8")[-2000:]
                raise TimeoutError(f"no first polls: {words}")
        self.led = await asyncio.to_thread(self._leader) if self.url else self.programs[0].pid

    def _leader(self) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(_LEADS.encode()).fetchone()
        return int(str(row[0]).rpartition(":")[2]) if row else 0

    async def publish(self, seconds: float, rate: float, phase: Phase) -> None:
        """Publish articles for a time, and note what is sent meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            number = len(self.articles)
            marker = f"{word_of(number % CHATS + 1)} n{number}x"
            article = Article(number, f"{marker} {headline(self.chance)}", time.monotonic())
            article.phase = phase
            self.articles[marker] = article
            feed = self.chance.randrange(FEEDS)
            self.site.articles.setdefault(feed, []).insert(0, article)
            await asyncio.sleep(self.chance.expovariate(rate))
            await self.take_in()

    async def end_leader(self) -> None:
        """Kill who leads; what it had not sent by then is for the next that leads."""
        for program in self.programs:
            if program.pid == self.led:
                await program.kill()
        await self.take_in()
        for article in self.articles.values():
            if not article.sent:
                article.phase = "end"

    async def take_in(self) -> None:
        """Note what was sent."""
        for call in await self.served.do("calls"):
            if call.method != "sendMessage":
                continue
            for marker, article in self.articles.items():
                if not article.sent and marker in call.text:
                    article.sent = call.time

    async def wait(self, seconds: float) -> None:
        """Wait for what was not sent yet."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.take_in()
            if all(article.sent for article in self.articles.values()):
                return
            await asyncio.sleep(0.2)


async def measure(
    folder: Path, server: PostgresServer | None, most: int, seconds: float, rate: float
) -> list[dict[str, Any]]:
    """Return what one newsbell takes on each engine, and `most` of them on one database.

    With 0, on SQLite alone.
    """
    rows = _rows("one, SQLite", await _run(folder / "file", "", 1, seconds, rate))
    if server is not None and most > 0:
        alone = server.empty("sent_by_one").url
        rows += _rows("one, PostgreSQL", await _run(folder / "one", alone, 1, seconds, rate))
    if server is not None and most > 1:
        shared = server.empty("sent_by_many").url
        name = f"{most} on PostgreSQL"
        rows += _rows(name, await _run(folder / "many", shared, most, seconds, rate))
    return rows


async def _run(folder: Path, url: str, nodes: int, seconds: float, rate: float) -> Run:
    site = Site()
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(endpoint())
        await served.do("privates", [OPERATOR, *range(1, CHATS + 1)])
        port = await stack.enter_async_context(serving(site))
        environment = {"TELEGRAM_BOT_TOKEN": served.token}
        programs = []
        for place in _folders(folder, nodes):
            programs.append(Program(place, environment))
            stack.push_async_callback(programs[-1].kill)
        run = Run(folder, served, site, Random(1), url, programs)
        await run.start(port)
        await run.publish(min(seconds, _BEGINNING), rate, "beginning")
        await run.publish(seconds, rate, "usual")
        if nodes > 1:
            await run.end_leader()
            await run.publish(_AFTER_THE_END, rate, "end")
        await run.wait(20.0)
        return run


def _folders(folder: Path, nodes: int) -> list[Path]:
    folders = [folder / f"node{number}" for number in range(nodes)]
    for place in folders:
        place.mkdir(parents=True)
    return folders


def _rows(name: str, run: Run) -> list[dict[str, Any]]:
    """Return the rows of a run: by who got the answer where there are several."""
    usual = [article for article in run.articles.values() if article.phase == "usual"]
    later = [article for article in run.articles.values() if article.phase == "end"]
    if len(run.programs) == 1:
        return [_row(name, usual)]
    own = [article for article in usual if article.pid == run.led]
    brought = [article for article in usual if article.pid not in {run.led, 0}]
    return [
        _row(f"{name}, polled by the one that leads", own),
        _row(f"{name}, handed over by another", brought),
        _row(f"{name}, around a kill of the one that leads", later),
    ]


def _row(name: str, articles: list[Article]) -> dict[str, Any]:
    sent = [article for article in articles if article.sent]
    row: dict[str, Any] = {
        "part": "sent",
        "newsbells": name,
        "articles": len(articles),
        "unsent": len(articles) - len(sent),
    }
    published = [article.sent - article.published for article in sent]
    answered = [article.sent - article.answered for article in sent]
    for label, values in (("published", published), ("answered", answered)):
        row |= {f"{label}_{name}": value for name, value in _shares(values).items()}
    return row


def _shares(values: list[float]) -> dict[str, float]:
    """Median, the least that 90 and 99 of a hundred do not exceed."""
    if len(values) < 2:
        return dict.fromkeys(("median", "p90", "p99"), values[0] if values else 0.0)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"median": cuts[49], "p90": cuts[89], "p99": cuts[98]}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a table."""
    head = (
        "| newsbells | articles | not sent | published to sent: median | p90 | p99 "
        "| answer to sent: median | p90 | p99 |"
    )
    lines = [
        head,
        "|---|" + "---:|" * 8,
    ]
    lines += [
        "| {newsbells} | {articles} | {unsent} | {published_median:.2f} s | {published_p90:.2f} s "
        "| {published_p99:.2f} s | {answered_median:.2f} s | {answered_p90:.2f} s "
        "| {answered_p99:.2f} s |".format(**row)
        for row in rows
    ]
    return "\n".join(lines)
