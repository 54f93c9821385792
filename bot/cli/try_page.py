"""The command that finds CSS selectors for a page without a feed, and shows what they give."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.cli.common import readable
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, plural
from bot.config.load import Config
from bot.i18n.catalog import Translator
from bot.model.entries import ParsedDocument, ParsedEntry
from bot.model.feeds import Fetched, FetchFailed
from bot.model.sources import PageSource
from bot.parse.page import read_page
from bot.parse.page_proposal import propose
from bot.parse.selectors import selector_fault
from bot.service.feed_trial import fetch_page
from bot.service.page_proposals import PARTS, feed_yaml
from bot.text.channel_link import channel_fault, channel_name
from bot.text.clean import plain
from bot.text.output_charset import takes_unicode
from bot.text.redaction import redact

SHOWN = 5  #: articles that are shown of a proposal


@click.command(name="try-page")
@click.argument("url")
@click.option("--item", default="", help="Selector of what holds one article; else proposals.")
@click.option("--title", default="", help="Selector of its headline, within the item.")
@click.option("--link", default="", help="Selector of its link.")
@click.option("--time", default="", help="Selector of its time.")
@click.option("--summary", default="", help="Selector of its text.")
@config_option
def try_page(path: Path, url: str, **selectors: str) -> None:
    """Find CSS selectors for a page, and show what they give.

    Prints the lines for feeds.yaml. With --item, what these selectors give. Nothing is stored.
    """
    config = readable(path)
    if channel_fault(url) or channel_name(url):
        raise Misconfigured(f"{url} is a channel of Telegram: `newsbell fetch` looks at it.")
    address = url if "://" in url else f"https://{url}"
    for name in PARTS:
        if selectors[name] and (fault := selector_fault(selectors[name])):
            raise Misconfigured(f"--{name} is no CSS selector: {fault}")
    answer = asyncio.run(fetch_page(config, address))
    if not isinstance(answer, Fetched):
        text = answer.text if isinstance(answer, FetchFailed) else "Nothing came."
        click.echo(redact(f"{address}: {text}"))
        raise SystemExit(1)
    sources = (
        (PageSource(*(selectors[name] for name in PARTS)),)
        if selectors["item"]
        else propose(answer.body, answer.content_type, answer.url)
    )
    given = [(source, _read(answer, source)) for source in sources]
    lines = [
        line for source, document in given for line in _lines(address, source, document, config)
    ]
    if not any(document for _, document in given):
        lines.append(
            "Nothing on this page is repeated and has a link"
            if not selectors["item"]
            else f"{selectors['item']} finds no articles"
        )
    for line in lines:
        click.echo(redact(line if takes_unicode(sys.stdout) else ascii(line)[1:-1]))
    if not any(document for _, document in given):
        raise SystemExit(1)


def _read(answer: Fetched, source: PageSource) -> ParsedDocument | None:
    """What the selectors give; None where that is nothing."""
    outcome = read_page(
        answer.body, answer.content_type, answer.url, source, frozenset(), datetime.now(UTC)
    )
    return outcome if isinstance(outcome, ParsedDocument) else None


def _lines(
    url: str, source: PageSource, document: ParsedDocument | None, config: Config
) -> Iterator[str]:
    """The lines for feeds.yaml, and the first articles as comments, so that all can be pasted."""
    if document is None:
        return
    dated = sum(entry.published is not None for entry in document.entries)
    yield f"# {plural(len(document.entries), 'article')}, {dated} of them with a time:"
    translator, now = Translator(ZoneInfo(config.settings.timezone)), datetime.now(UTC)
    yield from map(partial(_article, translator, now), document.entries[:SHOWN])
    yield from ("feeds:", *(f"  {line}" for line in feed_yaml(url, source).splitlines()), "")


def _article(translator: Translator, now: datetime, entry: ParsedEntry) -> str:
    at = translator.time(entry.published, now) if entry.published else "no time"
    return f"#   {at}  {plain(entry.title)}  {entry.link}"
