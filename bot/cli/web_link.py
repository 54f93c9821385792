"""The command that opens the web page for operators, and takes links and sessions back."""

import secrets
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

import click

from bot.chat.handlers.web import LINK_MINUTES
from bot.cli.by_hand import here_or_there
from bot.cli.common import read_only, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, Misconfigured, plural
from bot.config.load import Config
from bot.errors import NewsbellError
from bot.service.control import WEB_FEED, WEB_LINK, WEB_NO_FEED, WEB_REVOKE, ask_web
from bot.service.forwarding import web_request
from bot.service.web_requests import change_web
from bot.store.stores import store_of


@click.command("web-link")
@click.option("--revoke-all", is_flag=True, help="End all sessions, links and links to stories.")
@click.option("--feed", metavar="CHAT", help="Make an address for a chat's alerts as a feed.")
@click.option("--revoke-feed", metavar="CHAT", help="End the address of a chat's alerts.")
@config_option
def web_link(path: Path, *, revoke_all: bool, feed: str | None, revoke_feed: str | None) -> None:
    """Print a link that opens the web page, once.

    Who opens it sees what the command line shows: all chats, feeds and messages. People get a link
    to their own chats from the bot, by /web.
    """
    if sum(map(bool, (revoke_all, feed, revoke_feed))) > 1:
        raise click.UsageError("give one option at a time")
    config = readable(path)
    read_only(config)
    if revoke_all:
        count = _change(config, WEB_REVOKE)
        click.echo(f"{plural(count, 'session and link')} ended, and all links to stories.")
        return
    if revoke_feed:
        done = _change(config, WEB_NO_FEED, chat=_chat(config, revoke_feed))
        click.echo("Its address ended." if done else "It had no address.")
        return
    address, word = config.settings.web.address, secrets.token_hex(24)
    if not address:
        raise Misconfigured("There is no web page: set settings.web.listen in feeds.yaml first.")
    if feed:
        _change(config, WEB_FEED, word, _chat(config, feed))
        click.echo(f"{address}/out/{word}/alerts.atom\n{address}/out/{word}/alerts.json")
        return
    _change(config, WEB_LINK, word)
    click.echo(f"{address}/login/{word}")
    click.echo(f"It works once, within {LINK_MINUTES} minutes.", err=True)


def _change(config: Config, do: str, word: str = "", chat: int = 0) -> int:
    """Ask the newsbell that runs; where none runs, do it here under its lock."""
    try:
        done = ask_web(config.beside, do, word, chat)
    except NewsbellError as error:
        raise Fault(str(error)) from None
    if done is not None:
        return done

    async def work() -> int:
        async with store_of(config.database) as store:
            return await change_web(store.web, do, word, chat, datetime.now(UTC))

    return here_or_there(config, work(), web_request(do, word, chat))


def _chat(config: Config, name: str) -> int:
    """Return the number of the chat of this name. Raises Misconfigured for none."""
    chats = {chat.name: chat.id for chat, _, _ in read_only(config).status().chats}
    if name in chats:
        return chats[name]
    near = get_close_matches(name, sorted(chats), n=1)
    hint = f"did you mean {near[0]}?" if near else "`newsbell status --json` lists them."
    raise Misconfigured(f"There is no chat {name!r}; {hint}")
