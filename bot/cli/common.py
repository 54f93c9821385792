"""What commands share that read the store: the configuration in force, and what is stored.

No command.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bot.alerts import options as alert_options
from bot.cli.config_file import misconfigured
from bot.cli.faults import Fault, Misconfigured, plural
from bot.config.load import Config
from bot.errors import ConfigError, NewsbellError, QueryError
from bot.i18n.catalog import Translator
from bot.model.chats import AlertOptions
from bot.query.parser import parse
from bot.query.tree import Node
from bot.service import last_good
from bot.service.last_good import InForce, Rejected
from bot.store.read_only import ReadOnlyDatabase, is_absent, reader_of

if TYPE_CHECKING:
    from bot.store.archive import Archive


def in_force(path: Path, *, held: bool = False) -> InForce:
    """Return the configuration to run with: the last good one, where the file has mistakes.

    With `held` also where it lost most of what that has.

    Raises Misconfigured with all mistakes where there is no earlier one.
    """
    try:
        return last_good.in_force_at_start(path) if held else last_good.in_force(path)
    except ConfigError as error:
        raise misconfigured(path, error) from None


def readable(path: Path) -> Config:
    """Return the configuration for a command that reads, with a note where it is not the file's.

    Raises Misconfigured as `in_force`.
    """
    current = in_force(path)
    if current.rejected:
        click.echo(rejected_text(current.rejected, current.config), err=True)
    return current.config


def rejected_text(rejected: Rejected, config: Config) -> str:
    """Return what to know of a file that is not in force."""
    count = plural(len(rejected.error.mistakes), "mistake")
    since = ""
    if rejected.since:
        zone = ZoneInfo(config.settings.timezone)
        since = f" of {Translator(zone).time(rejected.since, datetime.now(UTC))}"
    text = (
        f"{rejected.file} has {count} and is not in force: `newsbell check` lists them. "
        f"newsbell uses the last good configuration{since} until it is mended and saved."
    )
    if rejected.without_headers:
        text += f" Polled without their headers: {', '.join(rejected.without_headers)}."
    return text


def read_only(config: Config) -> ReadOnlyDatabase:
    """Return a reader of the database. Raises Fault where there is none."""
    try:
        return ReadOnlyDatabase(config.database)
    except NewsbellError as error:
        raise Fault(str(error)) from None


def archive(config: Config) -> "Archive":
    """Return the stored entries. Raises Fault where there is no database."""
    from bot.store.archive import Archive  # noqa: PLC0415 (for those who read entries)

    if is_absent(config.database):
        raise Fault(f"There is no database at {config.database} yet: run `newsbell run` first.")
    return Archive(reader_of(config.database))


def check_selectors(texts: Sequence[str], config: Config, stored: "Archive") -> None:
    """Raise Misconfigured for what is no tag, name or URL of a feed: it would look like no news."""
    known = stored.selectors() if texts else set()
    known |= {text for feed in config.declared.feeds for text in (feed.url, feed.name, *feed.tags)}
    for text in texts:
        if text not in known:
            near = get_close_matches(text, known, n=1)
            names = sorted(other for other in known if "://" not in other)[:20]
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}."
            raise Misconfigured(f"There is no tag, name or URL of a feed {text!r}; {hint}")


def read_query(query: str, config: Config) -> Node:
    """Return the tree of a query. Raises Misconfigured with a caret below the error."""
    try:
        return parse(query, config.names)
    except QueryError as error:
        raise _mistaken(query, error) from None


def read_subscription(text: str, config: Config) -> tuple[AlertOptions, Node]:
    """Return the options in front of a query, and its tree. Raises Misconfigured."""
    try:
        options, query = alert_options.split(text)
        if misplaced := alert_options.misplaced(query):
            raise misplaced
    except QueryError as error:
        raise _mistaken(text, error) from None
    return options, read_query(query, config)


def _mistaken(query: str, error: QueryError) -> Misconfigured:
    caret = f"\n\n{error.excerpt()}" if query.strip() else ""
    return Misconfigured(f"{error.message}{caret}")
