"""Read the posts of a channel that its page shows no more: the pages before it, one by one.

The site shows twenty posts. Where none of them is known, those between were missed. Keeps the pace
of all requests to the site of Telegram, whoever asks; decides nothing about entries.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from bot.model.entries import ParsedDocument, ParseFailed, ParseOutcome
from bot.model.feeds import Failure, FeedDue, Fetched, FetchFailed, FetchOutcome
from bot.parse.channel import is_channel_page, oldest_post
from bot.text.url import host_and_port

MAX_PAGES = 25  #: pages before the newest that a poll reads, of twenty posts each
HOSTS = 1000  #: hosts above which those that nobody waits for are forgotten
TRIES = 3  #: polls that fail at such a page, before what was read is kept without the rest
_MARGIN = timedelta(minutes=10)  # between the clocks

Fetch = Callable[[str], Awaitable[FetchOutcome]]
Parse = Callable[[Fetched], Awaitable[ParsedDocument | ParseFailed]]


class SitePace:
    """Lets requests to a host pass one after another, with a pause between them."""

    def __init__(self, spacing: Callable[[str], timedelta]) -> None:
        """`spacing` is the pause between two requests to a host."""
        self._spacing = spacing
        self._turns: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}

    async def turn(self, url: str) -> None:
        """Wait until the host of an address may be asked again."""
        loop, host = asyncio.get_running_loop(), host_and_port(url)
        if len(self._turns) > HOSTS:
            self._forget_idle(loop.time())
        async with self._turns.setdefault(host, asyncio.Lock()):
            wait = self._free_at.get(host, 0.0) - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self._free_at[host] = loop.time() + self._spacing(host).total_seconds()

    def _forget_idle(self, now: float) -> None:
        """Forget the hosts that nobody waits for and that may be asked."""
        idle = [
            host
            for host, turn in self._turns.items()
            if not turn.locked() and self._free_at.get(host, 0.0) <= now
        ]
        for host in idle:
            del self._turns[host]
            self._free_at.pop(host, None)


async def with_missed_posts(
    feed: FeedDue,
    first: Fetched,
    document: ParsedDocument,
    known: frozenset[bytes],
    fetch: Fetch,
    parse: Parse,
) -> ParsedDocument | FetchFailed:
    """Return the page of a channel with the pages of the posts that were missed, oldest first.

    A page that cannot be read fails the poll: what is between would never be looked for again.
    After some tries it is left out.
    """
    pages, body = [document], first.body
    oldest = oldest_post(body)
    while (
        oldest > 1
        and len(pages) <= MAX_PAGES
        and _is_missing(pages[-1], known, feed.state.last_ok_at)
    ):
        answer = await fetch(_page_before(first.url, oldest))
        if isinstance(answer, Fetched) and is_channel_page(answer.body, shows_posts=False):
            # The site shows no posts where it is asked too often, too: so it is asked once more.
            if not feed.state.failures:
                return FetchFailed(Failure.SLOW_DOWN, "Telegram shows no earlier posts.")
            break
        parsed = await parse(answer) if isinstance(answer, Fetched) else None
        if not isinstance(answer, Fetched) or not isinstance(parsed, ParsedDocument):
            if feed.state.failures + 1 < TRIES:
                return _failure(parsed or answer)
            break
        earlier = oldest_post(answer.body)
        if not 0 < earlier < oldest:
            break
        oldest = earlier
        pages.append(parsed)
    pages.reverse()
    return replace(
        document,
        entries=tuple(entry for page in pages for entry in page.entries),
        blocks=tuple(block for page in pages for block in page.blocks),
        faulty=sum(page.faulty for page in pages),
        seconds=sum(page.seconds for page in pages),
        truncated=any(page.truncated for page in pages),
    )


def _is_missing(page: ParsedDocument, known: frozenset[bytes], last_ok: datetime | None) -> bool:
    """Whether posts before a page may have come since the last poll without fault."""
    if not known or last_ok is None or not known.isdisjoint(page.blocks):
        return False
    return not any(
        entry.published and entry.published < last_ok - _MARGIN for entry in page.entries
    )


def _page_before(url: str, number: int) -> str:
    return urlsplit(url)._replace(query=f"before={number}", fragment="").geturl()


def _failure(outcome: FetchOutcome | ParseOutcome) -> FetchFailed:
    if isinstance(outcome, FetchFailed | ParseFailed):
        return FetchFailed(outcome.failure, outcome.text)
    return FetchFailed(Failure.HTTP, "The site gives an unexpected answer for earlier posts.")
