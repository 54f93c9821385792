"""Signs of life of a node, and what whoever leads does for the others. Decides nothing of feeds."""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import StoreError, StoreLost
from bot.feeds.handover import Intake
from bot.model.nodes import News, Node
from bot.ports import NodeStore
from bot.service.supervisor import Part

BEAT = timedelta(seconds=1)  #: between two signs of life
DEAF = timedelta(seconds=1)  #: after the connection ended that listens

log = structlog.stdlib.get_logger("newsbell.nodes")


class Membership:
    """What a newsbell does that leads, besides what it does alone."""

    def __init__(self, nodes: NodeStore, node: Node, intake: Intake) -> None:
        self._nodes, self.node, self._intake = nodes, node, intake

    def parts(self) -> list[Part]:
        """What runs as long as it leads."""
        return [
            Part("leading", self.lead, essential=True),
            Part("taking in what other nodes polled", self._intake.run),
            Part("listening to other nodes", self.listen),
        ]

    async def listen(self) -> None:
        """Hear of what other nodes did, until cancelled; without it, it is found by looking."""
        while True:
            try:
                await self._nodes.listen(self._told)
            except StoreError as error:
                log.warning("not_listening", error=str(error))
            await asyncio.sleep(DEAF.total_seconds())

    def _told(self, what: str) -> None:
        if what in ("", News.POLLS):
            self._intake.wake()

    async def lead(self) -> None:
        """Give signs of life, and free what nodes claimed that are gone.

        Raises StoreLost where another node leads by now.
        """
        while True:
            try:
                await self._nodes.beat(self.node, leads=True)
                freed = await self._nodes.release_of_gone()
                if freed:
                    log.warning("claims_of_gone_nodes", feeds=freed)
            except StoreLost:
                raise
            except StoreError as error:
                log.error("no_sign_of_life", error=str(error))
            await asyncio.sleep(BEAT.total_seconds())
