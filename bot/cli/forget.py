"""The command that deletes what is stored about a person or a chat."""

from pathlib import Path

import click

from bot.cli.by_hand import by_hand
from bot.cli.common import read_only, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Misconfigured, failing, plural
from bot.model.archive import StoredAbout
from bot.service.control import FORGET
from bot.text.clean import plain


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("who", metavar="PERSON|CHAT")
@click.option("--yes", is_flag=True, help="Do not ask before.")
@config_option
def forget(path: Path, who: str, *, yes: bool) -> None:
    """Delete what is stored about a person or chat.

    PERSON is a Telegram user id or a name, CHAT the id or name of a group or channel. What groups
    and channels share stays, without the person's name. Works while newsbell runs.
    """
    config = readable(path)
    with failing():
        found = read_only(config).stored_about(who)
    chosen = _the_only_one(found, who)
    click.echo(_description(chosen))
    if not yes:
        click.confirm("Delete all of it? It cannot be undone.", abort=True)
    if not by_hand(config, FORGET, (chosen.address,)):
        raise Misconfigured(f"Nothing is stored about {who} any more.")
    click.echo("Deleted. Copies in backups go with the backups.")


def _the_only_one(found: list[StoredAbout], who: str) -> StoredAbout:
    """Return whom a text means. Raises Misconfigured unless it is one whom no file names."""
    if not found:
        raise Misconfigured(f"Nothing is stored about {who!r}. `newsbell status` lists chats.")
    if len(found) > 1:
        numbers = ", ".join(str(each.address) for each in found)
        raise Misconfigured(f"Several are called {who!r}: give one of the numbers {numbers}.")
    if found[0].declared:
        raise Misconfigured(
            f"{who} is named in feeds.yaml, under chats or admins: remove it there first."
        )
    return found[0]


def _description(about: StoredAbout) -> str:
    kind = "person" if about.address > 0 else "chat"
    counts = (
        plural(about.subscriptions, "subscription"),
        plural(about.alerts, "alert"),
        plural(about.feeds, "feed"),
        f"records of {plural(about.messages, 'message')}",
    )
    return f"{plain(about.name) or 'No name'} ({kind} {about.address}): {', '.join(counts)}."
