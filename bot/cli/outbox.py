"""The commands for undelivered messages: list, retry, drop."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from bot.cli.by_hand import by_hand
from bot.cli.common import read_only, readable
from bot.cli.config_option import config_option
from bot.cli.faults import plural
from bot.cli.records import delivery_record, print_json
from bot.cli.tables import open_console, outbox_table
from bot.model.delivery import DeliveryState
from bot.store.overview import UNFINISHED

_NUMBER = click.IntRange(1, (1 << 63) - 1)  # of a delivery, as databases number them


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, of `list`.")
@config_option
@click.pass_context
def outbox(context: click.Context, path: Path, *, as_json: bool) -> None:
    """List, retry or drop undelivered messages."""
    if context.invoked_subcommand is None:
        context.invoke(outbox_list, path=path, as_json=as_json)


@outbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Also deliveries that are done.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@config_option
def outbox_list(path: Path, *, everything: bool = False, as_json: bool = False) -> None:
    """List deliveries that are queued, undecided or dead."""
    config = readable(path)
    states = tuple(DeliveryState) if everything else None
    now = datetime.now(UTC)
    rows = read_only(config).outbox(now, states)
    if as_json:
        for row in rows:
            print_json(delivery_record(row))
        return
    if not rows:
        click.echo("The outbox is empty.")
        return
    open_console(error=False).print(outbox_table(rows, now, ZoneInfo(config.settings.timezone)))
    counts = read_only(config).status().deliveries
    rest = sum(counts.get(state, 0) for state in states or UNFINISHED) - len(rows)
    if rest > 0:
        click.echo(f"… and {rest:,} more.")


@outbox.command("retry")
@click.argument("ids", type=_NUMBER, nargs=-1)
@config_option
def outbox_retry(path: Path, ids: tuple[int, ...]) -> None:
    """Send deliveries again: those with these ids, or all dead and undecided ones."""
    click.echo(_outcome(by_hand(readable(path), "retry", ids), ids, "queued again"))


@outbox.command("drop")
@click.argument("ids", type=_NUMBER, nargs=-1)
@config_option
def outbox_drop(path: Path, ids: tuple[int, ...]) -> None:
    """Drop deliveries: those with these ids, or all dead ones."""
    click.echo(_outcome(by_hand(readable(path), "drop", ids), ids, "dropped"))


def _outcome(count: int, ids: tuple[int, ...], participle: str) -> str:
    """Return what became of deliveries; `ids` are those asked for, none for all dead ones."""
    if count:
        verb = "is" if count == 1 else "are"
        return f"{plural(count, 'delivery', 'deliveries')} {verb} {participle}."
    if not ids:
        return "No delivery is dead."
    numbers = f"number {ids[0]}" if len(ids) == 1 else "one of these numbers"
    return f"No undelivered message has {numbers}. `newsbell outbox` lists them."
