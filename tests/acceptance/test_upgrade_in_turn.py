"""Two machines are upgraded one after the other, as the guide says, while articles come in."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import psycopg
import pytest
from outside.feeds import Mode, Wire, moment, wires
from outside.program import Program, wait_until
from postgres_server import PostgresServer
from sampling import SOAK

_LATER = """
import bot, runpy, sys
bot.__version__ = "99.0.0"
from bot.store.schema import migrations
def m999_later(db): db.execute("alter table feeds add column later text not null default ''")
migrations()(m999_later)
sys.argv[0] = "newsbell"
if __name__ == "__main__":
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""
SECONDS = 90.0


def _names(url: str) -> dict[str, tuple[bool, str]]:
    """Whether it leads, and its version, by the number of the process."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("select name, leads, version from nodes").fetchall()
    return {name.rpartition(":")[2]: (bool(leads), version) for name, leads, version in rows}


class Pair:
    """Two programs, what they wrote, and what they read."""

    def __init__(self, url: str, programs: list[Program], wire: Wire) -> None:
        self.url, self.programs, self.wire = url, programs, wire
        self.later = self.programs[0].folder.parent / "later.py"
        self.later.write_text(_LATER, encoding="utf-8")
        self.published: list[str] = []

    def state(self, program: Program) -> tuple[bool, str] | None:
        """Whether a program leads, and its version; None where it gave no sign of life."""
        return _names(self.url).get(str(program.pid))

    async def start(self, program: Program, *, later: bool = False) -> None:
        """Start a program, of the later version or the present one."""
        program.command = (str(self.later),) if later else ("-m", "bot")
        await program.start()
        assert await wait_until(lambda: self.state(program) is not None, SECONDS), self.words()

    async def publish(self) -> None:
        """Publish an article, and wait until somebody tells of it."""
        title = f"Harbour report number {len(self.published) + 1}"
        self.published.append(title)
        self.wire.add(len(self.published), title, moment(), "")
        assert await wait_until(lambda: self.count(title) > 0, SECONDS), (title, self.words())

    def count(self, title: str) -> int:
        """How often a headline was told of."""
        return self.words().count(title)

    def words(self) -> str:
        """Everything that the programs wrote."""
        return "\n".join(each.log.read_text() for each in self.programs if each.log.exists())


@pytest.mark.slow
@pytest.mark.skipif(not SOAK, reason="six starts of newsbell: for `make soak`")
async def test_machines_that_are_upgraded_in_turn_miss_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    address = postgres.empty("upgraded_in_turn")
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(wires(Random(1)))
        wire = served.add("feed", Mode.PLAIN, "127.0.1.1")
        programs = []
        for name in ("first", "second"):
            program = Program(tmp_path / name, {"TELEGRAM_BOT_TOKEN": ""})
            program.folder.mkdir()
            (program.folder / "feeds.yaml").write_text(_config(address.url, wire.url))
            stack.push_async_callback(program.kill)
            programs.append(program)
        first, second = programs
        pair = Pair(address.url, programs, wire)
        await first.start()
        assert await wait_until(lambda: wire.known, SECONDS), pair.words()
        await pair.start(second)
        await pair.publish()

        await second.stop()
        await pair.start(second, later=True)
        assert pair.state(second) == (False, "99.0.0")
        await pair.publish()
        await first.stop()
        await pair.publish()
        assert pair.state(second) == (True, "99.0.0")
        await pair.start(first)
        assert await wait_until(lambda: "node_rests" in first.log.read_text(), SECONDS)
        await pair.publish()
        assert first.pid
        await first.stop()
        await pair.start(first, later=True)
        await second.stop()
        await pair.publish()
        assert pair.state(first) == (True, "99.0.0")
        await asyncio.sleep(3)  # for what comes twice

        assert {title: pair.count(title) for title in pair.published} == dict.fromkeys(
            pair.published, 1
        )


def _config(url: str, feed: str) -> str:
    return json.dumps(
        {
            "settings": {"database": url, "network": {"allow": ["127.0.0.0/8"]}},
            "chats": {"here": {"terminal": True}},
            "feeds": [{"url": feed, "name": "Feed", "every": "1s"}],
            "subscriptions": [{"name": "All", "query": "harbour", "to": ["here"]}],
        }
    )
