"""Commands that look back and explain: search, backtest, explain, story, export, names. They read the database and change nothing."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import yaml
from rich.console import Console
from rich.text import Text

from bot.cli import output
from bot.cli.common import Fault, Misconfigured, archive, config_option, loaded, read_query
from bot.config.load import Config
from bot.errors import NewsbellError, QueryError
from bot.i18n.catalog import Translator
from bot.model.archive import EntryFacts
from bot.model.chats import Subscription
from bot.model.entries import Article, Span
from bot.names.spellings import exonyms, spellings
from bot.parse.entry_keys import keys_in_text
from bot.query.index import Index
from bot.query.parser import parse
from bot.query.tree import Name
from bot.search import timeline
from bot.search.backtest import MAX_EXAMINED, Hit
from bot.search.backtest import backtest as run_backtest
from bot.search.backtest import search as search_archive
from bot.search.explain import (
    AlertExplanation,
    ParsedSubscription,
    describe_entry,
    explain_article,
    explain_entry,
    explain_unknown,
)
from bot.search.export import export_config
from bot.store.archive import Archive
from bot.text.clean import plain
from bot.text.fold import folded_key
from bot.text.language import language_of
from bot.text.url import canonical

_OVERLAP_MOST = 5_000  # subscriptions that a backtest is compared with
_feeds = click.option(
    "--feeds",
    multiple=True,
    metavar="TAG",
    help="Only feeds with this tag, name or URL; may be given several times.",
)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except NewsbellError as error:
        raise Fault(str(error)) from None


@click.command()
@click.argument("query")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many to show.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@_feeds
@config_option
def search(query: str, path: Path, feeds: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """Find stored articles with the query language, newest first."""
    config = loaded(path)
    tree = read_query(query, config)
    console, zone, now = (
        output.console(error=False),
        ZoneInfo(config.settings.timezone),
        datetime.now(UTC),
    )
    with _failing():
        count = 0
        for hit in islice(search_archive(tree, archive(config), feeds), limit):
            count += 1
            if as_json:
                click.echo(json.dumps(_record(hit), ensure_ascii=False))
            else:
                output.hit(console, hit, Translator(zone).time(hit.entry.at, now))
    if not count and not as_json:
        click.echo("No stored article matches.")


def _record(hit: Hit) -> dict[str, object]:
    entry = hit.entry
    return {
        "title": entry.article.title,
        "link": entry.article.link,
        "summary": entry.article.summary,
        "feed": entry.article.feed_name,
        "publisher": entry.article.publisher,
        "source": entry.article.source,
        "language": entry.article.language,
        "published": entry.published.isoformat() if entry.published else None,
        "first_seen": entry.first_seen_at.isoformat(),
        "story": entry.story_id,
        "matches": [[span.field, span.start, span.end, span.term] for span in hit.spans],
    }


@click.command()
@click.argument("query")
@click.option(
    "--days", type=click.FloatRange(0.1, 90), default=7, show_default=True, help="How far back."
)
@_feeds
@config_option
def backtest(query: str, path: Path, feeds: tuple[str, ...], days: float) -> None:
    """Say what a query would have rung: stories a day, the newest of them, and which subscriptions ring for the same."""
    config = loaded(path)
    tree = read_query(query, config)
    console, zone, now = (
        output.console(error=False),
        ZoneInfo(config.settings.timezone),
        datetime.now(UTC),
    )
    with _failing():
        stored = archive(config)
        subscriptions = stored.subscriptions()
        index = Index(config.names, stored.languages())
        for one in subscriptions[:_OVERLAP_MOST]:
            index.set(one)
        forecast = run_backtest(tree, stored, now, days, feeds, index, zone)
    names = {one.id: one.name for one in subscriptions}
    output.forecast(console, forecast, names, lambda moment: Translator(zone).time(moment, now))


@click.command()
@click.argument("what", nargs=-1)
@click.option("--subscription", "-s", metavar="NAME", help="Only this subscription.")
@click.option(
    "--last", type=click.IntRange(1, 200), metavar="N", help="The newest N articles instead of one."
)
@config_option
def explain(what: tuple[str, ...], path: Path, subscription: str | None, last: int | None) -> None:
    """Say why an article rang, or why it did not: give its address, its headline, or any text."""
    config = loaded(path)
    text = plain(" ".join(what))
    if bool(text) == bool(last):
        raise click.UsageError("give the address, headline or text of an article, or --last N")
    with _failing():
        stored = archive(config)
        teller = _Teller(config, stored, subscription)
        if last:
            for facts in stored.latest(last):
                teller.line(facts)
            return
        found = _found(stored, text)
        for facts, by in found:
            teller.whole(facts, by)
        if not found and "://" in text:
            click.echo(explain_unknown(text, stored.feeds(), teller.when))
        elif not found:
            click.echo("No stored article has this headline; as a new one it would be judged so:\n")
            teller.text(text)


def _found(stored: Archive, text: str) -> list[tuple[EntryFacts, str]]:
    """The stored entries that an address or headline means, each with what it was known by."""
    is_link = "://" in text
    entries = stored.find(*keys_in_text(text))
    by = "link" if is_link else "headline"
    return [
        (
            facts,
            by if not is_link or canonical(facts.entry.article.link) == canonical(text) else "guid",
        )
        for facts in entries
    ]


class _Teller:
    """Tells what became of articles, for all subscriptions or one."""

    def __init__(self, config: Config, stored: Archive, only: str | None) -> None:
        self._console = output.console(error=False)
        self._now, self._zone = datetime.now(UTC), ZoneInfo(config.settings.timezone)
        subscriptions = stored.subscriptions()
        if only is not None:
            subscriptions = [
                one for one in subscriptions if only in {one.name, one.query}
            ] or _no_such(subscriptions, only)
        self._held = [_held(one, config) for one in subscriptions]
        self._chats = stored.chats()

    def when(self, moment: datetime) -> str:
        return f"at {Translator(self._zone).time(moment, self._now)}"

    def line(self, facts: EntryFacts) -> None:
        """An article in two lines: its headline, and which subscriptions rang or match."""
        all_reasons = explain_entry(facts, self._held, self._chats, self.when)
        rang = [reason.subscription for reason in all_reasons if reason.alerted]
        matched = [reason for reason in all_reasons if reason.matches and not reason.alerted]
        title = facts.entry.article.title
        self._console.print(
            Text(
                f"{Translator(self._zone).time(facts.entry.first_seen_at, self._now)}  {title}",
                style="bold",
            )
        )
        if rang:
            self._console.print(Text(f"    rang {', '.join(rang)}"))
        for reason in matched:
            self._console.print(Text(f"    {reason.subscription}: {reason.text}"))
        if not rang and not matched:
            near = next((reason for reason in all_reasons if reason.text), None)
            many = len(all_reasons)
            told = (
                f"    no subscription matches ({many} looked at)"
                if many != 1 or not near
                else f"    {near.subscription}: {near.text}"
            )
            self._console.print(Text(told))

    def whole(self, facts: EntryFacts, by: str) -> None:
        """An article with a paragraph for each subscription."""
        article = facts.entry.article
        self._console.print(output.marked(article.title, ()))
        if article.link:
            self._console.print(Text(article.link, style="dim"))
        self._console.print(Text(describe_entry(facts, self.when, by)))
        self._tell(explain_entry(facts, self._held, self._chats, self.when))

    def text(self, text: str) -> None:
        """A text that no feed has shown."""
        article = Article(text, language=language_of(text))
        self._tell(explain_article(article, self._held))

    def _tell(self, told: list[AlertExplanation]) -> None:
        for reason in told:
            sign = "✓" if reason.matches else "✗"
            self._console.print(Text(f"\n{sign} {reason.subscription}\n  {reason.text}"))
        if not told:
            self._console.print("There is no subscription yet.")


def _no_such(subscriptions: list[Subscription], name: str) -> list[Subscription]:
    known = ", ".join(one.name for one in subscriptions[:20]) or "none"
    raise Misconfigured(f"There is no subscription {name!r}. There are: {known}.")


def _held(subscription: Subscription, config: Config) -> ParsedSubscription:
    try:
        return ParsedSubscription(subscription, parse(subscription.query, config.names))
    except QueryError as error:
        return ParsedSubscription(subscription, None, error.message)


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, an article each.")
@config_option
def story(what: tuple[str, ...], path: Path, *, as_json: bool) -> None:
    """Show the story of an article and its storyline in order of time: who was first, by how much, and why each article belongs.

    Give the address or the headline of any of its articles.
    """
    config = loaded(path)
    with _failing():
        stored = archive(config)
        number = stored.entry_at(*keys_in_text(plain(" ".join(what))))
        told = timeline.timeline(stored.storyline(number), number)
    if not told:
        raise Fault(
            "No stored article has this address or headline. `newsbell explain` says which feeds could have shown it."
        )
    if as_json:
        for one in told:
            for line in one.entries:
                click.echo(json.dumps(_story_record(one, line), ensure_ascii=False))
        return
    zone, now = ZoneInfo(config.settings.timezone), datetime.now(UTC)
    output.storyline(
        output.console(error=False), told, lambda moment: Translator(zone).time(moment, now)
    )


def _story_record(told: timeline.TimelineStory, line: timeline.TimelineEntry) -> dict[str, object]:
    entry = line.entry
    return {
        "story": told.number,
        "storyline": entry.story_ids.storyline,
        "strict": entry.story_ids.strict,
        "title": entry.title,
        "link": entry.link,
        "source": entry.name,
        "via": entry.agency,
        "counts_for": entry.origin,
        "at": entry.at.isoformat(),
        "seconds_after_first": line.delay.total_seconds(),
        "pairs": [[pair.other, pair.score, pair.reason] for pair in entry.pairs],
        "why": line.reason,
    }


@click.command()
@click.option("--chat", metavar="NAME", help="Only what rings in this chat.")
@config_option
def export(path: Path, chat: str | None) -> None:
    """Print the subscriptions that people made in chats as they would stand in feeds.yaml."""
    config = loaded(path)
    with _failing():
        stored = archive(config)
        places, subscriptions = stored.chat_addresses(), stored.subscriptions()
    if chat is not None:
        numbers = {number for number, one in places.items() if chat in {one.name, str(one.address)}}
        if not numbers:
            known = ", ".join(sorted(one.name for one in places.values())[:20]) or "none"
            raise Misconfigured(f"There is no chat {chat!r}. There are: {known}.")
        subscriptions = [
            replace(one, chats=rings)
            for one in subscriptions
            if (rings := tuple(n for n in one.chats if n in numbers))
        ]
    with _failing():
        feeds = stored.added_feeds(
            {number for one in subscriptions if not one.declared for number in one.chats}
        )
    made = export_config(subscriptions, places, feeds)
    if not made:
        click.echo("No chat has subscriptions of its own.", err=True)
        return
    click.echo(
        "# What stands in feeds.yaml rings besides what the chat has: stop that there with /unsubscribe."
    )
    click.echo(yaml.safe_dump(made, allow_unicode=True, sort_keys=False, width=140), nl=False)


@click.command()
@click.argument("name", nargs=-1, required=True)
@click.option("--list", "as_list", is_flag=True, help="Print an entry for `names:` of feeds.yaml.")
@config_option
def names(name: tuple[str, ...], path: Path, *, as_list: bool) -> None:
    """Show the spellings that ~"NAME" accepts, other names of the place, and what of it stands in stored articles."""
    text = plain(" ".join(name))
    config = loaded(path)
    tree = read_query(f'~"{text}"', config)
    others = exonyms(text)
    met = _met(tree, config) if isinstance(tree, Name) else Counter()
    if as_list:
        slug = "-".join(folded_key(text).split())
        click.echo(
            yaml.safe_dump(
                {"names": {slug: [f'~"{text}"', *others]}}, allow_unicode=True, sort_keys=False
            ),
            nl=False,
        )
        return
    console = Console(highlight=False)
    console.print(Text("Spellings it accepts, among others", style="bold"))
    console.print(Text(f"  {', '.join(spellings(text))}"))
    if others:
        console.print(Text("Other names of the same place, found as well", style="bold"))
        console.print(Text(f"  {', '.join(others[:60])}"))
    console.print(Text("In stored articles", style="bold"))
    console.print(
        Text(
            "  "
            + (
                ", ".join(f"{spelling} ({count})" for spelling, count in met.most_common(40))
                or "none"
            )
        )
    )


def _met(tree: Name, config: Config) -> Counter[str]:
    """Spellings in the articles of the last 30 days, with counts; nothing where there is no database yet."""
    counts: Counter[str] = Counter()
    if config.database.exists():
        with _failing():
            since = datetime.now(UTC) - timedelta(days=30)
            for hit in islice(search_archive(tree, archive(config), since=since), MAX_EXAMINED):
                texts = (hit.entry.article.title, hit.entry.article.summary)
                counts.update(_spelled(texts, span) for span in hit.spans)
    return counts


def _spelled(texts: tuple[str, str], span: Span) -> str:
    return texts[span.field != "title"][span.start : span.end]
