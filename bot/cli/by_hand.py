"""What operators do by hand: try feeds again; and how a newsbell that runs is asked to do it."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from bot.cli.common import read_only, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, Misconfigured, plural
from bot.config.load import Config
from bot.errors import NewsbellError, StoreBusy
from bot.model.database_address import PostgresAddress
from bot.model.status import FeedStatus, Status
from bot.service.control import ASK_HOSTS, FEED_REQUESTS, FORGET, RETRY_FEEDS, ask
from bot.service.forwarding import forward_alone, numbers_request
from bot.store.stores import store_of
from bot.text.clean import plain


def by_hand(config: Config, do: str, ids: tuple[int, ...]) -> int:
    """Ask the newsbell that runs; where none runs, do it here under its lock."""
    read_only(config)
    try:
        done = ask(config.beside, do, ids)
    except NewsbellError as error:
        raise Fault(str(error)) from None
    if done is not None:
        return done

    async def work() -> int:
        async with store_of(config.database) as store:
            now = datetime.now(UTC)
            if do == FORGET:
                return sum([await store.admin.forget(address, now) for address in ids])
            if do in FEED_REQUESTS:
                return await store.polls.retry_feeds(ids, now, ask_hosts=do == ASK_HOSTS)
            return await (store.admin.retry(ids) if do == "retry" else store.admin.drop(ids, now))

    return here_or_there(config, work(), numbers_request(do, ids))


def here_or_there(
    config: Config, work: Coroutine[Any, Any, int], request: Mapping[str, Any]
) -> int:
    """Do it here under the lock; where the newsbell of another machine has that, let it do it.

    Raises Fault.
    """
    try:
        try:
            return asyncio.run(work)
        except StoreBusy as error:
            if isinstance(config.database, PostgresAddress):
                return asyncio.run(forward_alone(config.database, request))
            raise Fault(f"{error} It did not answer; try again.") from None
    except NewsbellError as error:
        raise Fault(str(error)) from None


@click.command()
@click.argument("what", metavar="[FEED|HOST]", required=False)
@click.option("--all", "everything", is_flag=True, help="Also feeds that do not fail.")
@config_option
def retry(path: Path, *, what: str | None, everything: bool) -> None:
    """Try failing feeds now: all, one, or those of a host.

    FEED is the name or address of a feed, HOST the name of a host. Of a feed or host that is named,
    the host is asked even if it asked for no requests. A newsbell that runs polls them at once,
    otherwise the next one does.
    """
    config = readable(path)
    status, now = read_only(config).status(), datetime.now(UTC)
    feeds = _named(status, what) if what else status.feeds
    is_feed = bool(what) and all(what in {feed.name, feed.url} for feed in feeds)
    chosen = [feed for feed in feeds if everything or is_feed or feed.state.failures]
    if not chosen:
        whose = f" of {what}" if what else ""
        click.echo(f"No feed{whose} fails. Add --all to poll those that do not.")
        return
    do = ASK_HOSTS if what else RETRY_FEEDS
    count = by_hand(config, do, tuple(feed.id for feed in chosen))
    click.echo(f"{plural(count, 'feed')} {'is' if count == 1 else 'are'} due now.")
    if not what:
        _say_who_waits(chosen, status, now)


def _say_who_waits(feeds: Sequence[FeedStatus], status: Status, now: datetime) -> None:
    """Name the hosts that asked for no requests: they are asked where they are named."""
    hosts = {feed.host for feed in feeds}
    waiting = [
        host.host
        for host in status.hosts
        if host.host in hosts and host.refusals and host.not_before > now
    ]
    if waiting:
        names = ", ".join(waiting)
        click.echo(
            f"Not before the time that they asked for: feeds of {names}. "
            f"To ask all the same: newsbell retry {waiting[0]}"
        )


def _named(status: Status, what: str) -> tuple[FeedStatus, ...]:
    """Return the feeds of this name or address, or of this host. Raises Misconfigured for none."""
    feeds = tuple(feed for feed in status.feeds if what in {feed.name, feed.url})
    host = what.lower()
    feeds = feeds or tuple(feed for feed in status.feeds if _is_at(feed.host, host))
    feeds = feeds or tuple(feed for feed in status.feeds if feed.name.casefold() == what.casefold())
    if feeds:
        return feeds
    known = {plain(feed.name) for feed in status.feeds} | {feed.host for feed in status.feeds}
    near = get_close_matches(what, sorted(known), n=1)
    hint = f"did you mean {near[0]}?" if near else "`newsbell status` lists them."
    raise Misconfigured(f"There is no feed or host {what!r}; {hint}")


def _is_at(host: str, name: str) -> bool:
    """Whether a host is the one that is named, with its port or without, or a subdomain of it."""
    bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name in {host, bare} or bare.endswith(f".{name}")
