"""The command that checks a configuration file."""

from pathlib import Path

import click

from bot.cli.config_file import loaded
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, plural
from bot.config.load import Config
from bot.config.query_tests import failures
from bot.errors import NewsbellError
from bot.search.feed_state import overruled_hint
from bot.text.clean import plain
from bot.text.stem import INFLECTED


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@config_option
def check(path: Path, file: Path | None) -> None:
    """Check a configuration file and test its queries.

    Lists every mistake with its line and column.
    """
    file = file or path
    config = loaded(file)
    failed = failures(config.tests, config.names)
    if failed:
        lines = "\n".join(mistake.at(str(file)) for mistake in failed)
        raise Misconfigured(
            f"{lines}\n\n{len(failed)} of {plural(len(config.tests), 'test')} in {file} failed."
        )
    declared = config.declared
    counts = [
        plural(len(declared.feeds), "feed"),
        plural(len(declared.chats), "chat"),
        plural(len(declared.subscriptions), "subscription"),
    ]
    if config.tests:
        counts.append(f"{plural(len(config.tests), 'test')} passed")
    click.echo(f"{file} is valid: {', '.join(counts)}.")
    for line in _overruled_hints(config):
        click.echo(line)
    for warning in config.warnings:
        click.echo(warning.at(str(file)))
    if config.has_uninflected_words:
        click.echo(f"Words are inflected in these languages: {', '.join(sorted(INFLECTED))}.")
    for key in config.outdated:
        click.echo(f"{key.at(str(file))} (the old name still works)")
    if not config.token and any(chat.kind == "telegram" for chat in declared.chats):
        click.echo(
            "It has Telegram chats, but no token: set TELEGRAM_BOT_TOKEN before `newsbell run`."
        )


def _overruled_hints(config: Config) -> list[str]:
    """Return what publishers ask for and `every` overrules, as far as newsbell polled the feeds."""
    if not config.database.exists():
        return []
    from bot.store.sqlite import ReadOnlyDatabase  # noqa: PLC0415 (most files have none yet)

    try:
        known = {feed.url: feed for feed in ReadOnlyDatabase(config.database).status().feeds}
    except (NewsbellError, IndexError):  # it is of an earlier version: no column
        return []
    hints = (
        (feed.name, overruled_hint(known[feed.url].state, feed.every))
        for feed in config.declared.feeds
        if feed.url in known
    )
    return [f"{plain(name)}: {hint}." for name, hint in hints if hint]
