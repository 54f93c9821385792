"""The bot's token and a feed's secret header show nowhere: logs, values, the database."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from botapi import BotApi, DropAfter, NotJson, Refuse, ServerError, TooManyRequests
from support import FeedServer, ManualClock, Recorder, item, newsbell, poll, rss
from telegram.error import InvalidToken
from telegram_harness import ANN, BOB, TelegramHarness, telegram_config

from bot.config.load import load
from bot.errors import ConfigError
from bot.service import logs
from bot.text.redaction import redact

TOKEN = "123456789:AAqzvxkwjhfpdmtylbgncreuosi47Zq8W2e"
HEADER = "Bearer swordfish-7f3b9c2e"
PIECE = 8  #: so much of a secret is too much
SECRETS = (TOKEN.partition(":")[2], HEADER.partition(" ")[2])
PIECES = frozenset(
    secret[at : at + PIECE] for secret in SECRETS for at in range(len(secret) - PIECE + 1)
)


class Tty(io.StringIO):
    """A stream that says it is a terminal, so that colours are written."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["lines", "colours", "json"])
def reply(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that is logged, at the highest verbosity, as `newsbell run` sets it up."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = Tty() if request.param == "colours" else io.StringIO()
    logs.set_up(
        secrets=(TOKEN, HEADER), stream=stream, as_json=request.param == "json", verbose=True
    )
    yield stream
    root.handlers = before
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(TOKEN) as made:
        made.add_private(ANN)
        made.add_private(BOB)
        yield made


def shows(text: str) -> set[str]:
    """The pieces of secrets that stand in a text."""
    return {piece for piece in PIECES if piece in text}


def config_of(api: BotApi, server: FeedServer) -> str:
    """Feeds that answer, fail, lead away, are absent and refuse, each with the secret header."""
    config = json.loads(telegram_config(api, {"ann": ANN, "bob": BOB}))
    urls = [
        *(server.url(f"/{name}.xml") for name in ("a", "broken", "away", "none")),
        "http://127.0.0.1:9/refused.xml",
    ]
    config["feeds"] = [{"url": url, "headers": {"Authorization": HEADER}} for url in urls]
    return json.dumps(config)


def serve(server: FeedServer) -> None:
    async def away(_: web.Request) -> web.Response:
        return web.Response(
            status=302, headers={"Location": server.url("/a.xml").replace("127.0.0.1", "localhost")}
        )

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=500, text=f"You sent {request.headers['Authorization']}")

    server.put("/a.xml", rss(item("1", "Old")))
    server.handle("/away.xml", away)
    server.handle("/broken.xml", broken)


async def test_nothing_that_is_logged_printed_or_kept_shows_a_secret(
    tmp_path: Path,
    api: BotApi,
    server: FeedServer,
    clock: ManualClock,
    reply: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve(server)
    terminal = Recorder()
    for fault in (
        DropAfter(),
        ServerError(502),
        NotJson(),
        Refuse(401, "Unauthorized"),
        Refuse(400, "Bad Request: no"),
        TooManyRequests(5),
    ):
        api.fault(fault)
    log = logging.getLogger("newsbell.test")
    environment = {"TELEGRAM_BOT_TOKEN": TOKEN}
    async with newsbell(
        tmp_path, config_of(api, server), clock=clock, terminal=terminal, environment=environment
    ) as made:
        harness = TelegramHarness(made, api, clock, terminal)
        await poll(made)
        server.put(
            "/a.xml", rss(item("2", "everyone"), item("3", "everyone too"), item("1", "Old"))
        )
        for _ in range(40):
            clock.advance(clock.now().resolution * 60_000_000)
            await poll(made)
        assert made.bot is not None
        api.token = "1:x"
        try:
            await made.bot.initialize()
        except InvalidToken:  # whose text python-telegram-bot puts the token into
            log.exception("the token is refused")
        await harness.app.claim_link()
        await harness.bring("everyone in the end")
        await harness.deliver()
        try:
            _broken_far_down(TOKEN, {"Authorization": HEADER})
        except ZeroDivisionError:
            log.exception("broken")
        log.info("%r %s %r %r %r", made, made.bot, made.bot, made.config, made.config.settings)
        log.info(
            "%s %r %s", f"{api.url}/bot{TOKEN}/sendMessage", made.__dict__, made.config.declared
        )
        printed = [
            repr(each)
            for each in (
                made,
                made.bot,
                made.config,
                made.config.settings,
                made.config.declared,
                made.__dict__,
            )
        ]
        printed += [
            str(made.bot),
            f"{made.bot}",
            repr(made.deliverer.__dict__),
            repr(made.listener.__dict__),
            repr(await made.store.admin.status()),
        ]

    assert any(call.status is None for call in api.calls), "sends failed"
    assert {
        seen.headers.get("Authorization") for seen in server.seen if seen.path != "/away.xml"
    } >= {HEADER}
    out, err = capsys.readouterr()
    assert len(reply.getvalue()) > 1000
    assert shows(reply.getvalue()) == set()
    assert [text for text in printed if shows(text)] == []
    assert shows(out + err) == set()
    assert shows("".join(message.text for _, message in terminal.sent)) == set()
    assert shows("".join(str(call.params) for call in api.calls)) == set()
    assert shows(kept(tmp_path)) == set()


def kept(folder: Path) -> str:
    """All bytes of the database's files."""
    return "".join(file.read_bytes().decode("latin-1") for file in folder.glob("newsbell.db*"))


def _broken_far_down(token: str, headers: dict[str, str], depth: int = 5) -> float:
    """Fail with the secrets among the values at hand."""
    address = f"https://api.telegram.org/bot{token}/getMe"
    wide = f"{'x' * 40}{token}"
    return _broken_far_down(token, headers, depth - 1) if depth else len(address + wide) / depth


@pytest.mark.parametrize(
    "text",
    [
        f"settings: {{telegram: {{token: ['{TOKEN}']}}}}",
        f"settings: {{telegram: {{token: '{TOKEN} and more'}}}}",
        f"feeds: [{{url: 'http://a.example/', headers: {{Authorization: ['{HEADER}']}}}}]",
        f"feeds: [{{url: 'http://a.example/', headers: {{Authorization: \"{HEADER}\\n\"}}}}]",
        f"feeds: [{{url: 7, headers: {{Authorization: '{HEADER}'}}}}]",
    ],
)
def test_mistakes_in_the_file_are_told_without_the_secrets_beside_them(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load(path, {})

    assert shows(f"{caught.value} {caught.value!r} {caught.value.mistakes!r}") == set()


def test_a_line_with_something_like_a_token_is_cleaned_even_where_nobody_named_it_a_secret() -> (
    None
):
    line = f'HTTP Request: POST https://api.telegram.org/bot{TOKEN}/sendMessage "HTTP/1.1 200 OK"'

    assert (
        redact(line)
        == 'HTTP Request: POST https://api.telegram.org/bot[token]/sendMessage "HTTP/1.1 200 OK"'
    )
