"""A `newsbell run` process: signals, a terminal that closes, readers that go away, bad disks."""

import asyncio
import json
import os
import resource
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import chdir
from itertools import product
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from sampling import SEED, amount, share
from support import FeedServer, config_text, item, rss

from bot.cli.main import main
from bot.errors import StoreError
from bot.service.control import socket_path
from bot.store.stores import SqliteStore

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DAMAGES = amount(usual=40, soak=500)


@pytest.fixture
def folder(tmp_path: Path, server: FeedServer) -> Path:
    """A folder with a configuration whose feed is polled every second."""
    (tmp_path / "bot").symlink_to(ROOT / "bot")
    server.put("/feed.xml", rss(item("1", "Old harbour")))
    feeds = [{"url": server.url("/feed.xml"), "name": "Wire", "every": "1s"}]
    (tmp_path / "feeds.yaml").write_text(config_text(feeds), encoding="utf-8")
    return tmp_path


def _environment() -> dict[str, str]:
    own = ("TELEGRAM", "NEWSBELL", "FORCE_COLOR")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


async def _start(
    folder: Path,
    *,
    output: int = PIPE,
    errors: int = PIPE,
    session: bool = False,
    before: Callable[[], None] | None = None,
) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        cwd=folder,
        env=_environment(),
        stdin=DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=session,
        preexec_fn=before,
    )


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.05)


async def _runs(folder: Path) -> None:
    await _until(socket_path(folder / "newsbell.db").exists)


async def _end(process: Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    return process.returncode or 0, (errors or b"").decode()


async def test_signals_reload_or_do_nothing_until_one_stops_in_order(
    folder: Path, server: FeedServer
) -> None:
    """Without a terminal, as under an init system."""
    process = await _start(folder, session=True)
    await _runs(folder)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        process.send_signal(number)
    text = config_text([server.url("/other.xml")])
    (folder / "feeds.yaml").write_text(text, encoding="utf-8")
    process.send_signal(signal.SIGHUP)
    await _until(lambda: any(seen.path == "/other.xml" for seen in server.seen))
    process.send_signal(signal.SIGTERM)
    code, errors = await _end(process)
    assert code == 0
    assert errors.count('"signal_ignored"') == 3
    assert '"reload_asked"' in errors
    assert "feeds added" in errors


async def test_signals_during_the_start_end_nothing(folder: Path) -> None:
    process = await _start(folder, session=True)
    # Python itself has not begun to handle signals before its first line of ours.
    await _until((folder / "newsbell.db.lock").exists)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGUSR1)
    await _runs(folder)
    process.send_signal(signal.SIGTERM)
    assert (await _end(process))[0] == 0


@pytest.mark.parametrize(
    ("moment", "number"),
    share(list(product(("readers start", "readers read"), (signal.SIGINT, signal.SIGHUP))), 2),
)
async def test_ctrl_c_reaches_the_readers_of_feeds_and_nobody_says_so(
    folder: Path, server: FeedServer, number: signal.Signals, moment: str
) -> None:
    """A terminal sends it to all processes; those that load their modules had tracebacks."""
    process = await _start(folder, session=True)
    await _runs(folder)
    if moment == "readers start":
        await _until(lambda: bool(server.seen))
    else:
        await _until(lambda: len(server.seen) > 1)
    os.killpg(process.pid, number)
    if number == signal.SIGHUP:
        before = len(server.seen)
        await _until(lambda: len(server.seen) > before)
        os.killpg(process.pid, signal.SIGINT)
    code, errors = await _end(process)
    assert code == 0
    assert "Traceback" not in errors
    assert "readers_broken" not in errors
    assert "reader_ended" not in errors


@pytest.mark.parametrize("numbers", [[signal.SIGKILL], [signal.SIGTERM, signal.SIGTERM]])
async def test_a_kill_leaves_no_warning_of_semaphores(
    folder: Path, server: FeedServer, numbers: list[signal.Signals]
) -> None:
    process = await _start(folder, session=True)
    await _until(lambda: len(server.seen) > 1)
    for number in numbers:
        process.send_signal(number)
    _, errors = await _end(process)
    assert "leaked" not in errors


