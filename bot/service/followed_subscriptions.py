"""Keeps the subscriptions of a node that waits as they are with the one that leads.

Decides nothing: where it is late, the one that leads asks its own index.
"""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import StoreError
from bot.model.nodes import News
from bot.ports import NodeStore
from bot.service.membership import keep_listening
from bot.service.subscriptions import LiveSubscriptions

AGAIN = timedelta(seconds=1)  #: after the store failed

log = structlog.stdlib.get_logger("newsbell.nodes")


class FollowedSubscriptions:
    """The subscriptions of a node that waits."""

    def __init__(self, nodes: NodeStore, subscriptions: LiveSubscriptions) -> None:
        self._nodes, self._subscriptions = nodes, subscriptions
        self._changed: set[int | None] = set()  # chats; None for all of them
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_listening(self._nodes, self._take))
            group.create_task(self._refresh())

    def _take(self, what: str) -> None:
        """Note what is told; with nothing told, anything may have changed unheard."""
        kind, _, chat = what.partition(" ")
        if kind in ("", News.SUBSCRIPTIONS):
            self._changed.add(int(chat) if chat else None)
            self._told.set()

    async def _refresh(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            chats, self._changed = self._changed, set()
            try:
                for chat in {None} if None in chats else chats:
                    await self._subscriptions.refresh(chat)
            except StoreError as error:
                log.error("subscriptions_not_followed", error=str(error))
                self._changed |= chats
                self._told.set()
                await asyncio.sleep(AGAIN.total_seconds())
