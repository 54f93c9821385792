"""Signs of life of a node, and what whoever leads does for the others. Decides nothing of feeds."""

import asyncio
from datetime import timedelta

import structlog

from bot.errors import StoreError, StoreLost
from bot.feeds.handover import Intake
from bot.model.nodes import Node
from bot.ports import NodeStore
from bot.service.supervisor import Part

BEAT = timedelta(seconds=1)  #: between two signs of life

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
        ]

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