async def test_a_stop_while_newsbell_starts_is_one_in_order(folder: Path) -> None:
    process = await _start(folder, session=True)
    await _until((folder / "newsbell.db.lock").exists)
    process.send_signal(signal.SIGTERM)
    code, errors = await _end(process)
    assert code == 0
    assert "Traceback" not in errors


async def test_newsbell_stops_in_order_where_its_terminal_closes(folder: Path) -> None:
    parent, child = os.openpty()
    program = (
        "import fcntl, os, sys, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'bot', 'run'])\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        cwd=folder,
        env=_environment(),
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    try:
        await _runs(folder)
        process.send_signal(signal.SIGHUP)  # asked for while the terminal is open: a reload
        await asyncio.sleep(0.5)
        assert process.returncode is None
    finally:
        os.close(parent)
    async with asyncio.timeout(60):
        code = await process.wait()
    assert code == 0
    assert not socket_path(folder / "newsbell.db").exists()


async def test_newsbell_goes_on_where_the_reader_of_its_output_ends(
    folder: Path, server: FeedServer
) -> None:
    """As in `newsbell run 2>&1 | head -1`: both streams lead to a pipe that nobody reads."""
    reading, writing = os.pipe()
    process = await _start(folder, output=writing, errors=writing, session=True)
    os.close(writing)
    os.close(reading)
    await _runs(folder)
    before = len(server.seen)
    await _until(lambda: len(server.seen) > before + 1)
    process.send_signal(signal.SIGTERM)
    assert (await _end(process))[0] == 0


async def test_a_start_on_a_full_disk_is_one_sentence(folder: Path) -> None:
    """No file may grow beyond what the database has: to SQLite the disk is full."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    process = await _start(folder, before=limit)
    code, errors = await _end(process)
    assert code == 1
    assert "Traceback" not in errors
    assert "the disk is full or failing" in errors


async def test_a_start_where_nothing_may_be_written_is_one_sentence(folder: Path) -> None:
    """The database's own files cannot be made: their place is taken by folders."""
    for name in ("newsbell.db.lock", "newsbell.db-wal"):
        target = folder / name
        target.mkdir()
        code, errors = await _end(await _start(folder))
        assert code == 1
        assert "Traceback" not in errors
        assert len([line for line in errors.splitlines() if "database" in line]) == 1
        target.rmdir()


async def test_a_damaged_database_is_refused_in_a_sentence(folder: Path) -> None:
    """Bytes of any page are changed; what is not noticed at the start does no harm there."""
    original = folder / "newsbell.db"
    async with SqliteStore(original) as store:
        await store.admin.status()
    with sqlite3.connect(original) as db:
        db.execute("pragma journal_mode = delete")
    db.close()
    random, sentences = Random(SEED), list[str]()
    body = original.read_bytes()
    for number in range(DAMAGES):
        damaged = bytearray(body)
        for _ in range(random.choice((1, 4, 64))):
            damaged[random.randrange(100, len(damaged))] = random.randrange(256)
        path = folder / f"damaged-{number}.db"
        path.write_bytes(damaged)
        try:
            async with SqliteStore(path) as store:
                await store.admin.status()
                await store.polls.subscriptions()
        except StoreError as error:
            sentences.append(str(error))
        path.unlink()
    assert sentences
    assert not [sentence for sentence in sentences if "\n" in sentence]


def test_text_in_the_schema_that_is_none_is_a_damage(tmp_path: Path) -> None:
    """The name of a table, in bytes that are no UTF-8."""
    path = tmp_path / "newsbell.db"

    async def opened() -> None:
        async with SqliteStore(path) as store:
            await store.admin.status()

    asyncio.run(opened())
    with sqlite3.connect(path) as db:
        db.execute("pragma journal_mode = delete")
    db.close()
    body = path.read_bytes()
    assert b"TABLE" in body or b"table" in body
    path.write_bytes(body.replace(b"_sqlite_migrations", b"_sqlite_migr\xff\xfeions"))
    with pytest.raises(StoreError, match="damaged"):
        asyncio.run(opened())


async def _status(folder: Path) -> tuple[int, str]:
    """Ask in this process: to start another takes a hundred times as long."""

    def invoke() -> tuple[int, str]:
        unset = {name: None for name in os.environ if name not in _environment()}
        with chdir(folder):
            result = CliRunner().invoke(main, ["status"], env=unset, prog_name="newsbell")
        return result.exit_code, result.output

    return await asyncio.to_thread(invoke)


@pytest.mark.parametrize("broken", share([b"\0" * 300, b"feeds: [", None], 3))
async def test_a_start_on_a_broken_file_goes_on_with_the_last_good_one(
    folder: Path, server: FeedServer, broken: bytes | None
) -> None:
    """As after a power cut: it is killed, and the file holds zeros or half of it, or is gone."""
    process = await _start(folder, session=True)
    await _until(lambda: len(server.seen) > 1)
    process.kill()
    await _end(process)
    file, good = folder / "feeds.yaml", (folder / "feeds.yaml").read_text(encoding="utf-8")
    if broken is None:
        file.unlink()
    else:
        file.write_bytes(broken)
    seen = len(server.seen)
    server.put("/feed.xml", rss(item("2", "A harbour opens"), item("1", "Old harbour")))

    process = await _start(folder, session=True)
    await _runs(folder)
    await _until(lambda: len(server.seen) > seen)
    code, text = await _status(folder)
    assert code == 0
    assert "is not in force" in text
    assert "Wire" in text
    file.write_text(good.replace("/feed.xml", "/mended.xml"), encoding="utf-8")
    await _until(lambda: any(request.path == "/mended.xml" for request in server.seen))
    process.send_signal(signal.SIGTERM)
    output, errors = await process.communicate()
    assert process.returncode == 0
    assert b"A harbour opens" in output
    assert output.count(b"feeds.yaml has 1 mistake") == 1  # the notice
    assert b"feeds.yaml:1:" in output
    assert errors.count(b'"config_rejected"') == 1
    assert b'"config_reloaded"' in errors
    assert "is not in force" not in (await _status(folder))[1]


async def test_a_start_on_a_file_that_lost_most_goes_on_with_the_last_good_one_for_a_while(
    folder: Path, server: FeedServer
) -> None:
    """As after a power cut while it was saved."""
    process = await _start(folder, session=True)
    await _until(lambda: len(server.seen) > 1)
    process.kill()
    await _end(process)
    file = folder / "feeds.yaml"
    whole = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**whole, "subscriptions": []}), encoding="utf-8")
    seen = len(server.seen)
    server.put("/feed.xml", rss(item("2", "A harbour opens"), item("1", "Old harbour")))

    process = await _start(folder, session=True)
    await _runs(folder)
    await _until(lambda: len(server.seen) > seen)
    process.send_signal(signal.SIGTERM)
    output, errors = await process.communicate()
    assert b"A harbour opens" in output
    assert b"no longer has any subscriptions" in errors


async def test_a_first_start_on_a_broken_file_ends_with_2(folder: Path) -> None:
    """Also where the database is that of another file."""
    (folder / "other.yaml").write_text((folder / "feeds.yaml").read_text(encoding="utf-8"))
    (folder / "feeds.yaml").write_text("feeds: [", encoding="utf-8")
    code, errors = await _end(await _start(folder))
    assert (code, "1 mistake in feeds.yaml." in errors) == (2, True)
    (folder / "other.yaml").rename(folder / "feeds.yaml")
    process = await _start(folder)
    await _runs(folder)
    process.send_signal(signal.SIGTERM)
    await _end(process)
    (folder / "feeds.yaml").rename(folder / "third.yaml")
    (folder / "third.yaml").write_text("feeds: [", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "-c", "third.yaml", cwd=folder, stderr=PIPE
    )
    assert (await _end(process))[0] == 2
