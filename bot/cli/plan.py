"""The command that says what a changed feeds.yaml would do. It changes nothing."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.common import in_force
from bot.cli.config_file import loaded, misconfigured
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, failing, plural
from bot.cli.records import forecast_record, print_json
from bot.config import yaml_locations
from bot.config.changes import Changes, FileChanges, file_changes, is_live
from bot.config.kept_text import read_kept
from bot.config.load import Config, read_config, read_document, read_text
from bot.errors import ConfigError, NewsbellError
from bot.i18n.catalog import ENGLISH
from bot.model.chats import DeclaredSubscription
from bot.model.stories import Grouping
from bot.query.index import Index
from bot.query.parser import parse
from bot.search.backtest import PERIOD, Forecast, backtest
from bot.search.forecast_text import expectation_lines
from bot.search.past_alerts import Terms
from bot.service.losses import most_lost
from bot.service.retention import obsolete_text
from bot.store.archive import Archive
from bot.store.read_only import ReadOnlyDatabase, is_absent, reader_of
from bot.text.clean import plain

_SECONDS = 600.0  # that the backtests may take


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@config_option
def plan(path: Path, file: Path | None, *, as_json: bool) -> None:
    """Say what a changed feeds.yaml would do, before it is saved.

    FILE is the changed file, by default the configuration file itself. It is compared with what is
    in force: what newsbell last took in, or the configuration file where newsbell never ran.
    """
    new = _changed(path, file or path)
    old = _in_force(path, is_same=file is None or file.resolve() == path.resolve())
    changes = file_changes(old, new)
    forecasts = dict(_forecasts(changes, old, new))
    if as_json:
        print_json(_record(changes, forecasts))
        return
    if not changes:
        click.echo("Nothing would change.")
    for line in _lines(changes, old, new, forecasts):
        click.echo(line)


def _changed(path: Path, file: Path) -> Config:
    """Return the configuration of the changed file, as if it stood at `path`."""
    try:
        document = read_document(file, read_text(file), yaml_locations.environment())
        return read_config(path, document, yaml_locations.environment())
    except ConfigError as error:
        raise misconfigured(file, error) from None


def _in_force(path: Path, *, is_same: bool) -> Config:
    """Return what newsbell last took in; else the file, if another one is planned."""
    current = in_force(path).config
    try:
        kept = ReadOnlyDatabase(current.database).kept_config()
        if kept and kept.file == path.name:
            return read_kept(path, kept.text, read_text(path))[0]
    except NewsbellError:  # it never ran, or what it took in cannot be read any more
        pass
    if is_same:
        raise Misconfigured(
            f"newsbell has not run with {path} yet: there is nothing to compare it with. "
            "Name the changed file: newsbell plan FILE"
        )
    return loaded(path)


def _forecasts(
    changes: FileChanges, old: Config, new: Config
) -> Iterator[tuple[str, tuple[Forecast | None, Forecast]]]:
    """Yield what each changed subscription would have sent in a week, before and after."""
    if is_absent(old.database):
        return
    now = datetime.now(UTC)
    with failing():
        stored = Archive(reader_of(old.database))
        languages = stored.languages()
        for before, after in changes.rematched:
            yield (
                after.name,
                (
                    _forecast(before, old, stored, languages, now) if before else None,
                    _forecast(after, new, stored, languages, now),
                ),
            )


def _forecast(
    subscription: DeclaredSubscription,
    config: Config,
    stored: Archive,
    languages: frozenset[str],
    now: datetime,
) -> Forecast:
    chats = {chat.name: chat for chat in config.declared.chats}
    chosen = chats[subscription.to[0]].grouping if subscription.to else None
    terms = Terms(
        subscription.feeds, subscription.options, chosen or Grouping(config.settings.stories)
    )
    index = Index(config.names, languages)
    tree = parse(subscription.query, config.names)
    return backtest(tree, stored.of_chat(0, _SECONDS), now, PERIOD, terms, index)


def _lines(
    changes: FileChanges,
    old: Config,
    new: Config,
    forecasts: Mapping[str, tuple[Forecast | None, Forecast]],
) -> Iterator[str]:
    for key in changes.settings:
        when = "now" if is_live(key) else "after a restart"
        yield f"~ settings.{key} changes; it takes effect {when}."
    yield from (f"  {line}" for line in _obsolete(old, new))
    names = {feed.url: feed.name for config in (old, new) for feed in config.declared.feeds}
    yield from _kind(
        changes.feeds,
        "feed",
        names,
        "is polled; what it holds at its first poll does not alert.",
        "is polled no more; its articles stay stored.",
    )
    yield from _kind(
        changes.chats,
        "chat",
        {},
        "can get alerts.",
        "gets no alerts any more, and what waits for it is not sent.",
    )
    yield from _kind(
        changes.subscriptions,
        "subscription",
        {},
        "alerts for what comes from then on.",
        "alerts no more, and what waits for it is not sent.",
    )
    for name, (before, after) in forecasts.items():
        yield ""
        count = plural(after.alerts, "alert")
        than = f" instead of {before.alerts}" if before else ""
        yield f"{plain(name)} would have sent {count}{than} in the last week."
        yield from (f"  {line}" for line in expectation_lines(after, ENGLISH))
        shown = {hit.entry.id for hit in before.hits} if before else set()
        for hit in [hit for hit in after.hits if hit.entry.id not in shown][:5]:
            yield f"  + {plain(hit.entry.article.title)}"
    if lost := most_lost(old.declared, new.declared):
        yield ""
        yield f"It no longer has {lost}: a running newsbell waits half a minute before it takes it."


def _obsolete(old: Config, new: Config) -> Iterator[str]:
    """Yield what a shorter retention deletes."""
    used, wanted = old.settings.retention.value, new.settings.retention.value
    if wanted.longer(used) == wanted or is_absent(old.database):
        return
    with failing():
        obsolete = ReadOnlyDatabase(old.database).obsolete(wanted, used, datetime.now(UTC))
    if obsolete:
        yield f"A day after newsbell took it in, it deletes for good {obsolete_text(obsolete)}."
    else:
        yield "Nothing stored is older than that."


def _kind(
    changes: Changes, noun: str, names: Mapping[str, str], added: str, removed: str
) -> Iterator[str]:
    for name in changes.removed:
        yield f"- {noun} {plain(names.get(name, name))} {removed}"
    for name in changes.added:
        yield f"+ {noun} {plain(names.get(name, name))} {added}"
    for name, parts in changes.changed.items():
        yield f"~ {noun} {plain(names.get(name, name))}: {', '.join(parts)}."


def _record(
    changes: FileChanges, forecasts: Mapping[str, tuple[Forecast | None, Forecast]]
) -> dict[str, object]:
    def kind(part: Changes) -> dict[str, object]:
        return {"added": part.added, "removed": part.removed, "changed": part.changed}

    return {
        "settings": changes.settings,
        "feeds": kind(changes.feeds),
        "chats": kind(changes.chats),
        "subscriptions": kind(changes.subscriptions),
        "backtests": {
            name: {
                "before": before and forecast_record(before, {}),
                "after": forecast_record(after, {}),
            }
            for name, (before, after) in forecasts.items()
        },
    }
