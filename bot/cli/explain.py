"""Commands about one article: why it alerted or did not, and the story that it belongs to.

They read the database and change nothing.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from bot.cli import output
from bot.cli.common import archive, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, Misconfigured, failing, plural
from bot.cli.tables import open_console
from bot.config.load import Config
from bot.errors import QueryError
from bot.i18n.catalog import Translator
from bot.model.archive import EntryFacts, FoundEntry, KnownSubscription
from bot.model.entries import Article
from bot.query.parser import parse
from bot.query.tree import Node
from bot.search import timeline
from bot.search.account import Account, ParsedSubscription, accounts_of
from bot.search.account_record import entry_record
from bot.search.explain import (
    AlertExplanation,
    account_sentence,
    describe_entry,
    explain_article,
    explain_entry,
    explain_unknown,
)
from bot.search.found import find, first_with_link
from bot.store.archive import Archive
from bot.text.clean import headline, plain
from bot.text.language import language_of
from bot.text.output_charset import takes_unicode

_SHOWN = 10  # of the articles that are found


@click.command()
@click.argument("what", nargs=-1)
@click.option("--subscription", "-s", metavar="NAME", help="Only this subscription.")
@click.option("--last", type=click.IntRange(1, 2000), metavar="N", help="The newest N articles.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, an article each.")
@config_option
def explain(
    what: tuple[str, ...],
    path: Path,
    subscription: str | None,
    last: int | None,
    *,
    as_json: bool,
) -> None:
    """Explain why an article alerted or did not.

    WHAT is its address, its headline, or any text.
    """
    config = readable(path)
    text = plain(" ".join(what))
    if bool(text) == bool(last):
        raise click.UsageError("give the address, headline or text of an article, or --last N")
    with failing():
        stored = archive(config)
        explainer = _Explainer(config, stored, subscription)
        if as_json:
            for facts in _chosen(stored, text, last, explainer.now):
                explainer.record(facts)
        elif last:
            for facts in stored.latest(last, explainer.now):
                explainer.line(facts)
        else:
            _explain_text(explainer, stored, " ".join(what))


def _chosen(stored: Archive, text: str, last: int | None, now: datetime) -> Iterator[EntryFacts]:
    """Yield the newest entries, or those that a text asks for."""
    if last:
        yield from stored.latest(last, now)
        return
    for entry in find(text, stored).entries:
        if facts := stored.facts(entry.id, now):
            yield facts


def _explain_text(explainer: "_Explainer", stored: Archive, text: str) -> None:
    found = find(text, stored)
    for entry in found.entries[:_SHOWN]:
        if whole := stored.facts(entry.id, explainer.now):
            explainer.whole(whole, found.by, first_with_link(entry.id, stored))
    if len(found.entries) > _SHOWN:
        more = plural(len(found.entries) - _SHOWN, "more article")
        click.echo(f"\nThere are {'' if found.are_all else 'at least '}{more} like this.")
    if not found.entries and found.asked.is_link:
        click.echo(explain_unknown(found.asked.target, stored.feeds(), explainer.when))
    elif not found.entries:
        click.echo("No stored article was found with this headline. If it came now:")
        explainer.text(plain(text))


class _Explainer:
    """Prints what happened to articles, for all subscriptions or one."""

    def __init__(self, config: Config, stored: Archive, only: str | None) -> None:
        self._console = open_console(error=False)
        self.now, self._zone = datetime.now(UTC), ZoneInfo(config.settings.timezone)
        self._names = config.names
        subscriptions = stored.known_subscriptions()
        shown = subscriptions if only is None else _named(subscriptions, only)
        self._only = None if only is None else {subscription.id for subscription in shown}
        # What became of an alert depends on all that want it, also where one is shown.
        self._all = [_parsed(subscription, config) for subscription in subscriptions]
        self._subscriptions = [
            item for item in self._all if self._only is None or item.subscription.id in self._only
        ]
        self._chats = {number: name for number, (name, _) in stored.chats().items()}

    def when(self, moment: datetime) -> str:
        """Return a moment as the texts say it."""
        return f"at {Translator(self._zone).time(moment, self.now)}"

    def line(self, facts: EntryFacts) -> None:
        """Print an article in two lines: its headline, and which subscriptions alerted or match."""
        all_reasons = self._reasons(facts)
        alerted = [reason.subscription for reason in all_reasons if reason.alerted]
        matched = [reason for reason in all_reasons if reason.matches and not reason.alerted]
        title = facts.entry.article.title
        self._console.print(
            Text(
                f"{Translator(self._zone).time(facts.entry.first_seen_at, self.now)}  {title}",
                style="bold",
            )
        )
        if alerted:
            self._console.print(Text(f"    alerted: {', '.join(alerted)}"))
        for reason in matched:
            self._console.print(Text(f"    {reason.subscription}: {reason.text}"))
        if not alerted and not matched:
            near = next((reason for reason in all_reasons if reason.text), None)
            count = len(all_reasons)
            text = (
                f"{near.subscription}: {near.text}"
                if count == 1 and near
                else f"no match in {plural(count, 'subscription')}"
            )
            self._console.print(Text(f"    {text}"))

    def whole(self, facts: EntryFacts, by: str, first: FoundEntry | None) -> None:
        """Print an article with a paragraph for each subscription."""
        article = facts.entry.article
        self._console.print(output.marked(article.title, ()))
        if article.link:
            self._console.print(Text(article.link, style="dim"))
        self._console.print(Text(describe_entry(facts, self.when, by, carrier=first)))
        self._print(self._reasons(facts))

    def outcomes(self, facts: EntryFacts) -> None:
        """Print what became of an article in each chat, in a line each."""
        lines = [
            f"  {account.name}, {account_sentence(account, self._chats, self.when)}"
            for account in self._accounts(facts)
            if account_sentence(account, self._chats, self.when)
        ]
        title = headline(facts.entry.article.title)
        self._console.print(Text(f"\n{title}: what became of it", style="bold"))
        for line in lines or ["  No subscription matches it."]:
            self._console.print(Text(line))

    def record(self, facts: EntryFacts) -> None:
        """Print an article and its accounts as a line of JSON."""
        accounts = self._accounts(facts)
        record = entry_record(facts, accounts, self._chats, self.when)
        click.echo(json.dumps(asdict(record), ensure_ascii=not takes_unicode(sys.stdout)))

    def _reasons(self, facts: EntryFacts) -> list[AlertExplanation]:
        accounts = self._accounts(facts)
        return explain_entry(facts, self._subscriptions, accounts, self._chats, self.when)

    def _accounts(self, facts: EntryFacts) -> list[Account]:
        accounts = accounts_of(facts, self._all, self._read)
        if self._only is None:
            return accounts
        return [account for account in accounts if account.subscription_id in self._only]

    def _read(self, query: str) -> Node | None:
        try:
            return parse(query, self._names)
        except QueryError:
            return None

    def text(self, text: str) -> None:
        """Print what a text that is not stored would match."""
        article = Article(text, language=language_of(text))
        self._print(explain_article(article, self._subscriptions))

    def _print(self, explanations: list[AlertExplanation]) -> None:
        for reason in explanations:
            sign = "✓" if reason.matches else "✗"
            self._console.print(Text(f"\n{sign} {reason.subscription}\n  {reason.text}"))
        if not explanations:
            self._console.print("There are no subscriptions yet.")


def _named(subscriptions: list[KnownSubscription], name: str) -> list[KnownSubscription]:
    """Return the subscriptions with this name or query. Raises Misconfigured for none."""
    named = [
        subscription
        for subscription in subscriptions
        if name in {subscription.name, subscription.query}
    ]
    if not named:
        known = ", ".join(subscription.name for subscription in subscriptions[:20]) or "none"
        raise Misconfigured(f"There is no subscription {name!r}. Subscriptions: {known}.")
    return named


def _parsed(subscription: KnownSubscription, config: Config) -> ParsedSubscription:
    try:
        return ParsedSubscription(subscription, parse(subscription.query, config.names))
    except QueryError as error:
        return ParsedSubscription(subscription, None, error.message)


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, an article each.")
@config_option
def story(what: tuple[str, ...], path: Path, *, as_json: bool) -> None:
    """Show the storyline of an article in order of time.

    For each story: who was first, and by how much. WHAT is the address or headline of any of its
    articles.
    """
    config = readable(path)
    with failing():
        stored = archive(config)
        number = find(" ".join(what), stored).entry_id
        stories = timeline.timeline(stored.storyline(number), number)
    if not stories:
        raise Fault(
            "No stored article was found with this address or headline. "
            "`newsbell explain` names the feeds that could have it."
        )
    if as_json:
        for part in stories:
            for item in part.entries:
                click.echo(
                    json.dumps(
                        _story_record(part, item), ensure_ascii=not takes_unicode(sys.stdout)
                    )
                )
        return
    zone, now = ZoneInfo(config.settings.timezone), datetime.now(UTC)
    output.storyline(
        open_console(error=False), stories, lambda moment: Translator(zone).time(moment, now)
    )
    with failing():
        if facts := stored.facts(number, now):
            _Explainer(config, stored, None).outcomes(facts)


def _story_record(story: timeline.TimelineStory, item: timeline.TimelineEntry) -> dict[str, object]:
    entry = item.entry
    return {
        "story": story.number,
        "storyline": entry.story_ids.storyline,
        "strict": entry.story_ids.strict,
        "title": entry.title,
        "link": entry.link,
        "source": entry.name,
        "via": entry.agency,
        "counts_for": entry.origin,
        "at": entry.at.isoformat(),
        "seconds_after_first": item.delay.total_seconds(),
        "pairs": [[pair.other, pair.score, pair.reason] for pair in entry.pairs],
        "why": item.reason,
    }
