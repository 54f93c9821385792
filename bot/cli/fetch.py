"""The command that looks at one feed. It stores nothing."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.cli.common import readable
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, plural
from bot.config.load import Config
from bot.i18n.catalog import Translator
from bot.model.entries import ParsedDocument, ParsedEntry, ParseFailed
from bot.model.feeds import Failure, Fetched, FetchFailed
from bot.service.feed_trial import FeedTrial, try_feed
from bot.text.channel_link import canonical_channel, channel_fault
from bot.text.clean import plain
from bot.text.duration import in_words
from bot.text.output_charset import takes_unicode
from bot.text.redaction import redact


@click.command()
@click.argument("url", metavar="URL|FEED")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="How many articles to show.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, with all articles.")
@config_option
def fetch(path: Path, url: str, limit: int, *, as_json: bool) -> None:
    """Show what a feed gives and how newsbell reads it.

    FEED is the name of a feed of the file. Nothing is stored, and nobody is alerted.
    """
    config = readable(path)
    address = _address(url, config)
    trial = asyncio.run(try_feed(config, address))
    if as_json:
        record = json.dumps(_record(address, trial), ensure_ascii=not takes_unicode(sys.stdout))
        click.echo(redact(record))
    else:
        for line in _lines(address, trial, config, limit):
            click.echo(redact(line))
    if not isinstance(trial.parsed, ParsedDocument):
        raise SystemExit(1)


def _address(text: str, config: Config) -> str:
    """Return the address of a feed by its name, or the address that somebody means.

    Raises Misconfigured for a channel that cannot be read.
    """
    named = [feed.url for feed in config.declared.feeds if text in {feed.name, feed.url}]
    if named:
        return named[0]
    if fault := channel_fault(text):
        raise Misconfigured(f"{text}: {fault}.")
    address = canonical_channel(text)
    return address if "://" in address else f"https://{address}"


def _lines(url: str, trial: FeedTrial, config: Config, limit: int) -> Iterator[str]:
    answer, parsed = trial.answer, trial.parsed
    if isinstance(answer, FetchFailed):
        yield f"{url}: {answer.text}"
        return
    if isinstance(answer, Fetched):
        if answer.url != url:
            kind = "moved to" if answer.permanent_url else "leads to"
            yield f"{url} {kind} {answer.url}"
        kind = plain(answer.content_type) or "no type"
        yield f"{answer.url}: {len(answer.body):,} bytes, {kind}, {trial.seconds:.1f} s."
    if isinstance(parsed, ParseFailed):
        yield parsed.text
        if trial.links:
            yield "The site names these feeds; `newsbell fetch` looks at one:"
        elif parsed.failure is Failure.NOT_A_FEED and isinstance(answer, Fetched):
            yield "For a page without a feed: `newsbell try-page` proposes how to read it."
        for link in trial.links:
            yield f"  {link.url}{f'  ({plain(link.title)})' if link.title else ''}"
    elif isinstance(parsed, ParsedDocument):
        yield from _document(parsed, config, limit)


def _document(parsed: ParsedDocument, config: Config, limit: int) -> Iterator[str]:
    language = f", language {parsed.language}" if parsed.language else ""
    title = plain(parsed.title) or "No title"
    yield f"{title}: {plural(len(parsed.entries), 'article')}{language}."
    undated = sum(entry.published is None for entry in parsed.entries)
    for number, what in (
        (undated, "without a date that can be read, and counted from when newsbell sees it"),
        (parsed.skipped, "left out: without id, link and headline"),
        (parsed.faulty, "left out: not readable"),
        (len(parsed.cut), "left out: older than the newest 500"),
    ):
        if number:
            yield f"{plural(number, 'article')} {what}."
    if parsed.truncated:
        yield "The end of the document is missing."
    if parsed.hints.ttl:
        yield f"It asks to be polled every {in_words(parsed.hints.ttl)} (ttl or update period)."
    translator, now = Translator(ZoneInfo(config.settings.timezone)), datetime.now(UTC)
    for entry in parsed.entries[:limit]:
        yield ""
        at = translator.time(entry.published, now) if entry.published else "no date"
        yield f"{at}  {plain(entry.title) or '(no headline)'}"
        yield f"    {entry.link or '(no link)'}"
    rest = len(parsed.entries) - limit
    if rest > 0:
        yield ""
        yield f"… and {rest:,} more (--limit)."


def _record(url: str, trial: FeedTrial) -> dict[str, object]:
    answer, parsed = trial.answer, trial.parsed
    fetched = answer if isinstance(answer, Fetched) else None
    document = parsed if isinstance(parsed, ParsedDocument) else None
    failed = next(
        (part for part in (answer, parsed) if isinstance(part, FetchFailed | ParseFailed)), None
    )
    return {
        "url": url,
        "final_url": fetched and fetched.url,
        "moved": bool(fetched and fetched.permanent_url),
        "content_type": fetched and fetched.content_type,
        "bytes": fetched and len(fetched.body),
        "seconds": round(trial.seconds, 3),
        "failure": failed and failed.failure.value,
        "failure_text": failed.text if failed else "",
        "feeds": [{"url": link.url, "title": link.title} for link in trial.links],
        "title": document.title if document else "",
        "language": document.language if document else "",
        "articles": [_article(entry) for entry in document.entries] if document else [],
    }


def _article(entry: ParsedEntry) -> dict[str, object]:
    return {
        "title": entry.title,
        "link": entry.link,
        "summary": entry.summary,
        "body": entry.body,
        "categories": list(entry.categories),
        "author": entry.author,
        "source": entry.source,
        "language": entry.language,
        "guid": entry.guid,
        "published": entry.published.isoformat() if entry.published else None,
    }
