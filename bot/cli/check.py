"""The command that checks a configuration file."""

import json
import sys
from pathlib import Path

import click

from bot.cli.config_file import loaded, misconfigured
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, plural
from bot.cli.unpollable import unpollable
from bot.config.load import Config, load
from bot.config.query_tests import failures
from bot.errors import ConfigError, Mistake, NewsbellError
from bot.model.chats import ChatKind
from bot.text.clean import plain
from bot.text.output_charset import takes_unicode
from bot.text.redaction import redact
from bot.text.stem import INFLECTED


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@config_option
def check(path: Path, file: Path | None, *, as_json: bool) -> None:
    """Check a configuration file and test its queries.

    Lists every mistake with its line and column.
    """
    file = file or path
    if as_json:
        _print_json(file)
        return
    config = loaded(file)
    refused = tuple(unpollable(config))
    if refused:
        raise misconfigured(file, ConfigError(str(file), refused))
    failed = failures(config.tests, config.names)
    if failed:
        lines = "\n".join(mistake.at(str(file)) for mistake in failed)
        raise Misconfigured(
            f"{lines}\n\n{len(failed)} of {plural(len(config.tests), 'test')} in {file} failed."
        )
    counts = [plural(number, noun.removesuffix("s")) for noun, number in _counts(config).items()]
    if config.tests:
        counts.append(f"{plural(len(config.tests), 'test')} passed")
    click.echo(f"{file} is valid: {', '.join(counts)}.")
    for line in _notes(config):
        click.echo(line)
    for warning in config.warnings:
        click.echo(warning.at(str(file)))
    if config.has_uninflected_words:
        click.echo(f"Words are inflected in these languages: {', '.join(sorted(INFLECTED))}.")
    for key in config.outdated:
        click.echo(f"{key.at(str(file))} (the old name still works)")


def _print_json(file: Path) -> None:
    """Print what a check finds; raises SystemExit where the file has mistakes."""
    config, mistakes, failed = None, list[Mistake](), list[Mistake]()
    try:
        config = load(file)
    except ConfigError as error:
        mistakes = list(error.mistakes)
    else:
        mistakes = list(unpollable(config))
        failed = failures(config.tests, config.names)
    record: dict[str, object] = {
        "file": str(file),
        "valid": not mistakes and not failed,
        "mistakes": [_record(mistake) for mistake in mistakes],
        "failed_tests": [_record(mistake) for mistake in failed],
    }
    if config:
        record |= {
            "warnings": [_record(item) for item in (*config.warnings, *config.outdated)],
            "notes": _notes(config),
            **_counts(config),
            "tests": len(config.tests),
        }
    click.echo(redact(json.dumps(record, ensure_ascii=not takes_unicode(sys.stdout))))
    if mistakes or failed:
        raise SystemExit(2)


def _record(mistake: Mistake) -> dict[str, object]:
    return {
        "line": mistake.line,
        "column": mistake.column,
        "key": mistake.path,
        "message": mistake.message,
    }


def _counts(config: Config) -> dict[str, int]:
    declared = config.declared
    return {
        "feeds": len(declared.feeds),
        "chats": len(declared.chats),
        "subscriptions": len(declared.subscriptions),
    }


def _notes(config: Config) -> list[str]:
    """Return what to know of a valid file."""
    notes = []
    folder = config.database.parent if isinstance(config.database, Path) else None
    if folder is not None and not folder.exists():
        notes.append(f"There is no folder {folder} for the database: `newsbell run` will make it.")
    notes += _overruled_hints(config)
    has_telegram = any(chat.kind is ChatKind.TELEGRAM for chat in config.declared.chats)
    if has_telegram and not config.token:
        notes.append(
            "It has Telegram chats, but no token: set TELEGRAM_BOT_TOKEN before `newsbell run`."
        )
    return notes


def _overruled_hints(config: Config) -> list[str]:
    """Return what publishers ask for and `every` overrules, as far as newsbell polled the feeds."""
    overruling = [feed for feed in config.declared.feeds if feed.every]
    if not overruling or (isinstance(config.database, Path) and not config.database.exists()):
        return []
    from bot.search.feed_state import overruled_hint  # noqa: PLC0415 (few files have such)
    from bot.store.read_only import ReadOnlyDatabase  # noqa: PLC0415 (likewise)

    try:
        known = {feed.url: feed for feed in ReadOnlyDatabase(config.database).status().feeds}
    except (NewsbellError, IndexError):  # it is of an earlier version: no column
        return []
    hints = (
        (feed.name, overruled_hint(known[feed.url].state, feed.every))
        for feed in overruling
        if feed.url in known
    )
    return [f"{plain(name)}: {hint}." for name, hint in hints if hint]
