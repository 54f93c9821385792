"""The queue of updates and its long polling. Makes no update itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from .errors import ApiError, Json, conflict

LONGEST_POLL: Final = 50
MOST_UPDATES: Final = 100
#: every kind of update a bot can ask for by name; other names are passed over
KINDS: Final = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
    }
)
#: kinds a bot gets only when it asks for them by name
ON_REQUEST: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_TWO_POLLERS: Final = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
_WEBHOOK: Final = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)


class UpdateQueue:
    """Updates in order, kept until a later poll confirms them or a webhook takes them."""

    def __init__(self) -> None:
        self.pending: list[Json] = []
        self.webhook = ""
        self.closed = False
        self._next_id = 1
        #: the kinds asked for; empty for the default, which is all but those on request
        self.allowed: frozenset[str] = frozenset()
        #: set when something happened to the queue
        self.news = asyncio.Event()
        #: set while nothing is pending
        self.empty = asyncio.Event()
        self.empty.set()
        self._poller: asyncio.Future[None] | None = None
        self._longest: float = LONGEST_POLL

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let no poll wait meanwhile, also where there is nothing to answer with."""
        self._longest = 0
        try:
            yield
        finally:
            self._longest = LONGEST_POLL

    def push(self, kind: str, payload: Json) -> int:
        """Queue an update unless the bot did not ask for its kind; return its id."""
        update_id = self._next_id
        self._next_id += 1
        if kind in self.allowed or (not self.allowed and kind not in ON_REQUEST):
            self.pending.append({"update_id": update_id, kind: payload})
            self.empty.clear()
            self.news.set()
            self._release(None)
        return update_id

    def allow(self, kinds: list[str] | None) -> None:
        """Take the bot's choice of kinds, which lasts until the next.

        None is no choice, an empty one the default.
        """
        if kinds is not None:
            self.allowed = KINDS & {str(kind).lower() for kind in kinds}

    def forget(self, update_id: int) -> None:
        """Drop an update that was taken."""
        self._keep([update for update in self.pending if update["update_id"] != update_id])

    async def poll(
        self, offset: int, limit: int, wait: int, allowed: list[str] | None
    ) -> list[Json]:
        """Return the updates from the offset on, waiting for the first; forget the older.

        Raises:
            ApiError: a webhook is set, or another poll or setWebhook came meanwhile.
        """
        if self.webhook:
            raise conflict(_WEBHOOK)
        self._release(conflict(_TWO_POLLERS))
        self.allow(allowed)
        self._confirm(offset)
        longest = min(wait, self._longest)
        if not self.pending and longest > 0 and not self.closed:
            await self._wait(longest)
        most = limit if 0 < limit <= MOST_UPDATES else MOST_UPDATES
        return self.pending[:most]

    def set_webhook(self, url: str, *, drop_pending: bool) -> None:
        """Switch to a webhook, or back to polling with an empty address."""
        self.webhook = url
        if drop_pending:
            self._keep([])
        if url:
            self._release(conflict("terminated by setWebhook request"))

    def close(self) -> None:
        """Answer whoever waits; the server goes down."""
        self.closed = True
        self._release(None)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._keep(self.pending[offset:])
        elif offset:
            self._keep([update for update in self.pending if update["update_id"] >= offset])

    def _keep(self, updates: list[Json]) -> None:
        self.pending = updates
        if not updates:
            self.empty.set()

    async def _wait(self, seconds: float) -> None:
        poller: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poller = poller
        try:
            async with asyncio.timeout(seconds):
                await poller
        except TimeoutError:
            pass
        finally:
            if self._poller is poller:
                self._poller = None

    def _release(self, denial_reason: ApiError | None) -> None:
        poller, self._poller = self._poller, None
        if poller is None or poller.done():
            return
        if denial_reason is None:
            poller.set_result(None)
        else:
            poller.set_exception(denial_reason)
