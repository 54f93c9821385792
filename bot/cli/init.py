"""The command that writes a first feeds.yaml."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import click
from tzlocal import get_localzone_name

from bot.chat.time_zones import time_zones
from bot.cli.config_option import DEFAULT, VARIABLE, config_option
from bot.cli.faults import Fault, Misconfigured, plural
from bot.cli.schema import schema_text
from bot.config.starter import Starter, first_file, starter
from bot.errors import QueryError
from bot.query.parser import parse

USUAL = "world"  #: topic that is taken where none is named
TOKEN_FILE = "bot-token"  # noqa: S105 (the name of a file)
SCHEMA_FILE = "feeds.schema.json"
_TOKEN = re.compile(r"\d+:\S+")


@dataclass(frozen=True, slots=True)
class _Topics:
    """What somebody wants to watch."""

    known: tuple[str, ...]  #: topics of the feeds that come with newsbell
    queries: tuple[str, ...]  #: everything else


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file that holds the token of your Telegram bot.",
)
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin, or a city.")
@click.option("--topic", "topics", multiple=True, help="What to watch; may be given several times.")
@config_option
def init(
    path: Path,
    folder: Path | None,
    token_file: Path | None,
    timezone: str | None,
    topics: tuple[str, ...],
) -> None:
    """Write a first feeds.yaml.

    Asks for what no option names: the token of a Telegram bot, your time zone, and topics. Where
    standard input is no terminal, it asks nothing. It changes no file that is there.
    """
    file = folder / DEFAULT if folder else path
    if file.exists():
        raise Fault(f"There is a {file} already: edit it, or name another folder.")
    asks = sys.stdin.isatty()
    stock = starter()
    token = _asked_token(file.parent) if asks and token_file is None else ""
    zone = _zone(timezone) if timezone else _asked_zone() if asks else _local_zone()
    wanted = _chosen(topics, stock) if topics or not asks else _asked_topics(stock)
    text = first_file(
        stock,
        wanted.known,
        wanted.queries,
        timezone=zone,
        token_file=TOKEN_FILE if token else _shown(token_file, file.parent),
        schema=SCHEMA_FILE,
    )
    _write(file, text, token)
    feeds, subscriptions = text.count("\n  - {url: "), text.count("\n  - name: ")
    counts = f"{plural(feeds, 'feed')}, {plural(subscriptions, 'subscription')}"
    click.echo(f"Wrote {file}: {counts}, time zone {zone}.")
    usual = Path(os.environ.get(VARIABLE) or DEFAULT)
    named = "" if file == usual else f" -c {file}"
    click.echo(f"Next: `newsbell{named} check`, then `newsbell{named} run`.")
    if token or token_file:
        click.echo("Open the link that it prints in Telegram, and press Start.")


def _asked_token(folder: Path) -> str:
    click.echo("A Telegram bot sends the alerts to your phone; @BotFather makes one.")
    while token := click.prompt(
        "Its token (Enter for none: alerts appear in the terminal)", "", show_default=False
    ).strip():
        if not _TOKEN.fullmatch(token):
            click.echo("That does not look like a token, such as 123456:ABC-def.")
        elif (folder / TOKEN_FILE).exists():
            raise Fault(f"There is a {folder / TOKEN_FILE} already: name it with --token-file.")
        else:
            break
    return token


def _asked_zone() -> str:
    while True:
        try:
            return _zone(click.prompt("Your time zone, or a city", _local_zone()))
        except Misconfigured as error:
            click.echo(error.message)


def _asked_topics(stock: Starter) -> _Topics:
    click.echo(f"Topics that come with feeds: {', '.join(stock.topics)}.")
    click.echo("Other words become a query, such as: lighthouse OR radar.")
    while True:
        answer = click.prompt("What to watch, with commas between", USUAL)
        try:
            return _chosen(answer.split(","), stock)
        except Misconfigured as error:
            click.echo(error.message)


def _local_zone() -> str:
    """Return the machine's time zone; UTC where it has none by name."""
    zones = time_zones(get_localzone_name() or "")
    return zones[0] if zones else "UTC"


def _zone(text: str) -> str:
    zones = time_zones(text)
    if not zones:
        raise Misconfigured(f"There is no time zone {text!r}; write one such as Europe/Berlin.")
    return zones[0]


def _chosen(texts: Sequence[str], stock: Starter) -> _Topics:
    """Return topics by name, and the rest as queries. Raises Misconfigured for what is neither."""
    known: list[str] = []
    queries: list[str] = []
    for text in (text.strip() for text in texts):
        if text.casefold() in stock.topics:
            known.append(text.casefold())
        elif near := get_close_matches(text.casefold(), stock.topics, n=1, cutoff=0.75):
            raise Misconfigured(f"There is no topic {text!r}; did you mean {near[0]}?")
        elif text:
            try:
                parse(text, {})
            except QueryError as error:
                raise Misconfigured(f"{error.message}\n\n{error.excerpt()}") from None
            queries.append(text)
    return _Topics(tuple(known) or (USUAL,), tuple(dict.fromkeys(queries)))


def _shown(token_file: Path | None, folder: Path) -> str:
    """Return a file as feeds.yaml names it: below its own folder, or with the whole path."""
    if token_file is None:
        return ""
    file = token_file.resolve()
    inside = file.is_relative_to(folder.resolve())
    return str(file.relative_to(folder.resolve()) if inside else file)


def _write(file: Path, text: str, token: str) -> None:
    """Write what is not there yet; the token for its owner alone. Raises Fault."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if token:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(file.parent / TOKEN_FILE, flags, 0o600), "w") as secret:
                secret.write(f"{token}\n")
        schema = file.parent / SCHEMA_FILE
        if not schema.exists():
            schema.write_text(schema_text(), encoding="utf-8")
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as error:
        raise Fault(f"{error.filename}: {error.strerror}. Nothing else was written.") from None
