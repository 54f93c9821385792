"""The command that says whether newsbell works: for a container, cron, a monitor."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.cli.config_option import config_option
from bot.cli.database_path import address_of, beside_of
from bot.cli.faults import Fault
from bot.cli.numbers import FiniteRange
from bot.errors import NewsbellError
from bot.model.database_address import DatabaseAddress, PostgresAddress
from bot.model.health import Role
from bot.service.control import ask_health, has_socket
from bot.store.read_only import ReadOnlyDatabase
from bot.text.duration import in_words, parse_duration

#: within which a newsbell that runs writes into its database, whatever happens
WRITES_WITHIN = timedelta(minutes=3)

_ROLES = {
    Role.LEADS: "leads",
    Role.POLLS: "polls for the one that leads",
    Role.WAITS: "waits for its turn to lead",
}


def _span(_context: click.Context, _option: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return parse_duration(value) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@config_option
@click.option(
    "--within",
    metavar="SPAN",
    callback=_span,
    help="For cron: only ask whether newsbell ran within this time, such as 30m.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=FiniteRange(0.1, 3600),
    default=5.0,
    show_default=True,
    help="How long to wait for the answer.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def health(path: Path, *, within: timedelta | None, timeout: float, as_json: bool) -> None:
    """Say whether newsbell works, by the exit code 0 or 1.

    Asks the newsbell that runs on the database of the configuration file. Where it can have no
    socket, what stands in the database decides.
    """
    now = datetime.now(UTC)
    record = None if within else _asked(path, timeout)
    if record is None:
        record = _from_database(address_of(path), now, within or WRITES_WITHIN)
    if as_json:
        click.echo(json.dumps(record))
        if not record["healthy"]:
            raise SystemExit(1)
        return
    if not record["healthy"]:
        raise Fault("Not healthy: " + " ".join(record["reasons"]))
    click.echo(" ".join([f"Healthy: {activity(record, now)}.", *record.get("notes", ())]))


def _asked(path: Path, seconds: float) -> Mapping[str, Any] | None:
    """Return what the newsbell that runs says of itself, or why it says nothing.

    None where it may run all the same.
    """
    database = beside_of(path)
    answer = ask_health(database, seconds)
    if answer.health:
        return answer.health
    if not answer.listens:
        return _unhealthy(_absence(path, database)) if has_socket(database) else None
    return _unhealthy(
        f"newsbell runs, but did not say within {seconds:g} seconds how it is: it hangs, or it is "
        "of an earlier version and has to be restarted."
    )


def _absence(path: Path, database: Path) -> str:
    """Why nobody answers."""
    if isinstance(address_of(path), PostgresAddress):
        return "No newsbell runs on this machine: start it with `newsbell run`."
    if not database.exists():
        return f"No newsbell runs, and there is no database at {database}: run `newsbell run`."
    return f"No newsbell runs on {database.name}: start it with `newsbell run`."


def _from_database(
    database: DatabaseAddress, now: datetime, within: timedelta
) -> Mapping[str, Any]:
    """Judge by when newsbell last wrote."""
    try:
        seen = ReadOnlyDatabase(database).clock_seen()
    except NewsbellError as error:
        return _unhealthy(str(error))
    if seen is None or now - seen > within:
        since = f"for {in_words(now - seen)}" if seen else "yet"
        return _unhealthy(f"newsbell has not run {since}.")
    return {"healthy": True, "reasons": [], "last_seen_at": seen.isoformat()}


def _unhealthy(reason: str) -> Mapping[str, Any]:
    return {"healthy": False, "reasons": [reason]}


def activity(record: Mapping[str, Any], now: datetime) -> str:
    """Return what newsbell did last, from what it says of itself."""
    if seen := record.get("last_seen_at"):
        return f"newsbell ran {_ago(seen, now)}"
    done = [f"runs for {in_words(timedelta(seconds=float(record['uptime'])))}"]
    done += [_ROLES[record["role"]]] if record.get("role") in _ROLES else []
    for key, what in (("last_poll_at", "polled"), ("last_sent_at", "sent")):
        if at := record.get(key):
            done.append(f"{what} {_ago(at, now)}")
    return ", ".join(done)


def _ago(moment: str, now: datetime) -> str:
    return f"{in_words(max(timedelta(0), now - datetime.fromisoformat(moment)))} ago"
