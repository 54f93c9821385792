"""Commands about stored articles and queries: search, backtest, export, names.

They read the database and change nothing.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import yaml
from rich.console import Console
from rich.text import Text

from bot.cli import output
from bot.cli.common import archive, check_selectors, read_query, read_subscription, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, failing
from bot.cli.numbers import FiniteRange
from bot.cli.records import forecast_record, hit_record, print_json
from bot.cli.tables import open_console
from bot.config.load import Config
from bot.i18n.catalog import Translator
from bot.model.archive import ChatFact
from bot.model.chats import Developments
from bot.model.entries import Article, Span
from bot.model.stories import Grouping
from bot.names.spellings import safe_exonyms, spellings
from bot.query.index import Index
from bot.query.tree import Name
from bot.search.backtest import MAX_EXAMINED
from bot.search.backtest import backtest as run_backtest
from bot.search.export import export_config
from bot.search.matches import search as search_archive
from bot.search.past_alerts import Terms
from bot.store.archive import Archive
from bot.store.read_only import is_absent
from bot.text.clean import plain
from bot.text.fold import folded_key
from bot.text.output_charset import takes_unicode

_OVERLAPS = 5_000  # subscriptions that a backtest is compared with
_SECONDS = 600.0  # that a backtest may take
_feeds = click.option(
    "--feeds",
    multiple=True,
    metavar="TAG",
    help="Only feeds with this tag, name or URL; may be given several times.",
)


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
    """Find stored articles by a query, newest first."""
    config = readable(path)
    tree = read_query(query, config)
    console, zone, now = (
        open_console(error=False),
        ZoneInfo(config.settings.timezone),
        datetime.now(UTC),
    )
    with failing():
        count, stored = 0, archive(config)
        check_selectors(feeds, config, stored)
        for hit in islice(search_archive(tree, stored, feeds), limit):
            count += 1
            if as_json:
                print_json(hit_record(hit))
            else:
                output.hit(console, hit, Translator(zone).time(hit.entry.at, now))
    if not count and not as_json:
        click.echo("No stored article matches.")


@click.command()
@click.argument("query")
@click.option(
    "--days", type=FiniteRange(0.1, 90), default=7, show_default=True, help="How far back."
)
@click.option("--chat", metavar="NAME", help="As this chat would be alerted: level, feeds, zone.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@_feeds
@config_option
def backtest(
    query: str,
    path: Path,
    chat: str | None,
    feeds: tuple[str, ...],
    days: float,
    *,
    as_json: bool,
) -> None:
    """Try a query on past articles.

    Options of alerts go before the query, as in /subscribe. Shows how many alerts to expect,
    alerts by day, the newest matches, and which subscriptions already alert for the same stories.
    """
    config = readable(path)
    options, tree = read_subscription(query, config)
    now, stored = datetime.now(UTC), archive(config)
    with failing():
        check_selectors(feeds, config, stored)
        viewer = _viewer(stored, config, chat)
        subscriptions = stored.subscriptions()
        index = Index(config.names, stored.languages())
        for subscription in subscriptions[:_OVERLAPS]:
            index.set(subscription)
        terms = Terms(feeds, options, viewer.grouping, viewer.developments)
        forecast = run_backtest(
            tree,
            stored.of_chat(viewer.chat_id, _SECONDS),
            now,
            timedelta(days=days),
            terms,
            index,
            viewer.zone,
        )
    names = {subscription.id: subscription.name for subscription in subscriptions}
    if as_json:
        print_json(forecast_record(forecast, names))
    else:
        output.forecast(open_console(error=False), forecast, names, Translator(viewer.zone))


@dataclass(frozen=True, slots=True)
class _Viewer:
    """The chat for which a query is tried; without an id, any that added no feeds."""

    chat_id: int
    grouping: Grouping
    developments: Developments
    zone: ZoneInfo


def _viewer(stored: Archive, config: Config, name: str | None) -> _Viewer:
    settings = config.settings
    zone, grouping = ZoneInfo(settings.timezone), Grouping(settings.stories)
    if name is None:
        return _Viewer(0, grouping, Developments.NOTE, zone)
    chats = stored.chat_addresses()
    for number, facts in chats.items():
        if name in {facts.name, str(facts.address)}:
            return _Viewer(
                number,
                facts.grouping or grouping,
                facts.in_force.developments or Developments.NOTE,
                ZoneInfo(facts.in_force.zone) if facts.in_force.zone else zone,
            )
    raise _unknown_chat(name, chats)


def _unknown_chat(name: str, chats: Mapping[int, ChatFact]) -> Misconfigured:
    known = ", ".join(sorted(facts.name for facts in chats.values())[:20]) or "none"
    return Misconfigured(f"There is no chat {name!r}. Chats: {known}.")


@click.command()
@click.option("--chat", metavar="NAME", help="Only the subscriptions of this chat.")
@config_option
def export(path: Path, chat: str | None) -> None:
    """Print the subscriptions made in chats as feeds.yaml."""
    config = readable(path)
    with failing():
        stored = archive(config)
        chats, subscriptions = stored.chat_addresses(), stored.subscriptions()
    if chat is not None:
        numbers = {
            number for number, facts in chats.items() if chat in {facts.name, str(facts.address)}
        }
        if not numbers:
            raise _unknown_chat(chat, chats)
        subscriptions = [
            replace(subscription, chats=common)
            for subscription in subscriptions
            if (common := tuple(number for number in subscription.chats if number in numbers))
        ]
    with failing():
        feeds = stored.added_feeds(
            {
                number
                for subscription in subscriptions
                if not subscription.declared
                for number in subscription.chats
            }
        )
    document = export_config(subscriptions, chats, feeds)
    if not document:
        click.echo("No subscriptions were made in chats.", err=True)
        return
    click.echo(
        "# A subscription that you copy into feeds.yaml alerts in addition to the chat's own:\n"
        "# remove that one in the chat with /unsubscribe."
    )
    click.echo(
        yaml.safe_dump(
            document, allow_unicode=takes_unicode(sys.stdout), sort_keys=False, width=140
        ),
        nl=False,
    )


@click.command()
@click.argument("name", nargs=-1, required=True)
@click.option("--list", "as_list", is_flag=True, help="Print an entry for `names:` of feeds.yaml.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@config_option
def names(name: tuple[str, ...], path: Path, *, as_list: bool, as_json: bool) -> None:
    """Show the spellings that ~"NAME" accepts.

    Also other names of the same place, and the spellings found in stored articles.
    """
    text = plain(" ".join(name))
    config = readable(path)
    tree = read_query(f'~"{text}"', config)
    others = safe_exonyms(text)
    stored = _stored_spellings(tree, config) if isinstance(tree, Name) else Counter()
    if as_json:
        record = {"spellings": spellings(text), "others": list(others), "stored": dict(stored)}
        print_json({"name": text, **record})
        return
    if as_list:
        slug = "-".join(folded_key(text).split())
        click.echo(
            yaml.safe_dump(
                {"names": {slug: [f'~"{text}"', *others]}},
                allow_unicode=takes_unicode(sys.stdout),
                sort_keys=False,
            ),
            nl=False,
        )
        return
    console = Console(highlight=False)
    console.print(Text("Spellings it accepts, among others", style="bold"))
    console.print(Text(f"  {', '.join(spellings(text))}"))
    if others:
        console.print(Text("Other names of the same place, also matched", style="bold"))
        console.print(Text(f"  {', '.join(others[:60])}"))
    console.print(Text("In stored articles", style="bold"))
    console.print(
        Text(
            "  "
            + (
                ", ".join(f"{spelling} ({count})" for spelling, count in stored.most_common(40))
                or "none"
            )
        )
    )


def _stored_spellings(tree: Name, config: Config) -> Counter[str]:
    """Return spellings in articles of the last 30 days with counts; none without a database."""
    counts: Counter[str] = Counter()
    if not is_absent(config.database):
        with failing():
            since = datetime.now(UTC) - timedelta(days=30)
            for hit in islice(search_archive(tree, archive(config), since=since), MAX_EXAMINED):
                article = hit.entry.article
                counts.update(_spelling(article, span) for span in hit.spans)
    return counts


def _spelling(article: Article, span: Span) -> str:
    return article.text_of(span.field)[span.start : span.end]
